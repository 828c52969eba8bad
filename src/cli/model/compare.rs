//! `ocelli model compare`: two packages look at the same pictures, each in a unit of its own, one after the other.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::model::comparison::{Comparison, SharedLabels};
use crate::cli::model::picture_files::{pictures_in, read_picture};
use crate::cli::model::restarting_unit::{RestartingUnit, progress};
use crate::cli::model::test::parse_ratio;
use crate::settings::Settings;
use crate::supervisor::one_shot::ImageResult;
use crate::vision::error_chain::describe;
use crate::vision::geometry::NormalizedBox;
use crate::vision::look_options::LookOptions;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model compare yard yard-new --images pictures
  ocelli model compare yard yard-new --images pictures --draw beside --min-confidence 0.3
  ocelli model compare yard yard-new --images pictures --json | jq .agreement

Two detections are the same object if both models give them the same label, and their boxes an IoU of at least 0.5. The
agreement is the share of all detections that both have. It does not say which model is right: see --draw, or measure each
with `ocelli model eval`.

Exit codes: 0 done, 1 some pictures could not be analysed, 78 the settings are wrong.")]
pub(in crate::cli) struct CompareArguments {
    /// A package, as a rule the one in use.
    #[arg(value_name = "A")]
    first: String,
    /// The package to compare it with.
    #[arg(value_name = "B")]
    second: String,
    /// The directory of the pictures: its JPEG and PNG files.
    #[arg(long, value_name = "DIRECTORY")]
    images: PathBuf,
    /// Write each picture on which they differ to this directory: what A sees, and to its right what B sees.
    #[arg(long, value_name = "DIRECTORY")]
    draw: Option<PathBuf>,
    /// The confidence threshold of both, instead of the manifests'.
    #[arg(long, value_name = "RATIO", value_parser = parse_ratio)]
    min_confidence: Option<f32>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn compare(arguments: &CompareArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| run(settings, arguments).await)
}

async fn run(settings: &Settings, arguments: &CompareArguments) -> Result<(), Box<dyn Error>> {
    let pictures = pictures_in(&arguments.images)?;
    if pictures.is_empty() {
        return Err(format!("{} has no file that ends in .jpg, .jpeg or .png", arguments.images.display()).into());
    }
    if let Some(directory) = &arguments.draw {
        let is_same = std::fs::create_dir_all(directory)
            .and_then(|()| Ok(directory.canonicalize()? == arguments.images.canonicalize()?));
        if is_same.map_err(|error| format!("{}: {error}", directory.display()))? {
            return Err("--draw would write over the pictures: choose another directory".into());
        }
    }
    let mut units = [
        RestartingUnit::start(settings, Some(&arguments.first)).await?,
        RestartingUnit::start(settings, Some(&arguments.second)).await?,
    ];
    let [first, second] = units.each_ref().map(|unit| unit.package.labels.clone());
    let labels = SharedLabels::new(&first, &second);
    let options = LookOptions { min_confidence: arguments.min_confidence, ..LookOptions::default() };
    let mut comparison = Comparison::new(&labels, [&arguments.first, &arguments.second]);
    let bar = progress("comparing", pictures.len());
    for (at, path) in pictures.iter().enumerate() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.as_ref();
        // In turns: neither is always the one that finds the picture in the processor's caches.
        match look(&mut units, at % 2, options, path).await {
            Ok((image, [by_first, by_second])) => {
                let differ = comparison.add(name, &by_first, &by_second);
                if differ && let Some(directory) = &arguments.draw {
                    let target = directory.join(name);
                    crate::unit::annotate::draw_beside(&image, &boxes(&by_first), &boxes(&by_second), &target)?;
                }
            }
            Err(error) => {
                let why = describe(error.as_ref());
                bar.suspend(|| eprintln!("ocelli: {name}: {why}"));
                comparison.add_failed(name, why);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    comparison.memory_bytes = units.each_ref().map(RestartingUnit::memory_bytes);
    if arguments.json {
        print_line(&comparison.json().to_string());
    } else {
        comparison.lines().iter().for_each(|line| print_line(line));
    }
    match comparison.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} pictures could not be analysed by both", pictures.len()).into()),
    }
}

/// A picture, and what each unit sees on it. The unit `begins` (0 or 1) looks at it before the other.
async fn look(
    units: &mut [RestartingUnit; 2],
    begins: usize,
    options: LookOptions,
    path: &Path,
) -> Result<(Vec<u8>, [ImageResult; 2]), Box<dyn Error>> {
    let image = read_picture(path)?;
    let mut by = async |at: usize| {
        let looked = units[at].detect(&image, options).await;
        looked.map_err(|error| format!("{}: {}", units[at].package.name, describe(&error)))
    };
    let (before, after) = (by(begins).await?, by(1 - begins).await?);
    Ok((image, if begins == 0 { [before, after] } else { [after, before] }))
}

fn boxes(result: &ImageResult) -> Vec<(u16, NormalizedBox)> {
    result.detections.iter().filter_map(|found| Some((found.class.0, found.bounding_box?))).collect()
}
