//! `ocelli user list`.

use crate::cli::columns::columns;
use crate::cli::config_arguments::{ConfigArguments, EXIT_SETTINGS};
use crate::cli::live_view::print_line;
use crate::settings::{Settings, environment};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli user list
  ocelli user list --json | jq -r '.[].name'

Exit codes: 0 listed, 78 the settings are wrong.")]
pub(in crate::cli) struct ListArguments {
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn list(arguments: &ListArguments) -> ExitCode {
    let (settings, places) = match Settings::load_placed(&arguments.config.files(), environment()) {
        Ok(loaded) => loaded,
        Err(errors) => {
            eprintln!("{errors}");
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    let viewers = settings.viewers.iter().enumerate();
    let viewers = viewers.map(|(index, viewer)| (viewer, places.of(&format!("viewers[{index}]")).to_string()));
    if arguments.json {
        let people = viewers.map(|(it, place)| json!({"name": it.name, "role": it.role.name(), "set_in": place}));
        print_line(&people.collect::<serde_json::Value>().to_string());
        return ExitCode::SUCCESS;
    }
    let rows: Vec<Vec<String>> =
        viewers.map(|(viewer, place)| vec![viewer.name.clone(), viewer.role.name().to_owned(), place]).collect();
    match rows.is_empty() {
        true => print_line("there is nobody: `ocelli user add` adds a person"),
        false => columns(&["NAME", "ROLE", "SET IN"], rows).iter().for_each(|line| print_line(line)),
    }
    ExitCode::SUCCESS
}
