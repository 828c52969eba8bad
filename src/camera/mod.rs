//! The parent's side of a camera: when to connect, what state it is in, when it is lost.
//!
//! Never touches a pixel and holds no pipeline.

pub mod settings;
