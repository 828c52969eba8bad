//! The parent's side of a camera: when to connect, what state it is in, when it is lost.
//!
//! Never touches a pixel and holds no pipeline. [`camera_state`] and [`reconnect_policy`] decide for a camera,
//! [`capture_group`] for the cameras that share one capture process; [`lent_slots`] knows which slots units read.

pub(crate) mod camera_state;
pub(crate) mod capture_group;
pub(crate) mod capture_process;
pub(crate) mod lent_slots;
pub(crate) mod reconnect_policy;
pub mod settings;
