//! Who looks at the box's page: people with a name and a password, and whoever the box itself hands a link or its token.
//!
//! A login gives the browser a cookie that stands for a session. Sessions, links and limits are plain code that is given `now`
//! (`sessions`, `links`, `failures`, `access_record`); `reception` holds them for all listeners, and `gate` asks it
//! before each request of `/api`. All of it is kept in memory alone: a restart ends every session.

pub(super) mod access_record;
pub(super) mod cookie;
mod failures;
pub(super) mod gate;
mod hashing;
pub(super) mod links;
pub mod password;
pub mod reception;
mod sessions;
pub(super) mod stay;
mod subject;
mod ticket;
pub mod viewer;
pub(super) mod visitor;
