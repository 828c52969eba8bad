//! Keeps the inference units running and dispatches work to them.
//!
//! [`Fleet`] decides for the box, [`Pool`](pool::Pool) for one model; both take `now` as an argument. The appliance
//! starts the processes, so the supervisor never waits for a unit.

mod actions;
pub mod autoscaler;
pub mod batch;
pub mod capacity_plan;
mod fleet;
pub mod inspection;
pub mod model_version;
pub mod one_shot;
pub mod pool;
pub mod retry_budget;
pub mod rewriting;
pub mod service_time;
pub mod settings;
pub mod unit_process;
pub mod unit_state;
pub mod zones;

pub use crate::vision::model_state::ModelState;
pub use actions::{Answer, ImageRoom, ModelStatus, SupervisorAction};
pub use fleet::{BoxLimits, Fleet, FleetError, ZonePlacement};
