//! What three people do with models that are none of the product's: an export of Ultralytics, of Hugging Face and of
//! PaddleDetection is added, looked through and put to work, and its labels come over MQTT.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::process::{Command, Output};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::exports;
use support::unread_exports;
use support::{from_setup, root, signal, wait_for};

/// A daemon with one unit, whose model `yard` starts with the default detector, and a camera.
struct Site {
    packages: tempfile::TempDir,
    broker: Broker,
    daemon: Daemon,
    _yard: RtspCamera,
}

impl Site {
    fn new() -> Self {
        let (packages, broker, yard) = (tempfile::tempdir().unwrap(), Broker::start(), RtspCamera::surveillance(0));
        std::fs::create_dir(packages.path().join("coco-ssd")).unwrap();
        for entry in std::fs::read_dir(from_setup("models/coco-ssd")).unwrap().flatten() {
            std::fs::copy(entry.path(), packages.path().join("coco-ssd").join(entry.file_name())).unwrap();
        }
        let settings = format!(
            "[units]\nmax_units = 2\nmodels_directory = \"{}\"\n\
             [[models]]\nname = \"yard\"\npackage = \"coco-ssd\"\nmin_inference_units = 1\n{}",
            packages.path().display(),
            camera("gate", yard.url(), 5).replace("fps", "model = \"yard\"\nfps")
        );
        let daemon = Daemon::start(broker.port, &settings);
        Self { packages, broker, daemon, _yard: yard }
    }

    /// Writes an export with its labels, `word 0` and so on.
    fn write(&self, name: &str, word: &str) -> (String, String) {
        let export = exports::called(name);
        let at = |file: &str| self.packages.path().join(file).to_str().unwrap().to_owned();
        let labels: String = (0..export.labels).map(|class| format!("{word} {class}\n")).collect();
        let (file, labels_file) = (at(&format!("{word}.onnx")), at(&format!("{word}.txt")));
        std::fs::write(&file, export.graph.bytes()).unwrap();
        std::fs::write(&labels_file, labels).unwrap();
        (file, labels_file)
    }

    /// `ocelli model` with the daemon's settings.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
        ocelli.arg("model").args(arguments).current_dir(root());
        ocelli.env("OCELLI_CONFIG_FILE", self.daemon.home().join("ocelli.toml"));
        ocelli.env("OCELLI_UNITS__CACHE_DIRECTORY", root().join("target/model-cache"));
        ocelli.output().unwrap()
    }

    /// The same; it must succeed.
    fn model(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is said of an export that is not read.
    fn refusal(&self, export: &str) -> String {
        let export = unread_exports::all().into_iter().find(|one| one.name == export).unwrap();
        let file = self.packages.path().join("unread.onnx");
        std::fs::write(&file, export.graph.bytes()).unwrap();
        let output = self.run(&["add", file.to_str().unwrap(), "--name", "unread"]);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn add(&self, export: &str, word: &str, package: &str) -> String {
        let (file, labels) = self.write(export, word);
        self.model(&["add", &file, "--name", package, "--labels", &labels])
    }
}

fn has_label(json: &serde_json::Value, label: &str) -> bool {
    json["detections"].as_array().unwrap().iter().any(|found| found["label"] == label)
}

#[test]
fn exports_of_three_tools_are_added_looked_through_and_put_to_work() {
    let site = Site::new();
    site.daemon.wait_ready();
    let messages = site.broker.subscribe("ocelli/box/cameras/gate/#");
    let photo = from_setup("testdata/photo.jpg").to_str().unwrap().to_owned();
    let drawn = site.packages.path().join("drawn").to_str().unwrap().to_owned();
    // What PaddleDetection exports by itself is refused with what to say to it; so said, it is the third export below.
    let refused = site.refusal("picodet with post-processing");
    assert!(refused.contains("PaddleDetection") && refused.contains("-o export.benchmark=True"), "{refused}");
    for (export, word, layout) in [
        ("yolo11", "ultralytics", "yolov8"),
        ("d-fine of Hugging Face, any channels", "huggingface", "detr"),
        ("picodet", "paddle", "nano_det"),
    ] {
        let told = site.add(export, word, word);
        assert!(told.contains(&format!("layout {layout}")) && told.contains("input.resize"), "{told}");
        let first = format!("{word} 0");
        let seen = site.model(&["test", &photo, "--model", word, "--draw", &drawn]);
        assert!(seen.contains(&format!("{first} 90 %")) && seen.contains(&format!("{word} 2 80 %")), "{seen}");
        site.daemon.succeed(&["ctl", "swap", "yard", "--package", word, "--wait"]);
        messages.wait_json("its detections", 30, "detections", |json| has_label(json, &first));
        messages.wait_json("its event", 30, "events", |json| json["label"] == first.as_str());
    }
    site.daemon.assert_ledger_closes();
    assert!(site.daemon.stop().0.success());
}

#[test]
fn a_unit_that_finds_another_package_than_its_labels_are_of_does_not_load_until_the_swap() {
    let site = Site::new();
    site.daemon.wait_ready();
    let messages = site.broker.subscribe("ocelli/box/cameras/gate/detections");
    site.add("yolo11", "old", "changing");
    site.daemon.succeed(&["ctl", "swap", "yard", "--package", "changing", "--wait"]);
    messages.wait_json("the old package", 30, "detections", |json| has_label(json, "old 0"));
    // Other classes have these numbers now.
    site.add("yolov5", "new", "changing");
    for unit in site.daemon.units() {
        signal(unit, Signal::KILL);
    }
    let refused = "is not the one whose labels are in use";
    wait_for("the refusal", Duration::from_secs(30), || site.daemon.log().contains(refused).then_some(()));
    let (_, shown) = site.daemon.get("/api/models/yard").unwrap();
    assert!(!shown.contains(&site.packages.path().display().to_string()), "{shown}");
    let messages = site.broker.subscribe("ocelli/box/cameras/gate/detections");
    site.daemon.succeed(&["ctl", "swap", "yard", "--package", "changing", "--wait"]);
    let first = messages.wait_json("the new package", 30, "detections", |json| has_label(json, "new 0"));
    assert!(!has_label(&first, "old 0"), "{first}");
    assert!(site.daemon.stop().0.success());
}
