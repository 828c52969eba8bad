//! `ocelli cluster hours`.

use crate::cli::columns::columns;
use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cluster::{Operator, SharedHours, month_of};
use crate::os::clock::wall_now_ms;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli cluster hours
  ocelli cluster hours --month 2026-11 --json

Exit codes: 0 shown, 1 etcd does not answer, 78 the settings are wrong.")]
pub(in crate::cli) struct HoursArguments {
    /// The month, as 2026-11. Default: this month.
    #[arg(long, value_name = "MONTH")]
    month: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn hours(arguments: &HoursArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| {
        let now_ms = wall_now_ms();
        let month = arguments.month.clone().unwrap_or_else(|| month_of(now_ms));
        let hours = Operator::connect(&settings.cluster).await?.status().hours.month(&month, now_ms);
        if arguments.json {
            print_line(&serde_json::to_string_pretty(&serde_json::json!({"month": month, "hours": hours}))?);
        } else {
            let rows = hours.iter().map(row).collect();
            let head = ["MODEL", "VERSION", "INFERENCE HOURS", "BOXES"];
            columns(&head, rows).iter().for_each(|line| print_line(line));
        }
        Ok(())
    })
}

fn row(hours: &SharedHours) -> Vec<String> {
    let boxes: Vec<String> = hours.boxes.iter().map(|(id, hours)| format!("{id}: {hours:.3}")).collect();
    let sum = format!("{:>15.3}", hours.inference_hours);
    vec![hours.model.clone(), hours.version.clone(), sum, boxes.join(", ")]
}
