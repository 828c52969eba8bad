//! `ocelli model test`: detects objects in a person's own pictures, and draws them.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::model::restarting_unit::{RestartingUnit, progress};
use crate::settings::Settings;
use crate::supervisor::one_shot::ImageResult;
use crate::vision::error_chain::describe;
use crate::vision::look_options::LookOptions;
use std::collections::BTreeSet;
use std::error::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model test yard/*.jpg --model yard --draw seen
  ocelli model test night.png --draw seen --min-confidence 0.2

Each picture is written to the directory as NAME-boxes.jpg or .png. None of the given pictures is overwritten.

Exit codes: 0 done, 1 some pictures could not be analysed, 78 the settings are wrong.")]
pub(in crate::cli) struct TestArguments {
    /// JPEG or PNG files.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// The package. Default: that of the first model in the settings.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The directory for the pictures with boxes. It is created if it does not exist.
    #[arg(long, value_name = "DIRECTORY")]
    draw: PathBuf,
    /// The confidence threshold, instead of the manifest's.
    #[arg(long, value_name = "RATIO", value_parser = parse_ratio)]
    min_confidence: Option<f32>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// A number from 0 to 1.
pub(super) fn parse_ratio(text: &str) -> Result<f32, String> {
    let ratio = text.parse::<f32>().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "must be 0 to 1".to_owned())
}

pub(super) fn test(arguments: &TestArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| run(settings, arguments).await)
}

async fn run(settings: &Settings, arguments: &TestArguments) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(&arguments.draw).map_err(|error| format!("{}: {error}", arguments.draw.display()))?;
    let mut unit = RestartingUnit::start(settings, arguments.model.as_deref()).await?;
    let options = LookOptions { min_confidence: arguments.min_confidence, ..LookOptions::default() };
    let mut targets = Targets::new(&arguments.draw, &arguments.images);
    let (mut failed, mut inference_us) = (0, Vec::new());
    let bar = progress("analysing", arguments.images.len());
    for path in &arguments.images {
        let result = analyse(&mut unit, options, path, &mut targets).await;
        bar.suspend(|| match result {
            Ok((line, us)) => {
                inference_us.push(us);
                print_line(&line);
            }
            Err(error) => {
                failed += 1;
                eprintln!("ocelli: {}: {}", path.display(), describe(error.as_ref()));
            }
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    inference_us.sort_unstable();
    if let (Some(median), Some(longest)) = (inference_us.get(inference_us.len() / 2), inference_us.last()) {
        let (count, median, longest) = (inference_us.len(), milliseconds(*median), milliseconds(*longest));
        print_line(&format!("Pictures: {count}; inference {median:.1} ms at the median, {longest:.1} ms at most."));
    }
    match failed {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} pictures could not be analysed", arguments.images.len()).into()),
    }
}

/// The line for a picture, and how long the inference took.
async fn analyse(
    unit: &mut RestartingUnit,
    options: LookOptions,
    path: &Path,
    targets: &mut Targets<'_>,
) -> Result<(String, u32), Box<dyn Error>> {
    let image = std::fs::read(path)?;
    let result = unit.detect(&image, options).await?;
    let target = targets.of(path)?;
    let boxes = result.detections.iter().filter_map(|found| Some((found.class.0, found.bounding_box?)));
    crate::unit::annotate::draw(&image, &boxes.collect::<Vec<_>>(), &target)?;
    Ok((line(path, &result, unit, &target), result.timing.inference_us))
}

fn line(path: &Path, result: &ImageResult, unit: &RestartingUnit, target: &Path) -> String {
    let labels = &unit.package.labels;
    let of = |found: &crate::vision::detection::Detection| {
        format!("{} {:.0} %", labels.name(found.class), 100.0 * found.confidence)
    };
    let seen: Vec<String> = result.detections.iter().map(of).collect();
    let seen = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
    let (timing, (width, height)) = (&result.timing, result.size);
    let [decode, prepare, inference, read] =
        [timing.decode_us, timing.preprocess_us, timing.inference_us, timing.postprocess_us].map(milliseconds);
    format!(
        "{} ({width}x{height}): {seen}\n  decode {decode:.1} ms, prepare {prepare:.1} ms, inference {inference:.1} ms, \
         read {read:.1} ms; drawn to {}",
        path.display(),
        target.display()
    )
}

fn milliseconds(us: u32) -> f64 {
    f64::from(us) / 1000.0
}

/// Chooses the names of the files that are written.
struct Targets<'a> {
    directory: &'a Path,
    /// Device and inode of each given picture, whatever its name.
    inputs: BTreeSet<(u64, u64)>,
    given: BTreeSet<PathBuf>,
}

impl<'a> Targets<'a> {
    fn new(directory: &'a Path, images: &[PathBuf]) -> Self {
        let inputs = images.iter().filter_map(|path| path.metadata().ok()).map(|it| (it.dev(), it.ino())).collect();
        Self { directory, inputs, given: BTreeSet::new() }
    }

    /// A name like the picture's, with a number if two pictures have the same name.
    fn of(&mut self, path: &Path) -> Result<PathBuf, String> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
        let extension = if is_png { "png" } else { "jpg" };
        let name = |number: usize| match number {
            1 => format!("{stem}-boxes.{extension}"),
            number => format!("{stem}-boxes-{number}.{extension}"),
        };
        let mut targets = (1..).map(|number| self.directory.join(name(number)));
        let target = targets.find(|target| !self.given.contains(target)).unwrap_or_default();
        if target.metadata().is_ok_and(|it| self.inputs.contains(&(it.dev(), it.ino()))) {
            return Err(format!("{} is one of the pictures: choose another directory for --draw", target.display()));
        }
        self.given.insert(target.clone());
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_picture_is_written_over_and_none_takes_anothers_name() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("b")).unwrap();
        for name in ["yard.jpg", "b/yard.jpg", "b/night.PNG", "gate-boxes.jpg"] {
            std::fs::write(at(name), "").unwrap();
        }
        std::fs::hard_link(at("yard.jpg"), at("gate-boxes-2.jpg")).unwrap();
        let images = [at("yard.jpg"), at("b/yard.jpg"), at("b/night.PNG"), at("gate-boxes.jpg")];
        let mut targets = Targets::new(home.path(), &images);
        assert_eq!(targets.of(&images[0]).unwrap(), at("yard-boxes.jpg"));
        assert_eq!(targets.of(&images[1]).unwrap(), at("yard-boxes-2.jpg"));
        assert_eq!(targets.of(&images[2]).unwrap(), at("night-boxes.png"));
        assert!(targets.of(&at("gate.jpg")).is_err());
        targets.given.insert(at("gate-boxes.jpg"));
        assert!(targets.of(&at("gate.jpg")).is_err());
    }
}
