//! A settings file as a document: changes keep what the operator wrote, with comments and order.

use crate::settings::editor::assignment::Assignment;
use crate::settings::editor::edit_error::EditError;
use crate::settings::mistake::{Mistake, SettingsErrors};
use std::fmt::{Display, Formatter};
use std::path::Path;
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// A parsed file.
#[derive(Clone, Debug)]
pub(super) struct SettingsDocument(DocumentMut);

impl Display for SettingsDocument {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

impl SettingsDocument {
    pub(super) fn parse(text: &str, file: &Path) -> Result<Self, EditError> {
        let document = text.parse().map(Self);
        document.map_err(|error: toml_edit::TomlError| {
            let what = format!("is not TOML: {}", error.message());
            EditError::Settings(SettingsErrors(vec![Mistake::in_file(file, None, what)]))
        })
    }

    /// True if nothing but comments is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends an entry to a list.
    pub(super) fn append(&mut self, list: &str, values: &[Assignment]) -> Result<(), String> {
        let mut entry = Table::new();
        for value in values {
            assign(&mut entry, value.path(), value.value(), false)?;
        }
        match self.0.entry(list).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new())) {
            Item::ArrayOfTables(entries) => entries.push(entry),
            Item::Value(Value::Array(entries)) => entries.push(entry.into_inline_table()),
            _ => return Err(format!("`{list}` is not a list")),
        }
        Ok(())
    }

    /// Changes the entry of a list whose key (`key.0`) has the value `key.1`.
    pub(super) fn change(&mut self, list: &str, key: (&str, &str), values: &[Assignment]) -> Result<(), String> {
        let missing = || format!("there is no {list} with the {} {}", key.0, key.1);
        match self.0.get_mut(list) {
            Some(Item::ArrayOfTables(entries)) => {
                let entry = entries.iter_mut().find(|entry| is_named(&**entry, key)).ok_or_else(missing)?;
                values.iter().try_for_each(|value| assign(entry, value.path(), value.value(), false))
            }
            Some(Item::Value(Value::Array(entries))) => {
                let mut tables = entries.iter_mut().filter_map(Value::as_inline_table_mut);
                let entry = tables.find(|entry| is_named(&**entry, key)).ok_or_else(missing)?;
                values.iter().try_for_each(|value| assign(entry, value.path(), value.value(), true))
            }
            _ => Err(missing()),
        }
    }

    /// Removes the entry of a list whose key (`key.0`) has the value `key.1`.
    pub(super) fn remove(&mut self, list: &str, key: (&str, &str)) {
        let is_left = match self.0.get_mut(list) {
            Some(Item::ArrayOfTables(entries)) => {
                let found = entries.iter().position(|entry| is_named(entry, key));
                found.into_iter().for_each(|index| drop(entries.remove(index)));
                !entries.is_empty()
            }
            Some(Item::Value(Value::Array(entries))) => {
                let is_it = |entry: &Value| entry.as_inline_table().is_some_and(|entry| is_named(entry, key));
                let found = entries.iter().position(is_it);
                found.into_iter().for_each(|index| drop(entries.remove(index)));
                !entries.is_empty()
            }
            _ => true,
        };
        if !is_left {
            self.0.remove(list);
        }
    }
}

fn is_named(entry: &dyn TableLike, (key, name): (&str, &str)) -> bool {
    let value = entry.get(key);
    let number = || value.and_then(Item::as_integer).map(|number| number.to_string());
    value.and_then(Item::as_str) == Some(name) || number().as_deref() == Some(name)
}

/// Sets the value at a path, or removes it. A value that is replaced keeps the comment in its line.
fn assign(table: &mut dyn TableLike, path: &[String], value: Option<&Value>, is_inline: bool) -> Result<(), String> {
    let Some((key, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        match (value.cloned(), table.get_mut(key)) {
            (None, _) => drop(table.remove(key)),
            (Some(mut value), Some(Item::Value(old))) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            (Some(value), _) => {
                table.insert(key, Item::Value(value));
                if is_inline {
                    table.fmt();
                }
            }
        }
        return Ok(());
    }
    if table.get(key).is_none() {
        if value.is_none() {
            return Ok(());
        }
        let inner = if is_inline { Item::Value(InlineTable::new().into()) } else { Item::Table(Table::new()) };
        table.insert(key, inner);
    }
    let inner = table.get_mut(key).filter(|inner| inner.is_table_like());
    let inner = inner.ok_or_else(|| format!("`{key}` is no table, so it has no `{}`", rest.join(".")))?;
    let is_inline = inner.is_value();
    let inner = inner.as_table_like_mut().ok_or_else(|| format!("`{key}` is no table"))?;
    assign(inner, rest, value, is_inline)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# The yard.
[[cameras]]
id = \"yard\"   # its name
fps = 5 # slow
url = \"rtsp://a/\"

[cameras.scene]
# people only
labels = [\"person\"]

# The gate.
[[cameras]]
id = \"gate\"
url = \"rtsp://b/\"
credentials = { user = \"u\" }

[mqtt]
port = 1 # odd
";

    fn document() -> SettingsDocument {
        SettingsDocument::parse(TEXT, Path::new("a.toml")).unwrap()
    }

    fn values(values: &[&str]) -> Vec<Assignment> {
        values.iter().map(|value| Assignment::parse(value).unwrap()).collect()
    }

    #[test]
    fn a_change_keeps_comments_and_order() {
        let mut document = document();
        let all = ["fps=10", "scene.labels=[\"car\"]", "scene.thresholds.car=0.5", "weight=2", "model="];
        document.change("cameras", ("id", "yard"), &values(&all)).unwrap();
        document
            .change("cameras", ("id", "gate"), &values(&["credentials.password_file=/x", "url=rtsp://c/"]))
            .unwrap();
        let expected = TEXT
            .replace("fps = 5 # slow", "fps = 10 # slow")
            .replace("url = \"rtsp://a/\"\n", "url = \"rtsp://a/\"\nweight = 2\n")
            .replace("labels = [\"person\"]\n", "labels = [\"car\"]\n\n[cameras.scene.thresholds]\ncar = 0.5\n")
            .replace("{ user = \"u\" }", "{ user = \"u\", password_file = \"/x\" }")
            .replace("rtsp://b/", "rtsp://c/");
        assert_eq!(document.to_string(), expected);
    }

    #[test]
    fn a_removed_entry_takes_its_own_comments_with_it_alone() {
        let mut document = document();
        document.remove("cameras", ("id", "gate"));
        let text = document.to_string();
        assert!(text.contains("# people only") && text.contains("# odd") && !text.contains("The gate"), "{text}");
        document.remove("cameras", ("id", "yard"));
        assert_eq!(document.to_string().trim(), "[mqtt]\nport = 1 # odd");
        assert!(!document.is_empty());
    }

    #[test]
    fn entries_in_one_line_are_changed_as_well() {
        let text = "cameras = [{ id = \"yard\", url = \"rtsp://a/\" }, { id = 7, url = \"rtsp://b/\" }]\n";
        let mut document = SettingsDocument::parse(text, Path::new("a.toml")).unwrap();
        document.change("cameras", ("id", "7"), &values(&["scene.labels=[\"car\"]"])).unwrap();
        document.append("cameras", &values(&["id=new"])).unwrap();
        document.remove("cameras", ("id", "yard"));
        let text = document.to_string();
        assert!(
            text.contains("labels = [\"car\"]") && text.contains("id = \"new\"") && !text.contains("yard"),
            "{text}"
        );
        text.parse::<DocumentMut>().unwrap();
        assert!(document.change("cameras", ("id", "yard"), &[]).is_err());
        assert!(
            document.change("cameras", ("id", "7"), &values(&["url.x=1"])).unwrap_err().contains("`url` is no table")
        );
    }
}
