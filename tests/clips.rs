//! Clips of events, from a real RTSP camera over a real daemon to its disk, its API and its page; and cameras that keep their
//! video to themselves.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::os::clock::rfc3339_utc;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::broker::{Broker, Subscriber};
use support::browser::Browser;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::http::Address;
use support::{free_port, from_setup, wait_for};

const LIMIT: Duration = Duration::from_secs(120);

/// Nine seconds from the event on, at most.
const CLIPS: &str = "[clips]\nenabled = true\nbefore_seconds = 3.0\nafter_seconds = 1.0\nlongest_seconds = 12.0\n";

fn events(broker: &Broker) -> Subscriber {
    broker.subscribe("ocelli/box/cameras/+/events")
}

/// The next event that begins.
fn began(events: &Subscriber, camera: &str) -> Value {
    events.wait_json("somebody", 120, "/events", |event| event["type"] == "began" && event["camera"] == camera)
}

/// Status, head in lower case and body.
fn get(daemon: &Daemon, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let mut answer = Vec::new();
    let mut reader = Address::plain(daemon.http_port()).send(&format!("GET {path}"), headers, "").unwrap();
    reader.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let body = answer.split_off(end);
    let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    (head[9..12].parse().unwrap(), head, body)
}

/// The video of an event, once it is whole.
fn video(daemon: &Daemon, event: &Value) -> Vec<u8> {
    let path = event["clip"].as_str().unwrap_or_else(|| panic!("no clip: {event}"));
    assert_eq!(path, format!("/api/events/{}/clip", event["id"].as_str().unwrap()));
    wait_for("the clip", LIMIT, || {
        let (status, head, body) = get(daemon, path, "");
        let is_json = || serde_json::from_slice::<Value>(&body).unwrap();
        assert!(status == 200 || is_json()["error"]["code"] == "not_ready", "{head}{}", String::from_utf8_lossy(&body));
        (status == 200).then_some(body)
    })
}

/// What is kept beside the video of an event.
fn entry(state: &Path, event: &Value) -> Value {
    let files = fs::read_dir(state.join("clips").join(event["camera"].as_str().unwrap())).unwrap();
    let jsons = files.map(|file| file.unwrap().path()).filter(|file| file.extension().is_some_and(|it| it == "json"));
    let mut entries = jsons.map(|file| serde_json::from_slice::<Value>(&fs::read(file).unwrap()).unwrap());
    entries.find(|entry| entry["events"].as_array().unwrap().contains(&event["id"])).unwrap()
}

/// Decodes all frames of H.264: when each is shown, in milliseconds of the file.
fn decoded(video: &[u8]) -> Vec<u64> {
    decoded_by(video, ["h264parse", "avdec_h264"])
}

fn decoded_by(video: &[u8], [parser, decoder]: [&str; 2]) -> Vec<u64> {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("clip.mp4");
    fs::write(&file, video).unwrap();
    let output = Command::new("gst-launch-1.0")
        .args(["-v", "filesrc", &format!("location={}", file.display()), "!", "qtdemux", "!", parser])
        .args(["!", decoder, "!", "identity", "silent=false", "!", "fakesink"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !text.contains("WARN"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let places = text.lines().filter(|line| line.contains("identity0") && line.contains("pts: "));
    places.map(|line| milliseconds(line.split("pts: ").nth(1).unwrap().split(',').next().unwrap())).collect()
}

/// Of `0:00:01.033333333`.
fn milliseconds(clock: &str) -> u64 {
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    let seconds = (parts[0] * 60.0 + parts[1]) * 60.0 + parts[2];
    Duration::from_secs_f64(seconds).as_millis().try_into().unwrap()
}

#[test]
fn a_clip_begins_before_its_event_is_shared_by_others_and_can_be_decoded_whole() {
    let (broker, rtsp) = (Broker::start(), RtspCamera::surveillance(free_port()));
    let events = events(&broker);
    let mut daemon = Daemon::start(broker.port, &(CLIPS.to_owned() + &camera("yard", rtsp.url(), 10)));
    began(&events, "yard");
    // The first one may have come before three seconds of video: another clip follows it.
    let event = events.wait_json("the next clip", 120, "/events", |event| {
        let path = event["clip"].as_str().unwrap_or_default();
        let is_first = || get(&daemon, path, "").0 == 404 && daemon.sum("ocelli_clips_total{result=\"kept\"}") > 0.0;
        event["type"] == "began" && !path.is_empty() && is_first()
    });
    let video = video(&daemon, &event);
    assert_eq!(&video[4..8], b"ftyp");
    let state = daemon.home().join("state");
    let entry = entry(&state, &event);
    let shown = decoded(&video);
    let span = shown.last().unwrap() - shown[0];
    let (start, end) = (entry["start_ms"].as_i64().unwrap(), entry["end_ms"].as_i64().unwrap());
    assert!(rfc3339_utc(start).as_str() < event["began_at"].as_str().unwrap(), "{entry} {event}");
    assert!(span.abs_diff(u64::try_from(end - start).unwrap()) < 3000, "{span} {entry}");
    assert!(shown[0] <= 2000 && shown.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
    assert_eq!(entry["dropped"], 0);
    let fragments = video.windows(4).filter(|four| four == b"moof").count();
    assert_eq!(shown.len(), fragments, "every frame is decoded");

    // All events that share it were seen in it, and lead to it.
    let of_clip = entry["events"].as_array().unwrap();
    assert!(of_clip.len() >= 2, "{entry}");
    let last = of_clip.last().unwrap().as_str().unwrap();
    let (_, head, _) = get(&daemon, &format!("/api/events/{last}/clip"), "");
    for line in ["content-type: video/mp4", "accept-ranges: bytes", &format!("content-length: {}", video.len())] {
        assert!(head.contains(line), "{line}: {head}");
    }
    let (_, all) = daemon.get("/api/events?since_seconds=600").unwrap();
    let told: Vec<Value> = all.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let last = told.iter().find(|event| event["id"] == last).unwrap();
    let end_of_video = start + i64::try_from(span).unwrap() + 1000;
    assert!(rfc3339_utc(end_of_video).as_str() > last["at"].as_str().unwrap(), "{entry} {span} {last}");

    // Parts of it.
    let path = event["clip"].as_str().unwrap();
    let (status, head, part) = get(&daemon, path, "Range: bytes=100-299\r\n");
    assert_eq!((status, &part[..]), (206, &video[100..300]));
    assert!(head.contains(&format!("content-range: bytes 100-299/{}", video.len())), "{head}");
    let (status, _, part) = get(&daemon, path, "Range: bytes=-7\r\n");
    assert_eq!((status, &part[..]), (206, &video[video.len() - 7..]));
    assert_eq!(get(&daemon, path, "Range: bytes=999999999-\r\n").0, 416);
    assert_eq!(get(&daemon, "/api/events/none-1/clip", "").0, 404);

    // Nobody else reads it, a restart finds it, and a stop finishes what is being made.
    for file in fs::read_dir(state.join("clips/yard")).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let open = began(&events, "yard");
    daemon.restart();
    wait_for("the daemon", LIMIT, || daemon.get("/healthz"));
    assert_eq!(self::video(&daemon, &event), video);
    if open["clip"].is_string() {
        assert!(!decoded(&self::video(&daemon, &open)).is_empty());
    }
}

#[test]
fn a_clip_of_a_camera_with_h265_has_all_its_frames() {
    let clip = from_setup("testdata/vtest.h264");
    let newer = format!(
        "multifilesrc location=\"{}\" loop=true \
         caps=\"video/x-h264,stream-format=byte-stream,alignment=nal,framerate=10/1\" ! h264parse name=parse ! avdec_h264 \
         ! videoscale ! videoconvert ! video/x-raw,format=I420,width=512,height=384 ! identity sync=true \
         ! x265enc tune=zerolatency speed-preset=ultrafast key-int-max=20 ! rtph265pay name=pay0 pt=96 config-interval=-1",
        clip.display()
    );
    let (broker, rtsp) = (Broker::start(), RtspCamera::start(&["--launch", &newer]));
    let events = events(&broker);
    let clips = "[clips]\nenabled = true\nbefore_seconds = 2.0\nafter_seconds = 0.0\nlongest_seconds = 7.0\n";
    let daemon = Daemon::start(broker.port, &(clips.to_owned() + &camera("yard", rtsp.url(), 5)));
    let event = began(&events, "yard");
    let video = video(&daemon, &event);
    let has = |name: &[u8; 4]| video.windows(4).filter(|four| four == name).count();
    assert_eq!((&video[4..8], has(b"hev1"), has(b"hvcC"), has(b"avc3")), (&b"ftyp"[..], 1, 1, 0));
    let shown = decoded_by(&video, ["h265parse", "avdec_h265"]);
    assert_eq!(shown.len(), has(b"moof"), "every frame is decoded");
    assert!(shown.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
    // Ten a second, and none is missing between. A camera that has just begun may take longer to its second frame.
    let span = shown.last().unwrap() - shown[1];
    assert!(span >= 3000 && (span / 100 + 2).abs_diff(shown.len() as u64) <= 1, "{} in {span}: {shown:?}", shown.len());
    let entry = entry(&daemon.home().join("state"), &event);
    assert_eq!((&entry["dropped"], &entry["bytes"]), (&0.into(), &video.len().into()));
}

#[test]
fn a_camera_can_be_without_clips_and_another_without_a_live_view() {
    let (broker, rtsp) = (Broker::start(), RtspCamera::surveillance(free_port()));
    let events = events(&broker);
    let settings = CLIPS.to_owned()
        + &camera("yard", rtsp.url(), 5)
        + "clips = false\n"
        + &camera("gate", rtsp.url(), 5)
        + "live = false\n"
        + &camera("door", rtsp.url(), 5)
        + "clips = true\nblackout = [[[0.5, 0.0], [1.0, 0.0], [1.0, 0.5]]]\n";
    let daemon = Daemon::start(broker.port, &settings);
    let mut first = std::collections::BTreeMap::new();
    wait_for("an event of each", LIMIT, || {
        let event = events.wait_json("somebody", 120, "/events", |event| event["type"] == "began");
        first.entry(event["camera"].as_str().unwrap().to_owned()).or_insert(event);
        (first.len() == 3).then_some(())
    });
    let [yard, gate, door] = ["yard", "gate", "door"].map(|camera| &first[camera]);
    assert!(door.get("clip").is_none(), "{door}");
    assert!(yard.get("clip").is_none() && gate["clip"].is_string(), "{yard} {gate}");
    assert_eq!(get(&daemon, &format!("/api/events/{}/clip", yard["id"].as_str().unwrap()), "").0, 404);

    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let refused = |path: &str, headers: &str, why: &str| {
        let (status, _, body) = get(&daemon, path, headers);
        let body = String::from_utf8(body).unwrap();
        assert!(status == 403 && body.contains("\"private\"") && body.contains(why), "{path}: {status} {body}");
    };
    for headers in ["", upgrade] {
        refused("/api/cameras/gate/live", headers, "live = false");
        refused("/api/cameras/door/live", headers, "what `blackout` hides");
    }
    refused(&format!("/api/events/{}/clip", door["id"].as_str().unwrap()), "", "what `blackout` hides");
    let mut browser = Browser::start();
    browser.open(&format!("http://localhost:{}/#/cameras/gate", daemon.http_port()));
    browser.wait("the reason", "document.body.innerText.includes('live = false')");
    browser.wait("a snapshot", "document.querySelector('.player img')?.naturalWidth > 0");
    browser.open(&format!("http://localhost:{}/#/cameras/door", daemon.http_port()));
    browser.wait("the other reason", "document.querySelector('.playing').innerText.includes('what `blackout` hides')");
    browser.wait("its snapshot", "document.querySelector('.player img')?.naturalWidth > 0");
    browser.open(&format!("http://localhost:{}/#/events", daemon.http_port()));
    browser.click(&format!("[data-object*=' door {}']", door["track"]));
    browser.wait(
        "why there is no clip",
        "document.querySelector('dialog')?.innerText.includes('No clip: video would show')",
    );
    for camera in ["yard", "door"] {
        assert!(!daemon.home().join("state/clips").join(camera).exists(), "{camera}");
    }
}

#[test]
fn a_disk_with_too_little_room_costs_clips_and_no_events() {
    let (broker, rtsp) = (Broker::start(), RtspCamera::surveillance(free_port()));
    let (events, states) = (events(&broker), broker.subscribe("ocelli/box/state"));
    let settings = format!("[outbox]\nmax_mib = 4\n{CLIPS}{}", camera("yard", rtsp.url(), 10));
    let daemon = Daemon::start_on_disk(broker.port, &settings, "size=16m");
    let clips = |result: &str| daemon.sum(&format!("ocelli_clips_total{{result=\"{result}\"}}"));
    wait_for("the daemon", LIMIT, || daemon.get("/healthz"));
    // As much as events may take is left to them.
    let filler = daemon.disk().join("filler");
    fs::write(&filler, vec![1; 13 << 20]).unwrap();
    let event = began(&events, "yard");
    wait_for("a clip that is lost", LIMIT, || (clips("no_room") > 0.0).then_some(()));
    let path = format!("/api/events/{}/clip", event["id"].as_str().unwrap());
    wait_for("word of it", LIMIT, || (get(&daemon, &path, "").0 == 404).then_some(()));
    states.wait("the trouble", LIMIT, |_, payload| payload.contains("clips of events are not kept: there is no room"));
    events.wait_json("events all the same", 60, "/events", |_| true);
    assert_eq!(
        (daemon.sum("ocelli_outbox_on_disk"), daemon.sum("ocelli_outbox_events{result=\"dropped\"}")),
        (1.0, 0.0)
    );
    assert_eq!(daemon.log().matches("clips of events are not kept").count(), 1, "it is logged once");

    fs::remove_file(&filler).unwrap();
    wait_for("a clip", LIMIT, || (clips("kept") > 0.0).then_some(()));
    states.wait("the end of the trouble", LIMIT, |_, payload| !payload.contains("clips of events"));
    assert!(daemon.stop().0.success());
}

#[test]
fn the_oldest_clips_make_room() {
    let (broker, rtsp) = (Broker::start(), RtspCamera::surveillance(free_port()));
    let events = events(&broker);
    let clips = "[clips]\nenabled = true\nbefore_seconds = 0.0\nafter_seconds = 0.0\nlongest_seconds = 5.0\nmax_megabytes = 4\n";
    let daemon = Daemon::start(broker.port, &(clips.to_owned() + &camera("yard", rtsp.url(), 10)));
    let first = began(&events, "yard");
    video(&daemon, &first);
    wait_for("a clip that makes room", LIMIT, || (daemon.sum("ocelli_clips_removed_total") >= 1.0).then_some(()));
    assert_eq!(get(&daemon, first["clip"].as_str().unwrap(), "").0, 404);
    assert!(daemon.sum("ocelli_clip_bytes") <= 4e6 && daemon.sum("ocelli_clips_total{result=\"kept\"}") >= 2.0);
}

#[test]
fn the_page_plays_the_clip_of_an_event_and_moves_in_it() {
    let (broker, rtsp) = (Broker::start(), RtspCamera::surveillance(free_port()));
    let events = events(&broker);
    let daemon = Daemon::start(broker.port, &(CLIPS.to_owned() + &camera("yard", rtsp.url(), 10)));
    let event = began(&events, "yard");
    video(&daemon, &event);
    let mut browser = Browser::start();
    browser.open(&format!("http://localhost:{}/#/events", daemon.http_port()));
    let (boot, track) = (event["id"].as_str().unwrap().split('-').next().unwrap(), &event["track"]);
    let row = format!("[data-object='{boot} yard {track}']");
    browser.wait("the event", &format!("document.querySelector(\"{row}\")"));
    browser.click(&row);
    browser.wait("the clip", "document.querySelector('dialog video')?.readyState >= 2");
    // It ends: its length is known, and its end can be gone to.
    browser.wait("its length", "document.querySelector('dialog video').duration > 5");
    browser
        .evaluate("const video = document.querySelector('dialog video'); video.currentTime = video.duration - 1; true");
    browser.wait("its end", "document.querySelector('dialog video').ended");
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}
