//! `[capture]`, `[snapshots]` and `[[cameras]]`.

use crate::camera::clip_file;
use crate::camera::settings::{CameraSettings, CameraTlsSettings, RegionSettings, WatchMode};
use crate::clips::settings::ClipSettings;
use crate::secret::Credentials;
use crate::settings::Settings;
use crate::settings::check::findings::Findings;
use crate::settings::check::tiles::check_tiles;
use crate::tracking::settings::check_areas;

/// The slowest rate above 0: a frame in a quarter of an hour.
const SLOWEST_FPS: f64 = 0.001;

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let capture = &settings.capture;
    for (key, value, least, most) in [
        ("capture.watch_sensitivity", capture.watch_sensitivity, 0.0, 1.0),
        ("capture.still_seconds", capture.still_seconds, 1.0, 600.0),
        ("capture.look_seconds", capture.look_seconds, 1.0, 3600.0),
    ] {
        findings.range(key, f64::from(value), least, most);
    }
    if capture.tamper_seconds != 0.0 {
        findings.range("capture.tamper_seconds", f64::from(capture.tamper_seconds), 5.0, 3600.0);
    }
    findings.range("capture.cameras_per_process", f64::from(capture.cameras_per_process), 0.0, 16.0);
    findings.range("capture.slots_per_camera", f64::from(capture.slots_per_camera), 3.0, 64.0);
    check_times("capture", Some(capture.stall_seconds), Some(capture.connect_timeout_seconds), findings);
    if capture.memory_megabytes != 0 {
        findings.range("capture.memory_megabytes", f64::from(capture.memory_megabytes), 256.0, 65_536.0);
    }

    let snapshots = &settings.snapshots;
    findings.range("snapshots.per_minute", f64::from(snapshots.per_minute), 0.0, 600.0);
    findings.range("snapshots.max_width_px", f64::from(snapshots.max_width_px), 64.0, 4096.0);
    findings.range("snapshots.main_max_width_px", f64::from(snapshots.main_max_width_px), 64.0, 4096.0);
    findings.range("snapshots.main_max_offset_seconds", f64::from(snapshots.main_max_offset_seconds), 0.0, 10.0);
    findings.range("snapshots.quality", f64::from(snapshots.quality), 20.0, 95.0);
    findings.range("snapshots.max_kilobytes", f64::from(snapshots.max_kilobytes), 10.0, 1000.0);

    check_clips(&settings.clips, findings);
    for (index, camera) in settings.cameras.iter().enumerate() {
        let name = format!("cameras[{index}]");
        check_camera(&name, camera, findings);
        if camera.watched(&settings.capture) == Some(WatchMode::DetectStream) && camera.detect_url.is_none() {
            let what = "is \"detect stream\" (its own or that of [capture]), and the camera has no `detect_url`: set it to the \
                        camera's small stream, or `watch` to \"auto\"";
            findings.add(format!("{name}.watch"), what);
        }
        let model = camera.model.as_ref();
        if model.is_some_and(|name| !settings.models.iter().any(|model| model.name == *name)) {
            let models: Vec<&str> = settings.models.iter().map(|model| model.name.as_str()).collect();
            findings
                .add(format!("{name}.model"), format!("is not the name of a model: there are {}", models.join(", ")));
        }
    }
    findings.unique("cameras", "id", settings.cameras.iter().map(|camera| camera.id.as_str()));
}

fn check_clips(clips: &ClipSettings, findings: &mut Findings) {
    findings.range("clips.before_seconds", f64::from(clips.before_seconds), 0.0, 30.0);
    findings.range("clips.after_seconds", f64::from(clips.after_seconds), 0.0, 60.0);
    findings.range("clips.longest_seconds", f64::from(clips.longest_seconds), 5.0, 600.0);
    findings.range("clips.max_megabytes", f64::from(clips.max_megabytes), 1.0, 1_048_576.0);
    findings.range("clips.days", f64::from(clips.days), 1.0, 3650.0);
    if clips.longest_seconds <= clips.before_seconds + clips.after_seconds {
        findings.add("clips.longest_seconds", "must be more than `before_seconds` and `after_seconds` together");
    }
}

/// Capture processes report once a second. If a stall were shorter than three reports, a camera with one frame a second
/// would count as stalled.
fn check_times(name: &str, stall_seconds: Option<f32>, connect_seconds: Option<f32>, findings: &mut Findings) {
    if let Some(seconds) = stall_seconds {
        findings.range(format!("{name}.stall_seconds"), f64::from(seconds), 3.0, 600.0);
    }
    if let Some(seconds) = connect_seconds {
        findings.range(format!("{name}.connect_timeout_seconds"), f64::from(seconds), 0.1, 60.0);
    }
}

fn check_camera(name: &str, camera: &CameraSettings, findings: &mut Findings) {
    if camera.fps != 0.0 {
        findings.range(format!("{name}.fps"), f64::from(camera.fps), SLOWEST_FPS, 240.0);
    }
    check_times(name, camera.stall_seconds, camera.connect_timeout_seconds, findings);
    if let Some(ms) = camera.latency_ms {
        findings.range(format!("{name}.latency_ms"), f64::from(ms), 0.0, 5000.0);
    }
    findings.range(format!("{name}.weight"), f64::from(camera.weight), 1.0, 100.0);
    if let Some(sensitivity) = camera.watch_sensitivity {
        findings.range(format!("{name}.watch_sensitivity"), f64::from(sensitivity), 0.0, 1.0);
    }
    for (key, areas) in [("watch_ignore", &camera.watch_ignore), ("blackout", &camera.blackout)] {
        findings.extend(name, check_areas(key, areas).into_iter().map(|it| (it.field, it.what)));
    }
    if let Some(track) = camera.video_track {
        findings.range(format!("{name}.video_track"), f64::from(track), 1.0, 16.0);
    }
    let analysed = camera.detect_url.as_ref().unwrap_or(&camera.url);
    if camera.motion_events && !analysed.to_ascii_lowercase().starts_with("rtsp") {
        findings.add(format!("{name}.motion_events"), "is for streams over RTSP: they have the metadata track");
    }
    check_tls(&format!("{name}.tls"), &camera.tls, findings);
    if let Some(region) = &camera.region {
        check_region(&format!("{name}.region"), region, findings);
    }
    if let Some(tiles) = &camera.tiles {
        check_tiles(&format!("{name}.tiles"), tiles, findings);
    }
    if clip_file::is_clip(&camera.url) {
        check_clip(name, camera, findings);
    } else if let Err(what) = check_url(&camera.url) {
        findings.add(format!("{name}.url"), what);
    }
    check_detect_url(name, camera, findings);
    if camera.url.starts_with("http") || camera.detect_url.as_ref().is_some_and(|url| url.starts_with("http")) {
        check_http(name, camera, findings);
    }
    findings.credentials(&format!("{name}.credentials"), &camera.credentials);
    let scene = camera.scene.check().into_iter().map(|mistake| (mistake.field, mistake.what));
    findings.extend(&format!("{name}.scene"), scene);
}

/// The second stream of a camera with two.
fn check_detect_url(name: &str, camera: &CameraSettings, findings: &mut Findings) {
    let Some(url) = &camera.detect_url else {
        if camera.detect_credentials != Credentials::default() {
            findings.add(format!("{name}.detect_credentials"), "is the login of `detect_url`, which is missing");
        }
        return;
    };
    if let Err(what) = check_url(url) {
        findings.add(format!("{name}.detect_url"), what);
    } else if *url == camera.url {
        let what = "must be another stream than `url`: without `detect_url`, that one is analysed";
        findings.add(format!("{name}.detect_url"), what);
    }
    if clip_file::is_clip(&camera.url) {
        findings.add(format!("{name}.detect_url"), "is for cameras: the clip of `url` is analysed itself");
    }
    findings.credentials(&format!("{name}.detect_credentials"), &camera.detect_credentials);
}

/// User and password have been moved out of the URL. A malformed URL may still contain a part of them, so it is not shown.
fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = ["rtsp://", "rtsps://", "http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let host_and_port = rest.map(|rest| rest.split(['/', '?']).next().unwrap_or(rest));
    let Some(host_and_port) = host_and_port.filter(|host| !host.is_empty() && !host.starts_with(':')) else {
        return Err("must be rtsp://host[:port]/path, or rtsps://, http://, https:// or file://");
    };
    // An IPv6 address is in brackets and contains colons.
    let after_host = host_and_port.rsplit_once(']').map_or(host_and_port, |(_, after)| after);
    match after_host.split_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => Err(
            "has no valid port after the host. If the password contains `/`, `?`, `#` or `@`, write %2F, %3F, %23 or %40 \
             instead, or give user and password in `credentials`",
        ),
        _ => Ok(()),
    }
}

/// What would protect a login over RTSP, and does not over HTTP, is a mistake and not ignored.
fn check_http(name: &str, camera: &CameraSettings, findings: &mut Findings) {
    let what = "is for cameras over RTSP: over HTTP a basic login is answered, and the authorities of the box judge certificates";
    if !camera.basic_auth {
        findings.add(format!("{name}.basic_auth"), what);
    }
    if camera.tls != CameraTlsSettings::default() {
        findings.add(format!("{name}.tls"), what);
    }
}

/// A file has neither a login nor a certificate.
fn check_clip(name: &str, camera: &CameraSettings, findings: &mut Findings) {
    if let Err(what) = clip_file::check(&camera.url) {
        findings.add(format!("{name}.url"), what);
    }
    if camera.credentials.user.is_some() {
        findings.add(format!("{name}.credentials"), "is for cameras that ask for a login, and `url` is a file");
    }
    if camera.tls != CameraTlsSettings::default() {
        findings.add(format!("{name}.tls"), "is for cameras over RTSP, and `url` is a file");
    }
}

fn check_tls(name: &str, tls: &CameraTlsSettings, findings: &mut Findings) {
    if tls.fingerprint.is_some() && tls.fingerprint_bytes().is_none() {
        findings.add(
            format!("{name}.fingerprint"),
            "must be a SHA-256: 64 hexadecimal digits, with or without colons, as `ocelli check` prints it",
        );
    }
    findings.readable(format!("{name}.ca_file"), tls.ca_file.as_ref());
    let given = [!tls.verify, tls.fingerprint.is_some(), tls.ca_file.is_some()];
    if given.iter().filter(|is_given| **is_given).count() > 1 {
        findings.add(name, "may have one of `verify = false`, `fingerprint` and `ca_file` only");
    }
}

/// A region must lie in the picture and be at least a hundredth of it wide and high.
fn check_region(name: &str, region: &RegionSettings, findings: &mut Findings) {
    findings.range(format!("{name}.left"), f64::from(region.left), 0.0, 1.0);
    findings.range(format!("{name}.top"), f64::from(region.top), 0.0, 1.0);
    findings.range(format!("{name}.width"), f64::from(region.width), 0.01, 1.0);
    findings.range(format!("{name}.height"), f64::from(region.height), 0.01, 1.0);
    for (side, end) in [("width", region.left + region.width), ("height", region.top + region.height)] {
        // Ratios such as 0.7 and 0.3 add up to one except for rounding.
        if end > 1.0 + 1e-5 {
            findings.add(format!("{name}.{side}"), format!("reaches to {end}, but the picture ends at 1"));
        }
    }
}
