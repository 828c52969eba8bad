//! Answers to calls that begin something are held until it has ended, within a limit. Waiters of SDKs ask at once and then
//! after 30 seconds (RUNNING) or 120 (TRAINING_COMPLETED): with the answer held, their first question finds the box ready.

use crate::catalog::arn::Resource;
use crate::control::ApplianceStatus;
use crate::http::rekognition::operation::Operation;
use crate::http::rekognition::state::RekognitionState;
use crate::http::rekognition::version_status::{Running, status_of};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How often the status is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What a version is on its way through.
const PASSING: [&str; 3] = ["STARTING", "TRAINING_IN_PROGRESS", "COPYING_IN_PROGRESS"];

/// The answer to the operation that began something with this version.
pub(super) async fn answer(state: &RekognitionState, operation: Operation, version: &Resource) -> Value {
    let mut shown = state.control.watch();
    let settled = async {
        while PASSING.contains(&status(state, version)) {
            tokio::select! {
                () = sleep(LOOK) => {}
                // The daemon stops: nothing will settle any more.
                () = ended(&mut shown) => return,
            }
        }
    };
    // One that takes longer is answered as it is.
    drop(timeout(state.longest_hold(), settled).await);
    match operation {
        Operation::StartProjectVersion => json!({"Status": status(state, version)}),
        _ => json!({"ProjectVersionArn": state.catalog().realm.arn(version)}),
    }
}

/// Waits until the status is shown for the last time.
async fn ended(shown: &mut watch::Receiver<ApplianceStatus>) {
    while shown.changed().await.is_ok() {}
}

fn status(state: &RekognitionState, resource: &Resource) -> &'static str {
    // Another caller may have deleted it meanwhile.
    let Some(version) = state.catalog().read(|catalog| catalog.version(resource).cloned()) else { return "DELETING" };
    let model = state.model_name(resource, &version);
    status_of(&version, Running::of(&state.control, &model).as_ref()).0
}
