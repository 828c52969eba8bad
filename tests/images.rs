//! Images over HTTP: analysed, refused above the capacity of the units, and never at the cost of the cameras.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{from_setup, wait_for};

const DETECT: &str = "/api/models/coco-ssd/detect";

fn labels(answer: &serde_json::Value) -> Vec<String> {
    let found = answer["detections"].as_array().into_iter().flatten();
    found.map(|one| one["label"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_image_is_analysed_and_other_bytes_are_refused() {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, "");
    let photo = std::fs::read(from_setup("testdata/photo.jpg")).unwrap();
    wait_for("the server", Duration::from_secs(20), || daemon.get("/healthz"));
    daemon.wait_ready();
    let (status, _, answer) = daemon.post_image(DETECT, &photo).unwrap();
    assert_eq!((status, &answer["width"], &answer["height"]), (200, &548.into(), &342.into()), "{answer}");
    assert!(labels(&answer).contains(&"person".to_owned()), "{answer}");

    let code = |path: &str, bytes: &[u8]| {
        let (status, _, answer) = daemon.post_image(path, bytes).unwrap();
        (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code(DETECT, b"no picture"), (422, "invalid_image".into()));
    assert_eq!(code(DETECT, b""), (422, "invalid_image".into()));
    assert_eq!(code(DETECT, &vec![0; (4 << 20) + 1]), (413, "image_too_large".into()));
    assert_eq!(code(DETECT, &vec![0; 4 << 20]), (422, "invalid_image".into()));
    assert_eq!(code("/api/models/other/detect", &photo), (404, "not_found".into()));
    let (status, head, _) = daemon.post_image(&format!("{DETECT}?deadline_ms=0"), &photo).unwrap();
    assert!(status == 429 && head.contains("retry-after: 1"), "{head}");

    daemon.succeed(&["ctl", "stop", "coco-ssd", "--wait"]);
    assert_eq!(code(DETECT, &photo), (503, "model_stopped".into()));
    assert_eq!(daemon.sum("ocelli_unit_restarts"), 0.0, "no image killed a unit");
    assert!(daemon.stop().0.success());
}

#[test]
fn a_model_refuses_images_above_its_limit_and_cameras_keep_their_share() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let model = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\ntps_limit = 5\n";
    let daemon = Arc::new(Daemon::start(broker.port, &format!("{model}{}", camera("yard", yard.url(), 5))));
    let messages = broker.subscribe("ocelli/box/cameras/yard/detections");
    daemon.wait_ready();
    messages.wait_json("a frame", 30, "detections", |_| true);
    let photo = Arc::new(std::fs::read(from_setup("testdata/photo.jpg")).unwrap());
    let (accepted, refused) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let detected = || daemon.sum("ocelli_frames_detected_total");
    let (before, begun) = (detected(), Instant::now());
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (daemon, photo) = (Arc::clone(&daemon), Arc::clone(&photo));
            let (accepted, refused) = (Arc::clone(&accepted), Arc::clone(&refused));
            std::thread::spawn(move || {
                while begun.elapsed() < Duration::from_secs(5) {
                    match daemon.post_image(DETECT, &photo) {
                        Some((200, _, answer)) => {
                            assert!(labels(&answer).contains(&"person".to_owned()), "{answer}");
                            accepted.fetch_add(1, Ordering::Relaxed)
                        }
                        Some((429, head, answer)) => {
                            assert!(head.contains("retry-after:"), "{head}");
                            assert_eq!(answer["error"]["code"], "throttled");
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                        other => panic!("{other:?}"),
                    };
                    std::thread::sleep(Duration::from_millis(20));
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    let seconds = begun.elapsed().as_secs_f64();
    let frames = detected() - before;
    let (accepted, refused) = (f64::from(accepted.load(Ordering::Relaxed)), refused.load(Ordering::Relaxed));
    // The token bucket holds five and refills five a second. Requests at the edge may fall on either side.
    assert!((4.0..=5.0 * seconds + 7.0).contains(&accepted), "{accepted} accepted in {seconds} s");
    assert!(refused > 10, "{refused} refused");
    assert!(frames > 2.0 * seconds, "{frames} frames of the camera in {seconds} s");
    daemon.assert_ledger_closes();
}
