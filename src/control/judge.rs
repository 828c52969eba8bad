//! What is wrong with the box: the one place that judges its status. `/readyz`, `/api/status`, `ocelli status`, systemd's
//! line, the metric and the state over MQTT all say what is said here, so that none is green while another is not.

use crate::control::loss::loss;
use crate::control::reason::{Part, Reason};
use crate::control::status::{ApplianceStatus, CameraView};
use crate::publish::broker_status::BrokerStatus;
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The event loop renews the status twice a second. One that is older shows that it hangs.
pub const STALE_AFTER: Duration = Duration::from_secs(10);

/// A main stream that is away for longer is told as a trouble. Detections do not need it.
const MAIN_LOST_AFTER: Duration = Duration::from_secs(30);

/// True when the event loop should have made a newer status.
pub fn is_stale(status: &ApplianceStatus, now: Monotonic) -> bool {
    status.made_at.is_some_and(|at| now.since(at) > STALE_AFTER)
}

/// Everything that is wrong in this status. Empty only for a healthy box: every camera that is wanted streams and is
/// analysed, every unit is in service, the broker is connected, and everything can be written.
pub fn reasons(status: &ApplianceStatus, now: Monotonic) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let Some(made_at) = status.made_at else { return vec![Reason::new(Part::Box, "the daemon is starting")] };
    if is_stale(status, now) {
        let text = format!("the event loop hangs: what is shown is {} s old", now.since(made_at).as_secs());
        reasons.push(Reason::new(Part::Box, text));
    }
    for (id, camera) in &status.cameras {
        if let Some(Blindness { what, why }) = blindness(status, camera) {
            let text = format!("camera {id} {what}: {why}");
            reasons.push(Reason::about(Part::Camera, format!("camera {id}"), text));
        }
    }
    for (id, camera) in status.cameras.iter().filter(|(_, it)| it.state.state == CameraStatus::Streaming) {
        if let Some(what) = loss(&camera.rates) {
            reasons.push(Reason::about(Part::Camera, format!("loss of camera {id}"), format!("camera {id}: {what}")));
        }
    }
    for (id, camera) in status.cameras.iter().filter(|(_, it)| it.state.state == CameraStatus::Streaming) {
        if let Some(kind) = camera.counts.tampered {
            let text = format!("camera {id} is {}: look at it", kind.name());
            reasons.push(Reason::about(Part::Camera, format!("view of camera {id}"), text));
        }
    }
    for (id, camera) in &status.cameras {
        if let Some(why) = main_loss(camera, made_at) {
            let text = format!("camera {id}: snapshots show its analysed stream, for the main one is lost: {why}");
            reasons.push(Reason::about(Part::Camera, format!("main stream of camera {id}"), text));
        }
    }
    let is_wanted = |camera: &CameraView| camera.state.state != CameraStatus::Disabled;
    for (id, camera) in status.cameras.iter().filter(|(_, it)| is_wanted(it) && !it.unknown_labels.is_empty()) {
        let labels = camera.unknown_labels.join("`, `");
        let text = format!("camera {id} looks for `{labels}`, which its model {} does not know", camera.model);
        reasons.push(Reason::about(Part::Camera, format!("labels of camera {id}"), text));
    }
    if status.models.is_empty() {
        reasons.push(Reason::new(Part::Model, "there is no model"));
    }
    for text in &status.degraded {
        let model = status.models.iter().find(|(_, model)| model.degraded.contains(text));
        reasons.push(match model {
            Some((name, _)) => Reason::about(Part::Model, format!("model {name}"), text),
            None => Reason::new(Part::Box, text),
        });
    }
    if !status.is_ready() && !reasons.iter().any(|reason| reason.part == Part::Model) {
        reasons.push(Reason::new(Part::Model, "not every unit is in service"));
    }
    reasons.extend(broker_reason(&status.broker));
    if let Some(why) = status.outbox.as_ref().and_then(|outbox| outbox.trouble.as_ref()) {
        let text = format!("events are not written to the disk: {why}");
        reasons.push(Reason::about(Part::Disk, "outbox", text));
    }
    reasons.extend(status.unwritten.iter().map(|text| Reason::new(Part::Disk, text)));
    reasons.extend(status.troubles.iter().map(|text| Reason::new(Part::Box, text)));
    reasons
}

/// Why nothing is seen before a camera.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Blindness {
    /// `does not stream` or `is not analysed`.
    pub what: &'static str,
    /// The reason, as part of a sentence for the operator.
    pub why: String,
}

/// Why nothing is seen before a camera. `None` while its frames are analysed, and if the operator has switched it off.
pub fn blindness(status: &ApplianceStatus, camera: &CameraView) -> Option<Blindness> {
    match camera.state.state {
        CameraStatus::Disabled => None,
        CameraStatus::Streaming => not_analysed(status, camera).map(|why| Blindness { what: "is not analysed", why }),
        // The state alternates with each try; the reason of the last one stays.
        _ => {
            let why = camera.state.reason.as_deref().unwrap_or("it has not been connected yet").to_owned();
            Some(Blindness { what: "does not stream", why })
        }
    }
}

/// Why the main stream of a camera is away, if it has been for long while the analysed one streams.
pub fn main_loss(camera: &CameraView, now: Monotonic) -> Option<&str> {
    let main = camera.main.as_ref().filter(|_| camera.state.state == CameraStatus::Streaming)?;
    let since = main.since.max(camera.since);
    let is_lost = main.state.state != CameraStatus::Streaming && now.since(since) > MAIN_LOST_AFTER;
    is_lost.then(|| main.state.reason.as_deref().unwrap_or("it has not been connected yet"))
}

fn not_analysed(status: &ApplianceStatus, camera: &CameraView) -> Option<String> {
    let name = &camera.model;
    let Some(model) = status.models.get(name) else { return Some(format!("there is no model {name}")) };
    if model.in_service == 0 {
        return Some(format!("its model {name} is {}, with no unit in service", model.state.name()));
    }
    camera
        .rates
        .is_ignored(f64::from(camera.state.fps))
        .then(|| "none of its frames was in the last ten seconds".to_owned())
}

fn broker_reason(broker: &BrokerStatus) -> Option<Reason> {
    let (what, reason) = match broker {
        BrokerStatus::Off | BrokerStatus::Connected => return None,
        BrokerStatus::Away(reason) => ("the broker is not connected", reason),
        BrokerStatus::Refused(reason) => ("the broker refuses this box", reason),
    };
    Some(Reason::about(Part::Broker, "broker", reason.as_deref().unwrap_or(what)))
}

/// Cameras that stream, and those that are wanted: all but the ones that are switched off.
pub fn streaming_of_wanted(status: &ApplianceStatus) -> (usize, usize) {
    let count =
        |is_so: fn(CameraStatus) -> bool| status.cameras.values().filter(|camera| is_so(camera.state.state)).count();
    (count(|state| state == CameraStatus::Streaming), count(|state| state != CameraStatus::Disabled))
}

/// The box in one line: `2 of 2 units, 7 of 8 cameras, broker connected`. What these words do not show is named after them.
pub fn summary(status: &ApplianceStatus, reasons: &[Reason]) -> String {
    let (units, desired) = (status.units_in_service(), status.units_desired());
    let (streaming, wanted) = streaming_of_wanted(status);
    let broker = match status.broker {
        BrokerStatus::Off => "MQTT off",
        BrokerStatus::Connected => "broker connected",
        BrokerStatus::Away(_) => "broker not connected",
        BrokerStatus::Refused(_) => "broker refused",
    };
    let mut line = format!("{units} of {desired} units, {streaming} of {wanted} cameras, {broker}");
    let is_hidden = |reason: &&Reason| match reason.part {
        Part::Broker => false,
        Part::Camera => streaming == wanted,
        Part::Model | Part::Disk | Part::Box => true,
    };
    let mut hidden = reasons.iter().filter(is_hidden);
    if let Some(first) = hidden.next() {
        line.push_str("; ");
        line.push_str(&first.text.replace(['\n', '\r'], " "));
        let more = hidden.count();
        if more > 0 {
            line.push_str(&format!(", and {more} more"));
        }
    }
    line
}
