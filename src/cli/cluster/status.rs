//! `ocelli cluster status`.

use crate::cli::columns::columns;
use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cluster::{BoxStatus, CameraPlace, ClusterStatus, ModelPlace, Operator, UnitsAt};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli cluster status
  ocelli cluster status --json | jq '.cameras'

Exit codes: 0 shown, 1 etcd does not answer, 78 the settings are wrong.")]
pub(in crate::cli) struct StatusArguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn status(arguments: &StatusArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| {
        let status = Operator::connect(&settings.cluster).await?.status();
        if arguments.json {
            print_line(&serde_json::to_string_pretty(&status)?);
        } else {
            lines(&status).iter().for_each(|line| print_line(line));
        }
        Ok(())
    })
}

fn lines(status: &ClusterStatus) -> Vec<String> {
    let leader = status.leader.as_deref().unwrap_or("no box yet");
    let mut lines = vec![format!("cluster {}, planned by {leader}", status.name), String::new()];
    let boxes = status.boxes.iter().map(|(id, it)| box_row(id, it)).collect();
    lines.extend(columns(&["BOX", "ZONE", "CAMERAS", "USED", "IDLE", "STATE", "ADDRESS", "VERSION"], boxes));
    lines.push(String::new());
    let cameras = status.cameras.iter().map(|(id, it)| camera_row(id.as_str(), it)).collect();
    lines.extend(columns(&["CAMERA", "OWNER", "SINCE", "EPOCH", "PLANNED", "NEEDS", "WHY"], cameras));
    if !status.models.is_empty() {
        lines.push(String::new());
        let models = status.models.iter().map(|(name, it)| model_row(name, it)).collect();
        lines.extend(columns(&["MODEL", "STATE", "WANTED", "IN SERVICE", "BOXES"], models));
    }
    if !status.troubles.is_empty() {
        lines.push(String::new());
        lines.extend(status.troubles.iter().map(|trouble| format!("! {trouble}")));
    }
    lines
}

fn box_row(id: &str, it: &BoxStatus) -> Vec<String> {
    let percent = |share: f32| format!("{:.0} %", share * 100.0);
    let state = match (it.draining, it.cannot.len()) {
        (true, _) => "draining".to_owned(),
        (false, 0) => "ok".to_owned(),
        (false, some) => format!("cannot take {some}"),
    };
    let zone = if it.zone.is_empty() { "-".to_owned() } else { it.zone.clone() };
    let (cameras, used, idle) = (it.cameras.to_string(), percent(it.used), percent(it.idle_processors));
    vec![id.to_owned(), zone, cameras, used, idle, state, it.address.clone(), it.version.clone()]
}

fn camera_row(id: &str, it: &CameraPlace) -> Vec<String> {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let pin = it.pin.as_ref().map(|pin| format!("pinned to {pin}; ")).unwrap_or_default();
    vec![
        id.to_owned(),
        or_dash(&it.owner),
        or_dash(&it.since),
        or_dash(&it.epoch.map(|epoch| epoch.to_string())),
        or_dash(&it.planned),
        format!("{:.1} TPS, {:.2} cores", it.needs_tps, it.needs_cores),
        format!("{pin}{}", it.why),
    ]
}

fn model_row(name: &str, it: &ModelPlace) -> Vec<String> {
    let wanted = match (it.is_wanted, it.max_units) {
        (false, _) => "none".to_owned(),
        (true, Some(max)) => format!("{} to {max}", it.min_units),
        (true, None) => it.min_units.to_string(),
    };
    let at = |(id, at): (&String, &UnitsAt)| (at.in_service > 0).then(|| format!("{id}: {}", at.in_service));
    let boxes: Vec<String> = it.boxes.iter().filter_map(at).collect();
    vec![name.to_owned(), it.state.name().to_owned(), wanted, it.in_service.to_string(), boxes.join(", ")]
}
