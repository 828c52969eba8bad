//! Cameras that die, freeze, are cut off, slow down, change, and refuse logins: how long until their frames are back, and
//! what their neighbours notice.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it belongs to one test file"
)]

pub mod extent;
pub mod faults;
pub mod figure;
pub mod login_counter;
pub mod reconnects;
pub mod site;
