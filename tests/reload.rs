//! Settings that change while the daemon runs: what they do not name goes on without a gap, and a mistake changes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{from_setup, signal, wait_for};

const SECONDS: Duration = Duration::from_secs(1);

/// A daemon with one camera that stays as it is, and the text of its settings.
struct LiveBox {
    daemon: Daemon,
    settings: String,
    yard: RtspCamera,
    broker: Broker,
}

impl LiveBox {
    fn start() -> Self {
        let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
        // Each frame is analysed: a rate below that of the stream would leave out one more or less as frames come.
        let daemon = Daemon::start(broker.port, &camera("still", yard.url(), 0));
        daemon.wait_ready();
        let settings = fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap();
        let this = Self { daemon, settings, yard, broker };
        this.wait_streaming("still");
        this
    }

    /// Adds this to the settings, and reloads them.
    fn reload(&self, more: &str) -> (u16, Value) {
        self.write(&format!("{}{more}", self.settings));
        self.daemon.post_json("/api/reload", &json!({})).unwrap()
    }

    fn write(&self, text: &str) {
        fs::write(self.daemon.home().join("ocelli.toml"), text).unwrap();
    }

    fn camera(&self, id: &str, fps: u32) -> String {
        camera(id, self.yard.url(), fps)
    }

    fn wait_streaming(&self, id: &str) {
        wait_for(id, 30 * SECONDS, || {
            let detected = self.daemon.sum(&format!("ocelli_frames_detected_total{{camera=\"{id}\"}}"));
            (detected > 0.0).then_some(())
        });
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn a_hundred_reloads_restart_no_child_and_lose_no_frame_of_a_camera_that_stays() {
    let (this, second) = (LiveBox::start(), Broker::start());
    let daemon = &this.daemon;
    let (units, captures) = (daemon.units(), daemon.captures());
    let base = &this.settings;
    let with = |more: &str| format!("{base}{more}");
    let labels = "scene.labels = [\"person\"]\n";
    let key = "[[access_keys]]\naccess_key_id = \"AKIANEWCOMER\"\nsecret = \"a-secret-of-some-length\"\nrole = \"operator\"\n";
    let door = this.camera("door", 2);
    let other_broker = base.replace(&format!("port = {}\n", this.broker.port), &format!("port = {}\n", second.port));
    let limited = base.replace("min_inference_units = 2\n", "min_inference_units = 2\ntps_limit = 900\n");
    let steps = [
        (with(&this.camera("door", 5)), "camera door: added"),
        (with(&door), "camera door: changed"),
        (with(&format!("{door}{labels}")), "camera door: changed; its scene begins anew"),
        (with(&format!("{door}{labels}keyframes_only = true\n")), "camera door: changed; it reconnects"),
        (with(""), "camera door: removed"),
        (with("[log]\nlevel = \"debug\"\n"), "log.level: changed"),
        (with(""), "log.level: changed"),
        (with(key), "[[access_keys]]: changed"),
        (with(""), "[[access_keys]]: changed"),
        (other_broker, "[mqtt]: changed; it reconnects"),
        (with(""), "[mqtt]: changed; it reconnects"),
        (limited, "[[models]]: changed"),
        (with(""), "[[models]]: changed"),
    ];
    // The capture process counts what it decodes, the daemon what it gets of that.
    let frames = || {
        let of_still = |metric: &str| daemon.sum(&format!("{metric}{{camera=\"still\"}}"));
        (of_still("ocelli_camera_frames_decoded"), of_still("ocelli_frames_captured_total"))
    };
    let start = frames();
    let before = wait_for("frames", 30 * SECONDS, || Some(frames()).filter(|now| now.0 - start.0 >= 50.0));
    let (image, is_over) = (fs::read(from_setup("testdata/photo.jpg")).unwrap(), AtomicBool::new(false));
    let answers = std::thread::scope(|scope| {
        // Less than five calls a second: with the cameras less than the units can do, so that no camera is throttled.
        let caller = scope.spawn(|| {
            let mut answers = std::collections::BTreeMap::new();
            while !is_over.load(Ordering::Relaxed) {
                let status = daemon.post_image("/api/models/coco-ssd/detect", &image).map(|(status, ..)| status);
                *answers.entry(status).or_insert(0) += 1;
                std::thread::sleep(Duration::from_millis(200));
            }
            answers
        });
        let reloaded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..8 {
                for (text, line) in &steps {
                    this.write(text);
                    let (status, answer) = this.daemon.post_json("/api/reload", &json!({})).unwrap();
                    assert_eq!((status, texts(&answer["changed"])), (200, vec![*line]), "round {round}: {answer}");
                    let (status, refusal) = this.reload("[[cameras]]\nid = \"a mistake\"\n");
                    assert_eq!(status, 422, "round {round}: {refusal}");
                }
            }
        }));
        is_over.store(true, Ordering::Relaxed);
        reloaded.unwrap();
        caller.join().unwrap()
    });
    assert!(answers.keys().all(|status| *status == Some(200)), "calls were refused meanwhile: {answers:?}");
    assert_eq!(daemon.units(), units, "no unit was replaced");
    assert!(captures.iter().all(|pid| daemon.captures().contains(pid)), "the camera's process is the same");
    assert_eq!(daemon.sum("ocelli_camera_reconnects_total{camera=\"still\"}"), 0.0);
    wait_for("the series of the other camera to go", 10 * SECONDS, || {
        daemon.metrics("ocelli_").keys().all(|series| !series.contains("\"door\"")).then_some(())
    });
    let after = wait_for("more frames", 30 * SECONDS, || Some(frames()).filter(|now| now.0 - before.0 >= 50.0));
    let part = |from: (f64, f64), to: (f64, f64)| (to.1 - from.1) / (to.0 - from.0);
    let (quiet, reloading) = (part(start, before), part(before, after));
    assert!(reloading > 0.9 * quiet, "the daemon gets {reloading} of the decoded frames, and got {quiet} before");
    daemon.assert_ledger_closes();
    assert!(this.daemon.stop().0.success());
}

#[test]
fn models_come_go_and_grow_without_a_restart() {
    let this = LiveBox::start();
    let daemon = &this.daemon;
    let second = "[[models]]\nname = \"second\"\npackage = \"coco-ssd\"\nmin_inference_units = 1\n";
    let (status, answer) = this.reload(second);
    assert_eq!((status, texts(&answer["changed"])), (200, vec!["[[models]]: changed"]), "{answer}");
    wait_for("the second model", 30 * SECONDS, || {
        let (_, text) = daemon.get("/api/models/second")?;
        text.contains("RUNNING").then_some(())
    });
    let door = this.camera("door", 5) + "model = \"second\"\n";
    let (_, answer) = this.reload(&format!("{second}{door}"));
    assert_eq!(texts(&answer["changed"]), ["camera door: added"]);
    this.wait_streaming("door");

    this.write(&this.settings.replace("min_inference_units = 2", "min_inference_units = 1"));
    let (_, answer) = daemon.post_json("/api/reload", &json!({})).unwrap();
    assert_eq!(texts(&answer["changed"]), ["camera door: removed", "[[models]]: changed"]);
    wait_for("one model with one unit", 30 * SECONDS, || {
        let is_gone = daemon.get("/api/models/second").is_some_and(|(status, _)| status == 404);
        (is_gone && daemon.units().len() == 1).then_some(())
    });
    daemon.assert_ledger_closes();
    assert!(this.daemon.stop().0.success());
}

#[test]
fn what_needs_a_restart_is_named_until_there_was_one_and_a_package_that_is_missing_changes_nothing() {
    let this = LiveBox::start();
    let daemon = &this.daemon;
    for _ in 0..2 {
        let (status, answer) = this.reload("[units]\nmax_units = 3\n");
        assert_eq!((status, texts(&answer["needs_restart"])), (200, vec!["units.max_units"]), "{answer}");
    }
    let (_, answer) = this.reload("");
    assert_eq!(answer, json!({"changed": [], "needs_restart": []}));
    let missing = "[[models]]\nname = \"second\"\npackage = \"nowhere\"\n";
    let (status, answer) = this.reload(&format!("{missing}{}", this.camera("door", 5)));
    assert_eq!(status, 422, "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("model second"), "{answer}");
    assert!(daemon.get("/metrics").unwrap().1.lines().all(|line| !line.contains("\"door\"")));
    assert!(this.daemon.stop().0.success());
}

#[test]
fn the_command_prints_what_changed_and_a_hangup_reloads_too() {
    let this = LiveBox::start();
    this.write(&format!("{}{}", this.settings, this.camera("door", 5)));
    assert_eq!(this.daemon.succeed(&["reload"]), "box box: camera door: added\n");
    assert_eq!(this.daemon.succeed(&["reload"]), "box box: nothing has changed\n");
    this.write(&this.settings);
    signal(this.daemon.pid(), Signal::HUP);
    wait_for("the other camera to go", 10 * SECONDS, || {
        this.daemon.metrics("ocelli_camera_up").keys().all(|series| !series.contains("door")).then_some(())
    });
    this.write("[[cameras]]\nid = \"a mistake\"\n");
    let (status, text) = this.daemon.command(&["reload"]);
    assert!(status.code() == Some(78) && text.contains("url"), "{text}");
    assert!(this.daemon.stop().0.success());
}
