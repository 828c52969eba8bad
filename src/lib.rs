//! ocelli: an edge inference appliance for IP cameras.

pub mod admission;
pub mod appliance;
pub mod camera;
#[cfg(feature = "capture")]
pub mod capture;
pub mod cli;
pub mod control;
pub mod http;
pub mod ipc;
pub mod model;
pub mod os;
pub mod publish;
pub mod secret;
pub mod settings;
pub mod supervisor;
pub mod telemetry;
pub mod unit;
pub mod vision;
