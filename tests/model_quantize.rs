//! `ocelli model quantize` with the shipped binary: the default detector gets an 8-bit twin from pictures, which a real unit
//! runs and which sees the same; a twin that cannot be judged is not installed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use image::DynamicImage;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::small_model::models_with_detector;
use support::{from_setup, wait_for};

/// A box with a copy of the default detector, and pictures.
struct Site {
    home: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        models_with_detector(&home.path().join("models"));
        std::fs::create_dir(home.path().join("pictures")).unwrap();
        let settings = format!(
            "state_directory = \"{0}/state\"\n[mqtt]\nenabled = false\n[units]\nmodels_directory = \"{0}/models\"\n\
             cache_directory = \"\"\nruntime_library = \"{1}\"\n[[models]]\nname = \"coco-ssd\"\n",
            home.path().display(),
            from_setup("lib/libonnxruntime.so").display()
        );
        std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
        Self { home }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Parts of the photo, lighter and darker, mirrored and not.
    fn with_pictures(self, count: u8) -> Self {
        let photo = image::open(from_setup("testdata/photo.jpg")).unwrap();
        for number in 0..count {
            self.save(number, &part(&photo, number));
        }
        self
    }

    fn save(&self, number: u8, picture: &DynamicImage) {
        picture.to_rgb8().save(self.at(&format!("pictures/{number:02}.jpg"))).unwrap();
    }

    fn ocelli(&self, arguments: &[&str]) -> Output {
        let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
        ocelli.args(arguments).env("OCELLI_CONFIG_FILE", self.at("ocelli.toml")).current_dir(self.home.path());
        ocelli.output().unwrap()
    }

    /// Commands go to this daemon, whose settings these are.
    fn of_daemon(self, daemon: &Daemon, more: &str) -> Self {
        let settings = std::fs::read_to_string(self.at("ocelli.toml")).unwrap();
        let own = format!("state_directory = \"{}/state\"", self.home.path().display());
        let theirs = format!("box_id = \"box\"\nstate_directory = \"{}\"", daemon.home().join("state").display());
        assert!(settings.contains(&own));
        std::fs::write(self.at("ocelli.toml"), settings.replace(&own, &theirs) + more).unwrap();
        self
    }

    fn quantize(&self, more: &[&str]) -> Output {
        let pictures = self.at("pictures");
        let arguments = ["model", "quantize", "coco-ssd", "--images", pictures.to_str().unwrap()];
        self.ocelli(&[&arguments[..], more].concat())
    }

    fn variants(&self) -> Value {
        let listed = self.ocelli(&["model", "list", "--json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        assert_eq!(listed[0]["valid"], true, "{listed}");
        listed[0].clone()
    }

    /// What is seen on the photo with the file that the settings name.
    fn seen(&self) -> String {
        let photo = from_setup("testdata/photo.jpg");
        let output = self.ocelli(&["detect", photo.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }
}

fn part(photo: &DynamicImage, number: u8) -> DynamicImage {
    let (width, height) = (photo.width(), photo.height());
    let margin = u32::from(number % 6) * 4;
    let part = photo.crop_imm(margin, 0, width - 2 * margin, height - margin);
    let part = if number % 4 > 1 { part.fliph() } else { part };
    part.brighten(i32::from(number % 5) * 12 - 24)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_default_detector_gets_a_twin_that_sees_the_same() {
    let home = Site::new().with_pictures(24);
    let before = files(&home.at("models/coco-ssd"));
    let float = home.seen();

    // The pictures resemble each other, so the bar is not what is tested here.
    let bar = ["--most-ap-loss", "0.1", "--least-agreement", "0.9"];
    let dry = home.quantize(&[&bar[..], &["--dry-run", "--json"]].concat());
    assert!(dry.status.success(), "{} {}", text(&dry.stdout), text(&dry.stderr));
    let report: Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!((&report["passed"], &report["calibration_pictures"]), (&true.into(), &12.into()), "{report}");
    assert!(report["best"]["in_8_bits"].as_u64().unwrap() > 60, "{report}");
    assert_eq!(files(&home.at("models/coco-ssd")), before, "nothing is installed");

    let output = home.quantize(&bar);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.contains("best") && told.contains("AP loss") && told.contains("version 1 as before"), "{told}");
    let listed = home.variants();
    assert_eq!(listed["variants"], serde_json::json!(["float", "int8"]));
    assert_eq!((&listed["version"], &listed["int8"]["judged"]["pictures"]), (&"1".into(), &12.into()));
    assert!(files(&home.at("models/coco-ssd")).len() == before.len() + 1 && !home.at("models/.staging").exists());
    let size = |name: &str| std::fs::metadata(home.at(&format!("models/coco-ssd/{name}"))).unwrap().len();
    assert!(size("model.int8.onnx") < size("model.onnx") * 3 / 4, "most weights are a quarter");

    let settings = std::fs::read_to_string(home.at("ocelli.toml")).unwrap();
    std::fs::write(home.at("ocelli.toml"), settings + "variant = \"int8\"\n").unwrap();
    let int8 = home.seen();
    for label in ["person", "sports ball"] {
        assert!(float.contains(label) && int8.contains(label), "{float} {int8}");
    }
    assert_ne!(float, int8, "another file is loaded, with other scores");

    // The same pictures give the same file, and so does the recipe without them.
    let first = std::fs::read(home.at("models/coco-ssd/model.int8.onnx")).unwrap();
    let recipe = home.at("int8.json");
    let recipe = recipe.to_str().unwrap();
    assert!(home.quantize(&[&bar[..], &["--write-recipe", recipe]].concat()).status.success());
    assert_eq!(std::fs::read(home.at("models/coco-ssd/model.int8.onnx")).unwrap(), first);
    let other = Site::new();
    let by_recipe = |site: &Site| site.ocelli(&["model", "quantize", "coco-ssd", "--from-recipe", recipe]);
    let output = by_recipe(&other);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(std::fs::read(other.at("models/coco-ssd/model.int8.onnx")).unwrap(), first);
    assert_eq!(other.variants()["int8"], home.variants()["int8"], "with the figures of the pictures");

    let changed = std::fs::read_to_string(recipe).unwrap().replace("\"high\":", "\"high\":1");
    std::fs::write(recipe, changed).unwrap();
    let (refused, site) = (by_recipe(&other), Site::new());
    assert!(!refused.status.success() && text(&refused.stderr).contains("another version of ocelli has written it"));
    let elsewhere = std::fs::read_to_string(recipe).unwrap().replacen("\"float_sha256\":\"", "\"float_sha256\":\"0", 1);
    std::fs::write(recipe, elsewhere).unwrap();
    assert!(text(&by_recipe(&site).stderr).contains("is for another model than that of coco-ssd"));
    assert_eq!(site.variants()["variants"], serde_json::json!(["float"]));
}

#[test]
fn what_cannot_be_judged_is_refused_and_changes_nothing() {
    let home = Site::new();
    let before = files(&home.at("models/coco-ssd"));
    let refused = |more: &[&str], why: &str| {
        let output = home.quantize(more);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
        assert_eq!(files(&home.at("models/coco-ssd")), before);
        assert!(!home.at("models/.staging").exists());
    };
    refused(&[], "there are 0 JPEG or PNG files in");
    let grey = DynamicImage::ImageRgb8(image::RgbImage::from_pixel(64, 48, image::Rgb([128; 3])));
    (0..16).for_each(|number| home.save(number, &grey));
    refused(&[], "the canary canary.jpg");
    // Only the pictures that judge show nothing.
    let photo = image::open(from_setup("testdata/photo.jpg")).unwrap();
    (0..16).step_by(2).for_each(|number| home.save(number, &part(&photo, number)));
    refused(&[], "boxes in the pictures that judge");
    std::fs::write(home.at("pictures/00.jpg"), "no picture").unwrap();
    refused(&[], "00.jpg");
}

#[test]
fn the_recipe_that_is_shipped_gives_the_file_that_it_names() {
    let home = Site::new();
    let recipe = home.at("models/coco-ssd/int8.json");
    let output = home.ocelli(&["model", "quantize", "coco-ssd", "--from-recipe", recipe.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(home.variants()["variants"], serde_json::json!(["float", "int8"]));
}

#[test]
fn frames_of_the_cameras_do_as_well_as_files_and_leave_nothing_behind() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let settings = format!("[snapshots]\nper_minute = 600\n{}", camera("yard", yard.url(), 10));
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    wait_for("a frame", Duration::from_secs(60), || {
        daemon.get_raw("/api/cameras/yard/snapshot?plain=true").filter(|(status, ..)| *status == 200)
    });
    let home = Site::new().of_daemon(&daemon, &settings);
    let quantize = |more: &[&str]| home.ocelli(&[&["model", "quantize", "coco-ssd", "--from-cameras"], more].concat());

    let output = quantize(&["8s", "--dry-run", "--json", "--most-ap-loss", "1", "--least-agreement", "0"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let pictures =
        [&report["calibration_pictures"], &report["judged"]["pictures"]].map(|count| count.as_u64().unwrap());
    assert!(pictures[0] >= 8 && pictures[0] - pictures[1] <= 1, "{report}");
    assert!(report["judged"]["boxes"].as_u64().unwrap() >= 20, "people walk through each frame: {report}");
    assert!(files(&home.at("models")).iter().all(|name| name == "coco-ssd" || name == ".lock"), "no frame is left");

    let refused = |more: &[&str], why: &str| {
        let output = quantize(more);
        assert!(!output.status.success() && text(&output.stderr).contains(why), "{}", text(&output.stderr));
    };
    refused(&["1s"], "frames of cameras, and 16 are needed");
    refused(&["10"], "write it as 90s, 10m");
    refused(&["8s", "--images", "pictures"], "cannot be used with");
    drop(daemon);
    refused(&["7d"], "no daemon");
}
