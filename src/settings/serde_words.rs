//! Rewrites serde's messages about invalid values for operators, who do not know Rust's types.

use config::{ConfigError, Value};
use serde::de::DeserializeOwned;

/// Serde's words, and ours.
const EXPECTED: [(&str, &str); 9] = [
    ("an unsigned 8 bit integer", "a whole number from 0 to 255"),
    ("an unsigned 16 bit integer", "a whole number from 0 to 65535"),
    ("an unsigned 32 bit integer", "a whole number from 0 to 4294967295"),
    ("an unsigned 64 bit integer", "a whole number from 0"),
    ("64-bit unsigned integer", "the number"),
    ("128-bit unsigned integer", "the number"),
    ("data did not match any variant of untagged enum TpsLimitSetting", "must be a number above 0, or \"auto\""),
    ("invalid type: ", "is "),
    ("invalid value: ", "is "),
];

/// Describes an error in `section`, which contains only the invalid value. The caller adds the key.
pub(super) fn in_plain_words<T: DeserializeOwned>(error: &ConfigError, section: Value) -> String {
    let mut text = error.to_string();
    // The library names the enum instead of its allowed words; the JSON parser lists the words.
    if text.contains("does not have variant")
        && let Ok(json) = section.try_deserialize::<serde_json::Value>()
        && let Err(error) = serde_json::from_value::<T>(json)
    {
        text = error.to_string();
    }
    let text = text.split(" for key ").next().unwrap_or(&text);
    EXPECTED.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}
