//! Parses a settings file into values that know their line.

use crate::settings::place::Place;
use config::{Map, Value, ValueKind};
use std::ops::Range;
use toml_edit::{Document, Item, TableLike};

/// A file that is not TOML.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct SyntaxMistake {
    /// Counted from 1.
    pub(super) line: usize,
    /// What the parser expected. It does not quote the file, which may contain passwords.
    pub(super) what: String,
}

/// The values of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct TomlValues {
    /// The top-level keys. The origin of each value inside is `file:line`.
    pub(super) values: Map<String, Value>,
    /// The line of each top-level key: for a section, of its first header.
    pub(super) lines: Map<String, usize>,
}

/// Parses the text of a file.
///
/// # Errors
/// The first [`SyntaxMistake`].
pub(super) fn parse(text: &str, file: &str) -> Result<TomlValues, SyntaxMistake> {
    let lines = Lines { file, text };
    let document = Document::parse(text).map_err(|error| SyntaxMistake {
        line: error.span().map_or(1, |span| lines.of(&span)),
        what: error.message().trim().replace('\n', "; "),
    })?;
    let mut found = TomlValues::default();
    for (key, item) in document.as_table().iter() {
        let line = lines.of_key(document.as_table(), key, 1);
        found.lines.insert(key.to_owned(), line);
        found.values.insert(key.to_owned(), lines.value(item, line));
    }
    Ok(found)
}

/// Finds the lines of places in a text.
#[derive(Clone, Copy, Debug)]
struct Lines<'a> {
    file: &'a str,
    text: &'a str,
}

impl Lines<'_> {
    fn of(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// The line of a key of `table`; `outer` if the parser does not say it.
    fn of_key(&self, table: &dyn TableLike, key: &str, outer: usize) -> usize {
        let spans = table.get_key_value(key).and_then(|(key, item)| key.span().or_else(|| item.span()));
        spans.map_or(outer, |span| self.of(&span))
    }

    fn value(&self, item: &Item, line: usize) -> Value {
        let of = |kind: ValueKind| Value::new(Some(&Place::origin(self.file, line)), kind);
        match item {
            Item::None => of(ValueKind::Nil),
            Item::Table(table) => of(ValueKind::Table(self.table(table, line))),
            Item::ArrayOfTables(tables) => {
                let entry = |table: &toml_edit::Table| {
                    let line = table.span().map_or(line, |span| self.of(&span));
                    let origin = Place::origin(self.file, line);
                    Value::new(Some(&origin), ValueKind::Table(self.table(table, line)))
                };
                of(ValueKind::Array(tables.iter().map(entry).collect()))
            }
            Item::Value(value) => self.inline(value, line),
        }
    }

    fn table(&self, table: &dyn TableLike, line: usize) -> Map<String, Value> {
        let value = |(key, item): (&str, &Item)| {
            let line = self.of_key(table, key, line);
            (key.to_owned(), self.value(item, line))
        };
        table.iter().map(value).collect()
    }

    fn inline(&self, value: &toml_edit::Value, line: usize) -> Value {
        let kind = match value {
            toml_edit::Value::String(text) => ValueKind::String(text.value().clone()),
            toml_edit::Value::Integer(number) => ValueKind::I64(*number.value()),
            toml_edit::Value::Float(number) => ValueKind::Float(*number.value()),
            toml_edit::Value::Boolean(is) => ValueKind::Boolean(*is.value()),
            toml_edit::Value::Datetime(time) => ValueKind::String(time.value().to_string()),
            toml_edit::Value::InlineTable(table) => ValueKind::Table(self.table(table, line)),
            toml_edit::Value::Array(array) => {
                let element =
                    |value: &toml_edit::Value| self.inline(value, value.span().map_or(line, |span| self.of(&span)));
                ValueKind::Array(array.iter().map(element).collect())
            }
        };
        Value::new(Some(&Place::origin(self.file, line)), kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_knows_its_line() {
        let text = "\
box_id = \"a\"

[mqtt]
# the broker
port = 1
credentials.user = \"u\"

[mqtt.tls]
enabled = true

[[cameras]]
id = \"yard\"
[cameras.scene]
labels = [
  \"person\",
]
[[cameras]]
tiles = { columns = 2,
  rows = 3 }
";
        let found = parse(text, "a.toml").unwrap();
        let root = Value::from(found.values);
        let origin = |path: &[&str]| {
            let mut value = root.clone();
            for part in path {
                value = match (value.kind, part.parse::<usize>()) {
                    (ValueKind::Table(mut table), _) => table.remove(*part).unwrap(),
                    (ValueKind::Array(mut array), Ok(index)) => array.remove(index),
                    other => panic!("{other:?}"),
                };
            }
            value.origin().unwrap().to_owned()
        };
        for (path, line) in [
            (["box_id"].as_slice(), 1),
            (&["mqtt", "port"], 5),
            (&["mqtt", "credentials", "user"], 6),
            (&["mqtt", "tls", "enabled"], 9),
            (&["cameras", "0"], 11),
            (&["cameras", "0", "id"], 12),
            (&["cameras", "0", "scene", "labels"], 14),
            (&["cameras", "0", "scene", "labels", "0"], 15),
            (&["cameras", "1"], 17),
            (&["cameras", "1", "tiles", "rows"], 19),
        ] {
            assert_eq!(origin(path), format!("a.toml:{line}"), "{path:?}");
        }
        assert_eq!((found.lines["mqtt"], found.lines["cameras"]), (3, 11));
    }

    #[test]
    fn a_syntax_mistake_names_its_line_and_quotes_nothing() {
        let mistake = parse("a = 1\npassword = \"hunter2\nb = 2\n", "a.toml").unwrap_err();
        assert_eq!(mistake.line, 2);
        assert!(!mistake.what.contains("hunter2") && !mistake.what.is_empty(), "{mistake:?}");
        assert_eq!(parse("a = = b", "a.toml").unwrap_err().line, 1);
    }
}
