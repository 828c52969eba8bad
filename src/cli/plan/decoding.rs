//! What receiving and decoding a camera of the settings costs this box, measured with its real stream.

use crate::appliance::child_environment::capture_environment;
use crate::camera::capture_process::camera_source;
use crate::camera::settings::CameraSettings;
use crate::camera::trial::{Measured, TrialError, look_once};
use crate::ipc::child_process::{Spawner, own_binary};
use crate::ipc::messages::{CameraSource, StreamInfo};
use crate::settings::Settings;
use crate::vision::error_chain::describe;

/// How long a stream is measured of which everything is decoded.
const BUSY_SECONDS: u32 = 4;

/// How long one is measured of which keyframes alone are decoded: they may be four seconds apart.
const IDLE_SECONDS: u32 = 8;

/// What a camera's capture process takes.
#[derive(Clone, Debug)]
pub(super) struct Decoding {
    /// The camera that was measured.
    pub(super) camera: String,
    /// Codec, size and declared rate of its analysed stream.
    pub(super) info: StreamInfo,
    /// Frames a second that it sends.
    pub(super) frames_per_second: f64,
    /// Processor cores while every frame is decoded.
    pub(super) busy_cores: f64,
    /// Processor cores while keyframes alone are decoded, as of a camera that is watched.
    pub(super) idle_cores: f64,
    /// Whether the settings let it be watched.
    pub(super) is_watched: bool,
}

/// The camera to measure: the one of this name, else the first enabled one; `None` if there is none.
///
/// # Errors
/// When there is no camera of this name.
pub(super) fn choose<'a>(settings: &'a Settings, name: Option<&str>) -> Result<Option<&'a CameraSettings>, String> {
    let Some(name) = name else { return Ok(settings.cameras.iter().find(|camera| camera.enabled)) };
    let named = settings.cameras.iter().find(|camera| camera.id.as_str() == name);
    named.map(Some).ok_or_else(|| format!("--camera {name}: the settings have no camera of this id"))
}

/// Connects to the camera twice, and measures the capture process.
///
/// # Errors
/// Says what went wrong, and what to do.
pub(super) async fn measure(settings: &Settings, camera: &CameraSettings) -> Result<Decoding, String> {
    if cfg!(not(feature = "capture")) {
        return Err("this build has no cameras: build it with the feature `capture`".to_owned());
    }
    let id = &camera.id;
    let analysed = camera.analysed();
    let password = analysed.credentials.resolve_password().map_err(|error| describe(&error))?;
    let source = camera_source(&analysed, password.as_ref(), &settings.capture);
    let spawner = Spawner::start().map_err(|error| describe(&error))?;
    let look = async |keyframes_only: bool, seconds: u32| -> Result<(StreamInfo, Measured), TrialError> {
        let source = CameraSource { keyframes_only, watch: None, ..source.clone() };
        let limit = camera.connect_timeout(&settings.capture) + camera.stall(&settings.capture);
        let environment = capture_environment("warn", settings);
        let seen = look_once(&spawner, own_binary(), environment, source, limit, seconds).await?;
        let silent = TrialError::NoFrame { packets: 0, limit };
        seen.measured.map(|measured| (seen.info, measured)).ok_or(silent)
    };
    let explain = |error: TrialError| format!("camera {id}: {}; `ocelli check` says more", describe(&error));
    let (info, busy) = look(false, BUSY_SECONDS).await.map_err(explain)?;
    let (_, idle) = look(true, IDLE_SECONDS).await.map_err(explain)?;
    Ok(Decoding {
        camera: id.to_string(),
        info,
        frames_per_second: busy.frames_per_second,
        busy_cores: busy.cores,
        idle_cores: idle.cores.min(busy.cores),
        is_watched: camera.watched(&settings.capture).is_some(),
    })
}
