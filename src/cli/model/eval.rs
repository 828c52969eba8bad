//! `ocelli model eval`: measures a model's average precision, as COCO does, with a real unit.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::model::restarting_unit::{RestartingUnit, progress};
use crate::cli::model::test::parse_ratio;
use crate::evaluation::coco::Image;
use crate::evaluation::{Evaluation, Figures, Found, GroundTruth, PixelBox, Summary};
use crate::model::manifest::Manifest;
use crate::os::beneath::open_file;
use crate::settings::Settings;
use crate::vision::error_chain::describe;
use crate::vision::frame::SLOT_BYTES;
use crate::vision::look_options::LookOptions;
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model eval instances_val2017.json val2017/
  ocelli model eval yard.json pictures/ --model yard --json | jq .overall.ap

A picture that cannot be analysed is reported, and counts as one without detections.

Exit codes: 0 done, 1 some pictures could not be analysed, 78 the settings are wrong.")]
pub(in crate::cli) struct EvalArguments {
    /// An annotation file in COCO's format (`instances_*.json`).
    #[arg(value_name = "COCO.json")]
    annotations: PathBuf,
    /// The directory of its pictures.
    #[arg(value_name = "IMAGES")]
    images: PathBuf,
    /// The package. Default: that of the first model in the settings.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The confidence threshold. It should be low: average precision counts weak detections as well.
    #[arg(long, value_name = "RATIO", default_value = "0.03", value_parser = parse_ratio)]
    min_confidence: f32,
    /// Print one JSON object with every figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn eval(arguments: &EvalArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| run(settings, arguments).await)
}

/// Labels and categories without a counterpart.
struct Unmatched<'a> {
    /// Labels of the model that are not a category.
    labels: Vec<&'a str>,
    /// Categories that the model has no label for. They are never detected.
    categories: Vec<&'a str>,
}

async fn run(settings: &Settings, arguments: &EvalArguments) -> Result<(), Box<dyn Error>> {
    let truth = GroundTruth::load(&arguments.annotations)?;
    let mut unit = RestartingUnit::start(settings, arguments.model.as_deref()).await?;
    let package = unit.package.clone();
    let manifest = Manifest::load(&package.directory)?;
    if !manifest.output.has_boxes() {
        return Err(format!("{} gives labels of the whole picture and no boxes to evaluate", package.name).into());
    }
    let labels: Vec<&str> = package.labels.names().filter(|label| truth.category(label).is_none()).collect();
    let names = truth.categories().map(|category| category.name.as_str());
    let unmatched =
        Unmatched { labels, categories: names.filter(|name| package.labels.class(name).is_none()).collect() };
    let options = LookOptions { min_confidence: Some(arguments.min_confidence), ..LookOptions::default() };
    let (mut evaluation, mut failed, mut inference_us) = (Evaluation::new(&truth), BTreeMap::new(), 0_u64);
    let count = truth.images().count();
    let bar = progress("analysing", count);
    for image in truth.images() {
        match analyse(&mut unit, options, &arguments.images, image, &truth).await {
            Ok((found, us)) => {
                evaluation.add(image.id, &found)?;
                inference_us += u64::from(us);
            }
            Err(error) => {
                let why = describe(error.as_ref());
                bar.suspend(|| eprintln!("ocelli: {}: {why}", image.file_name));
                failed.insert(image.file_name.clone(), why);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let summary = evaluation.summary();
    let analysed = count - failed.len();
    let inference_ms = if analysed == 0 { None } else { Some(inference_us as f64 / analysed as f64 / 1000.0) };
    if arguments.json {
        let all = json!({
            "model": package.name, "version": package.version, "min_confidence": arguments.min_confidence,
            "images": count, "failed": failed, "mean_inference_ms": inference_ms,
            "labels_without_category": unmatched.labels, "categories_without_label": unmatched.categories,
            "overall": summary.overall, "categories": summary.categories,
        });
        print_line(&all.to_string());
    } else {
        print_line(&format!("{} {}: {analysed} of {count} pictures", package.name, package.version));
        show(&summary, &unmatched, inference_ms);
    }
    match failed.len() {
        0 => Ok(()),
        failed => {
            Err(format!("{failed} of {count} pictures could not be analysed, and count as pictures without detections")
                .into())
        }
    }
}

/// The detections in one picture of the annotation file, and how long the inference took.
async fn analyse(
    unit: &mut RestartingUnit,
    options: LookOptions,
    directory: &Path,
    image: &Image,
    truth: &GroundTruth,
) -> Result<(Vec<Found>, u32), Box<dyn Error>> {
    // The names in the annotation file are not trusted.
    let file = open_file(directory, &image.file_name)?;
    let mut bytes = Vec::new();
    file.take(SLOT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let result = unit.detect(&bytes, options).await?;
    let mut found = Vec::new();
    for detection in &result.detections {
        let category = truth.category(unit.package.labels.name(detection.class));
        if let Some((category, place)) = category.zip(detection.bounding_box) {
            let bounding_box = PixelBox::from_ratios(&place, image.width, image.height)?;
            found.push(Found { category, score: f64::from(detection.confidence), bounding_box });
        }
    }
    Ok((found, result.timing.inference_us))
}

fn show(summary: &Summary, unmatched: &Unmatched<'_>, inference_ms: Option<f64>) {
    let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let line = |name: &str, figures: &Figures, objects: usize| {
        let (ap, ap50) = (figure(figures.ap), figure(figures.ap50));
        print_line(&format!("{name:<24} {ap:>6} {ap50:>6} {objects:>8}"));
    };
    print_line(&format!("{:<24} {:>6} {:>6} {:>8}", "CATEGORY", "AP", "AP50", "OBJECTS"));
    for category in summary.categories.iter().filter(|category| category.objects > 0) {
        line(&category.name, &category.figures, category.objects);
    }
    line("all", &summary.overall, summary.categories.iter().map(|category| category.objects).sum());
    if let Some(ms) = inference_ms {
        print_line(&format!("Inference took {ms:.1} ms a picture."));
    }
    if !unmatched.labels.is_empty() {
        let list = unmatched.labels.join(", ");
        print_line(&format!("Labels of the model that are not a category, and so are ignored: {list}"));
    }
    if !unmatched.categories.is_empty() {
        let list = unmatched.categories.join(", ");
        print_line(&format!("Categories that the model has no label for, and so are never detected: {list}"));
    }
}
