//! The cameras: each is connected as the daemon connects it, until its first frame has come. A few at a time: a camera
//! that does not answer takes as long as it may.

use crate::appliance::child_environment::capture_environment;
use crate::camera::capture_process::camera_source;
use crate::camera::settings::Transport;
use crate::camera::trial::{Seen, TrialError, look_once};
use crate::cli::check::camera_words::explain;
use crate::cli::check::reach::reach;
use crate::cli::check::report::{Finding, Severity};
use crate::ipc::child_process::{Spawner, own_binary};
use crate::settings::Settings;
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Cameras that are looked at together: each costs a process and a decoder.
const AT_A_TIME: usize = 4;

/// Looks at all enabled cameras. Returns a finding for each, in the order of the settings.
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
            (index, check_camera(&settings, index, &spawner).await)
        });
    }
    let found: BTreeMap<usize, Finding> = looks.join_all().await.into_iter().collect();
    found.into_values().collect()
}

async fn check_camera(settings: &Settings, index: usize, spawner: &Spawner) -> Finding {
    let camera = &settings.cameras[index];
    let failed = |what: String| Finding::of_camera(Severity::Failed, camera.id.as_str(), what);
    let key = |name: &str| format!("cameras[{index}].{name}");
    if cfg!(not(feature = "capture")) {
        return failed("this build has no cameras: build it with the feature `capture`".to_owned());
    }
    let Some((host, port)) = rtsp_address(&camera.url) else {
        return failed(format!("{} has no host", camera.url)).key(key("url"));
    };
    if let Err(unreachable) = reach(&host, port).await {
        return failed(unreachable.what).key(key("url")).cure(unreachable.cure);
    }
    let password = match camera.credentials.resolve_password() {
        Ok(password) => password,
        Err(error) => return failed(describe(&error)).key(key("credentials")),
    };
    let source = camera_source(camera, password.as_ref(), &settings.capture);
    let limit = camera.connect_timeout(&settings.capture) + camera.stall(&settings.capture);
    let environment = capture_environment("warn", settings);
    match look_once(spawner, own_binary(), environment, source, limit).await {
        Ok(seen) => Finding::of_camera(Severity::Ok, camera.id.as_str(), in_words(&seen, camera.transport)),
        Err(TrialError::Lost { kind, detail }) => {
            let words = explain(kind, &detail, camera, (host.as_str(), port));
            failed(words.what).key(key(words.key)).cure(words.cure)
        }
        Err(error @ TrialError::NoFrame { packets, .. }) => {
            let cure = match packets {
                0 if camera.transport == Transport::Udp => {
                    "a firewall may hold back its packets: set `transport` to \"tcp\""
                }
                0 => "it accepts the connection and sends nothing: restart it, or try another stream of it",
                _ => {
                    "its keyframes may be further apart: raise `capture.stall_seconds`, or let it send one each second or two"
                }
            };
            failed(describe(&error)).cure(cure)
        }
        Err(error) => failed(describe(&error)),
    }
}

fn in_words(Seen { info, measured }: &Seen, transport: Transport) -> String {
    let transport = match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
        Transport::Auto => "TCP or UDP",
    };
    let mut words = vec![format!("a frame was decoded: {} {}x{}", info.codec, info.width, info.height)];
    if let Some(measured) = measured {
        words.push(format!("{:.1} frames a second", measured.frames_per_second));
        words.push(format!("{:.0} kbit/s", measured.kilobits_per_second));
        words.push(match measured.keyframe_seconds {
            Some(seconds) => format!("a keyframe each {seconds:.1} s"),
            None => "keyframes more than 3 s apart".to_owned(),
        });
        words.extend(measured.clock_offset_seconds.map(|seconds| format!("its clock {}", clock_words(seconds))));
    }
    words.push(format!("over {transport}"));
    words.push(format!("by {}", info.decoder));
    words.join(", ")
}

fn clock_words(seconds: f64) -> String {
    match seconds {
        -1.0..=1.0 => "right to a second".to_owned(),
        ahead if ahead > 0.0 => format!("{ahead:.1} s ahead of this box"),
        behind => format!("{:.1} s behind this box", -behind),
    }
}

/// Host and port of a camera's URL; 554, 322 (RFC 7826), 80 or 443 when it names no port.
fn rtsp_address(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next().filter(|authority| !authority.is_empty())?;
    let default = match scheme {
        "rtsps" => 322,
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
            ("rtsps://cam/x", "cam 322"),
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
