//! The twin that was made, and how it is installed.

use crate::cli::live_view::print_line;
use crate::cli::model::int8_twin::INT8_FILE;
use crate::cli::model::quantize::bench::Bench;
use crate::cli::model::quantize::twin_manifest;
use crate::model::manifest::Manifest;
use crate::model::model_file::{Int8File, Judged};
use crate::model_store::{Changes, Staging};
use std::error::Error;
use std::path::{Path, PathBuf};

/// A twin of a package's model.
#[derive(Debug)]
pub(super) struct Twin<'a> {
    /// The package.
    pub(super) name: &'a str,
    /// Of the float model.
    pub(super) manifest: &'a Manifest,
    /// A package around the twin, in the bench.
    pub(super) package: PathBuf,
    pub(super) judged: Judged,
}

impl Twin<'_> {
    /// Puts it into its package, in one step, and says so.
    pub(super) fn install(
        self,
        changes: &Changes<'_>,
        staging: &Staging,
        bench: Bench<'_>,
        is_told: bool,
    ) -> Result<(), Box<dyn Error>> {
        let Self { name, manifest, package, judged } = self;
        let sha256 = staging.copy_model(&package.join("model.onnx"), INT8_FILE)?;
        let int8 = Int8File { file: INT8_FILE.to_owned(), sha256, judged: Some(judged) };
        let place = bench.close()?;
        fill(staging, &place, &int8)?;
        changes.install(staging, name)?;
        if is_told {
            let file = place.join(INT8_FILE);
            print_line(&format!("{} is installed, version {} as before.", file.display(), manifest.version));
            print_line(
                "Next: variant = \"int8\" in [[models]], and a restart or `ocelli ctl swap MODEL --package NAME`.",
            );
            print_line(
                "  Swap a model that runs with this package in any case: until then its units cannot be started again",
            );
            print_line(&format!("  the package without it is kept: ocelli model rollback {name}"));
        }
        Ok(())
    }
}

/// Makes a package of the present one and its twin. Its files are compared with the manifest once more: another command may
/// have changed them meanwhile.
fn fill(staging: &Staging, place: &Path, int8: &Int8File) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(place)?.flatten().filter(|entry| entry.path().is_file()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "manifest.toml" && name != INT8_FILE {
            staging.copy_model(&entry.path(), &name)?;
        }
    }
    let given = std::fs::read_to_string(place.join("manifest.toml"))?;
    staging.write("manifest.toml", &twin_manifest::with_int8(&given, int8)?)?;
    Ok(Manifest::load(staging.directory())?.verify_model(staging.directory())?)
}
