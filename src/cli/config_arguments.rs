//! What most commands share: they read the settings, reach the daemon, and end with an exit code.

use crate::os::service_manager::journal_reads_standard_error;
use crate::settings::Settings;
use crate::telemetry::journal;
use crate::vision::error_chain::describe;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// sysexits.h EX_CONFIG: the settings are wrong. `RestartPreventExitStatus=` of systemd/ocelli.service names it.
pub(super) const EXIT_SETTINGS: u8 = 78;

/// The settings files to read.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ConfigArguments {
    /// Settings file. May be given more than once: later files override earlier ones. Default: configs/ocelli.toml in the
    /// working directory, else /etc/ocelli/ocelli.toml. Then conf.d/*.toml beside the first one and settings.d/*.toml in the
    /// state directory are read.
    #[arg(long, short, value_name = "FILE", env = "OCELLI_CONFIG_FILE", global = true)]
    config: Vec<PathBuf>,
}

/// The default settings files: that of a checkout, and that of `make install`.
const USUAL_SETTINGS: [&str; 2] = ["configs/ocelli.toml", "/etc/ocelli/ocelli.toml"];

impl ConfigArguments {
    /// The files to read.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        if !self.config.is_empty() {
            return self.config.clone();
        }
        let [first, last] = USUAL_SETTINGS.map(PathBuf::from);
        vec![if first.exists() { first } else { last }]
    }
}

/// Reads the settings, or prints every mistake.
pub(super) fn load_settings(config: &ConfigArguments) -> Result<Settings, ExitCode> {
    Settings::load(&config.files()).map_err(|errors| {
        print_failure(&errors.to_string());
        ExitCode::from(EXIT_SETTINGS)
    })
}

/// Prints why a command fails to standard error, with priorities if the systemd journal reads it.
pub(super) fn print_failure(text: &str) {
    match journal_reads_standard_error() {
        true => eprint!("{}", journal::failure(text)),
        false => eprintln!("{text}"),
    }
}

/// Reads the settings and runs a command with them on this thread.
pub(super) fn with_settings(
    config: &ConfigArguments,
    work: impl AsyncFnOnce(&Settings) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let settings = match load_settings(config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    conclude(runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(work(&settings))))
}

/// Prints an error to standard error, and returns the exit code.
pub(super) fn conclude(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_failure(&format!("ocelli: {}", describe(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}
