//! The reference of all settings, `configs/ocelli.toml`, as a part of the program: no installed box has the file.

use toml_edit::{Document, Item, TableLike, Value};

/// The text of `configs/ocelli.toml`: every setting, with its default and the reason for it.
pub const REFERENCE: &str = include_str!("../../configs/ocelli.toml");

/// Keys that the operator chooses are below these tables.
const CHOSEN_KEYS: [&str; 1] = ["thresholds"];

/// A key of the reference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ReferenceKey {
    /// Where the key is, such as `mqtt.tls`; empty for keys outside of sections.
    pub(super) section: String,
    /// The name of the key itself.
    pub(super) key: String,
    /// Whether the section, or the outermost section around it, is a list: `[[cameras]]`.
    pub(super) is_in_list: bool,
}

impl ReferenceKey {
    /// The section as an operator writes it.
    pub(super) fn header(&self) -> String {
        match self.section.as_str() {
            "" => "the beginning of the file, before any section".to_owned(),
            section if self.is_in_list && !section.contains('.') => format!("[[{section}]]"),
            section => format!("[{section}]"),
        }
    }
}

/// The reference in which the examples of settings are in force.
pub(super) fn with_examples() -> String {
    let lines = REFERENCE.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_example(rest)).unwrap_or(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// True for a header or `key = value`; false for a sentence.
fn is_example(line: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.';
    let is_name = |text: &str| text.bytes().all(is_part);
    match line.split_once(" = ") {
        Some((key, _)) => is_name(key),
        None => {
            line.starts_with('[') && is_name(line.trim_start_matches('[').trim_end_matches(']')) && line.ends_with(']')
        }
    }
}

/// Every key of the reference, in its order, also that of sections and of tables in lists.
pub(super) fn keys() -> Vec<ReferenceKey> {
    let text = with_examples();
    let mut found = Vec::new();
    if let Ok(document) = Document::parse(text.as_str()) {
        collect(document.as_table(), "", false, &mut found);
    }
    found
}

fn collect(table: &dyn TableLike, section: &str, is_in_list: bool, found: &mut Vec<ReferenceKey>) {
    if CHOSEN_KEYS.iter().any(|chosen| section.rsplit('.').next() == Some(chosen)) {
        return;
    }
    for (key, item) in table.iter() {
        found.push(ReferenceKey { section: section.to_owned(), key: key.to_owned(), is_in_list });
        let inner = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        match item {
            Item::Table(table) => collect(table, &inner, is_in_list, found),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| collect(table, &inner, true, found)),
            Item::Value(Value::InlineTable(table)) => collect(table, &inner, is_in_list, found),
            Item::Value(Value::Array(array)) => {
                array.iter().filter_map(Value::as_inline_table).for_each(|table| collect(table, &inner, true, found));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
