//! `ocelli hours`: inference hours, of the daemon that runs, else from its files.

use crate::catalog::CatalogStore;
use crate::cli::columns::columns;
use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::daemon::Daemon;
use crate::cli::live_view::print_line;
use crate::http::client::HttpMethod;
use crate::metering::{HourRow, HoursFiles, hours_file, this_month};
use crate::settings::Settings;
use serde::Deserialize as _;
use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ocelli hours\n  ocelli hours --month 2026-11 --by day\n  ocelli hours --month 2026-11 --csv > november.csv"
)]
pub(super) struct HoursArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The month, as 2026-11. Default: this month.
    #[arg(long, value_name = "MONTH")]
    month: Option<String>,
    /// Sum up by hour, day or month.
    #[arg(long, value_enum, default_value = "month")]
    by: Period,
    /// Print every hour as CSV: hour, model, version, unit seconds.
    #[arg(long, conflicts_with = "by")]
    csv: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Period {
    Hour,
    Day,
    Month,
}

impl Period {
    /// How many characters of `2026-11-24T08` name it.
    fn characters(self) -> usize {
        match self {
            Self::Hour => 13,
            Self::Day => 10,
            Self::Month => 7,
        }
    }
}

pub(super) fn hours(arguments: &HoursArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| {
        let rows = rows(settings, &arguments.month.clone().unwrap_or_else(this_month)).await?;
        match arguments.csv {
            true => print_line(hours_file::csv(&rows).trim_end()),
            false => print(&rows, arguments.by),
        }
        Ok(())
    })
}

/// The files have what was counted up to a minute ago, the daemon all of it. It is no fault that none runs.
async fn rows(settings: &Settings, month: &str) -> io::Result<Vec<HourRow>> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if month.chars().all(is_word)
        && let Ok(daemon) = Daemon::of(settings)
        && let Ok((box_id, answer)) = daemon.ask_json(HttpMethod::GET, &format!("/api/hours?month={month}"), None).await
        && box_id == settings.box_id
        && let Ok(rows) = Vec::deserialize(&answer["hours"])
    {
        return Ok(rows);
    }
    HoursFiles::new(&settings.state_directory).read(month)
}

fn print(rows: &[HourRow], by: Period) {
    let mut sums: BTreeMap<(String, &str, &str), f64> = BTreeMap::new();
    for row in rows {
        let period = row.hour.chars().take(by.characters()).collect();
        let (project, version) = CatalogStore::names_of(&row.model, &row.version);
        *sums.entry((period, project, version)).or_default() += row.unit_seconds / 3600.0;
    }
    let row = |((period, project, version), hours): ((String, &str, &str), f64)| {
        vec![period, project.to_owned(), version.to_owned(), format!("{hours:>15.3}")]
    };
    let rows = sums.into_iter().map(row).collect();
    columns(&["WHEN (UTC)", "PROJECT", "VERSION", "INFERENCE HOURS"], rows).iter().for_each(|line| print_line(line));
}
