//! The cameras: each is connected as the daemon connects it, until its first frame has come. A few at a time: a camera
//! that does not answer takes as long as it may.

use crate::appliance::child_environment::capture_environment;
use crate::camera::capture_process::camera_source;
use crate::camera::clip_file;
use crate::camera::settings::{CameraSettings, Transport};
use crate::camera::trial::{Seen, TrialError, look_once};
use crate::cli::check::camera_words::{explain, explain_clip};
use crate::cli::check::reach::{Unreachable, reach};
use crate::cli::check::report::{Finding, Severity};
use crate::cli::check::transports::{self, other_transport};
use crate::ipc::child_process::{Spawner, own_binary};
use crate::ipc::messages::CameraSource;
use crate::secret::Credentials;
use crate::settings::Settings;
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Cameras that are looked at together: each costs a process and a decoder.
const AT_A_TIME: usize = 4;

/// How long a stream is measured once its first frame has come.
const MEASURED_SECONDS: u32 = 3;

/// What is left to do about a camera that sends nothing.
const OTHER_STREAM: &str = "it accepts the connection and sends nothing: restart it, or try another stream of it";

/// Looks at all enabled cameras. Returns a finding for each stream, in the order of the settings.
pub(super) async fn check_cameras(settings: &Arc<Settings>) -> Vec<Finding> {
    let cameras: Vec<usize> = (0..settings.cameras.len()).filter(|index| settings.cameras[*index].enabled).collect();
    if cameras.is_empty() {
        return Vec::new();
    }
    let spawner = match Spawner::start() {
        Ok(spawner) => spawner,
        Err(error) => return vec![Finding::new(Severity::Failed, "cameras", describe(&error))],
    };
    let (places, mut looks) = (Arc::new(Semaphore::new(AT_A_TIME)), JoinSet::new());
    for index in cameras {
        let (settings, spawner, places) = (Arc::clone(settings), spawner.clone(), Arc::clone(&places));
        looks.spawn(async move {
            let _place = places.acquire().await;
            (index, check_streams(&settings, index, &spawner).await)
        });
    }
    let found: BTreeMap<usize, Vec<Finding>> = looks.join_all().await.into_iter().collect();
    found.into_values().flatten().collect()
}

/// Looks at the streams of a camera, one after the other. Where both have one login, one that is refused is not tried again:
/// cameras lock accounts.
async fn check_streams(settings: &Settings, index: usize, spawner: &Spawner) -> Vec<Finding> {
    let camera = &settings.cameras[index];
    let Some(main) = camera.main() else { return vec![check_camera(settings, index, camera, spawner).await] };
    let key = |name: &str| format!("cameras[{index}].{name}");
    let has_own_login = camera.detect_credentials != Credentials::default();
    let mut analysed = check_camera(settings, index, &camera.analysed(), spawner).await.of_stream("analysed stream");
    let is_refused = analysed.has_key(&key("credentials"));
    if analysed.has_key(&key("url")) {
        analysed = analysed.key(key("detect_url"));
    } else if is_refused && has_own_login {
        analysed = analysed.key(key("detect_credentials"));
    }
    if is_refused && !has_own_login {
        return vec![analysed];
    }
    vec![analysed, check_camera(settings, index, &main, spawner).await.of_stream("main stream")]
}

/// `camera` is that of the settings, as if it had the one stream.
async fn check_camera(settings: &Settings, index: usize, camera: &CameraSettings, spawner: &Spawner) -> Finding {
    let failed = |what: String| Finding::of_camera(Severity::Failed, camera.id.as_str(), what);
    let key = |name: &str| format!("cameras[{index}].{name}");
    if cfg!(not(feature = "capture")) {
        return failed("this build has no cameras: build it with the feature `capture`".to_owned());
    }
    let address = match clip_file::is_clip(&camera.url) {
        true => None,
        false => match reach_camera(camera).await {
            Ok(address) => Some(address),
            Err(unreachable) => return failed(unreachable.what).key(key("url")).cure(unreachable.cure),
        },
    };
    let password = match camera.credentials.resolve_password() {
        Ok(password) => password,
        Err(error) => return failed(describe(&error)).key(key("credentials")),
    };
    let source = camera_source(camera, password.as_ref(), &settings.capture);
    let look = |source: CameraSource| {
        let limit = camera.connect_timeout(&settings.capture) + camera.stall(&settings.capture);
        look_once(spawner, own_binary(), capture_environment("warn", settings), source, limit, MEASURED_SECONDS)
    };
    let failure = match look(source.clone()).await {
        Ok(seen) => return Finding::of_camera(Severity::Ok, camera.id.as_str(), in_words(&seen, way_of(camera))),
        Err(failure) => failure,
    };
    let mut more = String::new();
    if let Some(transport) = other_transport(&camera.url, camera.transport, &failure) {
        match look(CameraSource { transport, ..source }).await {
            Ok(seen) => {
                let (what, cure) = transports::helps(transport, &failure, &in_words(&seen, ""));
                return failed(what).key(key("transport")).cure(cure);
            }
            Err(other) => more = transports::does_not_help(transport, &other),
        }
    }
    match failure {
        TrialError::Lost { kind, detail } => {
            let words = match &address {
                Some((host, port)) => explain(kind, &detail, camera, (host, *port)),
                None => explain_clip(detail),
            };
            let cure = if more.is_empty() { words.cure } else { OTHER_STREAM.to_owned() };
            failed(words.what + &more).key(key(words.key)).cure(cure)
        }
        TrialError::NoFrame { packets, .. } => {
            let cure = match packets {
                0 if camera.transport == Transport::Udp && more.is_empty() => {
                    "a firewall may hold back its packets: set `transport` to \"tcp\""
                }
                0 => OTHER_STREAM,
                _ => {
                    "its keyframes may be further apart: raise `capture.stall_seconds`, or let it send one each second or two"
                }
            };
            failed(describe(&failure) + &more).cure(cure)
        }
        failure => failed(describe(&failure)),
    }
}

/// Host and port of a camera that accepts connections.
async fn reach_camera(camera: &CameraSettings) -> Result<(String, u16), Unreachable> {
    let Some((host, port)) = rtsp_address(&camera.url) else {
        return Err(Unreachable { what: format!("{} has no host", camera.url), cure: "correct it" });
    };
    reach(&host, port).await.map(|()| (host, port))
}

/// How its frames came.
fn way_of(camera: &CameraSettings) -> &'static str {
    match camera.transport {
        _ if clip_file::is_clip(&camera.url) => "from its file",
        _ if camera.url.starts_with("http") => "over HTTP",
        Transport::Tcp => "over TCP",
        Transport::Udp => "over UDP",
        Transport::Auto => "over TCP or UDP",
    }
}

fn in_words(Seen { info, measured }: &Seen, way: &str) -> String {
    let mut words = vec![format!("a frame was decoded: {} {}x{}", info.codec, info.width, info.height)];
    if let Some(measured) = measured {
        words.push(format!("{:.1} frames a second", measured.frames_per_second));
        words.push(format!("{:.0} kbit/s", measured.kilobits_per_second));
        words.push(match measured.keyframe_seconds {
            Some(seconds) => format!("a keyframe each {seconds:.1} s"),
            None => "keyframes more than 3 s apart".to_owned(),
        });
        words.push(format!("{:.1} % of a core", measured.cores * 100.0));
        words.extend(measured.clock_offset_seconds.map(|seconds| format!("its clock {}", clock_words(seconds))));
    }
    words.push(way.to_owned());
    words.push(format!("by {}", info.decoder));
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

fn clock_words(seconds: f64) -> String {
    match seconds {
        -1.0..=1.0 => "right to a second".to_owned(),
        ahead if ahead > 0.0 => format!("{ahead:.1} s ahead of this box"),
        behind => format!("{:.1} s behind this box", -behind),
    }
}

/// Host and port of a camera's URL; 554, 80 or 443 when it names no port. GStreamer takes
/// 554 for `rtsps` too, whose own port is 322 (RFC 7826).
fn rtsp_address(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next().filter(|authority| !authority.is_empty())?;
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => 554,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::rtsp_address;

    #[test]
    fn the_port_of_a_camera_is_in_its_url_or_the_usual_one() {
        let address = |url: &str| rtsp_address(url).map(|(host, port)| format!("{host} {port}"));
        for (url, expected) in [
            ("rtsp://cam/x", "cam 554"),
            ("rtsps://cam/x", "cam 554"),
            ("http://cam/x", "cam 80"),
            ("https://cam/x", "cam 443"),
            ("rtsp://10.0.0.1:8554/x", "10.0.0.1 8554"),
            ("rtsp://[fd00::1]:8554/x", "fd00::1 8554"),
            ("rtsp://[fd00::1]/x", "fd00::1 554"),
        ] {
            assert_eq!(address(url).as_deref(), Some(expected), "{url}");
        }
        assert_eq!(address("rtsp:///x"), None);
    }
}
