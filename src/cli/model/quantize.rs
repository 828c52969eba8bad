//! `ocelli model quantize`: makes the 8-bit twin of a package from a person's own pictures, judges it on others of them, and
//! installs it only if it sees what the model sees.

mod bench;
mod camera_frames;
mod candidates;
mod pictures;
mod recipe;
mod report;
mod search;
mod twin;
mod twin_manifest;

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::model::restarting_unit::progress;
use crate::cli::model::test::parse_ratio;
use crate::model::manifest::Manifest;
use crate::model::model_file::Judged;
use crate::model_store::Store;
use crate::settings::Settings;
use bench::Bench;
use camera_frames::of_cameras;
use pictures::Picture;
use recipe::Recipe;
use report::{Bars, Report};
use search::{LOOKS, Search, compare};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use twin::Twin;

/// In seconds.
const DAY: u64 = 24 * 3600;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model quantize yard --images snapshots/
  ocelli model quantize yard --from-cameras 24h
  ocelli model quantize yard --images snapshots/ --dry-run --json | jq .judged
  ocelli model quantize yard --images snapshots/ --most-ap-loss 0.03 --least-agreement 0.95
  ocelli model quantize yard --images snapshots/ --write-recipe yard-int8.json
  ocelli model quantize yard --from-recipe yard-int8.json     # on another box with the same package

Every second picture, by name, is for calibration; the others judge. Take pictures as the cameras send them, by day and by
night: a hundred or more, with what the model is to detect. --from-cameras has the running daemon take them, evenly over the
time, and keeps them nowhere else. A recipe holds what was found out from pictures, and none of them: it gives the same file on
every box. The package keeps its version, and gets model.int8.onnx beside
model.onnx; `variant = \"int8\"` in [[models]] takes it. What was there is kept: ocelli model rollback NAME.

Exit codes: 0 installed, 1 refused, with the figures, 78 the settings are wrong.")]
pub(in crate::cli) struct QuantizeArguments {
    /// The package.
    #[arg(value_name = "NAME")]
    name: String,
    /// A directory of JPEG or PNG files, at least 16; the first 500 by name are used.
    #[arg(long, value_name = "DIRECTORY", group = "source", required = true)]
    images: Option<PathBuf>,
    /// Take frames of the cameras that the model analyses, for this long: 10m, 24h; at most 7d. At most 500 frames.
    #[arg(long, value_name = "TIME", group = "source", value_parser = parse_time)]
    from_cameras: Option<Duration>,
    /// Make the twin as this recipe says, which another box has written: the same file.
    #[arg(long, value_name = "FILE", group = "source", conflicts_with_all = ["dry_run", "json", "write_recipe"])]
    from_recipe: Option<PathBuf>,
    /// Write how the twin is made to this file, if it is within the bars.
    #[arg(long, value_name = "FILE")]
    write_recipe: Option<PathBuf>,
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
    // Before frames are taken for hours, and while others may change packages.
    detector(&store, name)?;
    let source = source(settings, arguments).await?;
    // Held to the end: what is judged is what is installed.
    let changes = store.change()?;
    let (place, manifest) = detector(&store, name)?;
    let staging = changes.stage()?;
    let bench = Bench::new(settings, &place, staging.directory())?;
    let twin = match source {
        Source::Pictures(calibration, judging) => {
            search_and_judge(arguments, &bench, &manifest, &calibration, &judging).await?
        }
        Source::Recipe(recipe) => recipe.make(&bench, name, &manifest).await?,
    };
    if arguments.dry_run {
        return Ok(());
    }
    twin.install(&changes, &staging, bench, !arguments.json)
}

/// What a twin is made from.
enum Source {
    /// Pictures that calibrate, and others that judge.
    Pictures(Vec<Picture>, Vec<Picture>),
    Recipe(Recipe),
}

/// Reads or takes what the command line names.
async fn source(settings: &Settings, arguments: &QuantizeArguments) -> Result<Source, Box<dyn Error>> {
    if let Some(file) = &arguments.from_recipe {
        return Ok(Source::Recipe(Recipe::read(file)?));
    }
    let (pictures, what) = match (arguments.from_cameras, &arguments.images) {
        (Some(duration), _) => (of_cameras(settings, &arguments.name, duration).await?, "frames of cameras".to_owned()),
        (None, Some(directory)) => {
            (pictures::of_directory(directory)?, format!("JPEG or PNG files in {}", directory.display()))
        }
        (None, None) => return Err("give --images, --from-cameras or --from-recipe".into()),
    };
    let (calibration, judging) = pictures::split(pictures, &what)?;
    Ok(Source::Pictures(calibration, judging))
}

/// Makes a twin with some of the pictures, judges it on the others, and prints the figures.
async fn search_and_judge<'a>(
    arguments: &'a QuantizeArguments,
    bench: &Bench<'_>,
    manifest: &'a Manifest,
    calibration: &[Picture],
    judging: &[Picture],
) -> Result<Twin<'a>, Box<dyn Error>> {
    let bar = progress("quantising", calibration.len() * LOOKS + 2 * judging.len());
    let (observed, float) = bench.observe(calibration, &bar).await?;
    let search = Search { bench, manifest, observed: &observed, calibration, float: &float, bar: &bar };
    let (best, tried) = search.run().await?;
    let of_float = bench.look(bench.place(), judging, &bar).await?;
    let of_twin = bench.look(&best.package, judging, &bar).await?;
    bar.finish_and_clear();
    let judged = compare(manifest, &of_float, &of_twin);
    let bars = Bars {
        most_ap_loss: rounded(arguments.most_ap_loss.into()),
        least_agreement: rounded(arguments.least_agreement.into()),
    };
    let calibration = calibration.len();
    let report =
        Report { name: &arguments.name, version: &manifest.version, calibration, tried: &tried, best: &best, judged };
    print_line(&if arguments.json { report.json(bars).to_string() } else { report.text() });
    report.verdict(bars)?;
    let judged = Judged {
        pictures: judged.pictures,
        agreement: rounded(judged.agreement),
        ap_loss: rounded(judged.ap_loss),
        least_agreement: bars.least_agreement,
        most_ap_loss: bars.most_ap_loss,
    };
    if let Some(file) = &arguments.write_recipe {
        Recipe::of(manifest, &best, &observed, judged)?.write(file)?;
    }
    Ok(Twin { name: &arguments.name, manifest, package: best.package, judged })
}

/// The package, whose files must be as its manifest says.
fn detector(store: &Store, name: &str) -> Result<(PathBuf, Manifest), Box<dyn Error>> {
    let place = store.place(name)?;
    let manifest = Manifest::load(&place)?;
    if !manifest.output.has_boxes() {
        return Err(format!("{name} gives labels of the whole picture, and only detectors are quantised").into());
    }
    manifest.verify_model(&place)?;
    Ok((place, manifest))
}

/// Reads a time such as `90s`, `10m`, `24h` or `7d`.
fn parse_time(text: &str) -> Result<Duration, String> {
    let refused = || "write it as 90s, 10m, 24h or 7d, which is the most".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => DAY,
        _ => return Err(refused()),
    };
    let count = text[..text.len() - 1].parse::<u32>().ok();
    let seconds = count.and_then(|count| u64::from(count).checked_mul(unit));
    seconds.filter(|seconds| (1..=7 * DAY).contains(seconds)).map(Duration::from_secs).ok_or_else(refused)
}

/// A figure for people, with four decimals.
fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        assert_eq!(parse_time("10m"), Ok(Duration::from_secs(600)));
        assert_eq!((parse_time("7d"), parse_time("90s")), (parse_time("168h"), Ok(Duration::from_secs(90))));
        for wrong in ["", "10", "m", "0s", "8d", "-1h", "1.5h", "10µ", "99999999999d"] {
            assert!(parse_time(wrong).unwrap_err().contains("10m"), "{wrong}");
        }
    }
}
