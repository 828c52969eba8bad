//! `ocelli model` with the shipped binary: a stranger's file becomes a package, is looked through, measured, replaced,
//! brought back and removed; what is not in order changes nothing and says what would mend it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::exports;
use support::package::coco_labels;
use support::{from_setup, root};

/// A box with settings and a directory of packages of its own.
struct Site {
    home: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let library = from_setup("lib/libonnxruntime.so");
        let settings = format!(
            "state_directory = \"{0}/state\"\n[mqtt]\nenabled = false\n[units]\nmodels_directory = \"{0}/models\"\n\
             cache_directory = \"{1}\"\nruntime_library = \"{2}\"\n[[models]]\nname = \"yard\"\n",
            home.path().display(),
            root().join("target/model-cache").display(),
            library.display()
        );
        std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
        std::fs::write(home.path().join("labels.txt"), coco_labels()).unwrap();
        Self { home }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn ocelli(&self, arguments: &[&str]) -> Output {
        let settings = self.at("ocelli.toml");
        let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
        ocelli.args(arguments).env("OCELLI_CONFIG_FILE", settings).current_dir(self.home.path()).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.ocelli(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What is said on standard error of what must not succeed.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.ocelli(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    fn add(&self, name: &str, file: &Path, more: &[&str]) -> String {
        self.succeed(&[&["model", "add", file.to_str().unwrap(), "--name", name], more].concat())
    }

    fn add_refused(&self, file: &Path, more: &[&str]) -> String {
        let error = self.refused(&[&["model", "add", file.to_str().unwrap(), "--name", "yard"], more].concat());
        assert!(!self.at("models/yard").exists() && !self.at("models/.staging").exists(), "{error}");
        error
    }

    fn list(&self) -> Value {
        serde_json::from_str(&self.succeed(&["model", "list", "--json"])).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn detector() -> PathBuf {
    from_setup("testdata/layouts/yolov8.onnx")
}

fn photo() -> String {
    from_setup("testdata/photo.jpg").to_str().unwrap().to_owned()
}

#[test]
fn a_model_is_added_replaced_brought_back_and_removed() {
    let home = Site::new();
    let labels = ["--labels", "labels.txt"];
    let told = home.add("yard", &detector(), &[&labels[..], &["--licence", "Apache-2.0"]].concat());
    for part in ["layout yolov8", "80 labels", "licence Apache-2.0", "assumed", "ocelli detect photo.jpg --model yard"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let seen = home.succeed(&["detect", &photo(), "--model", "yard"]);
    assert!(seen.contains("person"), "{seen}");

    let first = home.list()[0].clone();
    assert_eq!((&first["valid"], &first["layout"], &first["labels"]), (&true.into(), &"yolov8".into(), &80.into()));
    assert_eq!((&first["licence"], &first["previous"]), (&"Apache-2.0".into(), &json!([])));

    let canary = ["--canary", &photo(), "--expect", "person"];
    let other = from_setup("testdata/layouts/yolov5.onnx");
    let told = home.add("yard", &other, &[&labels[..], &canary].concat());
    assert!(told.contains("canary was detected") && told.contains("ocelli model rollback yard"), "{told}");
    assert!(told.contains("ocelli ctl swap yard --package yard"), "{told}");
    let second = home.list()[0].clone();
    assert_eq!((&second["layout"], &second["previous"][0]["version"]), (&"yolov5".into(), &first["version"]));
    let shown = home.succeed(&["model", "list"]);
    assert!(shown.contains("yolov5") && shown.contains(first["version"].as_str().unwrap()), "{shown}");

    let told = home.succeed(&["model", "rollback", "yard"]);
    assert!(told.contains(first["version"].as_str().unwrap()), "{told}");
    let back = home.list()[0].clone();
    assert_eq!((&back["sha256"], &back["previous"][0]["version"]), (&first["sha256"], &second["version"]));

    let error = home.refused(&["model", "remove", "yard"]);
    assert!(error.contains("[[models]]") && error.contains("--force"), "{error}");
    assert!(home.succeed(&["model", "remove", "yard", "--force"]).contains("rollback yard"));
    assert_eq!(home.list()[0]["valid"], false);
    home.succeed(&["model", "rollback", "yard"]);
    home.succeed(&["model", "remove", "yard", "--force", "--all"]);
    assert_eq!(home.list(), json!([]));
    assert!(home.refused(&["model", "rollback", "yard"]).contains("ocelli model list"));
    assert!(home.refused(&["model", "remove", "gate"]).contains("ocelli model list"));
}

#[test]
fn a_package_has_a_second_precision_and_the_settings_choose_it() {
    let home = Site::new();
    let int8 = |home: &Site| {
        let settings = std::fs::read_to_string(home.at("ocelli.toml")).unwrap();
        std::fs::write(home.at("ocelli.toml"), settings + "variant = \"int8\"\n").unwrap();
    };
    // Which operators a twin has is its own affair: the same file is a good one.
    std::fs::copy(detector(), home.at("twin.onnx")).unwrap();
    let labels = ["--labels", "labels.txt"];
    let other = from_setup("testdata/layouts/yolov5.onnx");
    let error = home.add_refused(&detector(), &[&labels[..], &["--int8", other.to_str().unwrap()]].concat());
    assert!(error.contains("yolov5.onnx does not fit") && error.contains("has no output"), "{error}");

    home.add("yard", &detector(), &labels);
    assert_eq!((&home.list()[0]["variants"], &home.list()[0]["int8"]), (&json!(["float"]), &Value::Null));
    int8(&home);
    let error = home.refused(&["detect", &photo(), "--model", "yard"]);
    assert!(error.contains("has no int8 model") && error.contains("ocelli model quantize"), "{error}");

    let told = home.add("yard", &detector(), &[&labels[..], &["--int8", "twin.onnx"]].concat());
    assert!(told.contains("with an int8 model"), "{told}");
    let listed = home.list()[0].clone();
    assert_eq!((&listed["variants"], &listed["int8"]["file"]), (&json!(["float", "int8"]), &"model.int8.onnx".into()));
    assert!(home.succeed(&["model", "list"]).contains("float,int8"));
    assert!(home.succeed(&["detect", &photo(), "--model", "yard"]).contains("person"));
    // A unit compares the file that it loads, and `list` all.
    std::fs::write(home.at("models/yard/model.int8.onnx"), "other").unwrap();
    let error = home.refused(&["detect", &photo(), "--model", "yard"]);
    assert!(error.contains("model.int8.onnx has sha256"), "{error}");
    assert_eq!(home.list()[0]["valid"], false);
}

#[test]
fn what_is_not_in_order_is_refused_with_its_cure_and_changes_nothing() {
    let home = Site::new();
    let labels = ["--labels", "labels.txt"];
    let model = home.at("given.onnx");
    std::fs::write(&model, b"<html>404</html>").unwrap();
    assert!(home.add_refused(&model, &labels).contains("web page"));
    std::fs::write(&model, &std::fs::read(detector()).unwrap()[..1_000_000]).unwrap();
    assert!(home.add_refused(&model, &labels).contains("copy or download it again"));

    std::fs::write(home.at("three.txt"), "person\ncar\ndog\n").unwrap();
    let error = home.add_refused(&detector(), &["--labels", "three.txt"]);
    assert!(
        error.contains("80 classes") && error.contains("3 labels") && error.contains("one line per class"),
        "{error}"
    );
    std::fs::write(home.at("three.txt"), "\n").unwrap();
    assert!(home.add_refused(&detector(), &["--labels", "three.txt"]).contains("one class per line"));
    assert!(home.add_refused(&detector(), &[]).contains("--labels FILE"));
    assert!(home.add_refused(&detector(), &["--layout", "yolo"]).contains("is not a layout"));

    let link = home.at("link.onnx");
    std::os::unix::fs::symlink(detector(), &link).unwrap();
    assert!(home.add_refused(&link, &labels).contains("name the file that it leads to"));
    for name in ["../yard", "a/b", ".yard", ""] {
        let error = home.refused(&["model", "add", detector().to_str().unwrap(), "--name", name]);
        assert!(error.contains("cannot be the name"), "{error}");
    }
    assert!(!home.at("yard").exists());

    let canary = ["--canary", &photo(), "--expect"];
    let error = home.add_refused(&detector(), &[&labels[..], &canary, &["zebra"]].concat());
    assert!(
        error.contains("shows a zebra") && error.contains("--manifest") && error.contains("thresholds.confidence"),
        "{error}"
    );
    let error = home.add_refused(&detector(), &[&labels[..], &canary, &["zebr"]].concat());
    assert!(error.contains("not one of the labels"), "{error}");

    let manifest = home.path("m.toml");
    let given = [&labels[..], &["--manifest", &manifest]].concat();
    std::fs::write(&manifest, "[input]\n").unwrap();
    assert!(home.add_refused(&detector(), &given).contains("[output]"));
    let sections = std::fs::read_to_string(root().join("tests/models/yolov8.toml")).unwrap();
    std::fs::write(&manifest, sections.replace("output0", "output7")).unwrap();
    assert!(home.add_refused(&detector(), &given).contains("output7"));
    std::fs::write(&manifest, sections).unwrap();
    home.add("yard", &detector(), &given);
}

#[test]
fn a_model_whose_boxes_are_not_what_its_layout_means_is_refused_on_one_screen() {
    let home = Site::new();
    let export = exports::doubtful().remove(0);
    let graph = export.graph.noting("license", "AGPL-3.0 License (https://ultralytics.com/license)");
    std::fs::write(home.at("given.onnx"), graph.bytes()).unwrap();
    let labels = ["--labels", "labels.txt"];
    let error = home.add_refused(&home.at("given.onnx"), &labels);
    assert!(error.contains(export.doubt) && error.contains("input.resize = \"bilinear\""), "{error}");
    assert!(error.contains("next: ocelli model inspect") && error.lines().count() < 24, "{error}");
    let told = home.add("yard", &home.at("given.onnx"), &[&labels[..], &["--accept-doubts"]].concat());
    assert!(told.contains("licence AGPL-3.0 License"), "{told}");
    let told =
        home.add("yard", &home.at("given.onnx"), &[&labels[..], &["--accept-doubts", "--licence", "MIT"]].concat());
    assert!(told.contains("licence MIT"), "{told}");
    // What a person has written goes before what the file says.
    let proposed = home.ocelli(&["model", "inspect", "given.onnx", "--labels", "labels.txt", "--manifest"]);
    let own = String::from_utf8(proposed.stdout)
        .unwrap()
        .replace("AGPL-3.0 License (https://ultralytics.com/license)", "bought");
    std::fs::write(home.at("own.toml"), own).unwrap();
    let given = [&labels[..], &["--accept-doubts", "--manifest", "own.toml"]].concat();
    assert!(home.add("yard", &home.at("given.onnx"), &given).contains("licence bought"));

    let masks = exports::called("yolo11-seg").graph.noting("license", "AGPL-3.0");
    std::fs::write(home.at("masks.onnx"), masks.bytes()).unwrap();
    let told = home.add("masks", &home.at("masks.onnx"), &labels);
    assert!(told.contains("not read: 32 rows") && told.contains("not read: the output output1"), "{told}");
    assert_eq!(home.list()[0]["licence"], "AGPL-3.0");
}

#[test]
fn weights_beside_the_model_come_with_it_and_weights_elsewhere_do_not() {
    let home = Site::new();
    let labels = from_setup("models/coco-ssd/labels.txt");
    let labels = ["--labels", labels.to_str().unwrap()];
    let apart = from_setup("testdata/layouts/weights_apart.onnx");
    let (inner, outer) = (home.at("inner"), home.at("weights_apart.data"));
    std::fs::create_dir(&inner).unwrap();
    let model = inner.join("weights_apart.onnx");
    std::fs::copy(&apart, &model).unwrap();
    std::fs::copy(apart.with_extension("data"), &outer).unwrap();
    assert!(home.add_refused(&model, &labels).contains("put it there"));
    std::os::unix::fs::symlink("../weights_apart.data", inner.join("weights_apart.data")).unwrap();
    assert!(home.add_refused(&model, &labels).contains("symbolic link"));
    std::fs::rename(&outer, inner.join("weights_apart.data")).unwrap();
    home.add("yard", &model, &labels);
    assert!(home.at("models/yard/weights_apart.data").exists());
    assert!(home.succeed(&["detect", &photo()]).contains("person"));
}

#[test]
fn pictures_are_drawn_and_one_that_is_none_does_not_stop_the_others() {
    let home = Site::new();
    home.add("yard", &detector(), &["--labels", "labels.txt"]);
    std::fs::copy(photo(), home.at("gate.jpg")).unwrap();
    std::fs::write(home.at("broken.jpg"), "no picture").unwrap();
    let output = home.ocelli(&["model", "test", "broken.jpg", "gone.jpg", "gate.jpg", "--draw", "seen"]);
    assert_eq!(output.status.code(), Some(1));
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(shown.contains("gate.jpg (548x342)") && shown.contains("person") && shown.contains("inference"), "{shown}");
    assert!(errors.contains("broken.jpg") && errors.contains("gone.jpg") && errors.contains("2 of 3"), "{errors}");
    assert!(std::fs::metadata(home.at("seen/gate-boxes.jpg")).unwrap().len() > 10_000);
    home.succeed(&["model", "test", "gate.jpg", "--draw", ".", "--model", "yard"]);
    assert_eq!(std::fs::read(home.at("gate.jpg")).unwrap(), std::fs::read(photo()).unwrap());
}

#[test]
fn two_packages_are_compared_on_the_same_pictures() {
    let home = Site::new();
    home.add("yard", &detector(), &["--labels", "labels.txt"]);
    std::fs::create_dir(home.at("pictures")).unwrap();
    std::fs::copy(photo(), home.at("pictures/gate.jpg")).unwrap();
    std::fs::write(home.at("pictures/notes.txt"), "no picture").unwrap();
    let compare = ["model", "compare", "yard", "yard", "--images", "pictures"];
    let shown = home.succeed(&compare);
    assert!(shown.contains("agreement 100.0 % on 1 pictures; where alike, IoU 1.000"), "{shown}");

    // The same weights whose person is called otherwise.
    let renamed = coco_labels().replacen("person\n", "walker\n", 1);
    std::fs::write(home.at("other.txt"), renamed).unwrap();
    home.add("other", &detector(), &["--labels", "other.txt"]);
    let compare = ["model", "compare", "yard", "other", "--images", "pictures"];
    let shown = home.succeed(&[&compare[..], &["--draw", "beside"]].concat());
    assert!(shown.contains("only yard: person") && shown.contains("only other: walker"), "{shown}");
    assert!(shown.contains("Labels that only other has: walker"), "{shown}");
    let drawn = image::image_dimensions(home.at("beside/gate.jpg")).unwrap();
    assert_eq!(drawn, (2 * 548, 342), "side by side");
    let all: Value = serde_json::from_str(&home.succeed(&[&compare[..], &["--json"]].concat())).unwrap();
    let count = |name: &str| all["labels"][name].clone();
    assert_eq!(count("person")["only_first"], count("walker")["only_second"], "{all}");
    assert!(all["agreement"].as_f64().unwrap() < 1.0 && all["first"]["memory_bytes"].as_u64().unwrap() > 1_000_000);

    std::fs::write(home.at("pictures/broken.png"), "no picture").unwrap();
    let error = home.refused(&compare);
    assert!(error.contains("broken.png") && error.contains("1 of 2 pictures"), "{error}");
    let error = home.refused(&[&compare[..], &["--draw", "pictures"]].concat());
    assert!(error.contains("write over the pictures"), "{error}");
    let error = home.refused(&["model", "compare", "yard", "other", "--images", "models"]);
    assert!(error.contains("no file that ends in .jpg"), "{error}");
}

#[test]
fn a_detector_is_measured_against_annotated_pictures() {
    let home = Site::new();
    std::fs::create_dir_all(home.at("models/yard")).unwrap();
    for file in ["manifest.toml", "labels.txt", "taxonomy.toml", "canary.jpg", "model.onnx"] {
        std::fs::copy(from_setup(&format!("models/coco-ssd/{file}")), home.at("models/yard").join(file)).unwrap();
    }
    let canary = ocelli::model::manifest::Manifest::load(&home.at("models/yard")).unwrap().canary.unwrap();
    let (mut categories, mut annotations) = (vec![json!({"id": 99, "name": "unicorn"})], Vec::new());
    for (id, expected) in canary.expect.iter().enumerate() {
        let place = expected.bounding_box.unwrap();
        let sides = [place.left * 548.0, place.top * 342.0, place.width * 548.0, place.height * 342.0];
        categories.push(json!({"id": id, "name": expected.label}));
        annotations.push(json!({
            "id": id, "image_id": 1, "category_id": id, "bbox": sides, "area": sides[2] * sides[3], "iscrowd": 0,
        }));
    }
    std::fs::create_dir(home.at("pictures")).unwrap();
    std::fs::copy(photo(), home.at("pictures/photo.jpg")).unwrap();
    let write = |images: Value| {
        let all = json!({"images": images, "annotations": annotations, "categories": categories});
        std::fs::write(home.at("coco.json"), all.to_string()).unwrap();
    };
    let image = json!({"id": 1, "file_name": "photo.jpg", "width": 548, "height": 342});
    write(json!([image]));
    let shown = home.succeed(&["model", "eval", "coco.json", "pictures"]);
    assert!(shown.contains("sports ball") && shown.contains("never detected: unicorn"), "{shown}");
    let all = home.succeed(&["model", "eval", "coco.json", "pictures", "--model", "yard", "--json"]);
    let all: Value = serde_json::from_str(&all).unwrap();
    assert!(all["overall"]["ap"].as_f64().unwrap() > 0.95, "{all}");
    assert_eq!((&all["images"], &all["categories"][0]["objects"]), (&1.into(), &1.into()));
    assert!(all["labels_without_category"].as_array().unwrap().contains(&"zebra".into()));

    std::fs::copy(photo(), home.at("secret.jpg")).unwrap();
    write(json!([image, {"id": 2, "file_name": "../secret.jpg", "width": 548, "height": 342}]));
    let error = home.refused(&["model", "eval", "coco.json", "pictures"]);
    assert!(error.contains("../secret.jpg") && error.contains("1 of 2 pictures"), "{error}");
}
