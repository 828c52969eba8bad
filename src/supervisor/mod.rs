//! Keeps the inference units running and hands them work.
//!
//! [`Supervisor`] decides and is given `now`; the appliance starts the processes. The supervisor
//! never waits on what it supervises.

pub mod autoscaler;
mod dispatcher;
pub mod one_shot;
pub mod retry_budget;
pub mod settings;
pub mod unit_process;
pub mod unit_state;
pub mod zones;

pub use dispatcher::{Answer, Supervisor, SupervisorAction, SupervisorStatus};
