//! What types cannot say: ranges, files that must be there, settings that exclude each other.

use crate::camera::settings::{CameraSettings, RegionSettings};
use crate::http::auth::access_keys::Role;
use crate::model::package::is_package_name;
use crate::secret::Credentials;
use crate::settings::Settings;
use crate::supervisor::settings::{ModelSettings, TpsLimitSetting};
use crate::vision::camera_id::is_valid_id;
use crate::vision::error_chain::describe;
use crate::vision::framing::{MAX_TILES, Tiling};
use std::path::PathBuf;

/// Key and what is wrong with it.
type Wrong = (String, String);

/// Every mistake in values that are right by themselves.
pub(super) fn check(settings: &Settings) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let capture = &settings.capture;
    range(&mut wrong, "capture.cameras_per_process", f64::from(capture.cameras_per_process), 1.0, 16.0);
    range(&mut wrong, "capture.slots_per_camera", f64::from(capture.slots_per_camera), 3.0, 64.0);
    range(&mut wrong, "capture.stall_seconds", f64::from(capture.stall_seconds), 2.0, 600.0);
    range(&mut wrong, "capture.connect_timeout_seconds", f64::from(capture.connect_timeout_seconds), 0.1, 60.0);
    let snapshots = &settings.snapshots;
    range(&mut wrong, "snapshots.per_minute", f64::from(snapshots.per_minute), 0.0, 600.0);
    range(&mut wrong, "snapshots.max_width_px", f64::from(snapshots.max_width_px), 64.0, 4096.0);
    range(&mut wrong, "snapshots.quality", f64::from(snapshots.quality), 20.0, 95.0);
    range(&mut wrong, "snapshots.max_kilobytes", f64::from(snapshots.max_kilobytes), 10.0, 1000.0);

    let units = &settings.units;
    range(&mut wrong, "units.max_units", f64::from(units.max_units), 0.0, 256.0);
    range(&mut wrong, "units.max_models", f64::from(units.max_models), 1.0, 64.0);
    range(&mut wrong, "units.zone_probe_seconds", f64::from(units.zone_probe_seconds), 1.0, 86_400.0);
    range(&mut wrong, "units.load_timeout_seconds", f64::from(units.load_timeout_seconds), 1.0, 3600.0);
    range(&mut wrong, "units.inference_timeout_seconds", f64::from(units.inference_timeout_seconds), 2.0, 600.0);
    range(&mut wrong, "units.max_frame_age_seconds", f64::from(units.max_frame_age_seconds), 0.05, 60.0);
    range(&mut wrong, "units.max_queue_seconds", f64::from(units.max_queue_seconds), 0.01, 60.0);
    for (index, model) in settings.models.iter().enumerate() {
        check_model(&mut wrong, &format!("models[{index}]"), model);
        if settings.models[..index].iter().any(|other| other.name == model.name) {
            add(&mut wrong, &format!("models[{index}].name"), &format!("`{}` is another model's name too", model.name));
        }
    }
    for (index, zone) in settings.zones.iter().enumerate() {
        if settings.zones[..index].iter().any(|other| other.name == zone.name) {
            add(&mut wrong, &format!("zones[{index}].name"), &format!("`{}` is another zone's name too", zone.name));
        }
        if zone.numa_node.is_some() && !zone.cores.is_empty() {
            add(&mut wrong, &format!("zones[{index}].numa_node"), "stands for its cores: give one of the two");
        }
    }

    let mqtt = &settings.mqtt;
    range(&mut wrong, "mqtt.port", f64::from(mqtt.port), 1.0, 65535.0);
    range(&mut wrong, "mqtt.keep_alive_seconds", f64::from(mqtt.keep_alive_seconds), 5.0, 3600.0);
    if !(1..=100_000).contains(&mqtt.queue_messages) {
        add(&mut wrong, "mqtt.queue_messages", "must be 1 to 100000");
    }
    let is_level = |level: &str| !level.is_empty() && !level.contains(['+', '#', '\0']);
    wrong.extend(settings.tracking.check().into_iter().map(|one| (format!("tracking.{}", one.field), one.what)));
    let outbox = &settings.outbox;
    range(&mut wrong, "outbox.max_mib", f64::from(outbox.max_mib), 1.0, 65536.0);
    range(&mut wrong, "outbox.keep_hours", f64::from(outbox.keep_hours), 0.0, 8760.0);
    if !mqtt.topic_prefix.split('/').all(is_level) {
        add(&mut wrong, "mqtt.topic_prefix", "must be topic levels without `+`, `#` and empty ones");
    }
    let home_assistant = mqtt.home_assistant.mistakes(&mqtt.topic_prefix);
    wrong.extend(home_assistant.into_iter().map(|(key, what)| (format!("mqtt.{key}"), what)));
    if mqtt.enabled && mqtt.tls.enabled {
        if mqtt.tls.ca_file.is_none() {
            add(&mut wrong, "mqtt.tls.ca_file", "is needed with TLS: name the authority that signed the broker");
        }
        if mqtt.tls.certificate_file.is_some() != mqtt.tls.key_file.is_some() {
            add(&mut wrong, "mqtt.tls.key_file", "certificate and key belong together: set both or none");
        }
        let files = [
            ("ca_file", &mqtt.tls.ca_file),
            ("certificate_file", &mqtt.tls.certificate_file),
            ("key_file", &mqtt.tls.key_file),
        ];
        for (key, file) in files {
            must_exist(&mut wrong, &format!("mqtt.tls.{key}"), file.as_ref());
        }
    }
    credentials(&mut wrong, "mqtt.credentials", &mqtt.credentials);
    check_http(&mut wrong, settings);
    for (index, camera) in settings.cameras.iter().enumerate() {
        check_camera(&mut wrong, &format!("cameras[{index}]"), camera);
        let model = camera.model.as_ref();
        if model.is_some_and(|name| !settings.models.iter().any(|model| model.name == *name)) {
            add(&mut wrong, &format!("cameras[{index}].model"), "is none of [[models]]");
        }
        if settings.cameras[..index].iter().any(|other| other.id == camera.id) {
            add(&mut wrong, &format!("cameras[{index}].id"), &format!("`{}` is another camera's id too", camera.id));
        }
    }
    wrong
}

fn check_http(wrong: &mut Vec<Wrong>, settings: &Settings) {
    let http = &settings.http;
    if !http.address.is_loopback() {
        let what = "must be a loopback address: nobody is asked who they are there; see `http.public_address`";
        add(wrong, "http.address", what);
    }
    if http.public_address.is_some() && settings.access_keys.is_empty() {
        add(wrong, "http.public_address", "needs [[access_keys]]: calls from elsewhere must be signed");
    }
    if http.tls.certificate_file.is_some() != http.tls.key_file.is_some() {
        add(wrong, "http.tls.key_file", "certificate and key belong together: set both or none");
    }
    must_exist(wrong, "http.tls.certificate_file", http.tls.certificate_file.as_ref());
    must_exist(wrong, "http.tls.key_file", http.tls.key_file.as_ref());

    let account = &settings.rekognition.account_id;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        add(wrong, "rekognition.account_id", "must be twelve digits");
    }
    let region = &settings.rekognition.region;
    if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        add(wrong, "rekognition.region", "must be the name of a region, as us-east-1");
    }
    for (index, key) in settings.access_keys.iter().enumerate() {
        let id = &key.access_key_id;
        if !(1..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            add(wrong, &format!("access_keys[{index}].access_key_id"), "must be 1 to 128 letters, digits and `-`");
        }
        if settings.access_keys[..index].iter().any(|other| other.access_key_id == *id) {
            add(wrong, &format!("access_keys[{index}].access_key_id"), &format!("`{id}` is there twice"));
        }
        if let Err(error) = key.resolve() {
            add(wrong, &format!("access_keys[{index}].secret_file"), &describe(&error));
        }
        if key.role == Role::CameraClient && key.versions.is_empty() {
            let what = "is empty: name what this client may use, as `project/version` or `project/*`";
            add(wrong, &format!("access_keys[{index}].versions"), what);
        }
    }
    for (index, bucket) in settings.buckets.iter().enumerate() {
        if !bucket.directory.is_dir() {
            let what = format!("{} is no directory that can be read", bucket.directory.display());
            add(wrong, &format!("buckets[{index}].directory"), &what);
        }
        if settings.buckets[..index].iter().any(|other| other.name == bucket.name) {
            add(wrong, &format!("buckets[{index}].name"), &format!("`{}` is another bucket's name too", bucket.name));
        }
    }
}

fn check_model(wrong: &mut Vec<Wrong>, name: &str, model: &ModelSettings) {
    let (min, max) = (f64::from(model.min_inference_units), f64::from(model.max_inference_units));
    range(wrong, &format!("{name}.min_inference_units"), min, 0.0, 64.0);
    range(wrong, &format!("{name}.max_inference_units"), max, 0.0, 64.0);
    if max > 0.0 && (min == 0.0 || max < min) {
        let what = "must not be below `min_inference_units`, which must be given with it";
        add(wrong, &format!("{name}.max_inference_units"), what);
    }
    range(wrong, &format!("{name}.threads"), f64::from(model.threads), 1.0, 64.0);
    range(wrong, &format!("{name}.max_batch"), f64::from(model.max_batch), 1.0, 64.0);
    if let Some(megabytes) = model.provider_options.memory_limit_mb {
        range(wrong, &format!("{name}.provider_options.memory_limit_mb"), f64::from(megabytes), 16.0, 1_048_576.0);
    }
    range(wrong, &format!("{name}.image_share"), f64::from(model.image_share), 0.0, 1.0);
    if let Some(tiles) = &model.image_tiles {
        check_tiles(wrong, &format!("{name}.image_tiles"), tiles);
    }
    if let Some(TpsLimitSetting::Fixed(tps)) = model.tps_limit {
        range(wrong, &format!("{name}.tps_limit"), tps, 0.01, 100_000.0);
    }
    if !is_valid_id(&model.name) {
        add(wrong, &format!("{name}.name"), "must be 1 to 64 of a-z, 0-9, `_` and `-`");
    }
    if !is_package_name(model.package()) {
        add(wrong, &format!("{name}.package"), "must be the name of a directory under `units.models_directory`");
    }
}

fn check_camera(wrong: &mut Vec<Wrong>, name: &str, camera: &CameraSettings) {
    range(wrong, &format!("{name}.fps"), f64::from(camera.fps), 0.0, 240.0);
    range(wrong, &format!("{name}.weight"), f64::from(camera.weight), 1.0, 100.0);
    if let Some(region) = &camera.region {
        check_region(wrong, &format!("{name}.region"), region);
    }
    if let Some(tiles) = &camera.tiles {
        check_tiles(wrong, &format!("{name}.tiles"), tiles);
    }
    let rest = camera.url.strip_prefix("rtsp://").or_else(|| camera.url.strip_prefix("rtsps://"));
    if !rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        add(wrong, &format!("{name}.url"), "must be rtsp://host[:port]/path or rtsps://...");
    }
    credentials(wrong, &format!("{name}.credentials"), &camera.credentials);
    wrong.extend(camera.scene.check().into_iter().map(|one| (format!("{name}.scene.{}", one.field), one.what)));
}

/// Below a hundredth of the picture there is nothing to see.
fn check_region(wrong: &mut Vec<Wrong>, name: &str, region: &RegionSettings) {
    range(wrong, &format!("{name}.left"), f64::from(region.left), 0.0, 1.0);
    range(wrong, &format!("{name}.top"), f64::from(region.top), 0.0, 1.0);
    range(wrong, &format!("{name}.width"), f64::from(region.width), 0.01, 1.0);
    range(wrong, &format!("{name}.height"), f64::from(region.height), 0.01, 1.0);
    for (side, end) in [("width", region.left + region.width), ("height", region.top + region.height)] {
        // Ratios as 0.7 and 0.3 add up to one but for rounding.
        if end > 1.0 + 1e-5 {
            add(wrong, &format!("{name}.{side}"), &format!("reaches to {end} of the picture, which ends at 1"));
        }
    }
}

fn check_tiles(wrong: &mut Vec<Wrong>, name: &str, tiles: &Tiling) {
    range(wrong, &format!("{name}.columns"), f64::from(tiles.columns), 1.0, f64::from(MAX_TILES));
    range(wrong, &format!("{name}.rows"), f64::from(tiles.rows), 1.0, f64::from(MAX_TILES));
    range(wrong, &format!("{name}.overlap"), f64::from(tiles.overlap), 0.0, 0.5);
}

fn credentials(wrong: &mut Vec<Wrong>, name: &str, credentials: &Credentials) {
    if let Err(error) = credentials.resolve_password() {
        add(wrong, name, &describe(&error));
    }
}

fn range(wrong: &mut Vec<Wrong>, key: &str, value: f64, least: f64, most: f64) {
    if !(least..=most).contains(&value) {
        add(wrong, key, &format!("is {value} and must be {least} to {most}"));
    }
}

fn must_exist(wrong: &mut Vec<Wrong>, key: &str, file: Option<&PathBuf>) {
    if let Some(file) = file
        && let Err(error) = std::fs::File::open(file)
    {
        add(wrong, key, &format!("{} cannot be read: {error}", file.display()));
    }
}

fn add(wrong: &mut Vec<Wrong>, key: &str, what: &str) {
    wrong.push((key.to_owned(), what.to_owned()));
}
