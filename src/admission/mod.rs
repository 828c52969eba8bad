//! Decides who gets an inference unit, and how every frame and image ends.
//!
//! Plain code: never waits, never reads a clock (the caller passes `now`), knows no process.

pub(crate) mod brown_out;
pub(crate) mod controller;
pub(crate) mod gate;
pub(crate) mod image_queue;
pub(crate) mod ledger;
pub(crate) mod work;

pub use controller::Controller;
pub use gate::Gate;
pub use image_queue::ImageQueue;
pub use ledger::Ledger;
pub use work::{FrameWork, ImageId, ImageWork, Work, WorkKind};
