//! The retained states of the box and of its cameras, and when one differs enough to be published at once.
//!
//! A state is published when something in it changed that an operator or a program would act upon, and each minute
//! ([`STATE_INTERVAL`]) with the newest figures. Measured figures alone are no such change: they move all the time.

use crate::vision::camera_status::CameraStatus;
use crate::vision::health_status::HealthStatus;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The schema name of [`CameraStateMessage`].
pub const SCHEMA_CAMERA_STATE: &str = "ocelli.camera-state.v1";

/// The schema name of [`BoxStateMessage`].
pub const SCHEMA_STATE: &str = "ocelli.state.v1";

/// How often a state is published at least.
pub const STATE_INTERVAL: Duration = Duration::from_secs(60);

/// The largest change of a camera's rate that waits for the minute: this many frames a second, or this part of the rate.
const SMALL_CHANGE: (f32, f32) = (1.0, 0.25);

/// `<p>/<box>/cameras/<cam>/state`, retained.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CameraStateMessage {
    /// The schema of this message.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_CAMERA_STATE)))]
    pub schema: &'static str,
    /// Connection state.
    pub state: CameraStatus,
    /// Codec of the stream; absent unless streaming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// Width of the stream in pixels, before scaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of the stream in pixels, before scaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Frames per second to analyse: the setting, or while the box is too slow for it, what the camera gets instead,
    /// in whole frames.
    pub fps: f32,
    /// Why the camera is not streaming, as a sentence for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The main stream, which shows snapshots in full size; absent if the camera has one stream, which is then described by
    /// the fields beside this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub main: Option<MainStreamMessage>,
    /// The box that looks at it; of cameras of a cluster only.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub box_id: Option<String>,
    /// The epoch of the claim in which it is looked at; of cameras of a cluster only. A state with a lower epoch than another comes from a
    /// box that had not heard of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// True when the box could not be sure any more that no other has claimed the camera.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owner_uncertain: bool,
}

/// The main stream in a camera's state.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MainStreamMessage {
    /// Connection state. It connects once the analysed stream does.
    pub state: CameraStatus,
    /// Codec of the stream; absent unless streaming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// Width of the stream in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of the stream in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Why it is not streaming, as a sentence for the operator. Snapshots show the analysed stream then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `<p>/<box>/state`, retained.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BoxStateMessage {
    /// The schema of this message.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_STATE)))]
    pub schema: &'static str,
    /// Version of ocelli.
    pub version: String,
    /// New at each start of the daemon.
    pub boot_id: String,
    /// `ok` only if `degraded` is empty.
    pub status: HealthStatus,
    /// Units in service, of all models together.
    pub in_service_units: u16,
    /// Units that all models together should have.
    pub desired_units: u16,
    /// Cameras that stream.
    pub streaming_cameras: u16,
    /// Cameras that are not switched off.
    pub wanted_cameras: u16,
    /// Models by name.
    pub models: BTreeMap<String, ModelStateMessage>,
    /// What is wrong now, as sentences for the operator.
    pub degraded: Vec<String>,
}

/// One model in the box's state.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelStateMessage {
    /// STARTING, RUNNING, STOPPING, STOPPED or FAILED.
    #[cfg_attr(test, schemars(extend("enum" = ["STARTING", "RUNNING", "STOPPING", "STOPPED", "FAILED"])))]
    pub state: &'static str,
    /// Directory name of the model's package.
    pub package: String,
    /// Version in the package's manifest.
    pub version: String,
    /// The file of the package that the units load: float or int8.
    #[cfg_attr(test, schemars(extend("enum" = ["float", "int8"])))]
    pub variant: &'static str,
    /// The execution provider of the units: cpu, cuda, tensorrt, openvino or xnnpack. A zone may have another.
    #[cfg_attr(test, schemars(extend("enum" = ["cpu", "cuda", "tensorrt", "openvino", "xnnpack"])))]
    pub execution_provider: &'static str,
    /// Version of a swap in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_version: Option<String>,
    /// Lower limit of inference units.
    pub min_units: u16,
    /// Upper limit of the autoscaler; absent when the number of units is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_units: Option<u16>,
    /// Units that the box is aiming for.
    pub desired_units: u16,
    /// Units that are loaded and accept work.
    pub in_service_units: u16,
    /// Nodes of the model by zone and execution provider; absent while no unit is in service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, BTreeMap<String, u32>>,
    /// Largest batch of a unit, in pictures.
    pub unit_batch: u32,
    /// Measured throughput of one unit, transactions a second, for the current mix of frames and images.
    pub unit_tps: f32,
    /// Measured throughput of one unit for camera frames alone.
    pub unit_frame_tps: f32,
    /// Measured throughput of one unit for images of API clients alone.
    pub unit_image_tps: f32,
    /// Throughput of all units in service, transactions a second.
    pub capacity_tps: f32,
    /// Transactions a second over the last ten seconds.
    pub load_tps: f32,
    /// Transactions since the daemon started, in whole thousands. A frame in five tiles counts five.
    pub transactions: u64,
    /// Inference hours since the month began.
    pub inference_hours: f64,
}

impl CameraStateMessage {
    /// True if this is to be published at once after `last`. A throttled rate that moves by one frame a second, or by a
    /// quarter, is not.
    pub fn is_news_after(&self, last: &Self) -> bool {
        let (frames, part) = SMALL_CHANGE;
        (self.fps - last.fps).abs() > frames.max(part * last.fps) || *self != Self { fps: self.fps, ..last.clone() }
    }
}

impl BoxStateMessage {
    /// True if this is to be published at once after `last`: anything but measured figures has changed. Numbers within a
    /// sentence of `degraded` are such figures.
    pub fn is_news_after(&self, last: &Self) -> bool {
        self.without_figures() != last.without_figures()
    }

    fn without_figures(&self) -> Self {
        let models = self.models.iter().map(|(name, model)| (name.clone(), model.without_figures()));
        Self {
            models: models.collect(),
            degraded: self.degraded.iter().map(|sentence| without_numbers(sentence)).collect(),
            ..self.clone()
        }
    }
}

impl ModelStateMessage {
    fn without_figures(&self) -> Self {
        Self {
            unit_tps: 0.0,
            unit_frame_tps: 0.0,
            unit_image_tps: 0.0,
            capacity_tps: 0.0,
            load_tps: 0.0,
            transactions: 0,
            inference_hours: 0.0,
            ..self.clone()
        }
    }
}

/// The sentence without its words that are numbers. Names with digits stay: `cam1`, and `camera 1:`.
fn without_numbers(sentence: &str) -> String {
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && !word.ends_with(':');
    let words = sentence.split(' ').filter(|word| !is_number(word));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(fps: f32) -> CameraStateMessage {
        CameraStateMessage {
            schema: SCHEMA_CAMERA_STATE,
            state: CameraStatus::Streaming,
            codec: Some("h264".into()),
            width: Some(1920),
            height: Some(1080),
            fps,
            reason: None,
            main: None,
            box_id: None,
            epoch: None,
            owner_uncertain: false,
        }
    }

    fn box_state(load_tps: f32, degraded: &str) -> BoxStateMessage {
        let model = ModelStateMessage {
            state: "RUNNING",
            package: "coco-ssd".into(),
            version: "1".into(),
            variant: "float",
            execution_provider: "cpu",
            next_version: None,
            min_units: 1,
            max_units: None,
            desired_units: 1,
            in_service_units: 1,
            nodes: BTreeMap::new(),
            unit_batch: 1,
            unit_tps: load_tps,
            unit_frame_tps: load_tps,
            unit_image_tps: load_tps,
            capacity_tps: load_tps,
            load_tps,
            transactions: 1000,
            inference_hours: 0.1,
        };
        BoxStateMessage {
            schema: SCHEMA_STATE,
            version: "0.1.0".into(),
            boot_id: "5f1c".into(),
            status: HealthStatus::Degraded,
            in_service_units: 1,
            desired_units: 1,
            streaming_cameras: 0,
            wanted_cameras: 0,
            models: BTreeMap::from([("coco-ssd".to_owned(), model)]),
            degraded: vec![degraded.to_owned()],
        }
    }

    #[test]
    fn a_cameras_state_is_called_as_it_is_published() {
        use CameraStatus::{AuthFailed, Connecting, Disabled, Offline, Stalled, Streaming};
        for status in [Connecting, Streaming, Stalled, AuthFailed, Offline, Disabled] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
    }

    #[test]
    fn a_rate_that_moves_by_one_frame_or_by_a_quarter_is_no_news() {
        let is_news = |now: f32, before: f32| camera(now).is_news_after(&camera(before));
        assert!(!is_news(5.0, 5.0) && !is_news(4.0, 5.0) && !is_news(2.0, 1.0) && !is_news(15.0, 20.0));
        assert!(is_news(3.0, 5.0) && is_news(3.0, 1.0) && is_news(14.0, 20.0));
    }

    #[test]
    fn anything_else_in_a_cameras_state_is_news() {
        let lost = CameraStateMessage { state: CameraStatus::Offline, ..camera(5.0) };
        let other_size = CameraStateMessage { width: Some(640), ..camera(5.0) };
        let reason = CameraStateMessage { reason: Some("no route".into()), ..camera(5.0) };
        let (codec, width, height) = Default::default();
        let main = MainStreamMessage { state: CameraStatus::Offline, codec, width, height, reason: None };
        let main = CameraStateMessage { main: Some(main), ..camera(5.0) };
        for state in [lost, other_size, reason, main] {
            assert!(state.is_news_after(&camera(5.0)), "{state:?}");
        }
    }

    #[test]
    fn figures_of_the_box_are_no_news_and_its_units_and_troubles_are() {
        let last = box_state(10.0, "camera cam1: 3 of 5 frames a second are analysed");
        assert!(!box_state(12.0, "camera cam1: 2 of 5 frames a second are analysed").is_news_after(&last));
        assert!(box_state(10.0, "camera cam2: 3 of 5 frames a second are analysed").is_news_after(&last));
        let mut scaled = last.clone();
        scaled.models.values_mut().for_each(|model| model.in_service_units = 2);
        assert!(scaled.is_news_after(&last));
        assert!(BoxStateMessage { degraded: vec![], ..last.clone() }.is_news_after(&last));
    }
}
