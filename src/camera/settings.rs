//! `[capture]`, `[snapshots]` and `[[cameras]]`.

use crate::secret::Credentials;
use crate::tracking::settings::SceneSettings;
use crate::vision::camera_id::CameraId;
use crate::vision::framing::{Framing, Tiling};
use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// How RTP travels.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved in the RTSP connection: passes every network, loses nothing.
    #[default]
    Tcp,
    /// Less delay on a clean network; losses smear the picture.
    Udp,
}

/// `[capture]`: what all cameras share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureSettings {
    /// Cameras that share a capture process, 1..=16. One each: a codec that crashes costs one camera only.
    pub cameras_per_process: u16,
    /// Slots of 4 MiB a camera has in shared memory, 3..=64: one being filled, one latest, the rest lent to units.
    pub slots_per_camera: u16,
    /// Seconds without a decoded frame that count as loss.
    pub stall_seconds: f32,
    /// Seconds a connection may take.
    pub connect_timeout_seconds: f32,
    /// Try decoders of the GPU or SoC before those of the CPU.
    pub hardware_decoders: bool,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            cameras_per_process: 1,
            slots_per_camera: 6,
            stall_seconds: 10.0,
            connect_timeout_seconds: 5.0,
            hardware_decoders: true,
        }
    }
}

/// `[snapshots]`: JPEGs of what was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotSettings {
    /// The most of a camera in a minute for events, and as many again on request, up to 600; 0: none at all.
    pub per_minute: u16,
    /// Draw the boxes of what was seen.
    pub draw_boxes: bool,
    /// Wider pictures are scaled down, 64..=4096.
    pub max_width_px: u32,
    /// Of the JPEG, 20..=95.
    pub quality: u8,
    /// Thousands of bytes, 10..=1000; what is longer is made coarser, then smaller.
    pub max_kilobytes: u16,
}

impl Default for SnapshotSettings {
    fn default() -> Self {
        Self { per_minute: 10, draw_boxes: true, max_width_px: 1280, quality: 80, max_kilobytes: 1000 }
    }
}

/// `region` of a camera: the part of its picture that is looked at, in ratios of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegionSettings {
    /// Its left edge.
    pub left: f32,
    /// Its upper edge.
    pub top: f32,
    /// A hundredth at least.
    pub width: f32,
    /// A hundredth at least.
    pub height: f32,
}

impl Default for RegionSettings {
    fn default() -> Self {
        Self { left: 0.0, top: 0.0, width: 1.0, height: 1.0 }
    }
}

impl RegionSettings {
    /// Checked settings as geometry.
    pub fn to_box(self) -> NormalizedBox {
        let Self { left, top, width, height } = self;
        NormalizedBox { left, top, width, height }
    }
}

/// One of `[[cameras]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraSettings {
    /// Names the camera in topics and logs.
    pub id: CameraId,
    /// `rtsp://host[:port]/path`.
    pub url: String,
    /// User and password. Those in the URL are taken too.
    #[serde(default)]
    pub credentials: Credentials,
    /// How RTP travels.
    #[serde(default)]
    pub transport: Transport,
    /// Which of `[[models]]` looks at it; none: the first.
    #[serde(default)]
    pub model: Option<String>,
    /// Frames a second that are looked at; 0: each one.
    #[serde(default = "default_fps")]
    pub fps: f32,
    /// Share of the units relative to the other cameras when there is not enough for all, 1..=100.
    #[serde(default = "default_weight")]
    pub weight: u32,
    /// Decode keyframes only: a tenth of the cost, and a picture each second or two.
    #[serde(default)]
    pub keyframes_only: bool,
    /// The part of its picture that is looked at; none: all of it.
    #[serde(default)]
    pub region: Option<RegionSettings>,
    /// The tiles of that part that are looked at one by one; none: it is looked at once.
    #[serde(default)]
    pub tiles: Option<Tiling>,
    /// What of its picture matters.
    #[serde(default)]
    pub scene: SceneSettings,
    /// False: configured, but not connected.
    #[serde(default = "default_enabled")]
    pub enabled: bool,
}

impl CameraSettings {
    /// What of its frames is looked at.
    pub fn framing(&self) -> Framing {
        Framing { region: self.region.map(RegionSettings::to_box), tiling: self.tiles }
    }
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
