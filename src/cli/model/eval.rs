//! `ocelli model eval`: COCO's average precision of a model, through a real unit.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::model::looker::{Looker, progress};
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

A picture that cannot be looked at is told of, and counts as one where nothing was seen.

Exit codes: 0 all pictures were looked at, 1 some could not be, 78 the settings are wrong.")]
pub(in crate::cli) struct EvalArguments {
    /// An annotation file in COCO's form (`instances_*.json`).
    #[arg(value_name = "COCO.json")]
    annotations: PathBuf,
    /// The directory of its pictures.
    #[arg(value_name = "IMAGES")]
    images: PathBuf,
    /// The package; without it that of the default model of the settings.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The least confidence. Average precision wants to see nearly everything.
    #[arg(long, value_name = "RATIO", default_value = "0.03", value_parser = parse_ratio)]
    min_confidence: f32,
    /// One JSON object with every figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn eval(arguments: &EvalArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| run(settings, arguments).await)
}

/// What does not belong together.
struct Strangers<'a> {
    /// Labels of the model that are no category.
    labels: Vec<&'a str>,
    /// Categories that the model has no label for; they are never found.
    categories: Vec<&'a str>,
}

async fn run(settings: &Settings, arguments: &EvalArguments) -> Result<(), Box<dyn Error>> {
    let truth = GroundTruth::load(&arguments.annotations)?;
    let mut looker = Looker::start(settings, arguments.model.as_deref()).await?;
    let package = looker.package.clone();
    let manifest = Manifest::load(&package.directory)?;
    if !manifest.output.has_boxes() {
        return Err(format!("{} gives labels of the whole picture and no boxes to evaluate", package.name).into());
    }
    let labels: Vec<&str> = package.labels.names().filter(|label| truth.category(label).is_none()).collect();
    let names = truth.categories().map(|category| category.name.as_str());
    let strangers =
        Strangers { labels, categories: names.filter(|name| package.labels.class(name).is_none()).collect() };
    let options = LookOptions { min_confidence: Some(arguments.min_confidence), ..LookOptions::default() };
    let (mut evaluation, mut failed, mut inference_us) = (Evaluation::new(&truth), BTreeMap::new(), 0_u64);
    let count = truth.images().count();
    let bar = progress("looking", count);
    for image in truth.images() {
        match look(&mut looker, options, &arguments.images, image, &truth).await {
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
    let looked_at = count - failed.len();
    let inference_ms = if looked_at == 0 { None } else { Some(inference_us as f64 / looked_at as f64 / 1000.0) };
    if arguments.json {
        let all = json!({
            "model": package.name, "version": package.version, "min_confidence": arguments.min_confidence,
            "images": count, "failed": failed, "mean_inference_ms": inference_ms,
            "labels_without_category": strangers.labels, "categories_without_label": strangers.categories,
            "overall": summary.overall, "categories": summary.categories,
        });
        print_line(&all.to_string());
    } else {
        print_line(&format!("{} {}: {looked_at} of {count} pictures", package.name, package.version));
        show(&summary, &strangers, inference_ms);
    }
    match failed.len() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {count} pictures count as if nothing was seen, for they were not").into()),
    }
}

/// What is found in one picture of the annotation file, and how long the inference took.
async fn look(
    looker: &mut Looker,
    options: LookOptions,
    directory: &Path,
    image: &Image,
    truth: &GroundTruth,
) -> Result<(Vec<Found>, u32), Box<dyn Error>> {
    // The annotation file is not to be trusted with names either.
    let file = open_file(directory, &image.file_name)?;
    let mut bytes = Vec::new();
    file.take(SLOT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let result = looker.look(&bytes, options).await?;
    let mut found = Vec::new();
    for detection in &result.detections {
        let category = truth.category(looker.package.labels.name(detection.class));
        if let Some((category, place)) = category.zip(detection.bounding_box) {
            let bounding_box = PixelBox::from_ratios(&place, image.width, image.height)?;
            found.push(Found { category, score: f64::from(detection.confidence), bounding_box });
        }
    }
    Ok((found, result.timing.inference_us))
}

fn show(summary: &Summary, strangers: &Strangers<'_>, inference_ms: Option<f64>) {
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
    if !strangers.labels.is_empty() {
        let list = strangers.labels.join(", ");
        print_line(&format!("Labels of the model that are no category, so left out: {list}"));
    }
    if !strangers.categories.is_empty() {
        let list = strangers.categories.join(", ");
        print_line(&format!("Categories that the model has no label for, so never found: {list}"));
    }
}
