//! `[model]` of a manifest: the files of one version, in one or two precisions, with their checksums.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of a package's ONNX files a unit loads. Both compute the same model, and share manifest, labels and canary.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelVariant {
    /// `model.file`: the model as it was added; in every package.
    #[default]
    Float,
    /// `model.int8.file`: the same model with 8-bit convolutions; in packages that have it.
    Int8,
}

impl ModelVariant {
    /// The name in the settings, the state and the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int8 => "int8",
        }
    }
}

impl fmt::Display for ModelVariant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The files of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Name of the ONNX file in the package's directory.
    pub file: String,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// Files with external weights in the same directory.
    #[serde(default)]
    pub data: Vec<DataFile>,
    /// The same model with 8-bit convolutions, if the package has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int8: Option<Int8File>,
}

/// A file with external weights.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// Name in the package's directory.
    pub file: String,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
}

/// `[model.int8]`: a quantised file, which has its weights inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Int8File {
    /// Name in the package's directory.
    pub file: String,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// How it compares with the float model, if `ocelli model quantize` has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
}

/// `[model.int8.judged]`: what both files saw in pictures that were not used to make the second one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The number of pictures.
    pub pictures: usize,
    /// The share of the boxes that both see, 0..=1.
    pub agreement: f64,
    /// One less the average precision at an IoU of 0.5, with the float model's boxes as the truth.
    pub ap_loss: f64,
    /// The agreement that was asked for.
    pub least_agreement: f64,
    /// The loss that was allowed.
    pub most_ap_loss: f64,
}

impl ModelFile {
    /// The files that a unit needs for a variant as (name, SHA-256), the model first. `None`: the package lacks it.
    pub fn files_of(&self, variant: ModelVariant) -> Option<Vec<(&str, &str)>> {
        match variant {
            ModelVariant::Float => {
                let data = self.data.iter().map(|data| (data.file.as_str(), data.sha256.as_str()));
                Some(std::iter::once((self.file.as_str(), self.sha256.as_str())).chain(data).collect())
            }
            ModelVariant::Int8 => self.int8.as_ref().map(|int8| vec![(int8.file.as_str(), int8.sha256.as_str())]),
        }
    }

    /// The variants that the package has.
    pub fn variants(&self) -> impl Iterator<Item = ModelVariant> + '_ {
        [ModelVariant::Float, ModelVariant::Int8].into_iter().filter(|variant| self.files_of(*variant).is_some())
    }

    /// All files as (name, SHA-256), the model first.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variants().filter_map(|variant| self.files_of(variant)).flatten()
    }

    /// The checksums of a variant's files in one line: an identity that changes with any of them. Empty for one that the
    /// package lacks.
    pub fn checksums(&self, variant: ModelVariant) -> String {
        let files = self.files_of(variant).unwrap_or_default();
        files.into_iter().map(|(_, sha256)| sha256).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_has_files_and_an_identity_of_its_own() {
        let data = vec![DataFile { file: "w".into(), sha256: "b".into() }];
        let mut model = ModelFile { file: "m".into(), sha256: "a".into(), data, int8: None };
        assert_eq!(model.variants().collect::<Vec<_>>(), [ModelVariant::Float]);
        assert_eq!(
            (model.checksums(ModelVariant::Float), model.checksums(ModelVariant::Int8)),
            ("a b".into(), "".into())
        );
        model.int8 = Some(Int8File { file: "q".into(), sha256: "c".into(), judged: None });
        assert_eq!(model.checksums(ModelVariant::Float), "a b", "the float model is the same beside its twin");
        assert_eq!(model.checksums(ModelVariant::Int8), "c");
        assert_eq!(model.files().collect::<Vec<_>>(), [("m", "a"), ("w", "b"), ("q", "c")]);
    }

    #[test]
    fn a_variant_is_called_as_in_the_settings() {
        for variant in [ModelVariant::Float, ModelVariant::Int8] {
            assert_eq!(serde_json::to_value(variant).unwrap(), variant.name());
        }
    }
}
