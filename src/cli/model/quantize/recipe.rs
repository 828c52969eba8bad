//! Recipes: what was found out from pictures, so that a twin can be made without them, as the same file on every box.

use crate::cli::model::quantize::bench::Bench;
use crate::cli::model::quantize::candidates::Candidate;
use crate::cli::model::quantize::twin::Twin;
use crate::ipc::quantize_messages::{ActivationRange, FloatPart, MAX_ACTIVATIONS, Observed, QuantizeStep};
use crate::model::manifest::{Manifest, sha256_of_file};
use crate::model::model_file::Judged;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The longest file that is read: one of [`MAX_ACTIVATIONS`] takes less.
const MAX_BYTES: u64 = 1_000_000;

/// How a twin is made.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    /// SHA-256 of the float model's file, in hexadecimal.
    float_sha256: String,
    /// SHA-256 of the twin.
    int8_sha256: String,
    /// What the twin was found to see.
    judged: Judged,
    /// What stays in 32 bits.
    float: FloatPart,
    /// Of the values between the convolutions, in the order in which a graph is observed.
    ranges: Vec<ActivationRange>,
}

impl Recipe {
    /// How this candidate was made.
    pub(super) fn of(
        manifest: &Manifest,
        best: &Candidate,
        observed: &[Observed],
        judged: Judged,
    ) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            float_sha256: manifest.model.sha256.clone(),
            int8_sha256: sha256_of_file(&best.package.join("model.onnx"))?,
            judged,
            float: best.part,
            ranges: best.rule.ranges(observed),
        })
    }

    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let mut text = String::new();
        let read = File::open(file).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        read.map_err(|error| named(&error))?;
        let recipe: Self = serde_json::from_str(&text).map_err(|error| named(&error))?;
        match recipe.ranges.len() {
            0..=MAX_ACTIVATIONS => Ok(recipe),
            count => Err(named(&format!("{count} ranges are more than a model has, {MAX_ACTIVATIONS}"))),
        }
    }

    /// Writes it, a range a line.
    pub(super) fn write(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let text = serde_json::to_string(self)?.replace("{\"low\"", "\n{\"low\"") + "\n";
        Ok(std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?)
    }

    /// Makes the twin of the package on the bench. It must be the file that the recipe names, and a unit must see the canary
    /// with it.
    pub(super) async fn make<'a>(
        self,
        bench: &Bench<'_>,
        name: &'a str,
        manifest: &'a Manifest,
    ) -> Result<Twin<'a>, Box<dyn Error>> {
        if self.float_sha256 != manifest.model.sha256 {
            return Err(format!(
                "the recipe is for another model than that of {name}: its file has the sha256 {}, and the recipe's {}",
                manifest.model.sha256, self.float_sha256
            )
            .into());
        }
        let step = QuantizeStep::Write { ranges: self.ranges, float: self.float };
        let (package, _) = bench.write("twin", step).await?;
        let sha256 = sha256_of_file(&package.join("model.onnx"))?;
        if sha256 != self.int8_sha256 {
            return Err(format!(
                "the recipe gives a file with the sha256 {sha256}, and it says {}: another version of ocelli has written it; \
                 make a twin with pictures",
                self.int8_sha256
            )
            .into());
        }
        bench.try_canary(&package).await?;
        Ok(Twin { name, manifest, package, judged: self.judged })
    }
}
