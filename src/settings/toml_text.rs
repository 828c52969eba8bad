//! Writes keys and values as TOML.

use serde_json::Value;

/// A key, in quotes if it needs them.
pub(super) fn key(name: &str) -> String {
    toml_edit::Key::new(name).display_repr().into_owned()
}

/// A value in one line. TOML has no null, and an empty table stands for it.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "{}".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(number) => format!("{number:?}"),
            None => number.to_string(),
        },
        Value::String(text) => toml_edit::Value::from(text.as_str()).to_string(),
        Value::Array(list) => format!("[{}]", list.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let set = table.iter().filter(|(_, inner)| !inner.is_null());
            let entries: Vec<String> =
                set.map(|(name, inner)| format!("{} = {}", key(name), self::value(inner))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}
