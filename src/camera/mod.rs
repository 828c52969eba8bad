//! The daemon's side of a camera: when to connect it, what state it is in, when it is lost.
//!
//! Touches no pixel and holds no pipeline. `camera_state`, `connection`, `stream_life` and `reconnect_policy` decide for one camera,
//! `capture_group` for the cameras that share a capture process. `lent_slots` records which slots units read.
//! `capture_process` starts the processes and sends them messages, `trial` starts one for a single look, `clip_file`
//! opens the file of a `file://` camera, `network_guard` resolves names for `reachable`, which decides where a process may
//! connect to; no other file here does I/O.

mod camera_due;
pub(crate) mod camera_state;
pub(crate) mod capture_action;
pub(crate) mod capture_group;
pub(crate) mod capture_process;
pub(crate) mod clip_file;
pub(crate) mod connection;
pub(crate) mod lent_slots;
pub(crate) mod network_guard;
pub mod passwords;
pub(crate) mod process_sharing;
mod reachable;
pub(crate) mod reconnect_policy;
pub mod settings;
mod stream_life;
mod tls_settings;
pub(crate) mod trial;
