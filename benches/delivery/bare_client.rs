//! The MQTT library that the daemon uses, without the daemon.

use ocelli::publish::outbox::WINDOW;
use rumqttc_v5::{AsyncClient, Event, Incoming, MqttOptions, PublishOptions, QoS, SessionMode};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const TOPIC: &str = "ocelli/bare/cameras/camera-1/events";

/// More than arrives in one measurement.
const MOST_UNREAD: usize = 8_192;

/// A connection, polled until it is dropped.
pub(crate) struct BareClient {
    client: AsyncClient,
    received: tokio::sync::Mutex<mpsc::Receiver<(Instant, Vec<u8>)>>,
    _poll: JoinSet<()>,
}

impl BareClient {
    pub(crate) async fn publisher(broker_port: u16) -> Self {
        Self::start("bare-publisher", broker_port, None).await
    }

    /// Of all events of all boxes.
    pub(crate) async fn subscriber(broker_port: u16) -> Self {
        Self::start("bare-subscriber", broker_port, Some("ocelli/+/cameras/+/events")).await
    }

    async fn start(id: &str, broker_port: u16, topic: Option<&str>) -> Self {
        let mut options = MqttOptions::new(id, ("127.0.0.1".to_owned(), broker_port));
        options.set_session_mode(SessionMode::Clean);
        let (client, mut event_loop) = AsyncClient::builder(options).capacity(256).build();
        if let Some(topic) = topic {
            client.try_subscribe(topic, QoS::AtMostOnce).unwrap();
        }
        let (sender, received) = mpsc::channel(MOST_UNREAD);
        let (there, wait) = tokio::sync::oneshot::channel();
        let mut poll = JoinSet::new();
        let has_topic = topic.is_some();
        poll.spawn(async move {
            let mut there = Some(there);
            while let Ok(event) = event_loop.poll().await {
                let is_there = match event {
                    Event::Incoming(Incoming::Publish(publish)) => {
                        // What comes while nobody measures is of no interest.
                        drop(sender.try_send((Instant::now(), publish.payload.to_vec())));
                        false
                    }
                    Event::Incoming(Incoming::ConnAck(_)) => !has_topic,
                    Event::Incoming(Incoming::SubAck(_)) => true,
                    _ => false,
                };
                if let Some(there) = there.take_if(|_| is_there) {
                    there.send(()).unwrap();
                }
            }
        });
        wait.await.unwrap();
        Self { client, received: received.into(), _poll: poll }
    }

    /// At QoS 1; nobody waits for the acknowledgement.
    pub(crate) fn publish(&self, payload: Vec<u8>) {
        self.client.try_publish(TOPIC, payload, PublishOptions::new(QoS::AtLeastOnce)).unwrap();
    }

    /// Acknowledged messages a second, at most a window on its way.
    pub(crate) async fn saturate(&self, time: Duration, payload: impl Fn(u64) -> Vec<u8>) -> f64 {
        let (begun, mut waiting, mut sent) = (Instant::now(), JoinSet::new(), 0);
        while begun.elapsed() < time {
            if waiting.len() >= WINDOW {
                waiting.join_next().await;
                continue;
            }
            let options = PublishOptions::new(QoS::AtLeastOnce);
            let notice = self.client.publish_tracked(TOPIC, payload(sent), options).await.unwrap();
            waiting.spawn(async move { drop(notice.wait_async().await.unwrap()) });
            sent += 1;
            while waiting.try_join_next().is_some() {}
        }
        (sent - waiting.len() as u64) as f64 / begun.elapsed().as_secs_f64()
    }

    /// Milliseconds from each `publish`, at a steady rate, to its arrival here.
    pub(crate) async fn delays(&self, rate: f64, time: Duration, publish: impl Fn(u64)) -> Vec<f64> {
        let mut received = self.received.lock().await;
        while received.try_recv().is_ok() {}
        let (begun, mut sent_at) = (tokio::time::Instant::now(), Vec::new());
        while begun.elapsed() < time {
            tokio::time::sleep_until(begun + Duration::from_secs_f64(sent_at.len() as f64 / rate)).await;
            sent_at.push(Instant::now());
            publish(sent_at.len() as u64 - 1);
        }
        let mut delays = Vec::new();
        while delays.len() < sent_at.len() {
            let next = tokio::time::timeout(Duration::from_secs(10), received.recv()).await;
            let (at, payload) = next.expect("every event arrives").unwrap();
            let event: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            let sent = sent_at[event["seq"].as_u64().unwrap() as usize];
            delays.push(at.duration_since(sent).as_secs_f64() * 1e3);
        }
        delays
    }
}
