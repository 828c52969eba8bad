//! `ocelli ctl`: controls a running daemon over its HTTP server.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::daemon::{Daemon, DaemonError};
use crate::cli::live_view::print_line;
use crate::http::client::HttpMethod;
use crate::model::execution_provider::NodeCounts;
use serde_json::{Value, json};
use std::error::Error;
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
  ocelli ctl drain

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
    /// Have the other boxes of the cluster take this box's cameras over, without a gap. It takes none until `undrain` or a restart.
    Drain,
    /// Take cameras of the cluster again.
    Undrain,
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
    with_settings(&arguments.config, async |settings| run(&Daemon::of(settings)?, &arguments.command).await)
}

async fn run(daemon: &Daemon, command: &CtlCommand) -> Result<(), Box<dyn Error>> {
    let units = |min: Option<u16>, max: Option<u16>| {
        let units = [("min_inference_units", min), ("max_inference_units", max)];
        units.into_iter().filter_map(|(name, units)| Some((name.to_owned(), Value::from(units?)))).collect::<Value>()
    };
    let (target, verb, body) = match command {
        CtlCommand::Models { json } => return Ok(show(daemon, *json).await?),
        CtlCommand::Enable { camera } => return Ok(set_camera(daemon, camera, "enable").await?),
        CtlCommand::Disable { camera } => return Ok(set_camera(daemon, camera, "disable").await?),
        CtlCommand::Drain => return Ok(drain(daemon, "drain").await?),
        CtlCommand::Undrain => return Ok(drain(daemon, "undrain").await?),
        CtlCommand::Start { target, min, max } => (target, "start", units(*min, *max)),
        CtlCommand::Stop { target } => (target, "stop", json!({})),
        CtlCommand::Scale { target, min, max } => (target, "scale", units(Some(*min), *max)),
        CtlCommand::Swap { target, package } => (target, "swap", json!({"package": package})),
    };
    let path = format!("/api/models/{}/{verb}", target.model);
    let box_id = command_box(daemon, &path, &body).await?;
    if !target.wait {
        print_line(&format!("box {box_id}: {}: {verb} has begun", target.model));
        return Ok(());
    }
    let wanted_package = body["package"].as_str();
    wait(daemon, &target.model, verb, wanted_package).await
}

/// Sends a command, and tells what its answer warns of. Returns the box that has accepted it.
async fn command_box(daemon: &Daemon, path: &str, body: &Value) -> Result<String, DaemonError> {
    let (box_id, answer) = daemon.ask_json(HttpMethod::POST, path, Some(body)).await?;
    daemon.warn_of_another_box(&box_id);
    if let Some(warning) = answer["warning"].as_str() {
        eprintln!("ocelli: box {box_id}: {warning}");
    }
    Ok(box_id)
}

async fn drain(daemon: &Daemon, verb: &str) -> Result<(), DaemonError> {
    let box_id = command_box(daemon, &format!("/api/cluster/{verb}"), &json!({})).await?;
    let what = match verb {
        "drain" => "gives its cameras of the cluster away: `ocelli cluster status` shows how far it is",
        _ => "takes cameras of the cluster again",
    };
    print_line(&format!("box {box_id}: {what}"));
    Ok(())
}

async fn set_camera(daemon: &Daemon, camera: &str, verb: &str) -> Result<(), DaemonError> {
    let path = format!("/api/cameras/{camera}/{verb}");
    let box_id = command_box(daemon, &path, &json!({})).await?;
    print_line(&format!("box {box_id}: {camera}: {verb}d"));
    Ok(())
}

/// Waits until the model has the state that the command asked for.
async fn wait(daemon: &Daemon, model: &str, verb: &str, package: Option<&str>) -> Result<(), Box<dyn Error>> {
    let begun = tokio::time::Instant::now();
    loop {
        // The daemon renews its status twice a second: the present one may be from before the command.
        tokio::time::sleep(POLL_PERIOD * 2).await;
        let (box_id, view) = daemon.ask_json(HttpMethod::GET, &format!("/api/models/{model}"), None).await?;
        let fail = |what: String| Err(format!("box {box_id}: {model} {what}: {}", view["degraded"]).into());
        let is_settled = view["next_version"].is_null();
        // Where boxes share the model, all of them are to do it; a package is replaced at one box.
        let all = Some(&view["cluster"]).filter(|all| all.is_object() && verb != "swap");
        let units = |of: &Value, key: &str| of[key].as_u64().unwrap_or_default();
        let has_units = match all {
            Some(all) => units(all, "in_service_inference_units") >= units(all, "min_inference_units"),
            None => units(&view, "in_service_inference_units") == units(&view, "desired_inference_units"),
        };
        let state = all.unwrap_or(&view)["state"].as_str().unwrap_or_default();
        match (verb, state) {
            ("stop", "STOPPED") => break,
            (_, "FAILED") => return fail("is FAILED".to_owned()),
            ("swap", _) if is_settled && view["package"].as_str() != package => {
                return fail("keeps its package".to_owned());
            }
            ("start" | "scale" | "swap", "RUNNING") if has_units && is_settled => break,
            _ if begun.elapsed() > WAIT_LIMIT => return fail(format!("is still {state}")),
            _ => {}
        }
    }
    Ok(show(daemon, false).await?)
}

async fn show(daemon: &Daemon, as_json: bool) -> Result<(), DaemonError> {
    let (box_id, answer) = daemon.ask_json(HttpMethod::GET, "/api/models", None).await?;
    daemon.warn_of_another_box(&box_id);
    if as_json {
        print_line(&answer.to_string());
        return Ok(());
    }
    print_line(&format!("box {box_id}"));
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
            package(model),
            format!("{} of {}", model["in_service_inference_units"], model["desired_inference_units"]),
            format!("{}..{max}", model["min_inference_units"]),
            number("capacity_tps"),
            number("load_tps"),
        ));
        if let Some(all) = Some(&model["cluster"]).filter(|all| all.is_object()) {
            let max = all["max_inference_units"].as_u64().map_or_else(|| "fixed".to_owned(), |max| max.to_string());
            let (state, units) = (all["state"].as_str().unwrap_or_default(), &all["in_service_inference_units"]);
            let (min, boxes) = (&all["min_inference_units"], &all["boxes"]);
            print_line(&format!("  all boxes together: {state}, {units} units on {boxes} boxes, {min}..{max} wanted"));
        }
        for (zones, nodes) in zones_by_nodes(&model["nodes"]) {
            print_line(&format!("  nodes computed in {}: {nodes}", zones.join(", ")));
        }
        for reason in model["degraded"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            print_line(&format!("  {reason}"));
        }
    }
    Ok(())
}

/// Package and version, and the file where it is not the float one.
fn package(model: &Value) -> String {
    let text = |key: &str| model[key].as_str().unwrap_or_default();
    match text("variant") {
        "" | "float" => format!("{} {}", text("package"), text("version")),
        variant => format!("{} {} {variant}", text("package"), text("version")),
    }
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
