//! `ocelli camera add`.

use crate::cli::camera::change::change;
use crate::cli::camera_ids::parse_id;
use crate::cli::config_arguments::ConfigArguments;
use crate::settings::editor::{Assignment, CAMERAS};
use crate::vision::camera_id::CameraId;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli camera add yard rtsp://192.168.1.20:554/stream2
  ocelli camera add gate rtsp://viewer@192.168.1.21/h264 --password-file /etc/ocelli/gate-password
  ocelli camera add square rtsp://192.168.1.22/stream1 --fps 10 --model yolo11n --label person --label car
  ocelli camera add hall rtsp://192.168.1.23/main --detect-url rtsp://192.168.1.23/sub

It is written to <state_directory>/settings.d/camera-<id>.toml, which only the service and root may read. All settings are
checked with it first. Further settings: `ocelli camera set`.

Exit codes: 0 added, 1 refused, 2 the command line is wrong, 78 the settings would be wrong.")]
pub(in crate::cli) struct AddArguments {
    /// Its id in topics and logs: 1 to 64 of a-z, 0-9, `_` and `-`.
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: CameraId,
    /// rtsp://USER@HOST:PORT/PATH or rtsps://..., where USER@ and :PORT may be left out; the sub stream is usually large enough.
    #[arg(value_name = "URL")]
    url: String,
    /// The URL of a smaller stream of it, which is analysed; snapshots then show URL in full size.
    #[arg(long, value_name = "URL")]
    detect_url: Option<String>,
    /// Frames per second that are analysed; 0: every frame.
    #[arg(long, value_name = "FPS")]
    fps: Option<f64>,
    /// The model that analyses its frames. Default: the first.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// A file with the password and nothing else. The service must be able to read it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A label that matters. May be given more than once. Default: all labels of the model.
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn add(arguments: &AddArguments) -> ExitCode {
    let mut values = vec![Assignment::text("url", &arguments.url)];
    values.extend(arguments.detect_url.as_ref().map(|url| Assignment::text("detect_url", url)));
    values.extend(arguments.fps.map(|fps| Assignment::number("fps", fps)));
    values.extend(arguments.model.as_ref().map(|model| Assignment::text("model", model)));
    if let Some(file) = &arguments.password_file {
        // The daemon has another working directory.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        values.push(Assignment::text("credentials.password_file", &file.to_string_lossy()));
    }
    if !arguments.label.is_empty() {
        values.push(Assignment::texts("scene.labels", &arguments.label));
    }
    let done = format!("Camera {} is added, in", arguments.id);
    change(&arguments.config, &done, |editor| editor.add(CAMERAS, arguments.id.as_str(), &values))
}
