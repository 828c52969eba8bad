//! Cameras with two streams: the sub stream is analysed, and snapshots show the main one.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::Daemon;
use support::link::{Line, Link};
use support::{wait_for, wait_within};

const LIMIT: Duration = Duration::from_secs(40);

/// A camera as the daemon shows it, once `is_so`.
fn wait_camera(daemon: &Daemon, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    wait_for(id, LIMIT, || camera(daemon, id).filter(&is_so))
}

fn camera(daemon: &Daemon, id: &str) -> Option<Value> {
    let (_, body) = daemon.get(&format!("/api/cameras/{id}"))?;
    serde_json::from_str(&body).ok()
}

fn block(id: &str, main: &str, sub: &str) -> String {
    format!("[[cameras]]\nid = \"{id}\"\nurl = \"{main}\"\ndetect_url = \"{sub}\"\nfps = 5.0\n")
}

/// Every received frame of the main stream has its one outcome.
fn assert_closes(camera: &Value) {
    let (main, count) = (&camera["main"], |value: &Value| value.as_u64().unwrap());
    let stream = &main["stream"];
    let skipped: u64 = stream["skipped"].as_object().unwrap().values().map(count).sum();
    assert_eq!(count(&stream["received"]), count(&main["decoded"]) + skipped + count(&stream["waiting"]), "{main}");
}

/// A header of a picture.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
}

/// Left, top, right and bottom.
fn corners(found: &Value) -> Option<[f64; 4]> {
    let bounds = &found["box"];
    let side = |name: &str| bounds[name].as_f64();
    let (left, top) = (side("left")?, side("top")?);
    Some([left, top, left + side("width")?, top + side("height")?])
}

/// Area of the intersection by that of the union.
fn overlap(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let area = |c: &[f64; 4]| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
    let both = area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    both / (area(a) + area(b) - both)
}

#[test]
fn events_show_the_main_stream_in_full_size_which_is_decoded_for_them_alone() {
    let (broker, yard) = (Broker::start(), RtspCamera::with_two_streams());
    let line = Link::to(yard.url().split([':', '/']).nth(4).unwrap().parse().unwrap());
    line.set(Line::Open);
    let (main, sub) = (format!("rtsp://127.0.0.1:{}/cam0", line.port), &yard.urls[1]);
    let frames = broker.subscribe("ocelli/box/cameras/yard/detections");
    let wrong = yard.urls[0].replace("cam0", "nowhere");
    let settings = format!(
        "[snapshots]\nper_minute = 4\ndraw_boxes = false\n{}{}",
        block("yard", &main, sub),
        block("astray", &wrong, sub)
    );
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    let health = wait_camera(&daemon, "yard", |health| health["main"]["state"] == "streaming");
    assert_eq!((&health["width"], &health["main"]["width"]), (&640.into(), &1920.into()), "{health}");

    // The picture of an event.
    let (_, head, jpeg) = wait_for("the picture of an event", LIMIT, || {
        daemon.get_raw("/api/cameras/yard/snapshot").filter(|(_, head, _)| header(head, "ocelli-event").is_some())
    });
    assert_eq!(header(&head, "ocelli-stream"), Some("main"), "{head}");
    let offset: i64 = header(&head, "ocelli-offset-ms").unwrap().parse().unwrap();
    // A keyframe each second, and those that came after the frame may not have been there yet.
    assert!((-1200..=600).contains(&offset), "{head}");
    let picture = image::load_from_memory(&jpeg).unwrap();
    assert_eq!((picture.width(), picture.height()), (1920, 1080));
    // It shows what the frame shows: the model finds people at the same places, within a second's walk. In another size and
    // encoding it finds some others too.
    let number: u64 = header(&head, "ocelli-frame").unwrap().parse().unwrap();
    let frame = frames.wait_json("the frame of the picture", 10, "/detections", |frame| frame["frame"] == number);
    let (status, _, seen) = daemon.post_image("/api/models/coco-ssd/detect", &jpeg).unwrap();
    assert_eq!(status, 200, "{seen}");
    let all = |found: &Value| found["detections"].as_array().unwrap().iter().filter_map(corners).collect::<Vec<_>>();
    let (expected, found) = (all(&frame), all(&seen));
    let best = |of: &[f64; 4]| found.iter().map(|other| overlap(of, other)).fold(0.0, f64::max);
    let near = expected.iter().filter(|of| best(of) > 0.1).count();
    assert!(near > 0 && 3 * near >= expected.len(), "{near} of {expected:?} are in {found:?}");

    // Decoded for snapshots only. Two of them may show the same keyframe.
    let decoded = |health: &Value| health["main"]["decoded"].as_u64().unwrap();
    let health = wait_camera(&daemon, "yard", |health| health["main"]["stream"]["received"].as_u64() > Some(150));
    let taken = || daemon.sum("ocelli_snapshots_total{camera=\"yard\",result=\"taken\"}");
    assert!(decoded(&health) >= 1 && decoded(&health) as f64 <= taken(), "{health}");
    assert!(health["main"]["stream"]["skipped"]["keyframes_only"].as_u64() > Some(100), "{health}");
    assert_closes(&health);
    let before = decoded(&health);
    let after = (0..3).find_map(|_| {
        let (status, head, _) = daemon.get_raw("/api/cameras/yard/snapshot?fresh=true").unwrap();
        assert_eq!((status, header(&head, "ocelli-stream")), (200, Some("main")), "{head}");
        // The counts come each second.
        wait_within(Duration::from_secs(5), || camera(&daemon, "yard").filter(|health| decoded(health) > before))
    });
    assert!(after.is_some_and(|health| decoded(&health) as f64 <= taken()), "a keyframe is decoded for each snapshot");

    // A main stream that is not there is told, and disturbs nothing.
    let astray = wait_camera(&daemon, "astray", |health| health["main"]["state"] == "offline");
    assert!(astray["main"]["reason"].as_str().unwrap().contains("no such path"), "{astray}");
    assert_eq!((&astray["state"], &astray["reason"]), (&"streaming".into(), &Value::Null), "{astray}");
    let (status, head, jpeg) = daemon.get_raw("/api/cameras/astray/snapshot?fresh=true").unwrap();
    assert_eq!((status, header(&head, "ocelli-stream")), (200, Some("detect")), "{head}");
    assert!(header(&head, "ocelli-stream-reason").unwrap().contains("no such path"), "{head}");
    assert_eq!(image::load_from_memory(&jpeg).unwrap().width(), 640);
    assert!(daemon.sum("ocelli_snapshot_streams_total{camera=\"astray\",stream=\"detect\"}") >= 1.0);
    assert_eq!(daemon.sum("ocelli_camera_main_up{camera=\"astray\"}"), 0.0);
    wait_for("a degraded box", LIMIT, || {
        let (_, body) = daemon.get("/api/status")?;
        body.contains("snapshots show its analysed stream, for the main one is lost: the camera has no such path")
            .then_some(())
    });
    let (_, text) = daemon.command(&["cameras"]);
    assert!(text.contains("yard/main") && text.contains("astray, main stream: the camera has no such path"), "{text}");

    // The main stream is lost, and comes back.
    let (detected, reconnects) = (health["outcomes"]["detected"].as_u64(), health["reconnects"].clone());
    line.set(Line::Cut);
    let lost = wait_camera(&daemon, "yard", |health| health["main"]["state"] != "streaming");
    assert!(lost["main"]["reason"].is_string() && lost["state"] == "streaming", "{lost}");
    let (status, head, jpeg) = daemon.get_raw("/api/cameras/yard/snapshot?fresh=true").unwrap();
    assert_eq!((status, header(&head, "ocelli-stream")), (200, Some("detect")), "{head}");
    assert_eq!(image::load_from_memory(&jpeg).unwrap().width(), 640);
    let later =
        wait_camera(&daemon, "yard", |health| health["outcomes"]["detected"].as_u64() > detected.map(|it| it + 20));
    assert_eq!((&later["reconnects"], &later["state"]), (&reconnects, &"streaming".into()), "{later}");
    assert_closes(&later);
    line.set(Line::Open);
    let healed = wait_camera(&daemon, "yard", |health| health["main"]["state"] == "streaming");
    assert!(healed["main"]["reconnects"].as_u64() > Some(0) && healed["reconnects"] == reconnects, "{healed}");
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn boxes_lie_where_the_objects_are_in_the_larger_picture_and_both_streams_are_logged_in() {
    let clip = support::from_setup("testdata/vtest.h264");
    let login = ["--user", "viewer", "--password", "hunter-2"];
    let yard = RtspCamera::start(
        &[&["--file", clip.to_str().unwrap(), "--streams", "1920x1080,640x360"], &login[..]].concat(),
    );
    let broker = Broker::start();
    let frames = broker.subscribe("ocelli/box/cameras/yard/detections");
    let settings = format!(
        "[tracking]\nenabled = false\n[snapshots]\nquality = 95\n{}\
         credentials = {{ user = \"viewer\", password = \"hunter-2\" }}\n",
        block("yard", &yard.urls[0], &yard.urls[1])
    );
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    wait_camera(&daemon, "yard", |health| health["main"]["state"] == "streaming");
    let (_, head, jpeg) = daemon.get_raw("/api/cameras/yard/snapshot?fresh=true").unwrap();
    assert_eq!(header(&head, "ocelli-stream"), Some("main"), "{head}");
    let picture = image::load_from_memory(&jpeg).unwrap().into_rgb8();
    let number: u64 = header(&head, "ocelli-frame").unwrap().parse().unwrap();
    let frame = frames.wait_json("the frame of the picture", 10, "/detections", |frame| frame["frame"] == number);
    let boxes: Vec<_> = frame["detections"].as_array().unwrap().iter().filter_map(corners).collect();
    assert!(!boxes.is_empty(), "people are always to be seen there");
    for [left, top, right, _] in boxes {
        // The middle of the upper edge, which is four pixels thick.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a pixel of the picture")]
        let at = |share: f64, side: u32| (share * f64::from(side)) as u32;
        let pixel = picture.get_pixel(at(f64::midpoint(left, right), 1920), at(top, 1080) + 2).0;
        assert!(pixel[0] < 130 && pixel[1] > 190 && pixel[2] < 130, "{pixel:?} at {left}, {top}");
    }
    assert!(!daemon.log().contains("hunter-2"), "{}", daemon.log());
}
