//! What the commands that change cameras share: they make the change, and print what is left to do.

use crate::cli::config_arguments::{ConfigArguments, EXIT_SETTINGS};
use crate::cli::live_view::print_line;
use crate::settings::editor::{Changed, EditError, Editor};
use crate::settings::environment;
use crate::vision::error_chain::describe;
use std::process::ExitCode;

/// What is left to do after a change.
const TO_APPLY: &str = "`ocelli reload` puts it in force in a running daemon.";

/// Makes a change, and prints what was done and what is left to do.
pub(super) fn change(
    config: &ConfigArguments,
    done: &str,
    make: impl FnOnce(&Editor) -> Result<Changed, EditError>,
) -> ExitCode {
    let editor = match Editor::open(&config.files(), environment()) {
        Ok(editor) => editor,
        Err(EditError::Settings(errors)) => {
            eprintln!("ocelli: nothing was changed: the settings cannot be read: {errors}");
            return ExitCode::from(EXIT_SETTINGS);
        }
        Err(error) => {
            eprintln!("ocelli: nothing was changed: {}", describe(&error));
            return ExitCode::FAILURE;
        }
    };
    match make(&editor) {
        Ok(Changed { file, older_mistakes }) => {
            print_line(&format!("{done} {}", file.display()));
            if !older_mistakes.is_empty() {
                eprintln!("ocelli: the settings have mistakes that do not come from this change:");
                older_mistakes.iter().for_each(|mistake| eprintln!("  {mistake}"));
            }
            print_line(TO_APPLY);
            ExitCode::SUCCESS
        }
        Err(EditError::Settings(errors)) => {
            eprintln!("ocelli: nothing was changed. With the change there would be {errors}");
            ExitCode::from(EXIT_SETTINGS)
        }
        Err(error) => {
            eprintln!("ocelli: nothing was changed: {}", describe(&error));
            ExitCode::FAILURE
        }
    }
}
