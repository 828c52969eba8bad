//! Changes of cameras and people, on the disk.

use super::*;
use crate::settings::Settings;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use tempfile::TempDir;

/// A box with a main file that has the camera `main`, and a state directory.
struct TestBox {
    home: TempDir,
}

impl TestBox {
    fn new(more: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let camera = "# The first.\n[[cameras]]\nid = \"main\" # of the main file\nurl = \"rtsp://a/\"\n";
        let text = format!("state_directory = \"{}\"\n{more}\n{camera}", state.display());
        std::fs::write(home.path().join("ocelli.toml"), text).unwrap();
        Self { home }
    }

    fn main(&self) -> PathBuf {
        self.home.path().join("ocelli.toml")
    }

    fn open(&self) -> Editor {
        Editor::open(&[self.main()], HashMap::new()).unwrap()
    }

    fn of_programs(&self, name: &str) -> PathBuf {
        self.home.path().join("state/settings.d").join(name)
    }

    fn ids(&self) -> Vec<String> {
        let settings = Settings::load_with(&[self.main()], HashMap::new()).unwrap();
        settings.cameras.iter().map(|camera| camera.id.to_string()).collect()
    }
}

fn values(values: &[&str]) -> Vec<Assignment> {
    values.iter().map(|value| Assignment::parse(value).unwrap()).collect()
}

#[test]
fn a_camera_is_added_changed_and_removed_in_a_private_file_of_its_own() {
    let test = TestBox::new("");
    let added =
        test.open().add(CAMERAS, "yard", &values(&["url=rtsp://u:p@b/x", "scene.labels=[\"person\"]"])).unwrap();
    assert_eq!(added, Changed { file: test.of_programs("camera-yard.toml"), older_mistakes: Vec::new() });
    assert_eq!(test.ids(), ["main", "yard"]);
    let expected = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://u:p@b/x\"\n\n[cameras.scene]\nlabels = [\"person\"]\n";
    assert_eq!(std::fs::read_to_string(&added.file).unwrap(), expected);
    let (file, directory) = (std::fs::metadata(&added.file).unwrap(), std::fs::metadata(test.of_programs("")).unwrap());
    assert_eq!((file.mode() & 0o777, directory.mode() & 0o777), (0o600, 0o700));

    test.open().set(CAMERAS, "yard", &values(&["fps=10", "scene.labels="])).unwrap();
    let settings = Settings::load_with(&[test.main()], HashMap::new()).unwrap();
    assert!(settings.cameras[1].fps == 10.0 && settings.cameras[1].scene.labels.is_empty());
    let removed = test.open().remove(CAMERAS, "yard").unwrap();
    assert!(removed.file == added.file && !added.file.exists());
    assert_eq!(test.ids(), ["main"]);
}

#[test]
fn a_change_that_brings_a_mistake_writes_nothing() {
    let test = TestBox::new("");
    let before = std::fs::read_to_string(test.main()).unwrap();
    let refused = |result: Result<Changed, EditError>, key: &str| match result.unwrap_err() {
        EditError::Settings(SettingsErrors(mistakes)) => {
            assert!(mistakes.len() == 1 && mistakes[0].key == key, "{key}: {mistakes:?}");
            mistakes[0].clone()
        }
        error => panic!("{error}"),
    };
    let mistake = refused(test.open().add(CAMERAS, "yard", &values(&["url=ftp://b/"])), "cameras[yard].url");
    assert_eq!((mistake.origin, mistake.line), (test.of_programs("camera-yard.toml").display().to_string(), Some(3)));
    refused(test.open().set(CAMERAS, "main", &values(&["fps=1000"])), "cameras[main].fps");
    refused(test.open().set(CAMERAS, "main", &values(&["frames=1"])), "cameras[main].frames");
    refused(test.open().set(CAMERAS, "main", &values(&["url="])), "cameras[main].url");
    assert_eq!(std::fs::read_to_string(test.main()).unwrap(), before);
    assert!(!test.of_programs("camera-yard.toml").exists());
}

#[test]
fn mistakes_that_were_there_before_are_told_and_do_not_forbid_a_change() {
    let test = TestBox::new("[mqtt]\nport = 0");
    let changed = test.open().set(CAMERAS, "main", &values(&["weight=2"])).unwrap();
    assert!(changed.older_mistakes.len() == 1 && changed.older_mistakes[0].key == "mqtt.port", "{changed:?}");
    // A change may mend one.
    let test = TestBox::new("[[cameras]]\nid = \"yard\"\nurl = \"rtsp://b/\"\nfps = -1.0");
    assert_eq!(test.open().set(CAMERAS, "yard", &values(&["fps=1"])).unwrap().older_mistakes, []);
}

#[test]
fn a_camera_of_the_operator_is_changed_in_place_and_its_file_keeps_comments_and_mode() {
    let test = TestBox::new("");
    std::fs::set_permissions(test.main(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = test.home.path().join("link.toml");
    std::os::unix::fs::symlink(test.main(), &link).unwrap();
    let editor = Editor::open(std::slice::from_ref(&link), HashMap::new()).unwrap();
    editor.set(CAMERAS, "main", &values(&["fps=1"])).unwrap();
    let text = std::fs::read_to_string(test.main()).unwrap();
    assert!(
        text.contains("# The first.\n[[cameras]]\nid = \"main\" # of the main file\n") && text.contains("fps = 1\n")
    );
    assert_eq!(std::fs::metadata(test.main()).unwrap().mode() & 0o777, 0o640);
    assert!(link.is_symlink());
    editor.remove(CAMERAS, "main").unwrap();
    let text = std::fs::read_to_string(test.main()).unwrap();
    assert!(text.contains("state_directory") && !text.contains("cameras"), "{text}");
}

#[test]
fn a_camera_whose_file_cannot_be_written_is_named_with_file_and_line() {
    let test = TestBox::new("");
    let part = test.main().with_file_name("ocelli.toml.part");
    std::fs::create_dir(&part).unwrap();
    let error = test.open().set(CAMERAS, "main", &values(&["fps=1"])).unwrap_err().to_string();
    let place = format!("the camera is in {}:4", test.main().display());
    assert!(error.contains("cannot be written") && error.contains(&place), "{error}");
    assert!(test.open().remove(CAMERAS, "main").is_err());
    assert_eq!(test.ids(), ["main"]);
}

#[test]
fn an_id_that_is_taken_and_one_that_is_not_there_are_told_with_what_there_is() {
    let test = TestBox::new("");
    let taken = test.open().add(CAMERAS, "main", &values(&["url=rtsp://b/"])).unwrap_err().to_string();
    assert!(
        taken.contains(&format!("{}:4", test.main().display())) && taken.contains("ocelli camera set main"),
        "{taken}"
    );
    let missing = test.open().set(CAMERAS, "yard", &values(&["fps=1"])).unwrap_err().to_string();
    assert!(missing.contains("no camera yard") && missing.contains("main"), "{missing}");
    let renamed = test.open().set(CAMERAS, "main", &values(&["id=yard"])).unwrap_err().to_string();
    assert!(renamed.contains("id cannot be changed"), "{renamed}");
}

#[test]
fn a_person_is_added_given_another_password_and_removed_as_a_camera_is() {
    let test = TestBox::new("");
    let hash = |end: &str| format!("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA${end:A>43}");
    let first = [Assignment::text("role", "operator"), Assignment::text("password_hash", &hash("A"))];
    let added = test.open().add(VIEWERS, "anna@x", &first).unwrap();
    assert_eq!(added.file, test.of_programs("viewer-anna@x.toml"));
    assert_eq!(std::fs::metadata(&added.file).unwrap().mode() & 0o777, 0o600);
    let again = test.open().add(VIEWERS, "anna@x", &first).unwrap_err().to_string();
    assert!(again.contains("a viewer anna@x already") && again.contains("`ocelli user password anna@x`"), "{again}");
    let second = [Assignment::text("password_hash", &hash("E")), Assignment::none("password_hash_file")];
    test.open().set(VIEWERS, "anna@x", &second).unwrap();
    let viewers = Settings::load_with(&[test.main()], HashMap::new()).unwrap().viewers;
    assert_eq!(viewers[0].password_hash.as_ref().unwrap().reveal(), hash("E"));
    let missing = test.open().remove(VIEWERS, "bert").unwrap_err().to_string();
    assert!(missing.contains("no viewer bert") && missing.contains("anna@x"), "{missing}");
    test.open().remove(VIEWERS, "anna@x").unwrap();
    assert!(!added.file.exists());
}

#[test]
fn writers_wait_for_each_other_and_no_camera_is_lost() {
    let test = TestBox::new("");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let test = &test;
            scope.spawn(move || {
                for number in 0..4 {
                    let camera = format!("c{writer}-{number}");
                    test.open().add(CAMERAS, &camera, &values(&["url=rtsp://b/"])).unwrap();
                    test.open().set(CAMERAS, "main", &[Assignment::number("weight", f64::from(number + 1))]).unwrap();
                }
            });
        }
    });
    assert_eq!(test.ids().len(), 17);
}
