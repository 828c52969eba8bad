//! Pictures of cameras: with the shipped binary and a real camera, and with a capture process that fails as it is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::appliance::{Appliance, ChildPrograms, Identity, Reporter};
use ocelli::control::snapshots::{SnapshotFreshness, SnapshotRefusal, SnapshotReply};
use ocelli::settings::Settings;
use ocelli::telemetry::metrics::Metrics;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::wait_for;
use tokio::sync::watch;

/// Pixels of the colour in which boxes are drawn.
fn box_pixels(picture: &image::RgbImage) -> usize {
    picture.pixels().filter(|pixel| pixel.0[0] < 120 && pixel.0[1] > 200 && pixel.0[2] < 120).count()
}

fn decode(jpeg: &[u8]) -> image::RgbImage {
    assert!(jpeg.starts_with(&[0xff, 0xd8]), "it is no JPEG");
    image::load_from_memory(jpeg).unwrap().into_rgb8()
}

#[test]
fn a_picture_with_its_boxes_is_had_over_http_so_often_and_no_more() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let gone = format!("rtsp://127.0.0.1:{}/cam0", support::free_port());
    let settings = [
        // Without events, which have pictures taken as well.
        "[tracking]\nenabled = false\n[snapshots]\nper_minute = 3\nmax_width_px = 640\n".to_owned(),
        camera("yard", yard.url(), 5),
        camera("gone", &gone, 5),
        camera("off", &gone, 5) + "enabled = false\n",
    ]
    .concat();
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    let get = |path: &str| daemon.get_raw(&format!("/api/cameras/{path}")).unwrap();
    for path in ["yard/snapshot", "yard/snapshot?fresh=false", "yard/snapshot?fresh=true"] {
        let (status, head, jpeg) = get(path);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&jpeg));
        assert!(head.contains("content-type: image/jpeg") && head.contains("\nage: "), "{head}");
        let picture = decode(&jpeg);
        assert_eq!(picture.dimensions(), (640, 480), "the clip has 768 x 576");
        let frame = head.lines().find_map(|line| line.strip_prefix("ocelli-frame: ")).unwrap();
        assert!(frame.trim().parse::<u64>().unwrap() > 0);
        assert!(box_pixels(&picture) > 200, "people are always to be seen there");
    }
    let answer = |path: &str, wanted: u16, text: &str| {
        let (status, head, body) = get(path);
        let body = String::from_utf8(body).unwrap();
        assert!(status == wanted && body.contains(text), "{path}: {status} {body}");
        head
    };
    assert!(answer("yard/snapshot?fresh=true", 429, "per_minute").contains("retry-after: "));
    answer("street/snapshot", 404, "there are: yard, gone, off");
    answer("off/snapshot", 503, "disabled");
    wait_for("the other camera to be found gone", Duration::from_secs(20), || {
        (get("gone/snapshot").0 == 503 && get("gone/snapshot").2.windows(7).any(|text| text == b"offline"))
            .then_some(())
    });
    answer("yard/snapshot?size=1", 400, "unknown field");
    for (result, count) in [("taken", 3.0), ("limited", 1.0), ("failed", 0.0)] {
        let name = format!("ocelli_snapshots_total{{camera=\"yard\",result=\"{result}\"}}");
        assert_eq!(daemon.sum(&name), count, "{name}");
    }
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn a_picture_that_is_commanded_is_published_retained_and_kept() {
    let (broker, yard) = (Broker::start(), RtspCamera::start(&["--size", "1920x1080", "--fps", "5"]));
    let settings = format!(
        "[mqtt]\nport = {}\ncommands = true\n[tracking]\nenabled = false\n[snapshots]\ndraw_boxes = false\n{}",
        broker.port,
        camera("yard", yard.url(), 5)
    );
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    let port = broker.port.to_string();
    let command = |payload: &str| {
        let arguments = ["-V", "5", "-h", "127.0.0.1", "-p", &port, "-W", "10", "-e", "ocelli/box/reply/here"];
        let topic = ["-t", "ocelli/box/command/snapshot", "-m", payload];
        let output = Command::new("mosquitto_rr").args(arguments).args(topic).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let answer = command(r#"{"camera": "yard", "id": 7}"#);
    assert_eq!((&answer["accepted"], &answer["id"]), (&true.into(), &7.into()), "{answer}");
    // `-N`: no line feed behind it.
    let subscribe = ["-h", "127.0.0.1", "-p", &port, "-C", "1", "-N", "-W", "20"];
    let topic = ["-t", "ocelli/box/cameras/yard/snapshot"];
    let published = Command::new("mosquitto_sub").args(subscribe).args(topic).output().unwrap().stdout;
    let picture = decode(&published);
    assert_eq!(picture.dimensions(), (1280, 720));
    assert_eq!(box_pixels(&picture), 0);
    assert_eq!(daemon.get_raw("/api/cameras/yard/snapshot").unwrap().2, published, "it is the newest");
    let again = Command::new("mosquitto_sub").args(subscribe).args(topic).output().unwrap().stdout;
    assert_eq!(again, published, "whoever subscribes later has it as well");

    for (payload, why) in [(r#"{"camera": "street"}"#, "there are: yard"), (r#"{"model": "m"}"#, "not valid")] {
        let answer = command(payload);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(answer["accepted"] == false && message.contains(why), "{answer}");
    }
    let file = daemon.home().join("yard.jpg");
    daemon.succeed(&["snapshot", "yard", "--fresh", "-o", file.to_str().unwrap()]);
    assert_eq!(decode(&std::fs::read(file).unwrap()).dimensions(), (1280, 720));
    let (status, text) = daemon.command(&["snapshot", "street"]);
    assert!(!status.success() && text.contains("there are: yard"), "{text}");

    daemon.succeed(&["ctl", "stop", "coco-ssd", "--wait"]);
    let begun = Instant::now();
    let (status, _, body) = daemon.get_raw("/api/cameras/yard/snapshot?fresh=true").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8));
    let body = String::from_utf8(body).unwrap();
    assert!(status == 504 && body.contains("streaming"), "{status} {body}");
    assert_eq!(daemon.get_raw("/api/cameras/yard/snapshot").unwrap().0, 200, "what is kept is there all the same");
    assert!(daemon.stop().0.success());
}

/// The upper right half of the picture.
const BLACKOUT: &str = "blackout = [[[0.5, 0.0], [1.0, 0.0], [1.0, 1.0]]]\n";

/// The brightest pixel where it is to be black, and the mean of all others, both so far from the border that no block of the JPEG,
/// which has 16 pixels a side, reaches over it.
fn brightness(picture: &image::RgbImage) -> (u8, u64) {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let (mut inside, mut sum, mut outside) = (0, 0, 0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let border = width / 2.0 + f64::from(y) / height * width / 2.0;
        if f64::from(x) > border + 32.0 {
            inside = inside.max(*pixel.0.iter().max().unwrap());
        } else if f64::from(x) < border - 32.0 {
            (sum, outside) = (sum + u64::from(pixel.0[1]), outside + 1);
        }
    }
    (inside, sum / outside)
}

#[test]
fn what_is_blacked_out_is_black_in_every_picture_and_a_reload_leaves_none_of_before() {
    let (broker, yard, two) = (Broker::start(), RtspCamera::surveillance(0), RtspCamera::with_two_streams());
    let both = camera("gate", &two.urls[0], 5).replace("url =", &format!("detect_url = \"{}\"\nurl =", two.urls[1]));
    let settings = format!(
        "[mqtt]\nport = {}\ncommands = true\n[snapshots]\ndraw_boxes = false\nper_minute = 100\n{both}{BLACKOUT}{}",
        broker.port,
        camera("yard", yard.url(), 5)
    );
    broker.retain("ocelli/box/cameras/gate/snapshot", "of a run before");
    let subscriptions = broker.subscriptions();
    let sizes = Command::new("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-W", "90", "-C", "2", "-F", "%l"])
        .args(["-t", "ocelli/box/cameras/gate/snapshot"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the subscription", Duration::from_secs(20), || (broker.subscriptions() > subscriptions).then_some(()));
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    let get = |path: &str| {
        wait_for(path, Duration::from_secs(60), || daemon.get_raw(path).filter(|(status, ..)| *status == 200))
    };
    // Of two streams that of the full size, made black before it is scaled down.
    let main = wait_for("the main stream", Duration::from_secs(60), || {
        let (_, head, jpeg) = get("/api/cameras/gate/snapshot?fresh=true");
        head.contains("ocelli-stream: main").then_some(jpeg)
    });
    let main = decode(&main);
    let (inside, outside) = brightness(&main);
    assert!(main.width() == 1920 && inside < 24 && outside > 60, "{inside} {outside}");

    let retained = |camera: &str, seconds: &str| {
        let topic = format!("ocelli/box/cameras/{camera}/snapshot");
        let at = ["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-W", seconds, "-C", "1", "-N", "-t", &topic];
        Command::new("mosquitto_sub").args(at).output().unwrap().stdout
    };
    let sizes = String::from_utf8(sizes.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(sizes, "15\n0\n", "the picture of before, and then none");
    let before = decode(&retained("yard", "30"));
    assert!(brightness(&before).0 > 100, "all of it is shown");
    let picture_of = |id: &str| daemon.get_raw(&format!("/api/events/{id}/picture")).unwrap().0;
    let pictures = || {
        let list: serde_json::Value = serde_json::from_str(&daemon.get("/api/events/pictures").unwrap().1).unwrap();
        let ids = list["events"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let seen = pictures();
    assert!(seen.iter().all(|id| picture_of(id) == 200) && !seen.is_empty());
    let events = daemon.get("/api/events?since_seconds=600").unwrap().1;
    let events: Vec<serde_json::Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let is_of_yard = |id: &&String| events.iter().any(|event| event["id"] == **id && event["camera"] == "yard");
    let of_yard: Vec<&String> = seen.iter().filter(is_of_yard).collect();
    assert!(!of_yard.is_empty());

    let file = daemon.home().join("ocelli.toml");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + BLACKOUT).unwrap();
    let (status, answer) = daemon.post_json("/api/reload", &serde_json::json!({})).unwrap();
    assert!(status == 200 && answer["changed"][0] == "camera yard: changed; it reconnects", "{answer}");
    assert!(of_yard.iter().all(|id| picture_of(id) == 404));
    let (_, _, jpeg) = get("/api/cameras/yard/snapshot");
    let (inside, outside) = brightness(&decode(&jpeg));
    assert!(inside < 24 && outside > 60, "{inside} {outside}");
    // What is retained now was made since, whoever asked for it.
    let (inside, outside) = brightness(&decode(&retained("yard", "60")));
    assert!(inside < 24 && outside > 60, "{inside} {outside}");
    for id in pictures() {
        let (_, _, jpeg) = daemon.get_raw(&format!("/api/events/{id}/picture")).unwrap();
        assert!(brightness(&decode(&jpeg)).0 < 24, "{id}");
    }
    assert!(daemon.stop().0.success());
}

/// The examples beside the directory of this test.
fn example(name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples").join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_not_answered_or_answered_wrongly_costs_that_request_alone() {
    let home = tempfile::tempdir().unwrap();
    let package = home.path().join("models/answers");
    std::fs::create_dir_all(&package).unwrap();
    for file in ["manifest.toml", "labels.txt"] {
        std::fs::copy(support::root().join("models/coco-ssd").join(file), package.join(file)).unwrap();
    }
    // Not answered, a length that cannot be, refused, answered, dead, answered.
    let text = format!(
        "state_directory = \"{0}/state\"\n[mqtt]\nenabled = false\n[snapshots]\nper_minute = 100\n\
         [units]\nmodels_directory = \"{0}/models\"\n[[models]]\nname = \"scripted\"\npackage = \"answers\"\n\
         min_inference_units = 1\n[[cameras]]\nid = \"yard\"\nurl = \"rtsp://nlfad@127.0.0.1/\"\n",
        home.path().display()
    );
    let file = home.path().join("ocelli.toml");
    std::fs::write(&file, text).unwrap();
    let settings = Settings::load_with(&[file], HashMap::new()).unwrap();
    let reporter = Reporter::new(Identity { box_id: "box".into() }, None, None, Arc::new(Metrics::new()));
    let programs = ChildPrograms { unit: example("scripted_unit"), capture: example("scripted_capture") };
    let (appliance, control, status) = Appliance::new(settings, BTreeMap::new(), reporter, programs).unwrap();
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(appliance.run(stopped));

    let begun = Instant::now();
    while status.borrow().total().detected == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", status.borrow());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first_process = status.borrow().capture_processes.clone();
    let ask = || control.snapshots.ask("yard".into(), SnapshotFreshness::Fresh);
    let failed = |reply: SnapshotReply, why: &str| match reply {
        SnapshotReply::Refused(SnapshotRefusal::Failed(reason)) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?} instead of {why}"),
    };
    let begun = Instant::now();
    let detected = status.borrow().total().detected;
    failed(ask().await, "did not answer");
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert!(status.borrow().total().detected > detected + 5, "frames went on meanwhile");
    failed(ask().await, "length");
    failed(ask().await, "as it was told");
    assert!(matches!(ask().await, SnapshotReply::Taken(snapshot) if *snapshot.jpeg == *b"a picture"));
    assert_eq!(status.borrow().capture_processes, first_process, "nobody was replaced for it");
    failed(ask().await, "has ended");

    stop.send_replace(true);
    let last = running.await.unwrap();
    assert!(last.ledger_closes() && last.lent_slots == 0, "{last:?}");
}
