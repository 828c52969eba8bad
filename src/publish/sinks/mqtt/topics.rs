//! The topics of the MQTT contract.

/// Availability of the box, retained: `online`, `offline` (the will) or `stopped`.
pub fn available(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/available")
}

/// State of the box, retained.
pub fn box_state(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/state")
}

/// The beginning of all topics of a camera.
pub fn camera(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/")
}

/// State of a camera, retained.
pub fn camera_state(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/state")
}

/// What tells the events of a camera of a cluster from those of a box's own camera with the same name, in the outbox.
pub fn event_stream(cluster: Option<&str>, camera: &str) -> String {
    // `/` is in no id.
    cluster.map_or_else(|| camera.to_owned(), |cluster| format!("{cluster}/{camera}"))
}

/// The events of an [`event_stream`]; durable but not retained.
pub fn events_of(prefix: &str, box_id: &str, stream: &str) -> String {
    let (level, camera) = stream.split_once('/').unwrap_or((box_id, stream));
    events(prefix, level, camera)
}

/// Who looks at a camera of a cluster, retained.
pub fn owner(prefix: &str, cluster: &str, camera: &str) -> String {
    format!("{prefix}/{cluster}/owner/{camera}")
}

/// Detections of each frame of a camera, not retained.
pub fn detections(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/detections")
}

/// Events of a camera, durable but not retained.
pub fn events(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/events")
}

/// Newest snapshot of a camera, retained.
pub fn snapshot(prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/snapshot")
}

/// True if the topic is a [`snapshot`] topic.
pub fn is_snapshot(topic: &str) -> bool {
    topic.ends_with("/snapshot")
}

/// Number of objects of a label that are in view, retained. `level` is the label as a topic level.
pub fn label(prefix: &str, box_id: &str, camera: &str, level: &str) -> String {
    format!("{prefix}/{box_id}/cameras/{camera}/labels/{level}")
}

/// True if the topic is a [`label`] topic.
pub fn is_label(topic: &str) -> bool {
    topic.rsplit_once('/').is_some_and(|(above, _)| above.ends_with("/labels"))
}

/// Subscription to all commands for this box.
pub fn commands(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/command/+")
}

/// What `ocelli check` publishes, to see whether it may.
pub fn check(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/check")
}

/// Replies to commands that name no response topic.
pub fn reply(prefix: &str, box_id: &str) -> String {
    format!("{prefix}/{box_id}/reply")
}
