//! `ocelli detect`: detects objects in pictures, with a real unit.

use crate::appliance::child_environment::child_environment;
use crate::appliance::load_with_caches;
use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::tiles::{framing, parse_tiles};
use crate::ipc::child_process::own_binary;
use crate::model::labels::Labels;
use crate::supervisor::one_shot::{ImageResult, OneShotUnit};
use crate::vision::error_chain::describe;
use crate::vision::framing::Tiling;
use crate::vision::look_options::LookOptions;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli detect photo.jpg
  ocelli detect photo.jpg --draw boxes.png
  ocelli detect crowd.jpg --tiles 3x2
  ocelli detect *.jpg --json | jq .detections")]
pub(super) struct DetectArguments {
    /// JPEG or PNG files.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
    /// The package to use. Default: that of the first model in the settings.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Cut pictures into tiles, and analyse these as well: for small objects.
    #[arg(long, value_name = "CxR", value_parser = parse_tiles)]
    tiles: Option<Tiling>,
    /// Write the (last) picture with its boxes to this PNG or JPEG file.
    #[arg(long, value_name = "FILE")]
    draw: Option<PathBuf>,
    /// Print one JSON object per picture.
    #[arg(long)]
    json: bool,
}

pub(super) fn detect(arguments: &DetectArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| run(settings, arguments).await)
}

async fn run(settings: &crate::settings::Settings, arguments: &DetectArguments) -> Result<(), Box<dyn Error>> {
    let default = settings.default_model();
    let package = arguments.model.as_deref().unwrap_or_else(|| default.package());
    let load = load_with_caches(settings, &settings.default_model_for(package), package);
    let labels = Labels::load(&load.directory)?;
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    let mut unit =
        OneShotUnit::start(own_binary(), child_environment("warn", settings.sandbox.mode), load, limit).await?;
    for path in &arguments.images {
        let image = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let options = LookOptions { framing: framing(arguments.tiles), ..LookOptions::default() };
        let result = unit.detect(&image, options).await;
        let result = result.map_err(|error| format!("{}: {}", path.display(), describe(&error)))?;
        show(path, &result, &labels, arguments.json);
        if let Some(target) = &arguments.draw {
            let boxes = result.detections.iter().filter_map(|found| Some((found.class.0, found.bounding_box?)));
            crate::unit::annotate::draw(&image, &boxes.collect::<Vec<_>>(), target)?;
        }
    }
    Ok(())
}

fn show(path: &Path, result: &ImageResult, labels: &Labels, as_json: bool) {
    let (width, height) = result.size;
    if as_json {
        let detections: Vec<_> = result
            .detections
            .iter()
            .map(|found| {
                let label = labels.name(found.class);
                serde_json::json!({"label": label, "confidence": found.confidence, "box": found.bounding_box})
            })
            .collect();
        let milliseconds = |us: u32| f64::from(us) / 1000.0;
        let line = serde_json::json!({
            "image": path.display().to_string(), "width": width, "height": height, "detections": detections,
            "inference_ms": milliseconds(result.timing.inference_us),
            "decode_ms": milliseconds(result.timing.decode_us),
        });
        return print_line(&line.to_string());
    }
    print_line(&format!("{}: {width}x{height}, {} seen", path.display(), result.detections.len()));
    for found in &result.detections {
        let place = found.bounding_box.map_or(String::new(), |place| {
            format!("  left {:.3} top {:.3} width {:.3} height {:.3}", place.left, place.top, place.width, place.height)
        });
        print_line(&format!("  {:<16} {:>5.1} %{place}", labels.name(found.class), 100.0 * found.confidence));
    }
}
