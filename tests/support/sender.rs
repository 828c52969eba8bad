//! The outbox with its sink, without a daemon around them.

use super::wait_for;
use ocelli::publish::outbox::{Outbox, OutboxRules, OutboxStatus};
use ocelli::publish::publisher::Publisher;
use ocelli::publish::sinks::mqtt::settings::MqttSettings;
use ocelli::publish::state_message::{CameraStateMessage, SCHEMA_CAMERA_STATE};
use ocelli::vision::camera_id::CameraId;
use ocelli::vision::camera_status::CameraStatus;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

const SECONDS: Duration = Duration::from_secs(1);

/// The state of a camera that streams, at this many frames a second.
pub fn streaming(fps: f32) -> CameraStateMessage {
    CameraStateMessage {
        schema: SCHEMA_CAMERA_STATE,
        state: CameraStatus::Streaming,
        codec: None,
        width: None,
        height: None,
        fps,
        reason: None,
        main: None,
        box_id: None,
        epoch: None,
        owner_uncertain: false,
    }
}

/// The outbox and its sink, without cameras: events are made by the test.
pub struct Sender {
    outbox: Option<Outbox>,
    pub publisher: Publisher,
    runtime: Runtime,
    numbers: BTreeMap<&'static str, u64>,
}

impl Sender {
    /// With what is in the outbox's file, if it is there.
    pub fn start(file: PathBuf, port: u16, set: impl FnOnce(&mut MqttSettings)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let rules = OutboxRules {
            file,
            vfs: None,
            max_bytes: 1 << 30,
            keep: 86_400 * SECONDS,
            sync_after: std::time::Duration::from_millis(500),
            has_sink: true,
        };
        let (outbox, end) = Outbox::start(rules).unwrap();
        let mut settings = MqttSettings { port, ..MqttSettings::default() };
        set(&mut settings);
        let cameras = [CameraId::new("yard").unwrap(), CameraId::new("door").unwrap()];
        let guard = runtime.enter();
        let publisher = Publisher::start(&settings, "box", &cameras, None, end).unwrap();
        drop(guard);
        Self { outbox: Some(outbox), publisher, runtime, numbers: BTreeMap::new() }
    }

    /// Records the next so many events of a camera, numbered from 1.
    pub fn record(&mut self, camera: &'static str, count: u64) {
        let outbox = self.outbox.as_ref().unwrap();
        let number = self.numbers.entry(camera).or_default();
        for _ in 0..count {
            *number += 1;
            let event = serde_json::json!({ "camera": camera, "n": *number, "id": format!("{camera}-{number}") });
            outbox.record(camera.into(), event.to_string().into_bytes());
        }
        self.flush();
    }

    /// Waits until the outbox has taken in what there was, and its status says so.
    pub fn flush(&self) {
        self.runtime.block_on(self.outbox.as_ref().unwrap().flush());
    }

    pub fn status(&self) -> OutboxStatus {
        self.outbox.as_ref().unwrap().status()
    }

    pub fn wait(&self, what: &str, seconds: u32, is: impl Fn(&OutboxStatus) -> bool) {
        wait_for(what, seconds * SECONDS, || is(&self.status()).then_some(()));
    }

    pub fn wait_connected(&self, is_connected: bool, seconds: u32) {
        let is = || (self.publisher.status().connected == is_connected).then_some(());
        wait_for(&format!("connected: {is_connected}"), seconds * SECONDS, is);
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.runtime.block_on(self.publisher.shut_down());
        if let Some(outbox) = self.outbox.take() {
            outbox.close();
        }
    }
}
