//! `ocelli ctl`: controls a running daemon over its HTTP server.

use crate::cli::config_arguments::{ConfigArguments, daemon_address, load_settings};
use crate::cli::live_view::print_line;
use crate::http::client::{ClientError, HttpMethod, request};
use crate::model::execution_provider::NodeCounts;
use crate::vision::error_chain::describe;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CtlArguments {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(subcommand)]
    command: CtlCommand,
}

const EXAMPLES: &str = "Examples:
  ocelli ctl models
  ocelli ctl scale coco-ssd --min 1 --max 4
  ocelli ctl swap coco-ssd --package coco-ssd-2 --wait
  ocelli ctl disable yard

Exit codes: 0 done, 1 refused or no daemon, 78 the settings are wrong.";

#[derive(Debug, clap::Subcommand)]
enum CtlCommand {
    /// Show the models: state, units, capacity.
    Models {
        /// Print the whole reply as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Start a stopped model.
    Start {
        #[command(flatten)]
        target: Target,
        /// The minimum of inference units. Default: as before.
        #[arg(long, value_name = "UNITS")]
        min: Option<u16>,
        /// The maximum of inference units. Without it the number stays at the minimum.
        #[arg(long, value_name = "UNITS", requires = "min")]
        max: Option<u16>,
    },
    /// Stop a model. Its units finish their work first.
    Stop {
        #[command(flatten)]
        target: Target,
    },
    /// Change the number of inference units without an interruption.
    Scale {
        #[command(flatten)]
        target: Target,
        /// The minimum of inference units.
        #[arg(long, value_name = "UNITS")]
        min: u16,
        /// The maximum of inference units. Without it the number stays at the minimum.
        #[arg(long, value_name = "UNITS")]
        max: Option<u16>,
    },
    /// Connect a camera that was disabled.
    Enable {
        /// The camera's id in the settings.
        camera: String,
    },
    /// Disconnect a camera until it is enabled again, also after a restart.
    Disable {
        /// The camera's id in the settings.
        camera: String,
    },
    /// Replace a model's package without an interruption.
    Swap {
        #[command(flatten)]
        target: Target,
        /// The package: a directory in `units.models_directory`.
        #[arg(long, value_name = "NAME")]
        package: String,
    },
}

#[derive(Debug, clap::Args)]
struct Target {
    /// The model's name in `[[models]]` of the settings.
    model: String,
    /// Wait until it is done.
    #[arg(long)]
    wait: bool,
}

/// How long `--wait` waits, and how often it asks.
const WAIT_LIMIT: Duration = Duration::from_secs(120);
const POLL_PERIOD: Duration = Duration::from_millis(500);

pub(super) fn ctl(arguments: &CtlArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = daemon_address(&settings).and_then(|address| {
        let runtime = runtime.map_err(|error| describe(&error))?;
        runtime.block_on(run(address, &arguments.command))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("ocelli: {text}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: SocketAddr, command: &CtlCommand) -> Result<(), String> {
    let units = |min: Option<u16>, max: Option<u16>| {
        let units = [("min_inference_units", min), ("max_inference_units", max)];
        units.into_iter().filter_map(|(name, units)| Some((name.to_owned(), Value::from(units?)))).collect::<Value>()
    };
    let (target, verb, body) = match command {
        CtlCommand::Models { json } => return show(address, *json).await,
        CtlCommand::Enable { camera } => return set_camera(address, camera, "enable").await,
        CtlCommand::Disable { camera } => return set_camera(address, camera, "disable").await,
        CtlCommand::Start { target, min, max } => (target, "start", units(*min, *max)),
        CtlCommand::Stop { target } => (target, "stop", json!({})),
        CtlCommand::Scale { target, min, max } => (target, "scale", units(Some(*min), *max)),
        CtlCommand::Swap { target, package } => (target, "swap", json!({"package": package})),
    };
    let path = format!("/api/models/{}/{verb}", target.model);
    send(address, HttpMethod::POST, &path, Some(&body)).await?;
    if !target.wait {
        print_line(&format!("{}: {verb} has begun", target.model));
        return Ok(());
    }
    let wanted_package = body["package"].as_str();
    wait(address, &target.model, verb, wanted_package).await
}

async fn set_camera(address: SocketAddr, camera: &str, verb: &str) -> Result<(), String> {
    send(address, HttpMethod::POST, &format!("/api/cameras/{camera}/{verb}"), Some(&json!({}))).await?;
    print_line(&format!("{camera}: {verb}d"));
    Ok(())
}

async fn send(address: SocketAddr, method: HttpMethod, path: &str, body: Option<&Value>) -> Result<Value, String> {
    let (status, answer) = request(address, method, path, body).await.map_err(|error: ClientError| describe(&error))?;
    match status {
        200..=299 => Ok(answer),
        _ => Err(answer["error"]["message"].as_str().map_or_else(|| format!("{status}: {answer}"), str::to_owned)),
    }
}

/// Waits until the model has the state that the command asked for.
async fn wait(address: SocketAddr, model: &str, verb: &str, package: Option<&str>) -> Result<(), String> {
    let begun = tokio::time::Instant::now();
    loop {
        // The daemon renews its status twice a second: the present one may be from before the command.
        tokio::time::sleep(POLL_PERIOD * 2).await;
        let view = send(address, HttpMethod::GET, &format!("/api/models/{model}"), None).await?;
        let (state, desired) = (view["state"].as_str().unwrap_or_default(), &view["desired_inference_units"]);
        let is_settled = view["next_version"].is_null();
        let has_units = &view["in_service_inference_units"] == desired;
        match (verb, state) {
            ("stop", "STOPPED") => break,
            (_, "FAILED") => return Err(format!("{model} is FAILED: {}", view["degraded"])),
            ("swap", _) if is_settled && view["package"].as_str() != package => {
                return Err(format!("{model} keeps its package: {}", view["degraded"]));
            }
            ("start" | "scale" | "swap", "RUNNING") if has_units && is_settled => break,
            _ if begun.elapsed() > WAIT_LIMIT => return Err(format!("{model} is still {state}: {}", view["degraded"])),
            _ => {}
        }
    }
    show(address, false).await
}

async fn show(address: SocketAddr, as_json: bool) -> Result<(), String> {
    let answer = send(address, HttpMethod::GET, "/api/models", None).await?;
    if as_json {
        print_line(&answer.to_string());
        return Ok(());
    }
    print_line(&format!(
        "{:<20} {:<9} {:<24} {:>9} {:>9} {:>13} {:>9}",
        "MODEL", "STATE", "PACKAGE", "UNITS", "MIN..MAX", "CAPACITY TPS", "LOAD TPS"
    ));
    for (name, model) in answer["models"].as_object().into_iter().flatten() {
        let text = |key: &str| model[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| model[key].as_f64().unwrap_or_default();
        let max = model["max_inference_units"].as_u64().map_or_else(|| "fixed".to_owned(), |max| max.to_string());
        print_line(&format!(
            "{name:<20} {:<9} {:<24} {:>9} {:>9} {:>13.1} {:>9.1}",
            text("state"),
            format!("{} {}", text("package"), text("version")),
            format!("{} of {}", model["in_service_inference_units"], model["desired_inference_units"]),
            format!("{}..{max}", model["min_inference_units"]),
            number("capacity_tps"),
            number("load_tps"),
        ));
        for (zones, nodes) in zones_by_nodes(&model["nodes"]) {
            print_line(&format!("  nodes computed in {}: {nodes}", zones.join(", ")));
        }
        for reason in model["degraded"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            print_line(&format!("  {reason}"));
        }
    }
    Ok(())
}

/// Zones whose units place their nodes alike, and where they place them.
fn zones_by_nodes(nodes: &Value) -> Vec<(Vec<String>, String)> {
    let mut found: Vec<(Vec<String>, String)> = Vec::new();
    for (zone, counts) in nodes.as_object().into_iter().flatten() {
        let counts =
            serde_json::from_value(counts.clone()).map_or_else(|_| String::new(), |it: NodeCounts| it.to_string());
        match found.iter_mut().find(|(_, other)| *other == counts) {
            Some((zones, _)) => zones.push(zone.clone()),
            None => found.push((vec![zone.clone()], counts)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_that_compute_alike_share_a_line() {
        let nodes = json!({"gpu-0": {"cpu": 2, "cuda": 160}, "gpu-1": {"cpu": 2, "cuda": 160}, "rest": {"cpu": 162}});
        let gpus = (vec!["gpu-0".to_owned(), "gpu-1".to_owned()], "cpu 2, cuda 160".to_owned());
        assert_eq!(zones_by_nodes(&nodes), [gpus, (vec!["rest".to_owned()], "cpu 162".to_owned())]);
        assert!(zones_by_nodes(&Value::Null).is_empty());
    }
}
