//! What `ocelli config show` prints.

use super::*;
use std::path::Path;

fn write(home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// A main file, a camera in `conf.d`, and a broker from the environment.
fn in_force(home: &Path) -> InForce {
    let state = home.join("state");
    let text = format!(
        "state_directory = \"{}\"\n[mqtt]\nport = 1884\n[mqtt.credentials]\nuser = \"u\"\npassword = \"hunter2\"\n",
        state.display()
    );
    let main = write(home, "ocelli.toml", &text);
    let camera = "# The yard.\n[[cameras]]\nid = \"yard\"\nurl = \"rtsp://viewer:hunter3@10.0.0.5/x\"\nfps = 2.5\n\
                  [cameras.scene]\nlabels = [\"person\", \"a.b c\"]\nthresholds = { \"a.b c\" = 0.6 }\n";
    write(home, "conf.d/yard.toml", camera);
    let environment = HashMap::from([("OCELLI_MQTT__HOST".to_owned(), "broker".to_owned())]);
    InForce::read(&[main], environment).unwrap()
}

#[test]
fn each_value_is_shown_with_its_file_and_line_or_variable_and_no_secret_is() {
    let home = tempfile::tempdir().unwrap();
    let shown = in_force(home.path()).to_string();
    let (main, camera) = (home.path().join("ocelli.toml"), home.path().join("conf.d/yard.toml"));
    let (main, camera) = (main.display(), camera.display());
    for (setting, place) in [
        ("port = 1884", format!("{main}:3")),
        ("password = \"***\"", format!("{main}:6")),
        ("host = \"broker\"", "OCELLI_MQTT__HOST".to_owned()),
        ("keep_alive_seconds = 10", "default".to_owned()),
        ("hysteresis = 0.2", "default".to_owned()),
        ("url = \"rtsp://10.0.0.5/x\"", format!("{camera}:4")),
        ("user = \"viewer\"", format!("{camera}:4")),
        ("password = \"***\"", format!("{camera}:4")),
        ("fps = 2.5", format!("{camera}:5")),
        ("labels = [\"person\", \"a.b c\"]", format!("{camera}:7")),
        ("\"a.b c\" = 0.6", format!("{camera}:8")),
        ("weight = 1", "default".to_owned()),
    ] {
        let line =
            |line: &str| line.split_once(" # ").is_some_and(|(left, right)| left.trim() == setting && right == place);
        assert!(shown.lines().any(line), "{setting} # {place} in\n{shown}");
    }
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn what_is_shown_is_toml_that_gives_the_same_settings() {
    let home = tempfile::tempdir().unwrap();
    let shown = in_force(home.path()).to_string();
    let settings = Settings::load_with(&[home.path().join("ocelli.toml")], HashMap::new()).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let shown = shown.replace("host = \"broker\"", "host = \"127.0.0.1\"");
    let again = Settings::load_with(&[write(copy.path(), "copy.toml", &shown)], HashMap::new()).unwrap();
    // Secrets are compared by themselves, and are masked.
    let plain = |settings: &Settings| serde_json::to_value(settings).unwrap();
    assert_eq!(plain(&again), plain(&settings));
}

#[test]
fn the_json_form_has_the_place_in_parts() {
    let home = tempfile::tempdir().unwrap();
    let all = in_force(home.path()).to_json();
    let find = |key: &str| all.as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone();
    let fps = find("cameras[yard].fps");
    assert_eq!((&fps["value"], &fps["from"], &fps["line"]), (&json!(2.5), &json!("file"), &json!(5)));
    assert_eq!(find("mqtt.host")["variable"], "OCELLI_MQTT__HOST");
    assert_eq!(find("cameras[yard].region")["value"], Value::Null);
    assert_eq!(find("models[coco-ssd].threads")["from"], "default");
}
