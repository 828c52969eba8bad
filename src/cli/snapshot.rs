//! `ocelli snapshot`: a camera's picture from a running daemon.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::daemon::Daemon;
use crate::cli::live_view::print_line;
use crate::http::client::HttpMethod;
use crate::vision::camera_id::CameraId;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli snapshot yard
  ocelli snapshot yard --fresh --output now.jpg
  ocelli snapshot yard --plain

Exit codes: 0 done, 1 refused or no daemon, 78 the settings are wrong.")]
pub(super) struct SnapshotArguments {
    /// The camera's id in the settings.
    #[arg(value_parser = |id: &str| CameraId::new(id))]
    camera: CameraId,
    #[command(flatten)]
    config: ConfigArguments,
    /// Take a picture of the next frame that is analysed, instead of the one that was published last.
    #[arg(long)]
    fresh: bool,
    /// Take the next frame that is analysed as its model is given it: of the analysed stream, in its size, without boxes.
    #[arg(long, conflicts_with = "fresh")]
    plain: bool,
    /// The file to write. Default: the camera's id with `.jpg`.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn snapshot(arguments: &SnapshotArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| fetch(&Daemon::of(settings)?, arguments).await)
}

async fn fetch(daemon: &Daemon, arguments: &SnapshotArguments) -> Result<(), Box<dyn Error>> {
    let wanted = if arguments.plain { "plain=true".to_owned() } else { format!("fresh={}", arguments.fresh) };
    let path = format!("/api/cameras/{}/snapshot?{wanted}", arguments.camera);
    let (box_id, jpeg) = daemon.ask(HttpMethod::GET, &path, None).await?;
    daemon.warn_of_another_box(&box_id);
    let output = arguments.output.clone().unwrap_or_else(|| format!("{}.jpg", arguments.camera).into());
    std::fs::write(&output, &jpeg).map_err(|error| format!("{}: {error}", output.display()))?;
    print_line(&format!("{}: {} bytes, from box {box_id}", output.display(), jpeg.len()));
    Ok(())
}
