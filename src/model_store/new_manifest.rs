//! Writes the manifest of a new package, from a proposal or from a given manifest.

use crate::model::canary::Canary;
use crate::model::model_file::ModelFile;
use crate::model::recognition::Proposal;
use toml::{Table, Value};

/// Name, version and source of a new package.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The `name` of the manifest.
    pub name: String,
    /// The `version` of the manifest.
    pub version: String,
    /// Name of the original file.
    pub file: String,
    /// Date of the installation, used as `source.package_version`.
    pub date: String,
    /// Licence as an SPDX expression. `None`: unknown.
    pub licence: Option<String>,
}

/// Why a given manifest cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestTextError {
    /// It is not TOML.
    #[error("it is not TOML")]
    Syntax(#[from] toml::de::Error),
    /// It lacks `[input]` or `[output]`.
    #[error("it has no [{0}]: `ocelli model inspect FILE --manifest` shows what belongs there")]
    Section(&'static str),
    /// It cannot be serialised.
    #[error("it cannot be completed")]
    Write(#[from] toml::ser::Error),
}

/// Writes a manifest from a proposal, with comments at assumed values.
///
/// # Errors
/// [`ManifestTextError::Write`].
pub fn from_proposal(
    origin: &Origin,
    model: &ModelFile,
    canary: Option<&Canary>,
    proposal: &Proposal,
) -> Result<String, ManifestTextError> {
    let mut head = Table::new();
    complete(&mut head, origin, model, canary)?;
    Ok(format!("{}\n{}", toml::to_string(&head)?, proposal.sections()))
}

/// Completes a given manifest. `name` and `[model]` are replaced, and so are the licence and `[canary]` if given.
/// Version, source and thresholds are added if they are missing.
///
/// # Errors
/// [`ManifestTextError`], when `given` is not TOML, lacks a section or cannot be serialised.
pub fn from_given(
    given: &str,
    origin: &Origin,
    model: &ModelFile,
    canary: Option<&Canary>,
) -> Result<String, ManifestTextError> {
    let mut manifest: Table = toml::from_str(given)?;
    for section in ["input", "output"] {
        if !manifest.contains_key(section) {
            return Err(ManifestTextError::Section(section));
        }
    }
    complete(&mut manifest, origin, model, canary)?;
    if !manifest.contains_key("thresholds") {
        let usual = [("confidence", Value::Float(0.4)), ("iou", Value::Float(0.5)), ("max_detections", 100.into())];
        manifest.insert("thresholds".to_owned(), table(usual));
    }
    Ok(toml::to_string(&manifest)?)
}

fn complete(
    manifest: &mut Table,
    origin: &Origin,
    model: &ModelFile,
    canary: Option<&Canary>,
) -> Result<(), ManifestTextError> {
    let text = |text: &str| Value::String(text.to_owned());
    manifest.insert("name".to_owned(), text(&origin.name));
    manifest.entry("version").or_insert_with(|| text(&origin.version));
    let source = manifest.entry("source").or_insert_with(|| {
        table([
            ("package", Value::String(format!("file {}", origin.file))),
            ("package_version", text(&origin.date)),
            ("package_sha256", text(&model.sha256)),
            ("licence", text("unknown")),
        ])
    });
    if let (Some(licence), Some(source)) = (&origin.licence, source.as_table_mut()) {
        source.insert("licence".to_owned(), text(licence));
    }
    let mut file = Table::try_from(model)?;
    if model.data.is_empty() {
        file.remove("data");
    }
    manifest.insert("model".to_owned(), Value::Table(file));
    if let Some(canary) = canary {
        manifest.insert("canary".to_owned(), Value::try_from(canary)?);
    }
    Ok(())
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::canary::Expected;
    use crate::model::manifest::Manifest;
    use crate::model::model_file::DataFile;
    use std::path::Path;

    fn origin(licence: Option<&str>) -> Origin {
        let (file, date) = ("yard \"2\".onnx".to_owned(), "2026-11-28".to_owned());
        Origin { name: "yard".into(), version: "v".into(), file, date, licence: licence.map(str::to_owned) }
    }

    fn model() -> ModelFile {
        let data = vec![DataFile { file: "weights.data".into(), sha256: "1".repeat(64) }];
        ModelFile { file: "model.onnx".into(), sha256: "0".repeat(64), data, int8: None }
    }

    #[test]
    fn a_given_manifest_is_completed_and_keeps_what_it_says() {
        let given = "[input]\ntensor = \"x\"\nwidth = 8\nheight = 8\ncolor = \"rgb\"\nfit = \"stretch\"\n\
                     [output]\nlayout = \"yolov8\"\noutput = \"o\"\n";
        let expect = vec![Expected { label: "person".into(), bounding_box: None }];
        let canary = Canary { image: "canary.jpg".into(), least_iou: 0.9, expect };
        let text = from_given(given, &origin(Some("MIT")), &model(), Some(&canary)).unwrap();
        let manifest = Manifest::parse(&text, Path::new("m")).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("yard", "v"));
        assert_eq!(
            (manifest.source.package.as_str(), manifest.source.licence.as_str()),
            ("file yard \"2\".onnx", "MIT")
        );
        assert_eq!((manifest.model, manifest.canary), (model(), Some(canary)));

        let given = format!("version = \"7\"\n[thresholds]\nconfidence = 0.1\niou = 0.2\nmax_detections = 3\n{given}");
        let manifest = Manifest::parse(&from_given(&given, &origin(None), &model(), None).unwrap(), Path::new("m"));
        let manifest = manifest.unwrap();
        assert_eq!((manifest.version.as_str(), manifest.thresholds.max_detections), ("7", 3));
        assert_eq!(manifest.source.licence, "unknown");
    }

    #[test]
    fn what_is_missing_in_a_given_manifest_is_named() {
        let of = |given: &str| from_given(given, &origin(None), &model(), None).unwrap_err().to_string();
        assert!(of("[input]\ntensor = \"x\"\n").contains("[output]"));
        assert!(of("[[[").contains("not TOML"));
    }
}
