//! `ocelli model quantize`: makes the 8-bit twin of a package from a person's own pictures, judges it on others of them, and
//! installs it only if it sees what the model sees.

mod bench;
mod candidates;
mod pictures;
mod report;
mod search;
mod twin_manifest;

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::model::int8_twin::INT8_FILE;
use crate::cli::model::restarting_unit::progress;
use crate::cli::model::test::parse_ratio;
use crate::model::manifest::Manifest;
use crate::model::model_file::{Int8File, Judged};
use crate::model_store::{Staging, Store};
use crate::settings::Settings;
use bench::Bench;
use report::{Bars, Report};
use search::{LOOKS, Search, compare};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model quantize yard --images snapshots/
  ocelli model quantize yard --images snapshots/ --dry-run --json | jq .judged
  ocelli model quantize yard --images snapshots/ --most-ap-loss 0.03 --least-agreement 0.95

Every second picture, by name, is for calibration; the others judge. Take pictures as the cameras send them, by day and by
night: a hundred or more, with what the model is to detect. The package keeps its version, and gets model.int8.onnx beside
model.onnx; `variant = \"int8\"` in [[models]] takes it. What was there is kept: ocelli model rollback NAME.

Exit codes: 0 installed, 1 refused, with the figures, 78 the settings are wrong.")]
pub(in crate::cli) struct QuantizeArguments {
    /// The package.
    #[arg(value_name = "NAME")]
    name: String,
    /// A directory of JPEG or PNG files, at least 16; the first 500 by name are used.
    #[arg(long, value_name = "DIRECTORY")]
    images: PathBuf,
    /// How much average precision may be lost, at an IoU of 0.5 and with the float model's boxes as the truth.
    #[arg(long, value_name = "RATIO", default_value = "0.01", value_parser = parse_ratio)]
    most_ap_loss: f32,
    /// Of how many boxes both models must see.
    #[arg(long, value_name = "RATIO", default_value = "0.97", value_parser = parse_ratio)]
    least_agreement: f32,
    /// Judge only, and install nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object with every figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn quantize(arguments: &QuantizeArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| run(settings, arguments).await)
}

async fn run(settings: &Settings, arguments: &QuantizeArguments) -> Result<(), Box<dyn Error>> {
    let (name, store) = (&arguments.name, Store::new(&settings.units.models_directory));
    // Held to the end: what is judged is what is installed.
    let changes = store.change()?;
    let place = store.place(name)?;
    let manifest = Manifest::load(&place)?;
    if !manifest.output.has_boxes() {
        return Err(format!("{name} gives labels of the whole picture, and only detectors are quantised").into());
    }
    manifest.verify_model(&place)?;
    let (calibration, judging) = pictures::split(&arguments.images)?;
    let staging = changes.stage()?;
    let bench = Bench::new(settings, &place, staging.directory())?;
    let looks = calibration.len() * LOOKS + 2 * judging.len();
    let bar = progress("quantising", looks);

    let (observed, float) = bench.observe(&calibration, &bar).await?;
    let search = Search {
        bench: &bench,
        manifest: &manifest,
        observed: &observed,
        calibration: &calibration,
        float: &float,
        bar: &bar,
    };
    let (best, tried) = search.run().await?;
    let of_float = bench.look(&place, &judging, &bar).await?;
    let of_twin = bench.look(&best.package, &judging, &bar).await?;
    bar.finish_and_clear();
    let judged = compare(&manifest, &of_float, &of_twin);
    let bars = Bars {
        most_ap_loss: rounded(arguments.most_ap_loss.into()),
        least_agreement: rounded(arguments.least_agreement.into()),
    };
    let report =
        Report { name, version: &manifest.version, calibration: calibration.len(), tried: &tried, best: &best, judged };
    print_line(&if arguments.json { report.json(bars).to_string() } else { report.text() });
    report.verdict(bars)?;
    if arguments.dry_run {
        return Ok(());
    }
    let judged = Judged {
        pictures: judged.pictures,
        agreement: rounded(judged.agreement),
        ap_loss: rounded(judged.ap_loss),
        least_agreement: bars.least_agreement,
        most_ap_loss: bars.most_ap_loss,
    };
    let sha256 = staging.copy_model(&best.package.join("model.onnx"), INT8_FILE)?;
    let int8 = Int8File { file: INT8_FILE.to_owned(), sha256, judged: Some(judged) };
    bench.close()?;
    fill(&staging, &place, &int8)?;
    changes.install(&staging, name)?;
    if !arguments.json {
        print_line(&format!(
            "{} is installed, version {} as before.",
            place.join(INT8_FILE).display(),
            manifest.version
        ));
        print_line("Next: variant = \"int8\" in [[models]], and a restart or `ocelli ctl swap MODEL --package NAME`.");
        print_line(
            "  Swap a model that runs with this package in any case: until then its units cannot be started again",
        );
        print_line(&format!("  the package without it is kept: ocelli model rollback {name}"));
    }
    Ok(())
}

/// A figure for people, with four decimals.
fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
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
