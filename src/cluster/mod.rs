//! Several boxes that look at a site's cameras together.
//!
//! etcd decides who owns a camera: a box writes `owner/<camera>` on its lease, and the revision at which it was written is the
//! *epoch*, which goes with everything that is published. One of the boxes is elected to write the plan.
//!
//! ```text
//!  etcd ──changes──▶ View ──▶ Member::decide ──requests──▶ etcd      which cameras this box has
//!                      └────▶ Placer::decide ──plan──────▶ etcd      where each is to be; the leader alone
//!  Session: the loop around both. It tells the appliance by a watch (`Assigned`), and hears from it by another (`OwnReport`).
//!  Promise: until when this box may count as an owner; looked at by who publishes, at that very moment.
//! ```
//!
//! Without `[cluster]` none of it runs.

mod check;
mod client;
mod etcd;
mod headroom;
mod hours;
mod member;
mod models;
mod moves;
mod operator;
mod peers;
pub mod placer;
mod planning;
mod promise;
pub mod records;
mod report;
pub mod sealed_passwords;
mod session;
pub mod settings;
mod standing;
mod status;
mod view;

pub use check::{ClusterCheck, check};
pub use client::ClusterClient;
pub use etcd::EtcdError;
pub use headroom::{CallRoom, Headroom};
pub use hours::{HoursOfBoxes, MonthHours, SharedHours};
pub use models::{ModelOrderError, ModelPlace, Share, UnitsAt};
pub use moves::MoveStatus;
pub use operator::{Operator, OperatorError};
pub use peers::{Choice, Peers};
pub use promise::Promise;
pub use report::{Assigned, Assignment, OwnReport};
pub use session::{ModelOrder, Order, Session, SessionEnds};
pub use standing::{Mark, Standing, Standings};
pub use status::{BoxStatus, CameraPlace, ClusterStatus, EtcdStatus, month_of};
pub use view::View;
