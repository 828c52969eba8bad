//! `ocelli camera list`.

use crate::cli::config_arguments::{ConfigArguments, EXIT_SETTINGS};
use crate::cli::live_view::print_line;
use crate::settings::{Place, Places, Settings, environment};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli camera list
  ocelli camera list --json | jq -r '.[] | select(.enabled | not) | .id'

These are the cameras of the settings, whether the daemon runs or not. URLs are shown without user and password.

Exit codes: 0 listed, 78 the settings are wrong.")]
pub(in crate::cli) struct ListArguments {
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn list(arguments: &ListArguments) -> ExitCode {
    match Settings::load_placed(&arguments.config.files(), environment()) {
        Ok((settings, places)) => {
            if arguments.json {
                print_line(&as_json(&settings, &places).to_string());
            } else {
                lines(&settings, &places).iter().for_each(|line| print_line(line));
            }
            ExitCode::SUCCESS
        }
        Err(errors) => {
            eprintln!("{errors}");
            ExitCode::from(EXIT_SETTINGS)
        }
    }
}

fn lines(settings: &Settings, places: &Places) -> Vec<String> {
    let default = settings.default_model().name;
    let mut lines =
        vec![format!("{:<16} {:<9} {:>5}  {:<16} {:<40} {}", "ID", "ENABLED", "FPS", "MODEL", "URL", "SET IN")];
    lines.extend(settings.cameras.iter().enumerate().map(|(index, camera)| {
        let enabled = if camera.enabled { "yes" } else { "no" };
        let model = camera.model.as_ref().unwrap_or(&default);
        let place = places.of(&format!("cameras[{index}]"));
        format!("{:<16} {enabled:<9} {:>5}  {model:<16} {:<40} {place}", camera.id, camera.fps, camera.url)
    }));
    lines
}

fn as_json(settings: &Settings, places: &Places) -> Value {
    let default = settings.default_model().name;
    let cameras = settings.cameras.iter().enumerate().map(|(index, camera)| {
        let (file, line) = match places.of(&format!("cameras[{index}]")) {
            Place::Line { file, line } => (Some(file), Some(line)),
            _ => (None, None),
        };
        json!({
            "id": camera.id,
            "url": camera.url,
            "enabled": camera.enabled,
            "fps": (f64::from(camera.fps) * 1000.0).round() / 1000.0,
            "model": camera.model.as_ref().unwrap_or(&default),
            "file": file,
            "line": line,
        })
    });
    cameras.collect()
}
