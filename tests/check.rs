//! `ocelli check` on model packages: every mistake in one is reported, and the good ones are tried all the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;
use std::process::Command;
use support::from_setup;

/// Settings with a good model beside the one that is in `models/other`.
fn home(prepare: impl Fn(&Path)) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for model in ["good", "other"] {
        let directory = home.path().join("models").join(model);
        std::fs::create_dir_all(&directory).unwrap();
        for name in ["manifest.toml", "labels.txt", "model.onnx", "canary.jpg"] {
            std::fs::copy(from_setup(&format!("models/coco-ssd/{name}")), directory.join(name)).unwrap();
        }
    }
    prepare(&home.path().join("models/other"));
    let library = from_setup("lib/libonnxruntime.so");
    let settings = format!(
        "[units]\nruntime_library = \"{}\"\ncache_directory = \"\"\n[mqtt]\nenabled = false\n\
         [[models]]\nname = \"good\"\nmin_inference_units = 1\n[[models]]\nname = \"other\"\nmin_inference_units = 1\n",
        library.display()
    );
    std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
    home
}

fn check(home: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ocelli"))
        .args(["check", "--config", "ocelli.toml"])
        .args(arguments)
        .current_dir(home)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_mistake_in_one_package_is_reported_without_a_network_with_the_exit_code_of_a_bad_setting() {
    type Damage = fn(&Path);
    let damages: [(Damage, &str); 4] = [
        (|package| std::fs::remove_dir_all(package).unwrap(), "there is no package"),
        (|package| std::fs::write(package.join("manifest.toml"), "name = = 1").unwrap(), "is not a model manifest"),
        (|package| std::fs::write(package.join("model.onnx"), "another model").unwrap(), "sha256"),
        (|package| std::fs::remove_file(package.join("labels.txt")).unwrap(), "labels.txt"),
    ];
    for (damage, words) in damages {
        let home = home(damage);
        let (code, report) = check(home.path(), &["--offline"]);
        assert_eq!(code, Some(78), "{report}");
        let lines: Vec<&str> = report.lines().filter(|line| line.starts_with("FAILED")).collect();
        assert!(lines.len() == 1 && lines[0].contains("package of other") && lines[0].contains(words), "{report}");
        assert!(report.contains("ok      package of good"), "{report}");
    }
}

#[test]
fn a_good_package_is_loaded_also_beside_a_bad_one() {
    let good = home(|_| {});
    let (code, report) = check(good.path(), &["--offline"]);
    assert_eq!(code, Some(0), "{report}");
    let bad = home(|package| std::fs::remove_dir_all(package).unwrap());
    let (code, report) = check(bad.path(), &[]);
    assert_eq!(code, Some(78), "{report}");
    assert!(report.contains("ok      model good") && !report.contains("model other:"), "{report}");
}

#[test]
fn a_label_that_the_model_does_not_know_is_reported() {
    let home = home(|_| {});
    let file = home.path().join("ocelli.toml");
    let camera = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1/\"\nscene = { labels = [\"persn\"] }\n";
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{settings}{camera}")).unwrap();
    let (code, report) = check(home.path(), &["--offline"]);
    assert_eq!(code, Some(78), "{report}");
    assert!(report.contains("`persn`; did you mean `person`?"), "{report}");
}
