//! `[log]`, `[http]`, `[rekognition]`, `[[access_keys]]` and `[[buckets]]`.

use crate::http::auth::access_keys::Role;
use crate::http::known_pages::is_origin;
use crate::http::rekognition::settings::S3Access;
use crate::settings::check::findings::Findings;
use crate::settings::{FileKind, NamedFile, Settings};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The log filter takes any other bare word for the name of a module, and then logs that module only.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    check_log(&settings.log.level, findings);
    let http = &settings.http;
    if !http.address.is_loopback() {
        let what = "must be a loopback address, because health and AWS calls there need no signature; for other hosts set `http.public_address`";
        findings.add("http.address", what);
    }
    for (index, name) in http.names.iter().enumerate() {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        if name.is_empty() || !name.bytes().all(is_name) || (name.contains(':') && name.parse::<IpAddr>().is_err()) {
            findings
                .add(format!("http.names[{index}]"), "must be a host name or an address, without a port: \"box.lan\"");
        }
    }
    findings.range("http.drain_seconds", f64::from(http.drain_seconds), 0.0, 300.0);
    let viewers = u32::try_from(http.live_viewers).unwrap_or(u32::MAX);
    findings.range("http.live_viewers", f64::from(viewers), 0.0, 400.0);
    findings.range("http.live_megabits_per_second", f64::from(http.live_megabits_per_second), 1.0, 100_000.0);
    let has_people = !settings.viewers.is_empty() && !http.public_plain;
    if http.public_address.is_some() && settings.access_keys.is_empty() && !has_people {
        let what = "needs [[access_keys]], as requests from other hosts must be signed, or [[viewers]] and TLS";
        findings.add("http.public_address", what);
    }
    for (index, origin) in http.public_origins.iter().enumerate().filter(|(_, origin)| !is_origin(origin)) {
        let what = format!("is `{origin}`, but an origin is like https://shop.example or https://shop.example:8443");
        findings.add(format!("http.public_origins[{index}]"), what);
    }
    if http.tls.certificate_file.is_some() != http.tls.key_file.is_some() {
        findings.add("http.tls.key_file", "must be set together with `http.tls.certificate_file`: set both or neither");
    }
    findings.readable("http.tls.certificate_file", http.tls.certificate_file.as_ref());
    findings.readable("http.tls.key_file", http.tls.key_file.as_ref());

    let rekognition = &settings.rekognition;
    if rekognition.account_id.len() != 12 || !rekognition.account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        findings.add("rekognition.account_id", "must be 12 digits");
    }
    let is_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if rekognition.region.is_empty() || !rekognition.region.bytes().all(is_region) {
        findings.add("rekognition.region", "must be the name of a region, such as us-east-1");
    }
    // Signatures have a time in whole seconds, and a request takes a while. A smaller limit would refuse good requests.
    let skew = f64::from(rekognition.max_clock_skew_seconds);
    findings.range("rekognition.max_clock_skew_seconds", skew, 10.0, 86_400.0);
    findings.range("rekognition.hold_seconds", f64::from(rekognition.hold_seconds), 0.0, 30.0);
    check_access_keys(settings, findings);
    check_buckets(settings, findings);
}

fn check_log(level: &str, findings: &mut Findings) {
    let is_level = |word: &str| LEVELS.contains(&word.to_ascii_lowercase().as_str());
    let is_module =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-".contains(&b));
    for directive in level.split(',').map(str::trim) {
        let is_good = match directive.split_once('=') {
            None => is_level(directive),
            Some((module, level)) => is_module(module) && is_level(level),
        };
        if !is_good {
            let what = format!(
                "`{directive}` must be one of {}, or a module and a level such as ocelli::camera=debug",
                LEVELS.join(", ")
            );
            findings.add("log.level", what);
        }
    }
}

fn check_access_keys(settings: &Settings, findings: &mut Findings) {
    for (index, key) in settings.access_keys.iter().enumerate() {
        let id = &key.access_key_id;
        if !(1..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            findings.add(format!("access_keys[{index}].access_key_id"), "must be 1 to 128 letters, digits and `-`");
        }
        if let Err(error) = key.resolve() {
            findings.secret(&format!("access_keys[{index}]"), "secret", &error);
        }
        let (has_versions, has_buckets) = (!key.versions.is_empty(), !key.buckets.is_empty());
        if key.role == Role::CameraClient && !has_versions && !has_buckets {
            let what = "is empty: list what this client may use, as `project/version` or `project/*`";
            findings.add(format!("access_keys[{index}].versions"), what);
        }
        if key.role == Role::BucketWriter && !has_buckets {
            let what = "is empty: list the names of the [[buckets]] that this client may write to";
            findings.add(format!("access_keys[{index}].buckets"), what);
        }
        for bucket in &key.buckets {
            if !settings.buckets.iter().any(|known| known.name == *bucket) {
                let what = format!("names `{bucket}`, which is none of the [[buckets]]");
                findings.add(format!("access_keys[{index}].buckets"), what);
            }
        }
    }
    let ids = settings.access_keys.iter().map(|key| key.access_key_id.as_str());
    findings.unique("access_keys", "access_key_id", ids);
}

fn check_buckets(settings: &Settings, findings: &mut Findings) {
    for (index, bucket) in settings.buckets.iter().enumerate() {
        if !bucket.directory.is_dir() {
            let what = format!("{} is not a directory, or cannot be read", bucket.directory.display());
            findings.add(format!("buckets[{index}].directory"), what);
        }
        for (key, value) in
            [("max_object_megabytes", bucket.max_object_megabytes), ("max_megabytes", bucket.max_megabytes)]
        {
            findings.range(format!("buckets[{index}].{key}"), f64::from(value), 1.0, 1_000_000.0);
        }
        if bucket.s3 == S3Access::ReadWrite
            && let Some(own) = own_places(settings).find(|own| overlap(own, &bucket.directory))
        {
            let what = format!(
                "may not be read-write: the directory of the bucket and {}, where the box keeps what it believes, are one in \
                 the other",
                own.display()
            );
            findings.add(format!("buckets[{index}].s3"), what);
        }
    }
    for (index, bucket) in settings.buckets.iter().enumerate().filter(|(_, bucket)| bucket.s3 == S3Access::ReadWrite) {
        let mut others = settings.buckets.iter().enumerate().filter(|(other, _)| *other != index);
        if let Some((_, other)) = others.find(|(_, other)| overlap(&other.directory, &bucket.directory)) {
            let what = format!(
                "may not be read-write: its directory and that of the bucket {} are one in the other",
                other.name
            );
            findings.add(format!("buckets[{index}].s3"), what);
        }
    }
    findings.unique("buckets", "name", settings.buckets.iter().map(|bucket| bucket.name.as_str()));
}

/// Directories and files that decide what runs and who may call.
fn own_places(settings: &Settings) -> impl Iterator<Item = PathBuf> {
    let units = &settings.units;
    let fixed = [&settings.state_directory, &units.models_directory, &units.cache_directory, &units.runtime_library];
    let is_believed = |file: &NamedFile| matches!(file.kind, FileKind::Secret | FileKind::Open);
    let named = settings.named_files().into_iter().filter(is_believed).map(|file| file.path);
    fixed.map(Clone::clone).into_iter().chain(named)
}

fn overlap(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (one, other) = (real(one), real(other));
    one.starts_with(&other) || other.starts_with(&one)
}

#[cfg(test)]
mod tests {
    use crate::settings::tests;

    #[test]
    fn a_bucket_that_is_written_to_holds_nothing_of_the_box_and_keys_name_buckets_that_exist() {
        let home = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            std::fs::create_dir_all(home.path().join(name)).unwrap();
            home.path().join(name).display().to_string()
        };
        let (state, models, bucket) = (place("state"), place("state/models"), place("bucket"));
        let mistakes = |directory: &str, s3: &str, key: &str| -> Vec<String> {
            let text = format!(
                "state_directory = \"{state}\"\n[units]\nmodels_directory = \"{models}\"\ncache_directory = \"{models}\"\n\
                 [[buckets]]\nname = \"files\"\ndirectory = \"{directory}\"\ns3 = \"{s3}\"\n\
                 [[access_keys]]\naccess_key_id = \"K\"\nsecret = \"a secret of some length\"\n{key}\n"
            );
            let keys = tests::mistakes(&text).into_iter().map(|mistake| mistake.key);
            keys.filter(|key| key.starts_with("buckets") || key.starts_with("access_keys")).collect()
        };
        let writer = "role = \"bucket-writer\"\nbuckets = [\"files\"]";
        assert_eq!(mistakes(&bucket, "read-write", writer), [""; 0]);
        assert_eq!(mistakes(&models, "read", writer), [""; 0]);
        let parent = home.path().display().to_string();
        for directory in [&state, &models, &parent] {
            assert_eq!(mistakes(directory, "read-write", writer), ["buckets[files].s3"], "{directory}");
        }
        assert_eq!(mistakes(&bucket, "read", "role = \"bucket-writer\""), ["access_keys[K].buckets"]);
        let unknown = "role = \"bucket-writer\"\nbuckets = [\"other\"]";
        assert_eq!(mistakes(&bucket, "read", unknown), ["access_keys[K].buckets"]);
        assert_eq!(mistakes(&bucket, "read", "buckets = [\"files\"]"), [""; 0]);
        assert_eq!(mistakes(&bucket, "read", ""), ["access_keys[K].versions"]);
    }
}
