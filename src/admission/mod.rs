//! Decides which frame gets an inference unit and how every frame ends.
//!
//! Plain code: never waits, never reads a clock (the caller passes `now`), knows no process.

pub mod controller;
pub mod ledger;

pub use controller::{Controller, FrameWork};
pub use ledger::Ledger;
