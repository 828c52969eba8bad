//! Clears what the broker retains of cameras that this box no longer has.
//!
//! The state, label counts and picture of a camera that was removed from the settings, or renamed, stay on the broker, and
//! a restarted daemon has no record of it. But the broker sends retained messages to each new subscription. So the states
//! of all cameras are read once after connecting, and then all topics of one removed camera at a time:
//!
//! ```text
//! Waiting  -> Listing               connected: subscribe to `cameras/+/state`
//! Listing  -> Clearing | Done       LIST_TIME is over: the removed cameras are known
//! Clearing -> Clearing              a round received messages: subscribe again, until a round receives none
//! Clearing -> Clearing | Done       a round received none: clear the camera's state, continue with the next camera
//! Listing, Clearing -> Waiting      the connection is lost; Done after ATTEMPTS
//! any      -> Listing | Waiting     a camera is removed while the daemon runs
//! ```
//!
//! A camera's state is cleared last, because the next attempt finds the camera by it. Some brokers close the connection
//! of a client that subscribes to a forbidden topic, hence the limit on attempts.

use crate::publish::sinks::mqtt::event_loop::Incoming;
use crate::publish::sinks::mqtt::topics;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the broker may take to send the states that it retains.
const LIST_TIME: Duration = Duration::from_secs(5);

/// How long the broker may take to send the retained messages of one camera.
const ROUND_TIME: Duration = Duration::from_secs(2);

/// The most connections on which this is tried.
const ATTEMPTS: u32 = 3;

/// The most cameras to clear in one run, since other clients may publish any number. The next start continues.
const MOST_CAMERAS: usize = 1024;

/// A step for the sender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Subscribe(String),
    Unsubscribe(String),
    /// Publish an empty retained message to this topic.
    Clear(String),
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Phase {
    Waiting,
    Listing { until: Monotonic },
    Clearing { camera: String, has_found: bool, until: Monotonic },
    Done,
}

/// The state machine; see the module.
pub(super) struct RemovedCameras {
    prefix: String,
    box_id: String,
    /// The prefix of all camera topics of this box.
    base: String,
    cameras: Vec<CameraId>,
    phase: Phase,
    attempts: u32,
    is_connected: bool,
    /// Cameras that are still to be cleared.
    removed: BTreeSet<String>,
}

impl RemovedCameras {
    pub(super) fn new(prefix: &str, box_id: &str, cameras: &[CameraId]) -> Self {
        Self {
            prefix: prefix.to_owned(),
            box_id: box_id.to_owned(),
            base: format!("{prefix}/{box_id}/cameras/"),
            cameras: cameras.to_vec(),
            phase: Phase::Waiting,
            attempts: 0,
            is_connected: false,
            removed: BTreeSet::new(),
        }
    }

    /// These are the cameras of this box from now on. When one is gone, its topics are looked for at once, or with the
    /// next connection.
    pub(super) fn cameras_are(&mut self, cameras: &[CameraId], now: Monotonic) -> Vec<Step> {
        let is_removed = self.cameras.iter().any(|camera| !cameras.contains(camera));
        self.cameras = cameras.to_vec();
        self.removed.retain(|removed| !cameras.iter().any(|camera| camera.as_str() == removed));
        if !is_removed {
            return Vec::new();
        }
        self.attempts = 0;
        match self.phase {
            // Not connected: that comes first.
            Phase::Waiting => Vec::new(),
            Phase::Done if !self.is_connected => {
                self.phase = Phase::Waiting;
                Vec::new()
            }
            _ => {
                self.phase = Phase::Waiting;
                self.connected(now)
            }
        }
    }

    /// The broker is connected.
    pub(super) fn connected(&mut self, now: Monotonic) -> Vec<Step> {
        self.is_connected = true;
        if self.phase == Phase::Done {
            return Vec::new();
        }
        if self.attempts == ATTEMPTS {
            tracing::info!("topics of removed cameras are not cleared: the connections did not last long enough");
            self.phase = Phase::Done;
            return Vec::new();
        }
        self.attempts += 1;
        self.removed.clear();
        self.phase = Phase::Listing { until: now + LIST_TIME };
        vec![Step::Subscribe(self.states())]
    }

    /// The connection is lost, with its subscriptions.
    pub(super) fn disconnected(&mut self) {
        self.is_connected = false;
        if self.phase != Phase::Done {
            self.phase = Phase::Waiting;
        }
    }

    /// Handles a message and returns the next steps; `None` if it is not about a camera of this box.
    pub(super) fn receive(&mut self, message: &Incoming) -> Option<Vec<Step>> {
        let (camera, rest) = message.topic.strip_prefix(&self.base)?.split_once('/')?;
        let is_known = self.cameras.iter().any(|known| known.as_str() == camera);
        // Messages that this box publishes itself arrive without the retain flag, and cleared ones are empty.
        if is_known || !message.is_retained || message.payload.is_empty() {
            return Some(Vec::new());
        }
        if rest == "state" {
            if self.removed.len() < MOST_CAMERAS {
                self.removed.insert(camera.to_owned());
            }
            return Some(Vec::new());
        }
        if let Phase::Clearing { camera: current, has_found, .. } = &mut self.phase {
            *has_found |= current == camera;
        }
        Some(vec![Step::Clear(message.topic.clone())])
    }

    /// Returns the steps that are due.
    pub(super) fn tick(&mut self, now: Monotonic) -> Vec<Step> {
        match &self.phase {
            Phase::Listing { until } if now >= *until => {
                let mut steps = vec![Step::Unsubscribe(self.states())];
                steps.extend(self.next_camera(now));
                steps
            }
            Phase::Clearing { camera, has_found: true, until } if now >= *until => self.round(camera.clone(), now),
            Phase::Clearing { camera, has_found: false, until } if now >= *until => {
                tracing::info!(camera, "the retained topics of a removed camera are cleared");
                let state = topics::camera_state(&self.prefix, &self.box_id, camera);
                let mut steps = vec![Step::Unsubscribe(self.all_of(camera)), Step::Clear(state)];
                self.removed.remove(&camera.clone());
                steps.extend(self.next_camera(now));
                steps
            }
            _ => Vec::new(),
        }
    }

    fn next_camera(&mut self, now: Monotonic) -> Vec<Step> {
        match self.removed.first().cloned() {
            Some(camera) => self.round(camera, now),
            None => {
                self.phase = Phase::Done;
                Vec::new()
            }
        }
    }

    /// Subscribes again, so that the broker sends the messages that it still retains.
    fn round(&mut self, camera: String, now: Monotonic) -> Vec<Step> {
        let topic = self.all_of(&camera);
        self.phase = Phase::Clearing { camera, has_found: false, until: now + ROUND_TIME };
        vec![Step::Subscribe(topic)]
    }

    fn states(&self) -> String {
        topics::camera_state(&self.prefix, &self.box_id, "+")
    }

    fn all_of(&self, camera: &str) -> String {
        format!("{}{camera}/#", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::commands::ReplyTo;

    const SECOND: Duration = Duration::from_secs(1);

    fn retained(topic: &str) -> Incoming {
        let (topic, payload) = (format!("ocelli/gate/{topic}"), b"1".to_vec());
        Incoming { topic, is_retained: true, payload, reply_to: ReplyTo::default() }
    }

    fn with_yard() -> RemovedCameras {
        RemovedCameras::new("ocelli", "gate", &[CameraId::new("yard").unwrap()])
    }

    #[test]
    fn a_removed_camera_is_cleared_until_nothing_is_left_and_its_state_goes_last() {
        let (mut cameras, mut now) = (with_yard(), Monotonic::from_nanos(1));
        assert_eq!(cameras.connected(now), [Step::Subscribe("ocelli/gate/cameras/+/state".into())]);
        assert_eq!(cameras.receive(&retained("cameras/yard/state")), Some(vec![]));
        assert_eq!(cameras.receive(&retained("cameras/barn/state")), Some(vec![]));
        assert_eq!(cameras.tick(now + SECOND), []);

        now = now + LIST_TIME;
        let all = || "ocelli/gate/cameras/barn/#".to_owned();
        let states = Step::Unsubscribe("ocelli/gate/cameras/+/state".into());
        assert_eq!(cameras.tick(now), [states, Step::Subscribe(all())]);
        let cleared = Step::Clear("ocelli/gate/cameras/barn/labels/person".into());
        assert_eq!(cameras.receive(&retained("cameras/barn/labels/person")), Some(vec![cleared]));
        assert_eq!(cameras.receive(&retained("cameras/barn/state")), Some(vec![]), "it goes last");
        now = now + ROUND_TIME;
        assert_eq!(cameras.tick(now), [Step::Subscribe(all())], "there may be more");
        now = now + ROUND_TIME;
        let state = Step::Clear("ocelli/gate/cameras/barn/state".into());
        assert_eq!(cameras.tick(now), [Step::Unsubscribe(all()), state]);
        assert_eq!(cameras.phase, Phase::Done);
        assert_eq!(cameras.connected(now), [], "once is enough");
    }

    #[test]
    fn messages_of_cameras_that_are_there_clear_nothing_and_others_are_left_to_others() {
        let (mut cameras, now) = (with_yard(), Monotonic::from_nanos(1));
        drop(cameras.connected(now));
        assert_eq!(cameras.receive(&retained("cameras/yard/labels/person")), Some(vec![]));
        let live = Incoming { is_retained: false, ..retained("cameras/barn/state") };
        assert_eq!(cameras.receive(&live), Some(vec![]));
        assert_eq!(cameras.receive(&retained("command/stop")), None);
        drop(cameras.tick(now + LIST_TIME));
        assert_eq!(cameras.phase, Phase::Done);
    }

    #[test]
    fn a_broker_that_retains_without_end_fills_no_memory() {
        let (mut cameras, now) = (with_yard(), Monotonic::from_nanos(1));
        drop(cameras.connected(now));
        for number in 0..=MOST_CAMERAS {
            assert_eq!(cameras.receive(&retained(&format!("cameras/barn-{number}/state"))), Some(vec![]));
        }
        assert_eq!(cameras.removed.len(), MOST_CAMERAS);
    }

    #[test]
    fn a_camera_that_is_removed_while_the_daemon_runs_is_looked_for_and_a_new_one_is_left_alone() {
        let (mut cameras, now) = (with_yard(), Monotonic::from_nanos(1));
        drop(cameras.connected(now));
        drop(cameras.tick(now + LIST_TIME));
        assert_eq!(cameras.phase, Phase::Done);
        let [yard, door] = ["yard", "door"].map(|id| CameraId::new(id).unwrap());
        assert_eq!(cameras.cameras_are(&[yard, door.clone()], now), []);
        assert_eq!(cameras.receive(&retained("cameras/door/state")), Some(vec![]));
        assert!(cameras.removed.is_empty());
        let listing = [Step::Subscribe("ocelli/gate/cameras/+/state".into())];
        assert_eq!(cameras.cameras_are(std::slice::from_ref(&door), now), listing);
        assert_eq!(cameras.receive(&retained("cameras/yard/state")), Some(vec![]));
        assert!(cameras.removed.contains("yard"));
        cameras.disconnected();
        assert_eq!(cameras.cameras_are(&[], now), [], "with the next connection");
        assert_eq!(cameras.connected(now), listing);
    }

    #[test]
    fn a_broker_that_ends_each_connection_is_asked_three_times_only() {
        let (mut cameras, now) = (with_yard(), Monotonic::from_nanos(1));
        for _ in 0..ATTEMPTS {
            assert_eq!(cameras.connected(now).len(), 1);
            cameras.disconnected();
        }
        assert_eq!(cameras.connected(now), []);
    }
}
