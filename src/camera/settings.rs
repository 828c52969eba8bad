//! `[capture]`, `[snapshots]` and `[[cameras]]`.

use crate::secret::Credentials;
use crate::tracking::settings::SceneSettings;
use crate::vision::camera_id::CameraId;
use crate::vision::framing::{Framing, Tiling};
use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use crate::camera::tls_settings::CameraTlsSettings;

/// The transport of RTP packets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved in the RTSP connection: passes every network and loses nothing.
    #[default]
    Tcp,
    /// Less delay on a clean network. Lost packets smear the picture.
    Udp,
    /// TCP; UDP for cameras that refuse it.
    Auto,
}

/// How a camera is watched while its scene is still.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchMode {
    /// Every frame is decoded, and each that is due is analysed, whether anything moves or not.
    #[default]
    Off,
    /// Only keyframes are decoded while nothing moves, if they are at most 12 s apart.
    Auto,
    /// The same, however far apart they are.
    Keyframes,
    /// Every frame of `detect_url`, a small stream, is decoded; none is analysed while nothing moves.
    #[serde(rename = "detect stream")]
    DetectStream,
}

/// `[capture]`: what all cameras share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureSettings {
    /// Cameras in each capture process, 1..=16; 0: as [`CaptureSettings::most_per_process`] says. With
    /// 1, a crash of a codec costs one camera only.
    pub cameras_per_process: u16,
    /// Slots of 4 MiB that each camera has in shared memory, 3..=64: one being filled, one waiting, the rest lent to units.
    pub slots_per_camera: u16,
    /// Seconds without a packet after which a camera is reconnected, 3..=600.
    pub stall_seconds: f32,
    /// Seconds that a connection attempt may take, 0.1..=60.
    pub connect_timeout_seconds: f32,
    /// Try decoders of the GPU or SoC before those of the CPU.
    pub hardware_decoders: bool,
    /// How cameras are watched while their scene is still.
    pub watch: WatchMode,
    /// How small a change counts, 0..=1.
    pub watch_sensitivity: f32,
    /// Seconds without movement before a camera is watched, 1..=600.
    pub still_seconds: f32,
    /// Seconds after which a still scene is analysed all the same, 1..=3600.
    pub look_seconds: f32,
    /// Seconds after which a camera that is covered, blurred or turned away is reported, 5..=3600; 0: never. Of cameras that
    /// are watched.
    pub tamper_seconds: f32,
    /// The most memory of a capture process in MiB for each of `cameras_per_process`, 256..=65536; 0: no limit. A process
    /// that needs more is restarted.
    pub memory_megabytes: u32,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            cameras_per_process: 1,
            slots_per_camera: 6,
            stall_seconds: 10.0,
            connect_timeout_seconds: 5.0,
            hardware_decoders: true,
            watch: WatchMode::Off,
            watch_sensitivity: 0.5,
            still_seconds: 5.0,
            look_seconds: 30.0,
            tamper_seconds: 0.0,
            memory_megabytes: 2048,
        }
    }
}

/// `[snapshots]`: JPEGs of detected objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotSettings {
    /// At most this many a minute and camera for events, and as many again on request, 0..=600; 0: no snapshots.
    pub per_minute: u16,
    /// Draw the boxes of the detected objects.
    pub draw_boxes: bool,
    /// Wider pictures are scaled down to this width, 64..=4096.
    pub max_width_px: u32,
    /// The same for pictures of the main stream of a camera with a `detect_url`.
    pub main_max_width_px: u32,
    /// The longest time between a frame and the keyframe of the main stream that is shown instead, 0..=10 seconds.
    pub main_max_offset_seconds: f32,
    /// JPEG quality, 20..=95.
    pub quality: u8,
    /// The largest JPEG in thousands of bytes, 10..=1000. A larger one is encoded with less quality, then scaled down.
    pub max_kilobytes: u16,
}

impl Default for SnapshotSettings {
    fn default() -> Self {
        Self {
            per_minute: 10,
            draw_boxes: true,
            max_width_px: 1280,
            main_max_width_px: 4096,
            main_max_offset_seconds: 10.0,
            quality: 80,
            max_kilobytes: 1000,
        }
    }
}

/// `region` of a camera: the part of its picture that is analysed, in ratios of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegionSettings {
    /// The left edge, 0..=1.
    pub left: f32,
    /// The upper edge, 0..=1.
    pub top: f32,
    /// The width, at least 0.01.
    pub width: f32,
    /// The height, at least 0.01.
    pub height: f32,
}

impl Default for RegionSettings {
    fn default() -> Self {
        Self { left: 0.0, top: 0.0, width: 1.0, height: 1.0 }
    }
}

impl RegionSettings {
    /// The region as a box. The settings must have been checked.
    pub fn to_box(self) -> NormalizedBox {
        let Self { left, top, width, height } = self;
        NormalizedBox { left, top, width, height }
    }
}

/// One of `[[cameras]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraSettings {
    /// Identifies the camera in topics, logs and commands.
    pub id: CameraId,
    /// `rtsp://host[:port]/path`, `rtsps://`, `http://`, `https://`, or `file:///path`.
    pub url: String,
    /// User and password. They may be given in the URL instead.
    #[serde(default)]
    pub credentials: Credentials,
    /// Another stream of the same camera, which is analysed instead: that of `url` is received for snapshots alone.
    #[serde(default)]
    pub detect_url: Option<String>,
    /// User and password of `detect_url`; absent: those of `url`.
    #[serde(default)]
    pub detect_credentials: Credentials,
    /// The transport of RTP packets.
    #[serde(default)]
    pub transport: Transport,
    /// Seconds without a packet after which it is reconnected, 3..=600; absent: as in `[capture]`.
    #[serde(default)]
    pub stall_seconds: Option<f32>,
    /// Seconds that a connection attempt may take, 0.1..=60; absent: as in `[capture]`.
    #[serde(default)]
    pub connect_timeout_seconds: Option<f32>,
    /// Milliseconds for which packets wait for an earlier one, 0..=5000; absent: 0 over TCP and 100 over UDP.
    #[serde(default)]
    pub latency_ms: Option<u32>,
    /// The video track that is received, 1..=16, in the camera's order; absent: the first that can be decoded.
    #[serde(default)]
    pub video_track: Option<u16>,
    /// False: a basic login, which sends the password as it is, is refused outside of TLS.
    #[serde(default = "default_basic_auth")]
    pub basic_auth: bool,
    /// Follow a camera that redirects to another place. Its credentials stay with the host of `url`.
    #[serde(default)]
    pub follow_redirects: bool,
    /// Which certificate of an `rtsps://` camera is trusted.
    #[serde(default)]
    pub tls: CameraTlsSettings,
    /// The name of the model in `[[models]]` that analyses its frames; absent: the first model.
    #[serde(default)]
    pub model: Option<String>,
    /// Frames a second that are analysed; 0: every frame.
    #[serde(default = "default_fps")]
    pub fps: f32,
    /// The camera's share of the units, relative to the other cameras, when the units cannot do all, 1..=100.
    #[serde(default = "default_weight")]
    pub weight: u32,
    /// Decode keyframes only: a tenth of the CPU time, but only one picture in a second or two.
    #[serde(default)]
    pub keyframes_only: bool,
    /// How it is watched while its scene is still; absent: as in `[capture]`.
    #[serde(default)]
    pub watch: Option<WatchMode>,
    /// How small a change counts, 0..=1; absent: as in `[capture]`.
    #[serde(default)]
    pub watch_sensitivity: Option<f32>,
    /// Polygons in ratios of the picture in which changes do not count, such as a tree in the wind.
    #[serde(default)]
    pub watch_ignore: Vec<Vec<[f32; 2]>>,
    /// While it is watched, the camera's own motion events (ONVIF metadata beside the video) are looked into at once.
    #[serde(default)]
    pub motion_events: bool,
    /// The part of its picture that is analysed; absent: all of it.
    #[serde(default)]
    pub region: Option<RegionSettings>,
    /// Splits that part into tiles that are analysed one by one; absent: no tiles.
    #[serde(default)]
    pub tiles: Option<Tiling>,
    /// Labels, thresholds, regions and masks for this camera.
    #[serde(default)]
    pub scene: SceneSettings,
    /// Polygons in ratios of the picture that are black in every snapshot. Video would show them, so that a camera with any has
    /// neither a live view nor clips.
    #[serde(default)]
    pub blackout: Vec<Vec<[f32; 2]>>,
    /// Whether its live video can be watched, beside snapshots; absent: yes, unless there is a `blackout`.
    #[serde(default)]
    pub live: Option<bool>,
    /// Whether clips of its events are made; absent: as in `[clips]`, without `blackout`.
    #[serde(default)]
    pub clips: Option<bool>,
    /// False: the camera is configured, but not connected.
    #[serde(default = "default_enabled")]
    pub enabled: bool,
}

impl CameraSettings {
    /// How long it may send nothing.
    pub fn stall(&self, capture: &CaptureSettings) -> Duration {
        Duration::from_secs_f32(self.stall_seconds.unwrap_or(capture.stall_seconds))
    }

    /// How long a connection attempt may take.
    pub fn connect_timeout(&self, capture: &CaptureSettings) -> Duration {
        Duration::from_secs_f32(self.connect_timeout_seconds.unwrap_or(capture.connect_timeout_seconds))
    }

    /// How it is watched while its scene is still; `None`: not at all.
    pub fn watched(&self, capture: &CaptureSettings) -> Option<WatchMode> {
        Some(self.watch.unwrap_or(capture.watch)).filter(|mode| *mode != WatchMode::Off)
    }

    /// The camera as if its analysed stream were its only one: with the URL and the login of that.
    #[must_use]
    pub fn analysed(&self) -> Self {
        let Some(url) = self.detect_url.clone() else { return self.clone() };
        let has_own = self.detect_credentials != Credentials::default();
        let credentials = if has_own { &self.detect_credentials } else { &self.credentials }.clone();
        Self { url, credentials, detect_url: None, detect_credentials: Credentials::default(), ..self.clone() }
    }

    /// The camera as if its main stream were its only one; `None` if it has no other.
    #[must_use]
    pub fn main(&self) -> Option<Self> {
        self.detect_url.as_ref()?;
        Some(Self { detect_url: None, detect_credentials: Credentials::default(), ..self.clone() })
    }

    /// True if its video is for the box alone, because it would show what is black in its snapshots.
    pub fn is_blacked_out(&self) -> bool {
        !self.blackout.is_empty()
    }

    /// True if its live video can be watched.
    pub fn has_live_view(&self) -> bool {
        self.live.unwrap_or(true) && !self.is_blacked_out()
    }

    /// True if clips of its events are made. `by_default`: those of cameras that do not say.
    pub fn has_clips(&self, by_default: bool) -> bool {
        self.clips.unwrap_or(by_default) && !self.is_blacked_out()
    }

    /// The part and the tiles of its pictures that are analysed.
    pub fn framing(&self) -> Framing {
        Framing { region: self.region.map(RegionSettings::to_box), tiling: self.tiles }
    }
}

fn default_basic_auth() -> bool {
    true
}

fn default_fps() -> f32 {
    5.0
}

fn default_weight() -> u32 {
    1
}

fn default_enabled() -> bool {
    true
}

#[cfg(test)]
mod tests;
