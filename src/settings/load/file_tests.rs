//! The files that the settings are read from, and how they are merged.

use crate::settings::{Mistake, Settings, SettingsErrors};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A box with these files; those in `state/` are where programs write.
struct Files(TempDir);

impl Files {
    fn new(main: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let state = files.0.path().join("state");
        files.write("ocelli.toml", &format!("state_directory = \"{}\"\n{main}", state.display()))
    }

    fn write(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self) -> Result<Settings, SettingsErrors> {
        Settings::load_with(&[self.path("ocelli.toml")], HashMap::new())
    }

    fn mistakes(&self) -> Vec<Mistake> {
        self.load().unwrap_err().0
    }
}

fn camera(id: &str) -> String {
    format!("[[cameras]]\nid = \"{id}\"\nurl = \"rtsp://{id}/\"\n")
}

#[test]
fn cameras_are_collected_from_all_files_and_tables_are_merged_key_by_key() {
    let files = Files::new(&format!("[mqtt]\nhost = \"a\"\nport = 1\n[http]\nport = 1\n{}", camera("main")))
        .write("conf.d/20-b.toml", &format!("[mqtt]\nhost = \"b\"\n{}", camera("b")))
        .write(
            "conf.d/10-a.toml",
            &format!("[mqtt]\nhost = \"x\"\nqueue_messages = 7\n{}{}", camera("a1"), camera("a2")),
        )
        .write("state/settings.d/camera-p.toml", &format!("[http]\nport = 2\n{}", camera("p")));
    let settings = files.load().unwrap();
    let ids: Vec<&str> = settings.cameras.iter().map(|camera| camera.id.as_str()).collect();
    assert_eq!(ids, ["main", "a1", "a2", "b", "p"]);
    assert_eq!((settings.mqtt.host.as_str(), settings.mqtt.port, settings.mqtt.queue_messages), ("b", 1, 7));
    assert_eq!(settings.http.port, 2);
    let variable = ("OCELLI_HTTP__PORT".to_owned(), "3".to_owned());
    let settings = Settings::load_with(&[files.path("ocelli.toml")], HashMap::from([variable])).unwrap();
    assert_eq!(settings.http.port, 3);
}

#[test]
fn a_list_in_a_second_main_file_replaces_that_of_the_first_as_before() {
    let files =
        Files::new(&camera("main")).write("second.toml", &camera("second")).write("conf.d/c.toml", &camera("c"));
    let main = [files.path("ocelli.toml"), files.path("second.toml")];
    let settings = Settings::load_with(&main, HashMap::new()).unwrap();
    let ids: Vec<&str> = settings.cameras.iter().map(|camera| camera.id.as_str()).collect();
    assert_eq!(ids, ["second", "c"]);
}

#[test]
fn a_camera_or_model_in_two_files_is_a_mistake_that_names_both() {
    let model = "[[models]]\nname = \"m\"\n";
    let files = Files::new(&format!("{model}{}", camera("yard")))
        .write("conf.d/yard.toml", &format!("{}{model}", camera("yard")));
    let mistakes = files.mistakes();
    let (main, other) =
        (files.path("ocelli.toml").display().to_string(), files.path("conf.d/yard.toml").display().to_string());
    let shown: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    assert_eq!(shown.len(), 2, "{shown:#?}");
    let expected = [
        (format!("{other}:2: `cameras[yard].id`: "), format!("cameras[yard] in {main}:4")),
        (format!("{other}:5: `models[m].name`: "), format!("models[m] in {main}:2")),
    ];
    for (shown, (start, both)) in shown.iter().zip(expected) {
        assert!(shown.starts_with(&start) && shown.contains(&both), "{shown}");
    }
}

#[test]
fn a_mistake_names_its_own_file_and_line_and_its_camera() {
    let files = Files::new(&camera("main")).write(
        "conf.d/yard.toml",
        &format!("# The yard.\n{}fps = 500\n[cameras.scene]\nlables = []\n", camera("yard")),
    );
    let file = files.path("conf.d/yard.toml").display().to_string();
    let shown: Vec<(String, Option<usize>, String)> =
        files.mistakes().into_iter().map(|mistake| (mistake.origin, mistake.line, mistake.key)).collect();
    let expected = [(5, "cameras[yard].fps"), (7, "cameras[yard].scene.lables")];
    assert_eq!(shown, expected.map(|(line, key)| (file.clone(), Some(line), key.to_owned())));
}

#[test]
fn every_file_that_cannot_be_read_is_reported_at_once_with_the_line_of_what_is_no_toml() {
    let files = Files::new("x = = 1")
        .write("conf.d/bad.toml", "a = 1\npassword = \"hunter2\nb = 2")
        .write("conf.d/readme.txt", "")
        .write("state/settings.d/x.toml", "[mqtt\n");
    std::fs::write(files.path("conf.d/latin.toml"), b"a = \"\xe9\"").unwrap();
    let shown = files.load().unwrap_err().to_string();
    for (name, words) in [
        ("ocelli.toml:2", "is not TOML"),
        ("conf.d/bad.toml:2", "is not TOML"),
        ("conf.d/readme.txt", "ends in .toml"),
        ("conf.d/latin.toml", "UTF-8"),
    ] {
        let start = files.path(name).display().to_string();
        assert!(shown.lines().any(|line| line.contains(&start) && line.contains(words)), "{name} in {shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn programs_cannot_move_the_directory_that_they_write() {
    let files = Files::new("").write("state/settings.d/x.toml", "[mqtt]\nport = 1\n");
    files.load().unwrap();
    let files = files.write("state/settings.d/x.toml", "\nstate_directory = \"/tmp\"\n");
    let mistakes = files.mistakes();
    assert!(mistakes.len() == 1 && mistakes[0].key == "state_directory" && mistakes[0].line == Some(2), "{mistakes:?}");
}

#[test]
fn a_state_directory_that_is_not_there_or_is_no_directory_has_no_settings() {
    let files = Files::new(&camera("main"));
    assert!(!files.path("state").exists() && files.load().is_ok());
    std::fs::write(files.path("state"), "").unwrap();
    assert!(files.load().is_ok());
    let relative = Path::new("ocelli.toml");
    // A main file without a directory has `conf.d` in the working directory, which need not be there.
    assert!(Settings::load_with(&[relative.to_owned()], HashMap::new()).is_err());
}
