//! `ocelli reload`: has a running daemon read its settings again.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::daemon::Daemon;
use crate::cli::live_view::print_line;
use crate::http::client::HttpMethod;
use crate::settings::Settings;
use serde_json::{Value, json};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReloadArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Print the daemon's reply as JSON.
    #[arg(long)]
    json: bool,
}

/// More than the daemon takes to read everything, packages of models included, or to give up a disk that hangs.
const ANSWER_LIMIT: Duration = Duration::from_secs(75);

const EXAMPLES: &str =
    "Cameras, scenes, tracking, snapshots, models, MQTT, log level, access keys, viewers and certificates change
without a restart; other keys are named.
A mistake in the settings changes nothing.

Examples:
  ocelli reload
  ocelli reload --config /etc/ocelli/ocelli.toml --json

Exit codes: 0 done, 1 refused or no daemon, 78 the settings are wrong.";

/// The mistakes in the settings are printed here as well as by the daemon, and no daemon need run for that.
pub(super) fn reload(arguments: &ReloadArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| ask(settings, arguments.json).await)
}

async fn ask(settings: &Settings, as_json: bool) -> Result<(), Box<dyn Error>> {
    let daemon = Daemon::of(settings)?.within(ANSWER_LIMIT);
    let (box_id, answer) = daemon.ask_json(HttpMethod::POST, "/api/reload", Some(&json!({}))).await?;
    daemon.warn_of_another_box(&box_id);
    if as_json {
        print_line(&answer.to_string());
        return Ok(());
    }
    let texts = |key: &str| answer[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    let waiting = texts("needs_restart").map(|key| format!("{key}: changed in the file; restart ocelli to apply it"));
    let mut lines: Vec<String> = texts("changed").map(str::to_owned).chain(waiting).collect();
    if lines.is_empty() {
        lines.push("nothing has changed".to_owned());
    }
    lines.iter().for_each(|line| print_line(&format!("box {box_id}: {line}")));
    Ok(())
}
