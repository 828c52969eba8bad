//! `ocelli status`: the health of a running daemon.

mod table;

use crate::cli::config_arguments::{ConfigArguments, load_settings};
use crate::cli::daemon::{Daemon, DaemonError};
use crate::cli::live_view::print_line;
use crate::control::health::BoxHealth;
use crate::http::client::HttpMethod;
use crate::settings::Settings;
use crate::vision::health_status::HealthStatus;
use serde_json::Value;
use std::process::ExitCode;

/// Something is wrong with the box.
const EXIT_DEGRADED: u8 = 1;

/// sysexits.h EX_UNAVAILABLE: no daemon answers, so nothing is known.
pub(super) const EXIT_NO_ANSWER: u8 = 69;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli status
  ocelli status --json | jq -r '.reasons[]'
  ocelli status > /dev/null || echo \"the box needs somebody\"

Exit codes: 0 all is well, 1 something is wrong, 69 no daemon answers, 78 the settings are wrong.")]
pub(super) struct StatusArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Print the whole answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn status(arguments: &StatusArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match ask_health(&settings) {
        Ok((answer, health)) => {
            print_line(&if arguments.json { answer.to_string() } else { table::table(&health) });
            match health.status {
                HealthStatus::Ok => ExitCode::SUCCESS,
                HealthStatus::Degraded => ExitCode::from(EXIT_DEGRADED),
            }
        }
        Err(error) => {
            eprintln!("ocelli: {error}");
            ExitCode::from(EXIT_NO_ANSWER)
        }
    }
}

/// The health of the running daemon: the answer as it came and as it is understood.
pub(super) fn ask_health(settings: &Settings) -> Result<(Value, BoxHealth), DaemonError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(ask(settings)),
        Err(error) => Err(DaemonError::NoAnswer(format!("no request can be sent: {error}"))),
    }
}

async fn ask(settings: &Settings) -> Result<(Value, BoxHealth), DaemonError> {
    let daemon = Daemon::of(settings)?;
    let (box_id, answer) = daemon.ask_json(HttpMethod::GET, "/api/status", None).await?;
    let health = serde_json::from_value(answer.clone()).map_err(|error| {
        DaemonError::NoAnswer(format!("the answer of box {box_id} is that of another version of ocelli: {error}"))
    })?;
    daemon.warn_of_another_box(&box_id);
    Ok((answer, health))
}
