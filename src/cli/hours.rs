//! `ocelli hours`: inference hours, from the daemon's files.

use crate::cli::columns::columns;
use crate::cli::config_arguments::{ConfigArguments, load_settings};
use crate::cli::live_view::print_line;
use crate::metering::{HourRow, HoursFiles, hours_file, this_month};
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;
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
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let month = arguments.month.clone().unwrap_or_else(this_month);
    match HoursFiles::new(&settings.state_directory).read(&month) {
        Ok(rows) if arguments.csv => print_line(hours_file::csv(&rows).trim_end()),
        Ok(rows) => print(&rows, arguments.by),
        Err(error) => {
            eprintln!("ocelli: {}", describe(&error));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn print(rows: &[HourRow], by: Period) {
    let mut sums: BTreeMap<(String, &str, &str), f64> = BTreeMap::new();
    for row in rows {
        let period = row.hour.chars().take(by.characters()).collect();
        *sums.entry((period, &row.model, &row.version)).or_default() += row.unit_seconds / 3600.0;
    }
    let row = |((period, model, version), hours): ((String, &str, &str), f64)| {
        vec![period, model.to_owned(), version.to_owned(), format!("{hours:>15.3}")]
    };
    let rows = sums.into_iter().map(row).collect();
    columns(&["WHEN (UTC)", "MODEL", "VERSION", "INFERENCE HOURS"], rows).iter().for_each(|line| print_line(line));
}
