//! `ocelli snapshot`: a camera's picture from a running daemon.

use crate::cli::config_arguments::{ConfigArguments, daemon_address, load_settings};
use crate::cli::live_view::print_line;
use crate::http::client::{HttpMethod, exchange};
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli snapshot yard
  ocelli snapshot yard --fresh --output now.jpg

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
    /// The file to write. Default: the camera's id with `.jpg`.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn snapshot(arguments: &SnapshotArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let output = arguments.output.clone().unwrap_or_else(|| format!("{}.jpg", arguments.camera).into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = daemon_address(&settings).and_then(|address| {
        let runtime = runtime.map_err(|error| describe(&error))?;
        runtime.block_on(fetch(address, &arguments.camera, arguments.fresh, &output))
    });
    match result {
        Ok(bytes) => {
            print_line(&format!("{}: {bytes} bytes", output.display()));
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("ocelli: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the picture; returns its size.
async fn fetch(address: SocketAddr, camera: &CameraId, fresh: bool, output: &Path) -> Result<usize, String> {
    let path = format!("/api/cameras/{camera}/snapshot?fresh={fresh}");
    let (status, jpeg) = exchange(address, HttpMethod::GET, &path, None).await.map_err(|error| describe(&error))?;
    if status != 200 {
        let answer: serde_json::Value = serde_json::from_slice(&jpeg).unwrap_or_default();
        return Err(answer["error"]["message"].as_str().map_or_else(|| format!("status {status}"), str::to_owned));
    }
    std::fs::write(output, &jpeg).map_err(|error| format!("{}: {error}", output.display()))?;
    Ok(jpeg.len())
}
