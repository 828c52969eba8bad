//! The event loop's handle on publishing. It queues messages and never waits.
//!
//! The newest state of each topic is kept, and is published as soon as the broker is connected. Detections are only
//! useful while they are fresh: while the broker is away or slow they are dropped and counted.

mod lifetime;

use crate::publish::cluster_link::{ClusterCameras, OwnerMessage};
use crate::publish::commands::Commands;
use crate::publish::home_assistant::settings::HomeAssistantSettings;
use crate::publish::home_assistant::{CameraDevice, announcement_topic};
use crate::publish::label_counts::LabelCount;
use crate::publish::label_topics::LabelTopics;
use crate::publish::message::{BoxStateMessage, CameraStateMessage, DetectionsMessage};
use crate::publish::outbox::SinkEnd;
use crate::publish::outgoing::SinkTroubles;
pub use crate::publish::outgoing::{Inventory, Outgoing, PublishCounters, PublishStatus, States};
use crate::publish::sinks::mqtt::settings::PublishDetections;
use crate::publish::sinks::mqtt::{MqttSink, SinkInputs, topics};
use crate::vision::camera_id::CameraId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

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
    /// The cluster's name, and its cameras that this box publishes; empty on its own.
    cluster: String,
    clustered: BTreeSet<CameraId>,
    labels: LabelTopics,
    /// Cameras whose labels were set and whose counts have not come yet.
    newly_labelled: BTreeSet<CameraId>,
    stop: watch::Sender<bool>,
    counters: Arc<PublishCounters>,
    troubles: Arc<SinkTroubles>,
    commands: Option<Commands>,
    /// What runs once the publisher begins.
    unstarted: Option<(MqttSink, SinkInputs)>,
    /// Set once it has begun.
    events: Option<SinkEnd>,
    task: Option<JoinHandle<()>>,
}

impl Publisher {
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
        // The last frames of a camera end after it has gone to another box.
        let level = if message.epoch.is_some() { &self.cluster } else { &self.box_id };
        let topic = topics::detections(&self.prefix, level, &message.camera);
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
        let topic = topics::camera_state(&self.prefix, self.level(camera.as_str()), camera.as_str());
        self.set_state(topic, serde_json::to_vec(message));
    }

    /// Publishes a camera's picture, retained. The newest picture is sent again with each connection.
    pub fn publish_snapshot(&self, camera: &CameraId, jpeg: &[u8]) {
        if !self.has(camera) {
            return;
        }
        let topic = topics::snapshot(&self.prefix, self.level(camera.as_str()), camera.as_str());
        self.set_state(topic, Ok(jpeg.to_vec()));
    }

    /// Clears a camera's picture on the broker, until there is another.
    pub fn clear_snapshot(&self, camera: &CameraId) {
        self.publish_snapshot(camera, &[]);
    }

    /// Publishes changed label counts of a camera, retained, as far as they have a topic.
    pub fn set_label_counts(&mut self, camera: &CameraId, counts: &[LabelCount]) {
        if !self.has(camera) {
            return;
        }
        self.states.send_modify(|states| {
            for count in counts {
                let topic = topics::label(&self.prefix, self.level(camera.as_str()), camera.as_str(), &count.level);
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

    /// Sets the cameras of this box, when they change, and those of its cluster. What was published of its own that are gone is
    /// cleared; that of the cluster's is left to the box that has them now, if there are still such cameras.
    pub fn set_cameras(&mut self, cameras: &[CameraId], cluster: ClusterCameras) {
        let gone = |camera: &CameraId| !cameras.contains(camera);
        let before = self.inventory.borrow().cameras.clone();
        for camera in before.iter().filter(|camera| gone(camera)) {
            let topics = self.withdraw(camera);
            let is_clustered = self.clustered.contains(camera);
            let cleared = topics.into_iter().filter(|topic| match is_clustered {
                true => !cluster.all.contains(camera),
                // The sink looks for the rest itself.
                false => !topic.starts_with(&topics::camera(&self.prefix, &self.box_id, camera.as_str())),
            });
            let cleared: Vec<String> = cleared.collect();
            self.states.send_modify(|states| states.extend(cleared.into_iter().map(|topic| (topic, Arc::from([])))));
        }
        self.forget_cleared(&cluster.all);
        self.clustered = cluster.here;
        self.inventory.send_modify(|inventory| {
            inventory.labelled.retain(|camera, _| !gone(camera));
            inventory.cameras = cameras.to_vec();
        });
    }

    /// A camera that the cluster has again is another box's to publish: what was cleared of it is not cleared once more.
    fn forget_cleared(&self, cameras: &BTreeSet<CameraId>) {
        if !self.states.borrow().values().any(|payload| payload.is_empty()) {
            return;
        }
        let discovery = self.home_assistant.as_ref().map(|settings| &settings.discovery_prefix);
        for camera in cameras {
            let base = topics::camera(&self.prefix, &self.cluster, camera.as_str());
            let owner = topics::owner(&self.prefix, &self.cluster, camera.as_str());
            let announced = discovery.map(|prefix| announcement_topic(prefix, &self.cluster, camera.as_str()));
            self.states.send_modify(|states| {
                states.retain(|topic, payload| {
                    let is_of_it = topic.starts_with(&base) || *topic == owner || Some(topic) == announced.as_ref();
                    !(payload.is_empty() && is_of_it)
                });
            });
        }
    }

    /// Sets which of the cameras are the cluster's, for a new publisher.
    pub fn set_cluster_cameras(&mut self, cluster: ClusterCameras) {
        self.clustered = cluster.here;
    }

    /// Publishes who looks at a camera of the cluster, retained.
    pub fn set_owner(&self, camera: &CameraId, message: &OwnerMessage) {
        self.set_state(topics::owner(&self.prefix, &self.cluster, camera.as_str()), serde_json::to_vec(message));
    }

    /// Publishes nothing more of what is retained of a camera, and returns its topics. The broker keeps it.
    pub fn withdraw(&mut self, camera: &CameraId) -> Vec<String> {
        let level = self.level(camera.as_str()).to_owned();
        let base = topics::camera(&self.prefix, &level, camera.as_str());
        let owner = topics::owner(&self.prefix, &self.cluster, camera.as_str());
        let settings = self.home_assistant.as_ref();
        let announced =
            settings.map(|settings| announcement_topic(&settings.discovery_prefix, &level, camera.as_str()));
        let is_of_it =
            |topic: &String| topic.starts_with(&base) || *topic == owner || Some(topic) == announced.as_ref();
        let mut withdrawn = Vec::new();
        self.states.send_modify(|states| {
            withdrawn.extend(states.extract_if(.., |topic, _| is_of_it(topic)).map(|(topic, _)| topic));
        });
        self.newly_labelled.remove(camera);
        withdrawn
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
        let base = topics::label(&self.prefix, self.level(camera.as_str()), camera.as_str(), "");
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
            box_id: self.level(camera.as_str()),
            is_clustered: self.clustered.contains(camera),
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

    /// The level of a camera's topics: the cluster that it belongs to, or this box.
    fn level(&self, camera: &str) -> &str {
        let is_clustered = self.clustered.iter().any(|id| id.as_str() == camera);
        if is_clustered { &self.cluster } else { &self.box_id }
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
}
