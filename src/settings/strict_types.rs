//! Refuses values of the wrong type that the library would convert: it reads `port = true` as 1 and `max_units = 2.6` as 3.
//!
//! A conversion that loses nothing is allowed: a number as text (`port = "1883"`), a whole number as text (`client_id = 7`), a whole
//! number with a point, 0 and 1 for a switch. Values from the environment are always text, and are not checked here.

use config::{Value, ValueKind};
use serde::de::DeserializeOwned;

/// Conversions that lose nothing. A value has the right type if it, or its conversion by one of these, can be read.
const CONVERSIONS: [fn(&ValueKind) -> ValueKind; 5] =
    [unchanged, number_as_text, text_as_value, whole_number_without_point, number_as_switch];

/// What the parser says of the expected type, and what we say.
const EXPECTED: [(&str, &str); 9] = [
    ("f32", "must be a number"),
    ("f64", "must be a number"),
    ("boolean", "must be true or false"),
    ("IP address", "must be an address, in quotes"),
    ("string", "must be text, in quotes"),
    ("sequence", "must be a list"),
    ("struct", "must be a table, such as { key = value }"),
    ("map", "must be a table, such as { key = value }"),
    ("integer", "must be a whole number"),
];

/// What is wrong with the type of a value that the library could read as a `T`. `within` puts the value into its section.
pub(super) fn mistake<T: DeserializeOwned>(leaf: &Value, within: impl Fn(Value) -> Value) -> Option<String> {
    let read = |convert: fn(&ValueKind) -> ValueKind| {
        let json = within(converted(leaf, convert)).try_deserialize::<serde_json::Value>();
        json.map_err(|error| error.to_string())
            .and_then(|json| serde_json::from_value::<T>(json).map_err(|error| error.to_string()))
            .err()
    };
    if CONVERSIONS.iter().any(|convert| read(*convert).is_none()) {
        return None;
    }
    let error = read(unchanged)?;
    let expected = error.rsplit("expected ").next().unwrap_or_default();
    let is_whole = ["u8", "u16", "u32", "u64", "usize", "i64"].iter().any(|word| expected.starts_with(word));
    let word = EXPECTED.iter().find(|(theirs, _)| expected.contains(theirs));
    let ours = if is_whole { "must be a whole number" } else { word.map_or("has the wrong type", |(_, ours)| *ours) };
    match &leaf.kind {
        ValueKind::Array(_) if !expected.contains("sequence") => {
            Some(format!("has an entry of the wrong type, which {ours}"))
        }
        value => Some(format!("is {}, but {ours}", kind(value))),
    }
}

/// The type of a value, in words. The value itself may be secret.
fn kind(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Nil => "empty",
        ValueKind::Boolean(_) => "a switch (true or false)",
        ValueKind::Float(_) => "a number with a point",
        ValueKind::String(_) => "text",
        ValueKind::Table(_) => "a table",
        ValueKind::Array(_) => "a list",
        _ => "a whole number",
    }
}

fn converted(value: &Value, convert: fn(&ValueKind) -> ValueKind) -> Value {
    let kind = match &value.kind {
        ValueKind::Array(list) => ValueKind::Array(list.iter().map(|value| converted(value, convert)).collect()),
        ValueKind::Table(table) => {
            ValueKind::Table(table.iter().map(|(key, value)| (key.clone(), converted(value, convert))).collect())
        }
        kind => convert(kind),
    };
    Value::new(value.origin().map(str::to_owned).as_ref(), kind)
}

/// JSON has no infinity; a fraction stands in for it, since neither is a whole number.
fn unchanged(kind: &ValueKind) -> ValueKind {
    match kind {
        ValueKind::Float(number) if !number.is_finite() => ValueKind::Float(0.5),
        kind => kind.clone(),
    }
}

fn number_as_text(kind: &ValueKind) -> ValueKind {
    match kind {
        ValueKind::I64(number) => ValueKind::String(number.to_string()),
        kind => kind.clone(),
    }
}

fn text_as_value(kind: &ValueKind) -> ValueKind {
    let ValueKind::String(text) = kind else { return kind.clone() };
    match text.to_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => return ValueKind::Boolean(true),
        "false" | "off" | "no" | "0" => return ValueKind::Boolean(false),
        _ => {}
    }
    let number = text.parse().map(ValueKind::I64).ok();
    number.or_else(|| text.parse().map(ValueKind::Float).ok()).unwrap_or_else(|| kind.clone())
}

#[expect(clippy::cast_possible_truncation, reason = "the number is whole and small")]
fn whole_number_without_point(kind: &ValueKind) -> ValueKind {
    match kind {
        ValueKind::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => ValueKind::I64(*number as i64),
        ValueKind::String(text) => text.parse().map_or_else(|_| kind.clone(), ValueKind::I64),
        kind => kind.clone(),
    }
}

fn number_as_switch(kind: &ValueKind) -> ValueKind {
    match kind {
        ValueKind::I64(0) => ValueKind::Boolean(false),
        ValueKind::I64(1) => ValueKind::Boolean(true),
        kind => kind.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(default)]
    struct Section {
        _port: u16,
        _rate: f32,
        _on: bool,
        _name: String,
        _labels: Vec<String>,
    }

    impl Default for Section {
        fn default() -> Self {
            Self { _port: 1, _rate: 1.0, _on: true, _name: String::new(), _labels: Vec::new() }
        }
    }

    fn check(key: &str, value: ValueKind) -> Option<String> {
        let within = |leaf: Value| Value::from(config::Map::from([(format!("_{key}"), leaf)]));
        let leaf = Value::new(None, value);
        // The library accepts it, or there is nothing to check.
        within(leaf.clone()).try_deserialize::<Section>().unwrap();
        mistake::<Section>(&leaf, within)
    }

    #[test]
    fn what_loses_something_is_refused_with_the_right_type() {
        for (key, value, words) in [
            ("port", ValueKind::Boolean(true), "is a switch (true or false), but must be a whole number"),
            ("port", ValueKind::Float(2.6), "is a number with a point, but must be a whole number"),
            ("port", ValueKind::Float(f64::NAN), "is a number with a point, but must be a whole number"),
            ("port", ValueKind::String("on".into()), "is text, but must be a whole number"),
            ("rate", ValueKind::Boolean(true), "is a switch (true or false), but must be a number"),
            // It would be written in another way than it was.
            ("name", ValueKind::Float(1e5), "is a number with a point, but must be text, in quotes"),
            ("on", ValueKind::I64(2), "is a whole number, but must be true or false"),
            ("name", ValueKind::Boolean(true), "is a switch (true or false), but must be text, in quotes"),
            (
                "labels",
                ValueKind::Array(vec![true.into()]),
                "has an entry of the wrong type, which must be text, in quotes",
            ),
        ] {
            assert_eq!(check(key, value.clone()).as_deref(), Some(words), "{key} = {value:?}");
        }
    }

    #[test]
    fn what_loses_nothing_is_allowed() {
        for (key, value) in [
            ("port", ValueKind::I64(2)),
            ("port", ValueKind::Float(2.0)),
            ("port", ValueKind::String("2".into())),
            ("rate", ValueKind::I64(2)),
            ("rate", ValueKind::String("0.5".into())),
            ("rate", ValueKind::Float(f64::INFINITY)),
            ("on", ValueKind::I64(1)),
            ("on", ValueKind::String("off".into())),
            ("name", ValueKind::I64(7)),
            ("labels", ValueKind::Array(vec!["a".into()])),
        ] {
            assert_eq!(check(key, value.clone()), None, "{key} = {value:?}");
        }
    }
}
