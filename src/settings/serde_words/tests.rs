//! Every setting with values that it cannot be.

use crate::camera::settings::CameraSettings;
use crate::http::auth::access_keys::AccessKeySettings;
use crate::http::login::viewer::ViewerSettings;
use crate::http::rekognition::settings::BucketSettings;
use crate::settings::Mistake;
use crate::settings::tests::{mistakes, settings};
use crate::supervisor::settings::{ModelSettings, ZoneSettings};
use serde::Serialize;
use serde_json::Value as Json;

/// Values of every kind. Some of them suit some settings.
const VALUES: [&str; 14] = [
    "-1",
    "5",
    "99999",
    "5000000000",
    "1e300",
    "1.5",
    "true",
    "\"?\"",
    "\"\"",
    "[]",
    "[5]",
    "[[\"?\"]]",
    "{}",
    "{ a = 1 }",
];

/// What an operator need not know.
const WORDS_OF_RUST: [&str; 19] = [
    "enum",
    "struct",
    "variant",
    "invalid type",
    "bit integer",
    "unsigned",
    "floating point",
    "boolean",
    "sequence",
    "map",
    "tuple",
    "unit value",
    "u8",
    "u16",
    "u32",
    "usize",
    "f32",
    "f64",
    "configuration",
];

fn what(text: &str) -> String {
    mistakes(text).remove(0).what
}

/// The paths of all settings in a section.
fn paths(section: &Json) -> Vec<String> {
    let Json::Object(entries) = section else { return Vec::new() };
    let mut paths = Vec::new();
    for (key, value) in entries {
        paths.push(key.clone());
        paths.extend(self::paths(value).into_iter().map(|path| format!("{key}.{path}")));
    }
    paths
}

/// Sections with every setting, and the text before the one that is to be wrong.
fn sections() -> Vec<(&'static str, Json)> {
    let settings = settings("");
    let camera: CameraSettings = serde_json::from_str(r#"{"id": "yard", "url": "rtsp://camera/"}"#).unwrap();
    vec![
        ("[log]\n", json(&settings.log)),
        ("[http]\n", json(&settings.http)),
        ("[rekognition]\n", json(&settings.rekognition)),
        ("[capture]\n", json(&settings.capture)),
        ("[snapshots]\n", json(&settings.snapshots)),
        ("[units]\n", json(&settings.units)),
        ("[mqtt]\n", json(&settings.mqtt)),
        ("[tracking]\n", json(&settings.tracking)),
        ("[outbox]\n", json(&settings.outbox)),
        ("[sandbox]\n", json(&settings.sandbox)),
        ("[[cameras]]\n", json(&camera)),
        ("[[models]]\n", json(&ModelSettings::default())),
        ("[[zones]]\n", json(&ZoneSettings::default())),
        ("[[buckets]]\n", json(&BucketSettings::default())),
        ("[[access_keys]]\n", json(&AccessKeySettings::default())),
        ("[[viewers]]\n", json(&ViewerSettings::default())),
    ]
}

fn json(settings: &impl Serialize) -> Json {
    serde_json::to_value(settings).unwrap()
}

#[test]
fn no_value_of_any_setting_is_described_in_words_of_the_programming_language() {
    // As LogFormat is. LoadCredential= is a setting of systemd.
    let is_type = |word: &str| {
        let has_hump = word.as_bytes().windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
        has_hump && word != "LoadCredential"
    };
    let mut described = 0;
    for (section, settings) in sections() {
        for path in paths(&settings) {
            for value in VALUES {
                let text = format!("{section}{path} = {value}\n");
                for Mistake { key, what, .. } in mistakes(&text) {
                    let words: Vec<&str> = what.split(|c: char| !c.is_alphanumeric()).collect();
                    let foreign = WORDS_OF_RUST.iter().find(|rust| match rust.contains(' ') {
                        true => what.contains(*rust),
                        false => words.contains(rust),
                    });
                    assert_eq!(foreign, None, "{text}{key}: {what}");
                    assert!(!words.iter().any(|word| is_type(word)), "{text}{key}: {what}");
                    described += 1;
                }
            }
        }
    }
    assert!(described > 1000, "only {described} mistakes were found");
}

#[test]
fn a_number_out_of_the_range_of_its_type_is_answered_with_the_range_of_the_setting() {
    for (text, expected) in [
        ("[snapshots]\nquality = 500", "is 500 but must be 20 to 95"),
        ("[snapshots]\nquality = 5", "is 5 but must be 20 to 95"),
        ("[snapshots]\nquality = \"good\"", "is the text \"good\" but must be 20 to 95"),
        ("[mqtt]\nport = 99999", "is 99999 but must be 1 to 65535"),
        ("[http]\nport = 99999", "is 99999 but must be a whole number from 0 to 65535"),
        ("[units]\nmax_units = -1", "is -1 but must be 0 to 256"),
        ("[capture]\nstall_seconds = [3]", "is a list but must be 3 to 600"),
        ("[[cameras]]\nid = \"a\"\nurl = \"rtsp://a/\"\nweight = -1", "is -1 but must be 1 to 100"),
    ] {
        assert_eq!(what(text), expected, "{text}");
    }
}

#[test]
fn permitted_words_are_named_whatever_is_in_their_place() {
    for (text, expected) in [
        ("[log]\nformat = \"xml\"", "is `xml` but must be `human` or `json`"),
        ("[log]\nformat = 5", "must be `human` or `json`"),
        ("[log]\nformat = [\"human\"]", "must be `human` or `json`"),
        ("[mqtt]\nprotocol = 5", "must be `5` or `3.1.1`"),
        (
            "[sandbox]\nmode = { a = 1 }",
            "is `a` but must be one of `required`, `required-partial`, `best-effort`, `off`",
        ),
        ("[http]\naddress = \"here\"", "must be an IP address, such as 192.168.1.20"),
        ("[mqtt]\ntls = 5", "is 5 but must be a section"),
        ("[mqtt]\ncredentials = \"viewer:hunter2\"", "is a text but must be a section"),
        ("[mqtt]\nenabled = \"maybe\"", "is the text \"maybe\" but must be true or false"),
    ] {
        assert_eq!(what(text), expected, "{text}");
    }
}
