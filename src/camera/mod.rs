//! The parent's side of a camera: when to connect, what state it is in, when it is lost.
//!
//! Never touches a pixel and holds no pipeline. [`camera_state`] and [`reconnect_policy`] decide;
//! [`capture_group`] decides for the cameras that share one capture process, [`snapshot_policy`] how
//! often there is a picture of one.

pub mod camera_state;
pub mod capture_group;
pub mod capture_process;
pub mod lent_slots;
pub mod reconnect_policy;
pub mod settings;
pub mod snapshot_policy;
