//! `ocelli check`: the settings, then whether everything they name can be reached.

use crate::appliance::child_environment::child_environment;
use crate::appliance::load_model;
use crate::cli::live_view::print_line;
use crate::cli::{ConfigArguments, describe, load_settings};
use crate::ipc::child_process::own_binary;
use crate::os::sandbox::{Sandbox, SandboxError, SandboxMode};
use crate::settings::Settings;
use crate::supervisor::one_shot::OneShotUnit;
use crate::supervisor::settings::ModelSettings;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Check the settings only; reach for nothing.
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
    if arguments.offline {
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ocelli: {}", describe(&error));
            return ExitCode::FAILURE;
        }
    };
    if runtime.block_on(reach_everything(&settings)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn reach_everything(settings: &Settings) -> bool {
    let mut all_well = report("sandbox", check_sandbox(settings));
    for model in settings.models.iter().filter(|model| model.enabled) {
        all_well &= report(&format!("model {}", model.name), check_model(settings, model).await);
    }
    if settings.mqtt.enabled {
        let broker = format!("{}:{}", settings.mqtt.host, settings.mqtt.port);
        let result = connect(&broker).await.map(|()| format!("{broker} accepts connections"));
        all_well &= report("broker", result);
    }
    for camera in settings.cameras.iter().filter(|camera| camera.enabled) {
        let result = match rtsp_address(&camera.url) {
            Some(address) => connect(&address).await.map(|()| format!("{address} accepts connections")),
            None => Err(format!("{} has no host", camera.url)),
        };
        all_well &= report(&format!("camera {}", camera.id), result);
    }
    all_well
}

/// Loads the model with the library in a real unit.
async fn check_model(settings: &Settings, model: &ModelSettings) -> Result<String, String> {
    let load = load_model(settings, model, model.package());
    let provider = load.execution_provider;
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    let unit = OneShotUnit::start(own_binary(), child_environment("warn", settings.sandbox.mode), load, limit).await;
    let well = |unit: OneShotUnit| {
        format!("package `{}` loads and infers on {provider} (nodes: {})", model.package(), unit.nodes())
    };
    unit.map(well).map_err(|error| describe(&error))
}

/// Whether this kernel confines children, if that is wanted.
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
    let is_well = result.is_ok();
    let (mark, text) = match result {
        Ok(text) => ("ok     ", text),
        Err(text) => ("FAILED ", text),
    };
    print_line(&format!("{mark} {what}: {text}"));
    is_well
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
