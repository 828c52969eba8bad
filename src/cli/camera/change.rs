//! What the commands that change cameras and people share: they make the change, and print what is left to do.

use crate::cli::config_arguments::{ConfigArguments, EXIT_SETTINGS};
use crate::cli::live_view::print_line;
use crate::settings::editor::{Changed, EditError, Editor};
use crate::settings::environment;
use crate::vision::error_chain::describe;
use std::path::PathBuf;
use std::process::ExitCode;

/// What is left to do after a change.
pub(in crate::cli) const TO_APPLY: &str = "`ocelli reload` puts it in force in a running daemon.";

/// Makes a change, and prints what was done and what is left to do.
pub(in crate::cli) fn change(
    config: &ConfigArguments,
    done: &str,
    make: impl FnOnce(&Editor) -> Result<Changed, EditError>,
) -> ExitCode {
    match attempt(config, make) {
        Ok(file) => {
            print_line(&format!("{done} {}", file.display()));
            print_line(TO_APPLY);
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

/// Makes a change and returns its file. Prints what is wrong to standard error, and returns the exit code for it.
pub(in crate::cli) fn attempt(
    config: &ConfigArguments,
    make: impl FnOnce(&Editor) -> Result<Changed, EditError>,
) -> Result<PathBuf, ExitCode> {
    let editor = match Editor::open(&config.files(), environment()) {
        Ok(editor) => editor,
        Err(EditError::Settings(errors)) => {
            eprintln!("ocelli: nothing was changed: the settings cannot be read: {errors}");
            return Err(ExitCode::from(EXIT_SETTINGS));
        }
        Err(error) => {
            eprintln!("ocelli: nothing was changed: {}", describe(&error));
            return Err(ExitCode::FAILURE);
        }
    };
    match make(&editor) {
        Ok(Changed { file, older_mistakes }) => {
            if !older_mistakes.is_empty() {
                eprintln!("ocelli: the settings have mistakes that do not come from this change:");
                older_mistakes.iter().for_each(|mistake| eprintln!("  {mistake}"));
            }
            Ok(file)
        }
        Err(EditError::Settings(errors)) => {
            eprintln!("ocelli: nothing was changed. With the change there would be {errors}");
            Err(ExitCode::from(EXIT_SETTINGS))
        }
        Err(error) => {
            eprintln!("ocelli: nothing was changed: {}", describe(&error));
            Err(ExitCode::FAILURE)
        }
    }
}
