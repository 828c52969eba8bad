//! Decides which frame or image gets the next inference unit, and counts how each one ends.
//!
//! Plain code: it never waits, never reads a clock (the caller passes `now`), and knows no process.

pub(crate) mod brown_out;
pub(crate) mod controller;
pub(crate) mod gate;
pub(crate) mod image_queue;
pub(crate) mod ledger;
pub(crate) mod return_times;
pub(crate) mod work;

pub use controller::Controller;
pub use gate::Gate;
pub use image_queue::ImageQueue;
pub use ledger::Ledger;
pub use return_times::ReturnTimes;
pub use work::{FrameWork, ImageId, ImageWork, Work, WorkKind};
