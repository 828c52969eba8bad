//! Decides who gets an inference unit, and how every frame and image ends.
//!
//! Plain code: never waits, never reads a clock (the caller passes `now`), knows no process.

pub mod brown_out;
pub mod controller;
pub mod gate;
pub mod image_queue;
pub mod ledger;
pub mod work;

pub use controller::Controller;
pub use gate::Gate;
pub use image_queue::ImageQueue;
pub use ledger::Ledger;
pub use work::{FrameWork, ImageId, ImageWork, Work, WorkKind};
