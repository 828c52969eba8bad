//! `ocelli plan`: measures this box with a model and a camera, and says how many cameras it can carry.

mod arguments;
mod decoding;
mod engine;
mod report;
mod units;

pub(super) use crate::cli::plan::arguments::PlanArguments;

use crate::camera::settings::CameraSettings;
use crate::cli::config_arguments::load_settings;
use crate::cli::plan::decoding::Decoding;
use crate::cli::plan::report::Report;
use crate::cli::plan::units::measure_all;
use crate::settings::Settings;
use crate::vision::error_chain::describe;
use crate::vision::frame::{Colorimetry, Picture, PixelFormat};
use indicatif::ProgressBar;
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn plan(arguments: &PlanArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let picture =
        |(width, height): &(u32, u32)| Picture::new(PixelFormat::I420, *width, *height, Colorimetry::default());
    let pictures: Vec<Picture> = match arguments.size.iter().map(picture).collect() {
        Ok(pictures) => pictures,
        Err(error) => {
            eprintln!("ocelli: --size: {}; a larger frame is scaled down to 4 MiB, as 2228x1254", describe(&error));
            return ExitCode::FAILURE;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(measure_and_show(&settings, arguments, &pictures)),
        Err(error) => Err(describe(&error)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("ocelli: {text}");
            ExitCode::FAILURE
        }
    }
}

/// The camera comes first: one that was named and cannot be had ends the command before the long part.
async fn measure_and_show(settings: &Settings, arguments: &PlanArguments, pictures: &[Picture]) -> Result<(), String> {
    let camera = decoding::choose(settings, arguments.camera.as_deref())?;
    let decoding = match camera {
        Some(camera) => measure_camera(settings, camera).await,
        None => Err("the settings have no camera (`ocelli camera add`)".to_owned()),
    };
    if let (Some(_), Err(why)) = (&arguments.camera, &decoding) {
        return Err(why.clone());
    }
    let choice = engine::choose(settings, arguments).await?;
    let measured = measure_all(settings, arguments, choice.as_ref(), pictures).await;
    let (measured, computed) = measured.map_err(|error| describe(&error))?;
    let look_seconds = f64::from(settings.capture.look_seconds);
    report::show(
        &Report { choice: choice.as_ref(), measured: &measured, computed: &computed, decoding, look_seconds },
        arguments,
    );
    Ok(())
}

async fn measure_camera(settings: &Settings, camera: &CameraSettings) -> Result<Decoding, String> {
    let progress = ProgressBar::new_spinner().with_message(format!("measuring the stream of {}", camera.id));
    progress.enable_steady_tick(Duration::from_millis(200));
    let decoding = decoding::measure(settings, camera).await;
    progress.finish_and_clear();
    decoding
}
