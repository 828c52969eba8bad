//! How a publisher begins, ends, gives way to another, and what it says of itself meanwhile.

use super::Publisher;
use crate::publish::broker_status::BrokerStatus;
use crate::publish::cluster_link::ClusterLink;
use crate::publish::commands;
use crate::publish::label_topics::LabelTopics;
use crate::publish::outbox::SinkEnd;
use crate::publish::outgoing::{Inventory, PublishCounters, PublishStatus, SinkTroubles, States};
use crate::publish::sinks::mqtt::settings::MqttSettings;
use crate::publish::sinks::mqtt::{MqttSetupError, MqttSink, SinkInputs};
use crate::vision::camera_id::CameraId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Time limit of [`Publisher::shut_down`].
const GOODBYE: Duration = Duration::from_secs(2);

impl Publisher {
    /// Starts the sink; the broker need not be reachable. It takes events from `events`, and clears what the broker
    /// retains of cameras that are not among `cameras`. Must be called inside the runtime.
    ///
    /// # Errors
    /// When a certificate, key or password cannot be used.
    pub fn start(
        settings: &MqttSettings,
        box_id: &str,
        cameras: &[CameraId],
        cluster: Option<ClusterLink>,
        events: SinkEnd,
    ) -> Result<Self, MqttSetupError> {
        let mut publisher = Self::new(settings, box_id, cameras, cluster)?;
        publisher.begin(events, None);
        Ok(publisher)
    }

    /// A publisher that has read its files and does not connect yet: see [`Self::replace_with`].
    ///
    /// # Errors
    /// When a certificate, key or password cannot be used.
    pub fn new(
        settings: &MqttSettings,
        box_id: &str,
        cameras: &[CameraId],
        cluster: Option<ClusterLink>,
    ) -> Result<Self, MqttSetupError> {
        let name = cluster.as_ref().map(|cluster| cluster.name.clone()).unwrap_or_default();
        let (queue, detections) = mpsc::channel(settings.queue_messages);
        let (states, state_watch) = watch::channel(States::new());
        let (stop, stopped) = watch::channel(false);
        let inventory = Inventory { cameras: cameras.to_vec(), labelled: BTreeMap::new() };
        let sink = MqttSink::new(settings, box_id, &inventory, cluster)?;
        let (inventory, inventory_watch) = watch::channel(inventory);
        let (commands, port) = commands::channel();
        let inputs =
            SinkInputs { detections, states: state_watch, inventory: inventory_watch, commands: port, stop: stopped };
        Ok(Self {
            prefix: settings.topic_prefix.clone(),
            box_id: box_id.to_owned(),
            detections: settings.detections,
            home_assistant: settings.home_assistant.enabled.then(|| settings.home_assistant.clone()),
            queue,
            states,
            inventory,
            cluster: name,
            clustered: BTreeSet::new(),
            labels: LabelTopics::new(settings.label_counts),
            newly_labelled: BTreeSet::new(),
            stop,
            counters: Arc::new(PublishCounters::default()),
            troubles: Arc::new(SinkTroubles::default()),
            commands: settings.commands.then_some(commands),
            unstarted: Some((sink, inputs)),
            events: None,
            task: None,
        })
    }

    /// Connects, once the task `before` has ended: two connections with one client id would end each other.
    fn begin(&mut self, events: SinkEnd, before: Option<JoinHandle<()>>) {
        let Some((sink, inputs)) = self.unstarted.take() else { return };
        let (counters, troubles, end) = (Arc::clone(&self.counters), Arc::clone(&self.troubles), events.clone());
        self.events = Some(events);
        self.task = Some(tokio::spawn(async move {
            if let Some(mut before) = before
                && timeout(GOODBYE, &mut before).await.is_err()
            {
                tracing::warn!("the former MQTT connection could not be closed in time");
                before.abort();
                counters.connected.store(false, Ordering::Relaxed);
            }
            sink.run(inputs, end, counters, troubles).await;
        }));
    }

    /// Gives way to `next`, which connects as soon as this one has said goodbye. Events that are not acknowledged by then
    /// are sent again. Counts go on; what is retained has to be set anew. Must be called inside the runtime.
    pub fn replace_with(&mut self, mut next: Self) {
        let (Some(events), before) = (self.events.take(), self.task.take()) else { return };
        self.stop.send_replace(true);
        next.counters = Arc::clone(&self.counters);
        next.begin(events, before);
        *self = next;
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
            sync_after: Duration::from_millis(500),
            has_sink: true,
        };
        let (outbox, end) = Outbox::start(rules).unwrap();
        // No broker listens at port 1.
        let settings = MqttSettings { port: 1, ..MqttSettings::default() };
        let mut publisher = Publisher::start(&settings, "gate", &[], None, end).unwrap();
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
