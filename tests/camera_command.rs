//! `ocelli camera` and `ocelli config` with the shipped binary: what an operator types, sees, and gets as exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// A box with a main file and a camera in `conf.d`.
struct Site {
    home: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { home: tempfile::tempdir().unwrap() };
        let state = site.at("state");
        std::fs::create_dir_all(site.at("conf.d")).unwrap();
        std::fs::write(site.at("ocelli.toml"), format!("state_directory = \"{}\"\n", state.display())).unwrap();
        let gate = "# The gate.\n[[cameras]]\nid = \"gate\"\nurl = \"rtsp://viewer:hunter2@10.0.0.6/x\"\n";
        std::fs::write(site.at("conf.d/gate.toml"), gate).unwrap();
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn ocelli(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
        ocelli.args(arguments).env("OCELLI_CONFIG_FILE", self.at("ocelli.toml")).env("OCELLI_MQTT__PORT", "1884");
        let Output { status, stdout, stderr } = ocelli.current_dir(self.home.path()).output().unwrap();
        (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
    }

    /// Runs a command, and asserts its exit code and that it prints these words.
    fn check(&self, arguments: &[&str], code: i32, words: &[&str]) -> String {
        let (found, text) = self.ocelli(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(words.iter().all(|word| text.contains(word)), "{arguments:?}: {words:?} in {text}");
        text
    }
}

#[test]
fn a_camera_is_added_listed_changed_and_removed() {
    let site = Site::new();
    let password = site.at("password");
    std::fs::write(&password, "hunter3").unwrap();
    let file = site.at("state/settings.d/camera-yard.toml").display().to_string();
    let add =
        ["camera", "add", "yard", "rtsp://viewer@10.0.0.5/x", "--fps", "2.5", "--label", "person", "--password-file"];
    let more = ["password", "--detect-url", "rtsp://10.0.0.5/small"];
    site.check(&[add.as_slice(), &more].concat(), 0, &[&file, "ocelli reload"]);
    let written = std::fs::read_to_string(&file).unwrap();
    let path = format!("password_file = \"{}\"", password.display());
    assert!(written.contains("detect_url = \"rtsp://10.0.0.5/small\""), "{written}");
    assert!(
        written.contains(&path) && written.contains("labels = [\"person\"]") && written.contains("fps = 2.5"),
        "{written}"
    );

    site.check(
        &["camera", "list"],
        0,
        &["yard", "rtsp://10.0.0.5/x", "2.5", &format!("{file}:1"), "conf.d/gate.toml:2"],
    );
    site.check(&["camera", "set", "yard", "fps=10", "enabled=false"], 0, &[&file]);
    let (_, json) = site.ocelli(&["camera", "list", "--json"]);
    let cameras: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&cameras[1]["id"], &cameras[1]["fps"], &cameras[1]["enabled"]),
        (&"yard".into(), &10.0.into(), &false.into())
    );
    assert!(!json.contains("hunter"), "{json}");

    site.check(&["camera", "set", "gate", "weight=3"], 0, &["conf.d/gate.toml"]);
    assert!(std::fs::read_to_string(site.at("conf.d/gate.toml")).unwrap().starts_with("# The gate.\n[[cameras]]\n"));
    site.check(&["camera", "remove", "yard"], 0, &[&file]);
    assert!(!site.at("state/settings.d/camera-yard.toml").exists());
}

#[test]
fn what_is_refused_says_why_and_has_an_exit_code_of_its_own() {
    let site = Site::new();
    let gate = site.at("conf.d/gate.toml").display().to_string();
    site.check(&["camera", "add", "gate", "rtsp://10.0.0.7/x"], 1, &[&format!("{gate}:2"), "ocelli camera set gate"]);
    site.check(&["camera", "add", "Gate 2", "rtsp://10.0.0.7/x"], 2, &["is not an id"]);
    site.check(
        &["camera", "add", "yard", "ftp://10.0.0.7/x"],
        78,
        &["nothing was changed", "cameras[yard].url", "rtsp://"],
    );
    site.check(&["camera", "set", "gate", "fps=1000"], 78, &[&format!("{gate}:"), "cameras[gate].fps", "0.001 to 240"]);
    site.check(&["camera", "set", "yard", "fps=1"], 1, &["no camera yard", "gate"]);
    site.check(&["camera", "set", "gate", "fps"], 2, &["KEY=VALUE"]);
    site.check(&["camera", "remove", "yard"], 1, &["no camera yard"]);
}

#[test]
fn what_is_in_force_is_shown_with_its_place_and_without_secrets() {
    let site = Site::new();
    let gate = site.at("conf.d/gate.toml").display().to_string();
    let shown =
        site.check(&["config", "show"], 0, &[&format!("{gate}:4"), "OCELLI_MQTT__PORT", "# default", "[[cameras]]"]);
    assert!(!shown.contains("hunter2"), "{shown}");
    let (_, json) = site.ocelli(&["config", "show", "--json"]);
    assert!(!json.contains("hunter2"), "{json}");
    let settings: serde_json::Value = serde_json::from_str(&json).unwrap();
    let port = settings.as_array().unwrap().iter().find(|one| one["key"] == "mqtt.port").unwrap();
    assert_eq!((&port["value"], &port["variable"]), (&1884.into(), &"OCELLI_MQTT__PORT".into()));
    std::fs::write(site.at("conf.d/wrong.toml"), "[mqtt]\nhosst = \"x\"\n").unwrap();
    site.check(&["config", "show"], 78, &["conf.d/wrong.toml:2", "mqtt.hosst", "did you mean `host`?"]);
}

#[test]
fn the_reference_is_a_file_of_settings() {
    let site = Site::new();
    let (code, text) = site.ocelli(&["config", "default"]);
    assert_eq!(code, Some(0));
    std::fs::write(site.at("ocelli.toml"), text).unwrap();
    site.check(&["config", "show"], 0, &["[[cameras]]", "ocelli.toml:"]);
}
