//! `ocelli check` by itself: packages, files, directories, ports. Each finding says what is wrong, where, and the cure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
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
        "[units]\nruntime_library = \"{}\"\ncache_directory = \"\"\n\
         [[models]]\nname = \"good\"\nmin_inference_units = 1\n[[models]]\nname = \"other\"\nmin_inference_units = 1\n",
        library.display()
    );
    std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
    home
}

/// Adds to the settings. HTTP and MQTT are off unless `more` has them.
fn add(home: &Path, more: &str) {
    let file = home.join("ocelli.toml");
    let mut settings = std::fs::read_to_string(&file).unwrap() + more;
    for section in ["http", "mqtt"].iter().filter(|section| !more.contains(&format!("[{section}]"))) {
        settings.push_str(&format!("\n[{section}]\nenabled = false\n"));
    }
    std::fs::write(&file, settings).unwrap();
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

/// The findings of `check --offline --json` that are no good news, and the exit code.
fn troubles(home: &Path, arguments: &[&str]) -> (Option<i32>, Vec<serde_json::Value>) {
    let (code, text) = check(home, &[&["--offline", "--json"], arguments].concat());
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["exit_code"].as_i64(), code.map(i64::from), "{report}");
    let is_bad = |finding: &&serde_json::Value| ["mistake", "failed"].contains(&finding["severity"].as_str().unwrap());
    (code, report["findings"].as_array().unwrap().iter().filter(is_bad).cloned().collect())
}

/// Asserts that the only trouble is about this key and has these words.
fn expect_trouble(home: &Path, arguments: &[&str], expected: i32, key: &str, words: &[&str]) {
    let (code, found) = troubles(home, arguments);
    assert!(code == Some(expected) && found.len() == 1, "{code:?} {found:#?}");
    assert_eq!(found[0]["key"], key, "{found:#?}");
    assert_eq!(found[0]["file"], "ocelli.toml", "{found:#?}");
    let text = format!("{} {}", found[0]["what"].as_str().unwrap(), found[0]["cure"].as_str().unwrap());
    assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
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
        add(home.path(), "");
        let (code, report) = check(home.path(), &["--offline"]);
        assert_eq!(code, Some(78), "{report}");
        let lines: Vec<&str> = report.lines().filter(|line| line.starts_with("MISTAKE")).collect();
        assert!(lines.len() == 1 && lines[0].contains("package of other") && lines[0].contains(words), "{report}");
        assert!(report.contains("ok      package of good"), "{report}");
        expect_trouble(home.path(), &[], 78, "models[other].package", &[words, "ocelli model add"]);
    }
}

#[test]
fn a_good_package_is_loaded_also_beside_a_bad_one() {
    let good = home(|_| {});
    add(good.path(), "");
    let (code, report) = check(good.path(), &["--offline"]);
    assert_eq!(code, Some(0), "{report}");
    let bad = home(|package| std::fs::remove_dir_all(package).unwrap());
    add(bad.path(), "");
    let (code, report) = check(bad.path(), &[]);
    assert_eq!(code, Some(78), "{report}");
    assert!(report.contains("ok      model good") && !report.contains("model other:"), "{report}");
}

#[test]
fn a_label_that_the_model_does_not_know_is_reported() {
    let home = home(|_| {});
    add(
        home.path(),
        "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1/\"\nscene = { labels = [\"persn\"] }\n[mqtt]\n\
         [mqtt.home_assistant]\nenabled = true\nlabels = [\"person\", \"dgo\"]\n",
    );
    let (code, found) = troubles(home.path(), &[]);
    assert!(code == Some(78) && found.len() == 2, "{found:#?}");
    assert_eq!((&found[0]["camera"], &found[0]["key"]), (&"yard".into(), &"cameras[yard].scene.labels".into()));
    assert_eq!(found[0]["what"], "the model good has no label `persn`; did you mean `person`?");
    assert_eq!(found[1]["key"], "mqtt.home_assistant.labels[1]");
    assert!(found[1]["what"].as_str().unwrap().contains("`dgo`; did you mean `dog`?"), "{found:#?}");
}

#[test]
fn a_file_that_the_service_may_not_read_is_told_with_the_command_that_lets_it() {
    let home = home(|_| {});
    let (password, library) = (home.path().join("password"), home.path().join("library"));
    std::fs::write(&password, "secret\n").unwrap();
    // Wherever this checkout is, the user need not be able to get there.
    std::fs::write(&library, "x").unwrap();
    let settings = std::fs::read_to_string(home.path().join("ocelli.toml")).unwrap();
    let given = from_setup("lib/libonnxruntime.so").display().to_string();
    let settings = settings.replace(&given, &library.display().to_string());
    std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
    let shown = password.display();
    add(
        home.path(),
        &format!(
            "[mqtt]\ncredentials = {{ user = \"ocelli\", password_file = \"{shown}\" }}\n[[cameras]]\nid = \"yard\"\n\
                  url = \"rtsp://127.0.0.1/\"\ncredentials = {{ user = \"u\", password_file = \"{shown}\" }}\n"
        ),
    );
    let change_mode = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    change_mode(home.path(), 0o777);
    change_mode(&password, 0o600);
    let (code, found) = troubles(home.path(), &["--user", "nobody"]);
    assert!(code == Some(78) && found.len() == 2, "{found:#?}");
    assert_eq!(found[0]["key"], "cameras[yard].credentials.password_file");
    assert_eq!(found[1]["key"], "mqtt.credentials.password_file");
    for finding in &found {
        assert_eq!(finding["what"], format!("{shown} cannot be read by the user nobody"));
        assert_eq!(finding["cure"], format!("chgrp nogroup {shown}; chmod 640 {shown}"));
    }
    change_mode(&password, 0o644);
    assert_eq!(troubles(home.path(), &["--user", "nobody"]), (Some(0), vec![]));
    let (_, report) = check(home.path(), &["--offline", "--user", "nobody"]);
    assert!(report.contains("every user of this box may read it"), "{report}");
    change_mode(&password, 0o640);
    assert_eq!(troubles(home.path(), &[]), (Some(0), vec![]), "whoever runs this may read it");
    std::fs::write(&password, "\n").unwrap();
    let (code, found) = troubles(home.path(), &[]);
    assert!(code == Some(78) && found.iter().all(|one| one["what"] == format!("{shown} is empty")), "{found:#?}");
}

#[test]
fn a_directory_that_cannot_be_written_and_a_user_who_does_not_exist_are_failures() {
    let home = home(|_| {});
    std::fs::write(home.path().join("file"), "").unwrap();
    let settings = std::fs::read_to_string(home.path().join("ocelli.toml")).unwrap();
    std::fs::write(home.path().join("ocelli.toml"), format!("state_directory = \"file/state\"\n{settings}")).unwrap();
    add(home.path(), "");
    expect_trouble(home.path(), &[], 1, "state_directory", &["cannot be written", "another directory"]);
    let (code, report) = check(home.path(), &["--offline", "--user", "no-such-user"]);
    assert!(code == Some(1) && report.contains("there is no user `no-such-user`"), "{report}");
}

#[test]
fn a_taken_port_and_cores_that_do_not_exist_are_failures_of_this_box() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = home(|_| {});
    add(taken.path(), &format!("[http]\nport = {port}\n"));
    expect_trouble(taken.path(), &[], 1, "http.port", &["taken by another program", &format!("sport = :{port}")]);
    let cores = home(|_| {});
    add(cores.path(), "[[zones]]\nname = \"far\"\ncores = [900, 901]\n");
    expect_trouble(cores.path(), &[], 1, "zones[far].cores", &["900, 901", "this box has the cores"]);
}

#[test]
fn mistakes_in_the_settings_are_findings_too() {
    let home = home(|_| {});
    add(home.path(), "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://admin:se/cret@10.0.0.5/x\"\nfps = 500\n");
    let (code, found) = troubles(home.path(), &[]);
    assert!(code == Some(78) && found.len() == 2, "{found:#?}");
    assert!(found.iter().all(|finding| finding["file"] == "ocelli.toml"), "{found:#?}");
    let url = found.iter().find(|finding| finding["key"].as_str().unwrap().ends_with(".url")).unwrap();
    assert!(url["what"].as_str().unwrap().contains("%2F") && !url.to_string().contains("cret"), "{url}");
}

#[test]
fn a_file_of_conf_d_that_the_service_may_not_read_is_a_mistake() {
    let home = home(|_| {});
    add(home.path(), "");
    let beside = home.path().join("conf.d");
    std::fs::create_dir(&beside).unwrap();
    let yard = beside.join("yard.toml");
    std::fs::write(&yard, "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://u:secret@127.0.0.1/\"\n").unwrap();
    let change_mode = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    change_mode(home.path(), 0o755);
    change_mode(&beside, 0o755);
    change_mode(&yard, 0o600);
    let (code, found) = troubles(home.path(), &["--user", "nobody"]);
    let is_told = |finding: &serde_json::Value| finding["what"].as_str().unwrap().contains("conf.d/yard.toml");
    assert!(code == Some(78) && found.iter().any(is_told), "{found:#?}");
    change_mode(&yard, 0o644);
    let (_, report) = check(home.path(), &["--offline"]);
    assert!(report.contains("conf.d/yard.toml holds a secret") && !report.contains("ocelli.toml holds"), "{report}");
}
