//! What the outbox costs: events a second, delay and bytes, beside a bare client that publishes the same to the same
//! broker without a disk.

use crate::bare_client::BareClient;
use crate::figure;
use crate::report::Figure;
use crate::statistics::{median, percentile};
use crate::support::broker::Broker;
use crate::support::root;
use crate::written::written_bytes;
use ocelli::publish::event::{EventKind, EventMessage, SCHEMA_EVENT};
use ocelli::publish::outbox::{Outbox, OutboxRules, WINDOW};
use ocelli::publish::publisher::Publisher;
use ocelli::publish::sinks::mqtt::settings::MqttSettings;
use ocelli::vision::geometry::NormalizedBox;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;
const SATURATED: Duration = Duration::from_secs(6);
/// Of the rounds that time each event: as in the drive.
const RATE: f64 = 200.0;
const PACED: Duration = Duration::from_secs(10);
/// So many that none of them falls behind, whose events would be held to the drain's pace.
const CAMERAS: usize = 16;

/// The outbox with its sink, as the daemon has them.
struct Path {
    outbox: Outbox,
    publisher: Publisher,
    cameras: Vec<Arc<str>>,
    _home: tempfile::TempDir,
}

impl Path {
    async fn to(broker_port: u16) -> Self {
        let home = tempfile::tempdir_in(root().join("target")).unwrap();
        let rules = OutboxRules {
            file: home.path().join("events.db"),
            vfs: None,
            max_bytes: 1 << 30,
            keep: Duration::from_secs(86_400),
            sync_after: Duration::from_millis(500),
            has_sink: true,
        };
        let (outbox, end) = Outbox::start(rules).unwrap();
        let settings = MqttSettings { port: broker_port, ..MqttSettings::default() };
        let publisher = Publisher::start(&settings, "outbox", &[], None, end).unwrap();
        while !publisher.status().connected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let cameras = (0..CAMERAS).map(|camera| format!("camera-{camera}").into()).collect();
        Self { outbox, publisher, cameras, _home: home }
    }

    fn record(&self, seq: u64) {
        self.outbox.record(Arc::clone(&self.cameras[seq as usize % CAMERAS]), payload(seq));
    }

    async fn end(mut self) {
        self.publisher.shut_down().await;
        self.outbox.close();
    }
}

fn payload(seq: u64) -> Vec<u8> {
    let message = EventMessage {
        schema: SCHEMA_EVENT,
        id: format!("5f1c0d3a9b7e2468-{seq}"),
        seq,
        kind: EventKind::Ended,
        box_id: "box".into(),
        camera: "camera-1".into(),
        track: seq,
        label: "person".into(),
        began_at: "2026-11-24T08:15:30.123Z".into(),
        at: "2026-11-24T08:15:30.523Z".into(),
        ended_at: Some("2026-11-24T08:15:30.523Z".into()),
        clock_synced: true,
        monotonic_ms: None,
        confidence: 0.9,
        bounding_box: NormalizedBox::from_corners(0.1, 0.2, 0.3, 0.4),
        model: "coco-ssd".into(),
        model_version: "1".into(),
        regions: vec!["gate".into()],
        clip: None,
        epoch: None,
        owner_uncertain: false,
    };
    message.to_payload().unwrap()
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let broker = Broker::start();
    runtime.block_on(async {
        measure_rate(&broker, figures).await;
        measure_delay(&broker, figures).await;
    });
}

async fn measure_rate(broker: &Broker, figures: &mut Vec<Figure>) {
    let (mut ratios, mut rates, mut bares, mut bytes) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let bare = BareClient::publisher(broker.port).await.saturate(SATURATED, payload).await;
        let path = Path::to(broker.port).await;
        let (begun, before, mut recorded) = (Instant::now(), written_bytes(std::process::id()), 0);
        while begun.elapsed() < SATURATED {
            if recorded - path.outbox.status().delivered < WINDOW as u64 {
                path.record(recorded);
                recorded += 1;
            } else {
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        }
        let rate = path.outbox.status().delivered as f64 / begun.elapsed().as_secs_f64();
        bytes.push((written_bytes(std::process::id()) - before) / recorded as f64);
        path.end().await;
        ratios.push(rate / bare);
        rates.push(rate);
        bares.push(bare);
    }
    let method = "events through the outbox, synced each second, to mosquitto on loopback and acknowledged, at most a \
                  window on its way; against a bare client of the same library without a disk just before; median of 3";
    figures.extend([
        figure("outbox: events / bare client", median(ratios), "ratio", None, method),
        figure("  events through the outbox", median(rates), "1/s", None, method),
        figure("  events of a bare client", median(bares), "1/s", None, method),
        figure("outbox: bytes written an event, saturated", median(bytes), "B", None, method),
    ]);
}

async fn measure_delay(broker: &Broker, figures: &mut Vec<Figure>) {
    let (mut added_p50, mut added_p99, mut p50s, mut p99s, mut bytes) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let subscriber = BareClient::subscriber(broker.port).await;
        let bare = BareClient::publisher(broker.port).await;
        let bare_ms = subscriber.delays(RATE, PACED, |seq| bare.publish(payload(seq))).await;
        let path = Path::to(broker.port).await;
        let before = written_bytes(std::process::id());
        let delays_ms = subscriber.delays(RATE, PACED, |seq| path.record(seq)).await;
        bytes.push((written_bytes(std::process::id()) - before) / delays_ms.len() as f64);
        path.end().await;
        for (share, all, added) in [(0.5, &mut p50s, &mut added_p50), (0.99, &mut p99s, &mut added_p99)] {
            let delay = percentile(delays_ms.clone(), share);
            all.push(delay);
            added.push(delay - percentile(bare_ms.clone(), share));
        }
    }
    let method = "200 events a second for 10 s, from the event to a subscriber on loopback; added: over a bare client \
                  just before; median of 3";
    figures.extend([
        figure("outbox: added delay, p50", median(added_p50), "ms", None, method),
        figure("outbox: added delay, p99", median(added_p99), "ms", None, method),
        figure("  delay through the outbox, p50", median(p50s), "ms", None, method),
        figure("  delay through the outbox, p99", median(p99s), "ms", None, method),
        figure("outbox: bytes written an event, 200/s", median(bytes), "B", None, method),
        figure("  bytes of an event's JSON", payload(1_000).len() as f64, "B", None, method),
    ]);
}
