//! A whole manifest around a proposal: which file it is for, and what only its owner knows.

use crate::model::recognition::proposal::Proposal;
use crate::model::recognition::toml_value::TomlValue;

/// Which model a manifest is for.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What it is to be called.
    pub name: String,
    /// Its file's name, without a directory.
    pub file: String,
    /// Of that file.
    pub sha256: String,
    /// Files of weights beside it, with their checksums.
    pub data: Vec<(String, String)>,
    /// As the file notes it; none: it does not.
    pub licence: Option<String>,
}

/// The text of a manifest.
pub fn manifest_text(identity: &Identity, proposal: &Proposal) -> String {
    let text = |value: &str| TomlValue::from(value);
    let (licence, note) = match &identity.licence {
        Some(licence) => (licence.as_str(), "# The licence is as the file notes it."),
        None => ("unknown", "# The file does not say its licence: fill it in."),
    };
    let mut lines = vec![
        "# Proposed from what the model's file says of itself. Check what is assumed with pictures of your own."
            .to_owned(),
        format!("name = {}", text(&identity.name)),
        "version = \"1\"".to_owned(),
        String::new(),
        "[source]".to_owned(),
        format!("package = {}", text(&format!("the file {}", identity.file))),
        "package_version = \"1\"".to_owned(),
        format!("package_sha256 = {}", text(&identity.sha256)),
        note.to_owned(),
        format!("licence = {}", text(licence)),
        String::new(),
        "[model]".to_owned(),
        format!("file = {}", text(&identity.file)),
        format!("sha256 = {}", text(&identity.sha256)),
    ];
    for (file, sha256) in &identity.data {
        lines.extend([String::new(), "[[model.data]]".to_owned()]);
        lines.extend([format!("file = {}", text(file)), format!("sha256 = {}", text(sha256))]);
    }
    format!("{}\n\n{}", lines.join("\n"), proposal.sections())
}

/// A name for a package from that of a file: small letters, digits, `-`, `_` and `.`.
pub fn package_name(file_stem: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c.to_ascii_lowercase() } else { '-' };
    let name: String = file_stem.chars().map(plain).collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "model".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::package_name;

    #[test]
    fn a_package_is_called_after_its_file() {
        for (stem, name) in
            [("YOLOX_nano", "yolox_nano"), ("my model (2)", "my-model--2"), ("..", "model"), ("ü", "model")]
        {
            assert_eq!(package_name(stem), name);
            assert!(crate::model::package::is_package_name(name));
        }
    }
}
