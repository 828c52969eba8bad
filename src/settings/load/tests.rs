//! Settings as operators write them.

use super::*;
use crate::camera::settings::{CameraSettings, CaptureSettings, SnapshotSettings, WatchMode};
use crate::http::auth::access_keys::AccessKeySettings;
use crate::http::rekognition::settings::{BucketSettings, RekognitionSettings};
use crate::http::settings::{HttpSettings, HttpTlsSettings, LocalAccess};
use crate::model::execution_provider::{Precision, ProviderOptions};
use crate::model::model_file::ModelVariant;
use crate::os::sandbox::SandboxSettings;
use crate::publish::home_assistant::settings::HomeAssistantSettings;
use crate::publish::outbox::settings::OutboxSettings;
use crate::publish::sinks::mqtt::settings::{MqttSettings, MqttTlsSettings};
use crate::secret::Credentials;
use crate::supervisor::settings::{ModelSettings, NamedLimit, TpsLimitSetting, UnitSettings, ZoneSettings};
use crate::telemetry::settings::LogSettings;
use crate::tracking::settings::{SceneSettings, TrackingSettings};
use crate::vision::framing::{Framing, Tiling};
use std::path::Path;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Settings, SettingsErrors> {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Settings::load_with(&[file.path().to_owned()], environment.collect())
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/ocelli.toml")
}

/// A camera with only the required keys.
fn camera() -> CameraSettings {
    load("[[cameras]]\nid = \"yard\"\nurl = \"rtsp://camera/\"", &[]).unwrap().cameras.remove(0)
}

#[test]
fn the_shipped_file_has_the_defaults_of_the_code() {
    let home = tempfile::tempdir().unwrap();
    let state = ("OCELLI_STATE_DIRECTORY".to_owned(), home.path().display().to_string());
    let settings = Settings::load_with(&[shipped()], HashMap::from([state])).unwrap();
    assert_eq!(settings.log, LogSettings::default());
    assert_eq!(settings.rekognition, RekognitionSettings::default());
    // Those who have settings of an earlier version choose for themselves.
    assert_eq!(settings.http, HttpSettings { local_api: Some(LocalAccess::Token), ..HttpSettings::default() });
    assert_eq!(
        settings.capture,
        CaptureSettings {
            watch: WatchMode::Auto,
            tamper_seconds: 30.0,
            cameras_per_process: 0,
            ..CaptureSettings::default()
        }
    );
    assert_eq!(settings.snapshots, SnapshotSettings::default());
    assert_eq!(settings.units, UnitSettings::default());
    assert_eq!(settings.mqtt, MqttSettings::default());
    assert_eq!(settings.outbox, OutboxSettings::default());
    assert_eq!(settings.tracking, TrackingSettings::as_shipped());
    assert_eq!(settings.sandbox, SandboxSettings::default());
}

#[test]
fn every_setting_is_in_the_shipped_file() {
    let text = std::fs::read_to_string(shipped()).unwrap();
    let sections = [
        serde_json::to_value(LogSettings::default()).unwrap(),
        serde_json::to_value(HttpSettings::default()).unwrap(),
        serde_json::to_value(HttpTlsSettings::default()).unwrap(),
        serde_json::to_value(RekognitionSettings::default()).unwrap(),
        serde_json::to_value(AccessKeySettings::default()).unwrap(),
        serde_json::to_value(BucketSettings::default()).unwrap(),
        serde_json::to_value(CaptureSettings::default()).unwrap(),
        serde_json::to_value(SnapshotSettings::default()).unwrap(),
        serde_json::to_value(UnitSettings::default()).unwrap(),
        serde_json::to_value(MqttSettings::default()).unwrap(),
        serde_json::to_value(HomeAssistantSettings::default()).unwrap(),
        serde_json::to_value(OutboxSettings::default()).unwrap(),
        serde_json::to_value(TrackingSettings::default()).unwrap(),
        serde_json::to_value(SceneSettings::default()).unwrap(),
        serde_json::to_value(MqttTlsSettings::default()).unwrap(),
        serde_json::to_value(Credentials::default()).unwrap(),
        serde_json::to_value(ModelSettings::default()).unwrap(),
        serde_json::to_value(ProviderOptions::default()).unwrap(),
        serde_json::to_value(ZoneSettings::default()).unwrap(),
        serde_json::to_value(SandboxSettings::default()).unwrap(),
        serde_json::to_value(camera()).unwrap(),
    ];
    for (key, _) in sections.iter().flat_map(|section| section.as_object().unwrap()) {
        let is_there = text.lines().any(|line| line.trim_start_matches(['#', ' ', '[']).contains(key.as_str()));
        assert!(is_there, "`{key}` is not in configs/ocelli.toml");
    }
}

#[test]
fn five_mistakes_are_reported_at_once_with_file_and_key() {
    let text = r#"
        [mqtt]
        prot = 1883
        port = "many"
        [units]
        threads = 0
        [[cameras]]
        id = "Yard"
        url = "ftp://camera/"
        [colour]
        red = 1
    "#;
    let SettingsErrors(mistakes) = load(text, &[]).unwrap_err();
    let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    for key in ["mqtt.prot", "mqtt.port", "units.threads", "cameras[Yard].id", "colour"] {
        assert!(keys.contains(&key), "{key} in {keys:?}");
    }
    assert!(mistakes.iter().all(|mistake| mistake.origin.ends_with(".toml")), "{mistakes:#?}");
    let lines: Vec<Option<usize>> = mistakes.iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [3, 4, 6, 8, 9, 10].map(Some));
    let text = SettingsErrors(mistakes).to_string();
    assert!(text.contains(".toml:3: `mqtt.prot`: unknown field") && text.contains("did you mean `port`?"), "{text}");
}

#[test]
fn a_file_is_named_as_it_was_given() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ocelli.toml");
    std::fs::write(&file, "[mqtt]\nprt = 1\nport = 0\n[colour]\nred = 1").unwrap();
    let SettingsErrors(mistakes) = Settings::load_with(std::slice::from_ref(&file), HashMap::new()).unwrap_err();
    assert_eq!(mistakes.len(), 3);
    assert!(mistakes.iter().all(|mistake| mistake.origin == file.display().to_string()), "{mistakes:#?}");
}

#[test]
fn the_environment_overrides_the_file_and_is_named_for_its_mistakes() {
    let settings =
        load("[mqtt]\nhost = \"a\"", &[("OCELLI_MQTT__HOST", "b"), ("OCELLI_UNITS__MAX_UNITS", "3")]).unwrap();
    assert_eq!((settings.mqtt.host.as_str(), settings.units.max_units), ("b", 3));
    let SettingsErrors(mistakes) = load("", &[("OCELLI_MQTT__PORT", "0")]).unwrap_err();
    assert_eq!(mistakes[0].origin, "the variable OCELLI_MQTT__PORT");
}

#[test]
fn a_limit_is_a_number_measured_or_none() {
    let limit = |text: &str| {
        load(&format!("[[models]]\nname = \"m\"\n{text}"), &[]).map(|settings| settings.models[0].tps_limit)
    };
    assert_eq!(limit("tps_limit = 5").unwrap(), Some(TpsLimitSetting::Fixed(5.0)));
    assert_eq!(limit("tps_limit = \"auto\"").unwrap(), Some(TpsLimitSetting::Named(NamedLimit::Auto)));
    assert_eq!(limit("tps_limit = \"none\"").unwrap(), Some(TpsLimitSetting::Named(NamedLimit::None)));
    assert_eq!(limit("threads = 1").unwrap(), None);
    for wrong in ["tps_limit = \"much\"", "tps_limit = 0"] {
        let SettingsErrors(mistakes) = limit(wrong).unwrap_err();
        assert_eq!(mistakes[0].key, "models[m].tps_limit");
    }
}

#[test]
fn a_provider_gets_the_options_of_its_table_and_an_unknown_key_is_a_mistake() {
    let model = "[[models]]\nname = \"m\"\nexecution_provider = \"tensorrt\"\ndevice = \"1\"\n";
    let load = |options: &str| load(&format!("{model}[models.provider_options]\n{options}"), &[]);
    let given = "memory_limit_mb = 2048\nprecision = \"fp16\"\nengine_cache_directory = \"cache/engines\"";
    let model = load(given).unwrap().models.remove(0);
    let options = ProviderOptions {
        memory_limit_mb: Some(2048),
        precision: Some(Precision::Fp16),
        engine_cache_directory: Some("cache/engines".into()),
    };
    assert_eq!((model.provider_options, model.device.as_deref()), (options, Some("1")));
    for (wrong, key) in [
        ("memory_limit = 2048", "models[m].provider_options.memory_limit"),
        ("memory_limit_mb = 1", "models[m].provider_options.memory_limit_mb"),
        ("precision = \"bf16\"", "models[m].provider_options.precision"),
    ] {
        let SettingsErrors(mistakes) = load(wrong).unwrap_err();
        assert_eq!(mistakes[0].key, key, "{mistakes:#?}");
    }
}

#[test]
fn region_and_tiles_may_be_absent_partial_or_complete() {
    let text = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://camera/\"\n\
                region = { left = 0.7, top = 0.1, width = 0.3, height = 0.9 }\ntiles = { columns = 3, rows = 2 }\n\
                [[models]]\nname = \"m\"\nimage_tiles = { columns = 2, rows = 2, overlap = 0.1, whole = false }";
    let settings = load(text, &[]).unwrap();
    let framing = settings.cameras[0].framing();
    assert_eq!(framing.tiling, Some(Tiling { columns: 3, rows: 2, overlap: 0.2, whole: true }));
    assert_eq!((framing.views().len(), framing.views()[0].left), (7, 0.7));
    assert!(!settings.models[0].image_tiles.unwrap().whole);
    assert_eq!(camera().framing(), Framing::default());
    let shipped = std::fs::read_to_string(shipped()).unwrap();
    for key in ["tiles", "image_tiles"] {
        let Tiling { columns, rows, overlap, whole } = Tiling::default();
        let text = format!("# {key} = {{ columns = {columns}, rows = {rows}, overlap = {overlap}, whole = {whole} }}");
        let is_there = shipped.contains(&text);
        assert!(is_there, "configs/ocelli.toml says other defaults of `{key}`");
    }
}

#[test]
fn every_mistake_in_region_and_tiles_is_reported_at_once() {
    let text = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://camera/\"\n\
                region = { left = 0.5, top = -0.1, width = 0.6, height = 0.0 }\n\
                tiles = { columns = 0, rows = 9, overlap = 0.6 }\n\
                [[models]]\nname = \"m\"\nimage_tiles = { columns = 2, rows = 2, overlap = nan }";
    let SettingsErrors(mistakes) = load(text, &[]).unwrap_err();
    let mut keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    keys.sort_unstable();
    let of_camera = ["region.height", "region.top", "region.width", "tiles.columns", "tiles.overlap", "tiles.rows"];
    let mut expected: Vec<String> = of_camera.iter().map(|key| format!("cameras[yard].{key}")).collect();
    expected.push("models[m].image_tiles.overlap".into());
    assert_eq!(keys, expected);
    let unknown = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://camera/\"\ntiles = { columns = 2, rows = 2, gap = 1 }";
    assert!(load(unknown, &[]).is_err());
}

#[test]
fn credentials_in_a_url_are_taken_out_of_it() {
    let text = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://root:p%40ss@10.0.0.5:554/h264?ch=1\"";
    let camera = load(text, &[]).unwrap().cameras.remove(0);
    assert_eq!(camera.url, "rtsp://10.0.0.5:554/h264?ch=1");
    assert_eq!(camera.credentials.user.as_deref(), Some("root"));
    assert_eq!(camera.credentials.resolve_password().unwrap().unwrap().reveal(), "p@ss");
}

#[test]
fn two_cameras_with_one_id_and_a_missing_password_file_are_mistakes() {
    let camera = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://camera/\"\n";
    let text = format!("{camera}{camera}credentials = {{ user = \"u\", password_file = \"/nowhere\" }}");
    let SettingsErrors(mistakes) = load(&text, &[]).unwrap_err();
    assert_eq!(mistakes.len(), 2, "{mistakes:#?}");
    assert!(mistakes.iter().any(|mistake| mistake.what.contains("/nowhere")));
}

#[test]
fn a_missing_or_malformed_file_is_reported() {
    let SettingsErrors(mistakes) = Settings::load_with(&["/nowhere.toml".into()], HashMap::new()).unwrap_err();
    assert!(mistakes[0].what.contains("no such file"));
    assert!(load("a = = b", &[]).is_err());
}

#[test]
fn a_package_that_no_model_has_is_loaded_in_floats_whatever_the_default_model_is() {
    let text = "[[models]]\nname = \"yard\"\nvariant = \"int8\"\n[[models]]\nname = \"gate\"\npackage = \"gate-new\"";
    let settings = load(text, &[]).unwrap();
    let is_int8 = ["yard", "gate-new", "other"]
        .map(|package| settings.default_model_for(package).variant == Some(ModelVariant::Int8));
    assert_eq!(is_int8, [true, false, false]);
}
