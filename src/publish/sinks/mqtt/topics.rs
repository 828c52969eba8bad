//! The topics of the MQTT contract.

/// `online`, `offline` (the will) or `stopped`.
pub fn available(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/available")
}

/// The box's state.
pub fn box_state(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/state")
}

/// A camera's state.
pub fn camera_state(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/state")
}

/// What was seen in a camera's frames.
pub fn detections(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/detections")
}

/// What began, changed and ended in a camera's picture.
pub fn events(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/events")
}

/// The picture of a camera.
pub fn snapshot(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/snapshot")
}

/// True for [`snapshot`].
pub fn is_snapshot(topic: &str) -> bool {
    topic.ends_with("/snapshot")
}

/// How many of a label are in view.
pub fn label(prefix: &str, box_id: &str, camera: &str, level: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/labels/{level}")
}

/// Every command.
pub fn commands(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/command/+")
}

/// Answers to commands that name no topic of their own.
pub fn reply(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/reply")
}
