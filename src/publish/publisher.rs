//! The event loop's handle on publishing. It queues messages and never waits.
//!
//! The newest state of each topic is kept, and is published as soon as the broker is connected. Detections are only
//! useful while they are fresh: while the broker is away or slow they are dropped and counted.

use crate::publish::broker_status::BrokerStatus;
use crate::publish::commands::{self, Commands};
use crate::publish::home_assistant::settings::HomeAssistantSettings;
use crate::publish::home_assistant::{CameraDevice, announcement_topic};
use crate::publish::label_counts::LabelCount;
use crate::publish::label_topics::LabelTopics;
use crate::publish::message::{BoxStateMessage, CameraStateMessage, DetectionsMessage};
use crate::publish::outbox::SinkEnd;
use crate::publish::outgoing::SinkTroubles;
pub use crate::publish::outgoing::{Inventory, Outgoing, PublishCounters, PublishStatus, States};
use crate::publish::sinks::mqtt::settings::{MqttSettings, PublishDetections};
use crate::publish::sinks::mqtt::{MqttSetupError, MqttSink, SinkInputs, topics};
use crate::vision::camera_id::CameraId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Time limit of [`Publisher::shut_down`].
const GOODBYE: Duration = Duration::from_secs(2);

/// The handle on the sink.
#[derive(Debug)]
pub struct Publisher {
    prefix: String,
    box_id: String,
    detections: PublishDetections,
    home_assistant: Option<HomeAssistantSettings>,
    queue: mpsc::Sender<Outgoing>,
    states: watch::Sender<States>,
    inventory: watch::Sender<Inventory>,
    labels: LabelTopics,
    /// Cameras whose labels were set and whose counts have not come yet.
    newly_labelled: BTreeSet<CameraId>,
    stop: watch::Sender<bool>,
    counters: Arc<PublishCounters>,
    troubles: Arc<SinkTroubles>,
    commands: Option<Commands>,
    task: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Starts the sink; the broker need not be reachable. It takes events from `events`, and clears what the broker
    /// retains of cameras that are not among `cameras`. Must be called inside the runtime.
    ///
    /// # Errors
    /// When a certificate or key cannot be used.
    pub fn start(
        settings: &MqttSettings,
        box_id: &str,
        cameras: &[CameraId],
        events: SinkEnd,
    ) -> Result<Self, MqttSetupError> {
        let (queue, detections) = mpsc::channel(settings.queue_messages);
        let (states, state_watch) = watch::channel(States::new());
        let (stop, stopped) = watch::channel(false);
        let counters = Arc::new(PublishCounters::default());
        let troubles = Arc::new(SinkTroubles::default());
        let inventory = Inventory { cameras: cameras.to_vec(), labelled: BTreeMap::new() };
        let sink = MqttSink::new(settings, box_id, &inventory, Arc::clone(&counters), Arc::clone(&troubles))?;
        let (inventory, inventory_watch) = watch::channel(inventory);
        let (commands, port) = commands::channel();
        let inputs = SinkInputs {
            detections,
            states: state_watch,
            inventory: inventory_watch,
            commands: port,
            events,
            stop: stopped,
        };
        let task = tokio::spawn(sink.run(inputs));
        Ok(Self {
            prefix: settings.topic_prefix.clone(),
            box_id: box_id.to_owned(),
            detections: settings.detections,
            home_assistant: settings.home_assistant.enabled.then(|| settings.home_assistant.clone()),
            queue,
            states,
            inventory,
            labels: LabelTopics::new(settings.label_counts),
            newly_labelled: BTreeSet::new(),
            stop,
            counters,
            troubles,
            commands: settings.commands.then_some(commands),
            task: Some(task),
        })
    }

    /// The queue of received commands, if commands are enabled. Returns it once.
    pub fn take_commands(&mut self) -> Option<Commands> {
        self.commands.take()
    }

    /// Publishes the detections of a frame now, or drops and counts them.
    pub fn publish_detections(&self, message: DetectionsMessage) {
        let is_wanted = match self.detections {
            PublishDetections::Always => true,
            PublishDetections::NotEmpty => !message.detections.is_empty(),
            PublishDetections::Off => false,
        };
        if !is_wanted {
            return;
        }
        let topic = topics::detections(&self.prefix, &self.box_id, &message.camera);
        let Ok(payload) = message.to_payload() else { return };
        if self.queue.try_send(Outgoing { topic, payload }).is_err() {
            self.counters.dropped_queue_full.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Publishes a camera's state, retained, also when it is the same as before. The newest state is sent again with each
    /// connection.
    pub fn set_camera_state(&self, camera: &CameraId, message: &CameraStateMessage) {
        if !self.has(camera) {
            return;
        }
        let topic = topics::camera_state(&self.prefix, &self.box_id, camera.as_str());
        self.set_state(topic, serde_json::to_vec(message));
    }

    /// Publishes a camera's picture, retained. The newest picture is sent again with each connection.
    pub fn publish_snapshot(&self, camera: &CameraId, jpeg: &[u8]) {
        if !self.has(camera) {
            return;
        }
        let topic = topics::snapshot(&self.prefix, &self.box_id, camera.as_str());
        self.set_state(topic, Ok(jpeg.to_vec()));
    }

    /// Publishes changed label counts of a camera, retained, as far as they have a topic.
    pub fn set_label_counts(&mut self, camera: &CameraId, counts: &[LabelCount]) {
        if !self.has(camera) {
            return;
        }
        self.states.send_modify(|states| {
            for count in counts {
                let topic = topics::label(&self.prefix, &self.box_id, camera.as_str(), &count.level);
                if self.labels.is_published(camera, count, states.contains_key(&topic)) {
                    states.insert(topic, count.to_payload().into());
                }
            }
        });
        if self.newly_labelled.remove(camera) {
            // After its counts: the sink clears what the broker retains beside them.
            self.inventory.send_modify(|inventory| *inventory.labelled.entry(camera.clone()).or_default() += 1);
        }
    }

    /// Sets the cameras of this box, when they change. What was published of those that are gone is cleared.
    pub fn set_cameras(&mut self, cameras: &[CameraId]) {
        let gone = |camera: &CameraId| !cameras.contains(camera);
        let before = self.inventory.borrow().cameras.clone();
        let removed: Vec<&CameraId> = before.iter().filter(|camera| gone(camera)).collect();
        self.states.send_modify(|states| {
            for camera in &removed {
                let base = topics::camera(&self.prefix, &self.box_id, camera.as_str());
                states.retain(|topic, _| !topic.starts_with(&base));
                if let Some(settings) = &self.home_assistant {
                    let topic = announcement_topic(&settings.discovery_prefix, &self.box_id, camera.as_str());
                    states.insert(topic, Arc::new([]));
                }
            }
        });
        self.inventory.send_modify(|inventory| {
            inventory.labelled.retain(|camera, _| !gone(camera));
            inventory.cameras = cameras.to_vec();
        });
    }

    /// Publishes the box's state, retained, also when it is the same as before. The newest state is sent again with each
    /// connection.
    pub fn set_box_state(&self, message: &BoxStateMessage) {
        self.set_state(topics::box_state(&self.prefix, &self.box_id), serde_json::to_vec(message));
    }

    /// Sets the labels that a camera may report; `are_listed` is true if its scene lists them. Its counts follow. Topics
    /// of other labels are cleared, and the camera is announced to Home Assistant if that is enabled.
    pub fn set_labels(&mut self, camera: &CameraId, labels: &[String], are_listed: bool) {
        if !self.has(camera) {
            return;
        }
        let shown = self.home_assistant.iter().flat_map(|settings| &settings.labels);
        let shown: Vec<String> = shown.filter(|label| labels.contains(label)).cloned().collect();
        self.labels.set(camera, labels, are_listed, &shown);
        let base = topics::label(&self.prefix, &self.box_id, camera.as_str(), "");
        self.states.send_modify(|states| {
            states.retain(|topic, _| topic.strip_prefix(&base).is_none_or(|level| self.labels.is_known(camera, level)));
        });
        self.newly_labelled.insert(camera.clone());
        self.announce(camera, &shown);
    }

    /// Announces a camera to Home Assistant, if that is enabled. `labels` become entities.
    fn announce(&self, camera: &CameraId, labels: &[String]) {
        let Some(settings) = &self.home_assistant else { return };
        let device = CameraDevice {
            discovery_prefix: &settings.discovery_prefix,
            topic_prefix: &self.prefix,
            box_id: &self.box_id,
            camera,
            name: camera.as_str(),
            version: env!("CARGO_PKG_VERSION"),
            labels,
        };
        match device.announcement() {
            Ok(message) => self.set_state(message.topic, Ok(message.payload)),
            Err(error) => tracing::error!(%camera, %error, "a camera cannot be announced"),
        }
    }

    /// False for what comes late of a camera that is gone: its topics are cleared already.
    fn has(&self, camera: &CameraId) -> bool {
        self.inventory.borrow().cameras.contains(camera)
    }

    fn set_state(&self, topic: String, payload: serde_json::Result<Vec<u8>>) {
        match payload {
            Ok(payload) => self.states.send_modify(|states| drop(states.insert(topic, payload.into()))),
            Err(error) => tracing::error!(topic, %error, "a state cannot be written as JSON"),
        }
    }

    /// Why nothing is published any more, for the operator. `None` while the sink's task runs, connected or not.
    pub fn trouble(&self) -> Option<String> {
        // Before `shut_down`, the task ends only by a panic, its own or that of the connection's task.
        let has_ended = self.task.as_ref().is_some_and(JoinHandle::is_finished);
        has_ended.then(|| "the MQTT task has ended: restart the daemon; the log has the reason".to_owned())
    }

    /// Whether the broker is connected, and if not, why. One that ends each session within seconds is not.
    pub fn broker(&self) -> BrokerStatus {
        match self.trouble() {
            Some(trouble) => BrokerStatus::Away(Some(trouble)),
            None => self.troubles.connection().unwrap_or(match self.status().connected {
                true => BrokerStatus::Connected,
                false => BrokerStatus::Away(None),
            }),
        }
    }

    /// What the broker refuses, in sentences for the operator.
    pub fn refusals(&self) -> Vec<String> {
        self.troubles.refusals()
    }

    /// The counters of the sink.
    pub fn status(&self) -> PublishStatus {
        PublishStatus {
            connected: self.counters.connected.load(Ordering::Relaxed) && self.trouble().is_none(),
            published: self.counters.published.load(Ordering::Relaxed),
            refused: self.counters.refused.load(Ordering::Relaxed),
            dropped_broker_away: self.counters.dropped_broker_away.load(Ordering::Relaxed),
            dropped_queue_full: self.counters.dropped_queue_full.load(Ordering::Relaxed),
        }
    }

    /// Publishes what is queued, sets the availability to `stopped` and disconnects. Takes two seconds at most.
    pub async fn shut_down(&mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take()
            && tokio::time::timeout(GOODBYE, task).await.is_err()
        {
            tracing::warn!("the MQTT connection could not be closed in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::outbox::{Outbox, OutboxRules};

    #[tokio::test]
    async fn a_task_that_ends_before_it_is_told_to_is_trouble_and_not_connected() {
        let home = tempfile::tempdir().unwrap();
        let rules = OutboxRules {
            file: home.path().join("events.db"),
            vfs: None,
            max_bytes: 1 << 20,
            keep: Duration::from_secs(3600),
            has_sink: true,
        };
        let (outbox, end) = Outbox::start(rules).unwrap();
        // No broker listens at port 1.
        let settings = MqttSettings { port: 1, ..MqttSettings::default() };
        let mut publisher = Publisher::start(&settings, "gate", &[], end).unwrap();
        publisher.counters.connected.store(true, Ordering::Relaxed);
        assert_eq!((publisher.trouble(), publisher.broker()), (None, BrokerStatus::Connected));
        publisher.task.as_ref().unwrap().abort();
        while publisher.trouble().is_none() {
            tokio::task::yield_now().await;
        }
        assert!(!publisher.status().connected);
        assert_eq!(publisher.broker(), BrokerStatus::Away(publisher.trouble()));
        publisher.shut_down().await;
        assert_eq!(publisher.trouble(), None, "an end that was asked for is none");
        outbox.close();
    }
}
