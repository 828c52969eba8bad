//! Clears the label counts that the broker retains of a camera and that this box no longer publishes: those of the model
//! that looked at it before a swap or a change of the settings, or of an earlier run.
//!
//! The broker sends retained messages to each new subscription, so one camera's topics are read at a time:
//!
//! ```text
//! Idle    -> Looking          a camera's labels are known, or have changed: subscribe to its `labels/+`
//! Looking -> Looking | Idle   LOOK_TIME is over: unsubscribe, continue with the next camera
//! Looking -> Idle             the connection is lost; this camera is looked at again, on ATTEMPTS connections at most
//! ```

use crate::publish::outgoing::States;
use crate::publish::sinks::mqtt::event_loop::Incoming;
use crate::publish::sinks::mqtt::removed_cameras::Step;
use crate::publish::sinks::mqtt::topics;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the broker may take to send the counts that it retains of one camera.
const LOOK_TIME: Duration = Duration::from_secs(2);

/// The most connections in a row that may be lost while looking. Some brokers close the connection of a client that
/// subscribes to a forbidden topic.
const ATTEMPTS: u32 = 3;

#[derive(Debug)]
struct Look {
    camera: CameraId,
    until: Monotonic,
}

/// The state machine; see the module.
pub(super) struct StaleLabels {
    prefix: String,
    box_id: String,
    /// How often the labels of each camera were set when it was looked at.
    seen: BTreeMap<CameraId, u64>,
    waiting: BTreeSet<CameraId>,
    look: Option<Look>,
    is_connected: bool,
    lost: u32,
}

impl StaleLabels {
    pub(super) fn new(prefix: &str, box_id: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            box_id: box_id.to_owned(),
            seen: BTreeMap::new(),
            waiting: BTreeSet::new(),
            look: None,
            is_connected: false,
            lost: 0,
        }
    }

    /// `labelled` says how often the labels of each camera were set. A camera whose number changed is looked at.
    pub(super) fn labels_are(&mut self, labelled: &BTreeMap<CameraId, u64>) {
        for (camera, times) in labelled {
            if self.seen.insert(camera.clone(), *times) != Some(*times) {
                self.waiting.insert(camera.clone());
            }
        }
        self.seen.retain(|camera, _| labelled.contains_key(camera));
        self.waiting.retain(|camera| labelled.contains_key(camera));
    }

    pub(super) fn connected(&mut self) {
        self.is_connected = true;
    }

    /// The connection is lost, with its subscriptions.
    pub(super) fn disconnected(&mut self) {
        self.is_connected = false;
        if let Some(look) = self.look.take() {
            self.lost += 1;
            self.waiting.insert(look.camera);
        }
    }

    /// Returns the steps that are due.
    pub(super) fn tick(&mut self, now: Monotonic) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(look) = self.look.take_if(|look| now >= look.until) {
            self.lost = 0;
            steps.push(Step::Unsubscribe(self.all_of(&look.camera)));
        }
        if self.look.is_none()
            && self.is_connected
            && self.lost < ATTEMPTS
            && let Some(camera) = self.waiting.pop_first()
        {
            steps.push(Step::Subscribe(self.all_of(&camera)));
            self.look = Some(Look { camera, until: now + LOOK_TIME });
        }
        steps
    }

    /// Handles a message and returns the next steps; `None` if it is no count of the camera that is looked at. `states`
    /// are the messages that this box publishes now.
    pub(super) fn receive(&self, message: &Incoming, states: &States) -> Option<Vec<Step>> {
        let look = self.look.as_ref()?;
        let base = topics::label(&self.prefix, &self.box_id, look.camera.as_str(), "");
        message.topic.strip_prefix(&base)?;
        // Counts that this box publishes meanwhile arrive without the retain flag, and cleared ones are empty.
        let is_stale = message.is_retained && !message.payload.is_empty() && !states.contains_key(&message.topic);
        Some(if is_stale { vec![Step::Clear(message.topic.clone())] } else { Vec::new() })
    }

    fn all_of(&self, camera: &CameraId) -> String {
        topics::label(&self.prefix, &self.box_id, camera.as_str(), "+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::commands::ReplyTo;

    const ALL: &str = "ocelli/gate/cameras/yard/labels/+";

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn yard() -> CameraId {
        CameraId::new("yard").unwrap()
    }

    fn looking() -> StaleLabels {
        let mut labels = StaleLabels::new("ocelli", "gate");
        labels.labels_are(&BTreeMap::from([(yard(), 1)]));
        assert!(labels.tick(at(0)).is_empty(), "there is no connection");
        labels.connected();
        assert_eq!(labels.tick(at(0)), [Step::Subscribe(ALL.into())]);
        labels
    }

    fn retained(label: &str) -> Incoming {
        let topic = format!("ocelli/gate/cameras/yard/labels/{label}");
        Incoming { topic, is_retained: true, payload: b"1".to_vec(), reply_to: ReplyTo::default() }
    }

    #[test]
    fn counts_of_another_model_are_cleared_and_those_that_are_published_stay() {
        let mut labels = looking();
        let states = States::from([(retained("person").topic, b"0".as_slice().into())]);
        let cleared = Step::Clear("ocelli/gate/cameras/yard/labels/zebra".into());
        assert_eq!(labels.receive(&retained("zebra"), &states), Some(vec![cleared]));
        assert_eq!(labels.receive(&retained("person"), &states), Some(vec![]));
        let live = Incoming { is_retained: false, ..retained("zebra") };
        assert_eq!(labels.receive(&live, &states), Some(vec![]));
        let of_others = Incoming { topic: "ocelli/gate/cameras/barn/labels/zebra".into(), ..retained("zebra") };
        assert_eq!(labels.receive(&of_others, &states), None);
        assert!(labels.tick(at(1)).is_empty());
        assert_eq!(labels.tick(at(2)), [Step::Unsubscribe(ALL.into())]);
        assert_eq!(labels.receive(&retained("zebra"), &states), None, "nobody asked for it");
    }

    #[test]
    fn a_camera_is_looked_at_again_only_after_its_labels_changed() {
        let mut labels = looking();
        assert_eq!(labels.tick(at(2)).len(), 1);
        labels.labels_are(&BTreeMap::from([(yard(), 1)]));
        assert!(labels.tick(at(3)).is_empty());
        labels.labels_are(&BTreeMap::from([(yard(), 2)]));
        assert_eq!(labels.tick(at(4)), [Step::Subscribe(ALL.into())]);
    }

    #[test]
    fn a_broker_that_ends_each_connection_is_asked_three_times_only() {
        let mut labels = looking();
        for asked in 1..=ATTEMPTS {
            labels.disconnected();
            assert!(labels.tick(at(10)).is_empty());
            labels.connected();
            assert_eq!(labels.tick(at(10)).len(), usize::from(asked < ATTEMPTS));
        }
    }
}
