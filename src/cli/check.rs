//! `ocelli check`: the settings and the model packages, then whether everything they name can be reached.

use crate::appliance::child_environment::child_environment;
use crate::appliance::{load_model, swapped_package};
use crate::cli::config_arguments::{ConfigArguments, EXIT_SETTINGS, load_settings};
use crate::cli::live_view::print_line;
use crate::ipc::child_process::own_binary;
use crate::model::package::Package;
use crate::os::sandbox::{Sandbox, SandboxError, SandboxMode};
use crate::settings::{BoxFacts, Settings};
use crate::supervisor::one_shot::OneShotUnit;
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Check the settings and the model packages only; connect to nothing.
    #[arg(long)]
    offline: bool,
}

/// How long a camera or the broker may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn check(arguments: &CheckArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    print_line(&format!("ok      settings: {} cameras, box `{}`", settings.cameras.len(), settings.box_id));
    settings.advice(&BoxFacts::read()).iter().for_each(|advice| print_line(&format!("warning {advice}")));
    let (good_models, are_packages_good) = check_packages(&settings);
    let mut is_reached = true;
    if !arguments.offline {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("ocelli: {}", describe(&error));
                return ExitCode::FAILURE;
            }
        };
        is_reached = runtime.block_on(connect_to_everything(&settings, &good_models));
    }
    match (are_packages_good, is_reached) {
        (false, _) => ExitCode::from(EXIT_SETTINGS),
        (true, false) => ExitCode::FAILURE,
        (true, true) => ExitCode::SUCCESS,
    }
}

/// Reads the package of each model, also of a disabled one: a command may start it. Returns the models whose package is
/// good, and whether everything is.
fn check_packages(settings: &Settings) -> (Vec<&ModelSettings>, bool) {
    let (mut good_models, mut is_all_good) = (Vec::new(), true);
    for model in &settings.models {
        // The daemon runs the package that a command has swapped in, or that of the settings if it is not usable.
        let swapped = swapped_package(settings, model);
        let mut packages: Vec<Package> = Vec::new();
        for name in [Some(model.package()), swapped.as_deref()].into_iter().flatten() {
            let package = settings.check_package(model, name);
            let result = package.as_ref().map(in_words).map_err(String::clone);
            is_all_good &= report(&format!("package of {}", model.name), result);
            packages.extend(package);
        }
        if packages.iter().any(|package| package.name == model.package()) {
            good_models.push(model);
        }
        // Without a package nobody knows the labels.
        if !packages.is_empty() {
            for mistake in settings.unknown_labels(&model.name, &packages) {
                is_all_good &= report(&format!("labels of {}", model.name), Err(mistake));
            }
        }
    }
    (good_models, is_all_good)
}

fn in_words(package: &Package) -> String {
    format!("`{}` is whole, version {}", package.name, package.version)
}

async fn connect_to_everything(settings: &Settings, good_models: &[&ModelSettings]) -> bool {
    let mut is_all_good = report("sandbox", check_sandbox(settings));
    for model in good_models.iter().filter(|model| model.enabled) {
        is_all_good &= report(&format!("model {}", model.name), check_model(settings, model).await);
    }
    if settings.mqtt.enabled {
        let broker = format!("{}:{}", settings.mqtt.host, settings.mqtt.port);
        let result = connect(&broker).await.map(|()| format!("{broker} accepts connections"));
        is_all_good &= report("broker", result);
    }
    for camera in settings.cameras.iter().filter(|camera| camera.enabled) {
        let result = match rtsp_address(&camera.url) {
            Some(address) => connect(&address).await.map(|()| format!("{address} accepts connections")),
            None => Err(format!("{} has no host", camera.url)),
        };
        is_all_good &= report(&format!("camera {}", camera.id), result);
    }
    is_all_good
}

/// Loads the model in a real unit, with the library of the settings.
async fn check_model(settings: &Settings, model: &ModelSettings) -> Result<String, String> {
    let load = load_model(settings, model, model.package());
    let provider = load.execution_provider;
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    let unit = OneShotUnit::start(own_binary(), child_environment("warn", settings.sandbox.mode), load, limit).await;
    let text = |unit: OneShotUnit| {
        format!("package `{}` loads and infers on {provider} (nodes: {})", model.package(), unit.nodes())
    };
    unit.map(text).map_err(|error| describe(&error))
}

/// Whether this kernel can confine child processes, if the settings ask for it.
fn check_sandbox(settings: &Settings) -> Result<String, String> {
    match settings.sandbox.mode {
        SandboxMode::Off => Ok("off by `sandbox.mode`".into()),
        _ if Sandbox::is_supported() => Ok("capture processes and units are confined".into()),
        SandboxMode::BestEffort => Ok(format!("children are not confined: {}", SandboxError::NotEnforced)),
        SandboxMode::Required => Err(SandboxError::NotEnforced.to_string()),
    }
}

async fn connect(address: &str) -> Result<(), String> {
    match timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{address} cannot be reached: {error}; check address, cable and firewall")),
        Err(_) => Err(format!("{address} does not answer; check address, cable and firewall")),
    }
}

/// `host:port` of an RTSP URL; 554 or 322 (RFC 7826) when it names no port.
fn rtsp_address(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next().filter(|authority| !authority.is_empty())?;
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let default = if scheme == "rtsps" { 322 } else { 554 };
    Some(if has_port { authority.to_owned() } else { format!("{authority}:{default}") })
}

fn report(what: &str, result: Result<String, String>) -> bool {
    let is_good = result.is_ok();
    let (mark, text) = match result {
        Ok(text) => ("ok     ", text),
        Err(text) => ("FAILED ", text),
    };
    print_line(&format!("{mark} {what}: {text}"));
    is_good
}

#[cfg(test)]
mod tests {
    use super::rtsp_address;

    #[test]
    fn the_port_of_a_camera_is_in_its_url_or_the_usual_one() {
        assert_eq!(rtsp_address("rtsp://cam/x").as_deref(), Some("cam:554"));
        assert_eq!(rtsp_address("rtsps://cam/x").as_deref(), Some("cam:322"));
        assert_eq!(rtsp_address("rtsp://10.0.0.1:8554/x").as_deref(), Some("10.0.0.1:8554"));
        assert_eq!(rtsp_address("rtsp://[fd00::1]:8554/x").as_deref(), Some("[fd00::1]:8554"));
        assert_eq!(rtsp_address("rtsp:///x"), None);
    }
}
