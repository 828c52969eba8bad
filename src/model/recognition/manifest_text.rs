//! Writes a complete manifest from a proposal, with name, source and checksums.

use crate::model::recognition::proposal::Proposal;
use crate::model::recognition::toml_value::TomlValue;

/// The model that a manifest describes.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The `name` of the manifest.
    pub name: String,
    /// The file's name without a directory.
    pub file: String,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// Names and SHA-256 of the files with external weights.
    pub data: Vec<(String, String)>,
    /// The licence in the file's metadata. `None`: it has none.
    pub licence: Option<String>,
}

/// The manifest as TOML, with comments for a person to check.
pub fn manifest_text(identity: &Identity, proposal: &Proposal) -> String {
    let text = |value: &str| TomlValue::from(value);
    let (licence, note) = match &identity.licence {
        Some(licence) => (licence.as_str(), "# The licence is from the file's metadata."),
        None => ("unknown", "# The file does not name its licence: fill it in."),
    };
    let mut lines = vec![
        "# Proposed from the metadata of the model's file. Check all that is assumed with pictures of your own."
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

/// A package name made from a file's name: lower-case ASCII letters, digits, `-`, `_` and `.`.
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
