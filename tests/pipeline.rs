//! From a camera to MQTT, with the shipped binary, a real camera, a real broker and its own client.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{children, signal, wait_for};

fn has_person(json: &serde_json::Value) -> bool {
    json["detections"].as_array().is_some_and(|list| list.iter().any(|found| found["label"] == "person"))
}

/// Every thread of a child has the system call filter and can gain no privilege.
fn assert_confined(pid: u32) {
    let threads: Vec<_> = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten().collect();
    assert!(!threads.is_empty());
    for thread in threads {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap();
        assert!(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "{status}");
    }
}

#[test]
fn people_are_reported_in_the_surveillance_clip_and_the_ledger_closes() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let messages = broker.subscribe("ocelli/box/#");
    let daemon = Daemon::start_with(
        broker.port,
        &camera("yard", yard.url(), 10),
        &["--duration", "12", "--expect-label", "person"],
    );
    messages
        .wait("online", Duration::from_secs(20), |topic, payload| topic.ends_with("/available") && payload == "online");
    let seen = messages.wait_json("a person", 30, "/cameras/yard/detections", has_person);
    assert_eq!(seen["schema"], "ocelli.detections.v1");
    assert_eq!((&seen["width"], &seen["height"]), (&768.into(), &576.into()));
    let place = &seen["detections"][0]["box"];
    for side in ["left", "top", "width", "height"] {
        assert!((0.0..=1.0).contains(&place[side].as_f64().unwrap()), "{place}");
    }
    let (status, output) = daemon.wait_end(Duration::from_secs(40));
    let report: serde_json::Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert!(status.success(), "{report}");
    assert_eq!(report["ledger_closes"], true);
    assert!(report["labels_seen"]["person"].as_u64().unwrap() > 10, "{report}");
    assert!(report["published"].as_u64().unwrap() >= report["detected"].as_u64().unwrap(), "{report}");
    messages.wait("stopped", Duration::from_secs(5), |topic, payload| {
        topic.ends_with("/available") && payload == "stopped"
    });
}

#[test]
fn every_codec_streams_every_mistake_is_named_and_a_4k_picture_fits() {
    let broker = Broker::start();
    let h265 = RtspCamera::start(&["--codec", "h265", "--size", "320x240"]);
    let mjpeg = RtspCamera::start(&["--codec", "mjpeg", "--size", "320x240"]);
    let large = RtspCamera::start(&["--size", "3840x2160", "--fps", "2"]);
    let locked = RtspCamera::start(&["--user", "u", "--password", "right"]);
    let gone = format!("rtsp://127.0.0.1:{}/cam0", support::free_port());
    let settings = [
        camera("h265", h265.url(), 2),
        camera("mjpeg", mjpeg.url(), 2),
        camera("large", large.url(), 2),
        camera("datagrams", mjpeg.url(), 2) + "transport = \"udp\"\n",
        camera("open", &locked.url().replace("://", "://u:right@"), 2),
        camera("locked", &locked.url().replace("://", "://u:wrong-password@"), 2),
        camera("lost", &h265.url().replace("cam0", "nowhere"), 2),
        camera("gone", &gone, 2),
    ]
    .concat();
    let messages = broker.subscribe("ocelli/box/cameras/+/state");
    let daemon = Daemon::start(broker.port, &settings);
    let mut found = std::collections::BTreeMap::new();
    messages.wait("all states", Duration::from_secs(60), |topic, payload| {
        let json: serde_json::Value = serde_json::from_str(payload).unwrap();
        let id = topic.split('/').nth(3).unwrap().to_owned();
        if json["state"] != "connecting" {
            found.insert(id, json);
        }
        found.len() == 8
    });
    assert_eq!((&found["h265"]["state"], &found["h265"]["codec"]), (&"streaming".into(), &"h265".into()));
    assert_eq!((&found["mjpeg"]["state"], &found["mjpeg"]["codec"]), (&"streaming".into(), &"mjpeg".into()));
    assert_eq!((&found["datagrams"]["state"], &found["datagrams"]["codec"]), (&"streaming".into(), &"mjpeg".into()));
    assert_eq!(found["open"]["state"], "streaming");
    assert_eq!(found["large"]["width"], 3840);
    assert_eq!(found["locked"]["state"], "auth-failed");
    assert_eq!(found["lost"]["state"], "offline");
    assert!(found["lost"]["reason"].as_str().unwrap().contains("404"), "{}", found["lost"]);
    assert_eq!(found["gone"]["state"], "offline");

    let detections = broker.subscribe("ocelli/box/cameras/large/detections");
    let frame = detections.wait_json("a frame of the large camera", 30, "detections", |_| true);
    assert_eq!((&frame["width"], &frame["height"]), (&2228.into(), &1254.into()));

    let log = daemon.log();
    assert!(!log.contains("wrong-password") && !log.contains("u:right"), "a password is in the log");
    for pid in [daemon.units(), daemon.captures(), vec![daemon.pid()]].concat() {
        let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!arguments.contains("wrong-password"), "a password is in argv");
    }
    for (pids, kind) in [(daemon.units(), "unit coco-ssd "), (daemon.captures(), "camera ")] {
        for pid in pids {
            assert_confined(pid);
            let of_process = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
            let (title, short) = (of_process("cmdline"), of_process("comm"));
            assert!(title.starts_with(&format!("ocelli: {kind}")), "{title}");
            assert!(short.starts_with(kind) && title.contains(short.trim_end()), "{short}");
        }
    }
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn killed_and_frozen_units_and_captures_are_replaced_and_nothing_else_happens() {
    let (broker, yard, street) = (Broker::start(), RtspCamera::surveillance(0), RtspCamera::surveillance(0));
    let settings = camera("yard", yard.url(), 8) + &camera("street", street.url(), 8);
    let daemon = Daemon::start(broker.port, &settings);
    let messages = broker.subscribe("ocelli/box/cameras/#");
    daemon.wait_ready();
    messages.wait_json("a person", 30, "yard/detections", has_person);

    for deadly in [Signal::KILL, Signal::STOP] {
        let victim = daemon.units()[0];
        signal(victim, deadly);
        wait_for("a replacement of the unit", Duration::from_secs(20), || {
            let units = daemon.units();
            (!units.contains(&victim) && units.len() == 2).then_some(())
        });
        daemon.wait_ready();
        messages.wait_json("a person", 20, "street/detections", has_person);
        daemon.assert_ledger_closes();
    }
    for deadly in [Signal::KILL, Signal::STOP] {
        // The capture processes are in the order of the cameras: the first is the yard's.
        let victim = daemon.captures()[0];
        messages.take_count("");
        signal(victim, deadly);
        wait_for("a replacement of the capture process", Duration::from_secs(20), || {
            let captures = daemon.captures();
            (!captures.contains(&victim) && captures.len() == 2).then_some(())
        });
        messages.wait_json("the stream again", 20, "/state", |json| json["state"] == "streaming");
        messages.wait_json("a person again", 20, "yard/detections", has_person);
        messages.wait_json("the other camera", 20, "street/detections", has_person);
        daemon.assert_ledger_closes();
    }
    assert_eq!(daemon.units().len(), 2, "the units had no part in it");
    let (status, _) = daemon.stop();
    assert!(status.success());
}

#[test]
fn cameras_whose_shared_capture_process_dies_come_back_each_with_its_own() {
    let (broker, yard, street) = (Broker::start(), RtspCamera::surveillance(0), RtspCamera::surveillance(0));
    let cameras = camera("yard", yard.url(), 5) + &camera("street", street.url(), 5);
    let daemon = Daemon::start(broker.port, &format!("[capture]\ncameras_per_process = 2\n{cameras}"));
    let messages = broker.subscribe("ocelli/box/cameras/#");
    for life in ["its first life", "its second life"] {
        for id in ["yard", "street"] {
            let detections = format!("{id}/detections");
            messages.wait_json(&format!("a frame of the {id} in {life}"), 30, &detections, |_| true);
        }
        let captures = daemon.captures();
        assert_eq!(captures.len(), if life == "its first life" { 1 } else { 2 }, "capture processes in {life}");
        if life == "its first life" {
            signal(captures[0], Signal::KILL);
            let (mut lost, mut back) = (0, 0);
            messages.wait("both cameras lost and back", Duration::from_secs(30), |topic, payload| {
                let is_state = topic.ends_with("/state");
                lost += usize::from(is_state && payload.contains("offline"));
                back += usize::from(is_state && lost > 0 && payload.contains("streaming"));
                (lost, back) == (2, 2)
            });
        }
    }
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn a_frozen_or_killed_camera_comes_back_and_leaves_the_other_alone() {
    let (broker, street) = (Broker::start(), RtspCamera::surveillance(0));
    let port = support::free_port();
    let mut yard = RtspCamera::surveillance(port);
    let settings = camera("yard", yard.url(), 5) + &camera("street", street.url(), 5);
    let daemon = Daemon::start(broker.port, &settings);
    let messages = broker.subscribe("ocelli/box/cameras/#");
    let decoded = |id: &str| daemon.sum(&format!("ocelli_frames_captured_total{{camera=\"{id}\"}}"));
    messages.wait_json("both cameras", 30, "yard/detections", |_| true);
    messages.wait_json("both cameras", 30, "street/detections", |_| true);

    let before = decoded("street");
    yard.kill();
    messages.wait_json("the loss", 12, "yard/state", |json| json["state"] == "offline");
    yard = RtspCamera::surveillance(port);
    // A frame from before the loss may still be on its way, so the state comes first.
    messages.wait_json("the camera again", 15, "yard/state", |json| json["state"] == "streaming");
    messages.wait_json("its frames", 15, "yard/detections", |_| true);

    signal(yard.pid(), Signal::STOP);
    messages.wait_json("the stall", 14, "yard/state", |json| json["state"] == "stalled");
    signal(yard.pid(), Signal::CONT);
    messages.wait_json("the camera again", 15, "yard/state", |json| json["state"] == "streaming");
    messages.wait_json("its frames", 15, "yard/detections", |_| true);
    assert!(decoded("street") > before + 40.0, "the other camera went on meanwhile");
    assert_eq!(daemon.sum("ocelli_camera_reconnects{camera=\"street\"}"), 0.0);
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn a_broker_that_comes_back_without_memory_has_the_states_again() {
    let (mut broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    let messages = broker.subscribe("ocelli/box/#");
    messages.wait_json("a frame", 30, "yard/detections", |_| true);
    broker.kill();
    let detected = daemon.sum("ocelli_frames_detected_total");
    wait_for("inference without a broker", Duration::from_secs(10), || {
        (daemon.sum("ocelli_frames_detected_total") > detected + 5.0).then_some(())
    });
    broker.restart();
    let messages = broker.subscribe("ocelli/box/#");
    messages.wait_json("the camera's state", 20, "yard/state", |json| json["state"] == "streaming");
    messages.wait_json("a frame", 20, "yard/detections", |_| true);
    let retained = broker.subscribe("ocelli/box/available");
    retained.wait("availability", Duration::from_secs(5), |_, payload| payload == "online");
    assert!(daemon.sum("ocelli_mqtt_dropped{reason=\"broker_away\"}") > 0.0, "what was dropped is counted");
    assert!(daemon.stop().0.success());
}

#[test]
fn a_killed_daemon_leaves_no_child_and_its_will_says_offline() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    let messages = broker.subscribe("ocelli/box/#");
    daemon.wait_ready();
    messages.wait_json("a frame", 30, "yard/detections", |_| true);
    let everybody = [daemon.units(), daemon.captures()].concat();
    // Stopped children cannot end by themselves: the kernel has to end them with their parent.
    signal(daemon.units()[0], Signal::STOP);
    signal(daemon.pid(), Signal::KILL);
    wait_for("the end of all children", Duration::from_secs(5), || {
        let alive =
            |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"));
        (!everybody.iter().any(alive)).then_some(())
    });
    messages.wait("the will", Duration::from_secs(20), |topic, payload| {
        topic.ends_with("available") && payload == "offline"
    });
    assert!(children(daemon.pid(), "unit").is_empty());
}

/// A pattern as an H.264 byte stream.
fn encode(directory: &Path, size: (u32, u32)) -> Vec<u8> {
    let target = directory.join("part.h264");
    let (width, height) = size;
    let pipeline = format!(
        "videotestsrc num-buffers=30 pattern=ball ! video/x-raw,format=I420,width={width},height={height},framerate=10/1 \
         ! x264enc tune=zerolatency key-int-max=10 ! video/x-h264,stream-format=byte-stream,profile=main \
         ! filesink location={}",
        target.display()
    );
    let status = Command::new("gst-launch-1.0").arg("-q").args(pipeline.split_whitespace()).status().unwrap();
    assert!(status.success());
    std::fs::read(target).unwrap()
}

#[test]
fn a_camera_that_changes_its_size_streams_on_and_a_damaged_stream_harms_nobody_else() {
    let home = tempfile::tempdir().unwrap();
    let changing = home.path().join("changing.h264");
    std::fs::write(&changing, [encode(home.path(), (640, 480)), encode(home.path(), (320, 240))].concat()).unwrap();
    // A third of the clip, with 20 kB of something else in the middle, and cut off within a picture.
    let mut damaged = std::fs::read(support::from_setup("testdata/vtest.h264")).unwrap();
    damaged.truncate(1_000_001);
    damaged[500_000..520_000].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 131).to_le_bytes()[0]);
    let broken = home.path().join("damaged.h264");
    std::fs::write(&broken, damaged).unwrap();

    let broker = Broker::start();
    let changing = RtspCamera::start(&["--file", changing.to_str().unwrap()]);
    let broken = RtspCamera::start(&["--file", broken.to_str().unwrap()]);
    let settings = camera("changing", changing.url(), 5) + &camera("broken", broken.url(), 5);
    let daemon = Daemon::start(broker.port, &settings);
    let messages = broker.subscribe("ocelli/box/cameras/#");
    for width in [640, 320, 640] {
        messages.wait_json("the size", 30, "changing/state", |json| json["width"] == width);
        messages.wait_json("a frame of that size", 30, "changing/detections", |json| json["width"] == width);
    }
    messages.wait_json("what can be read of the damaged stream", 30, "broken/detections", has_person);
    assert_eq!(daemon.sum("ocelli_camera_reconnects{camera=\"changing\"}"), 0.0);
    assert_eq!(daemon.get("/healthz").unwrap().0, 200);
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}
