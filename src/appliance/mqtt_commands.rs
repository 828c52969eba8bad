//! Executes MQTT commands: start, stop, scale or swap a model; take a picture of a camera, or switch it on or off.

use crate::control::snapshots::{SnapshotFreshness, SnapshotReply};
use crate::control::unit_numbers::UnitNumbers;
use crate::control::{Command, Control};
use crate::os::clock::monotonic_now;
use crate::publish::command_message::{CameraCommand, ModelCommand, ReplyMessage};
use crate::publish::commands::{Commands, IncomingCommand, Reply};
use crate::vision::line_limit::LineLimit;

/// Lines about commands in ten seconds: more than a person or an automation sends, fewer than fill a disk.
const COMMAND_LINES: u32 = 30;

/// Serves until the sink is gone, one command at a time. A slow disk delays a reply by up to ten seconds, and a swap
/// waits until its package was read.
pub async fn serve(control: Control, mut commands: Commands) {
    let (mut lines, mut dropped) = (LineLimit::of(COMMAND_LINES), LineLimit::default());
    while let Some(incoming) = commands.incoming.recv().await {
        let answer = answer(&control, &incoming).await;
        let payload = match serde_json::to_string(&answer) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, "the reply to a command cannot be written as JSON");
                continue;
            }
        };
        if let Some(left_out) = lines.admit(monotonic_now()) {
            let (command, count) = (&incoming.name, left_out.count());
            tracing::info!(command, answer = payload, left_out = count, "an MQTT command{left_out}");
        }
        let reply = Reply { to: incoming.reply_to, payload: payload.into_bytes() };
        if commands.replies.try_send(reply).is_err()
            && let Some(left_out) = dropped.admit(monotonic_now())
        {
            let count = left_out.count();
            tracing::warn!(left_out = count, "a reply is dropped: the queue of replies is full{left_out}");
        }
    }
}

async fn answer(control: &Control, incoming: &IncomingCommand) -> ReplyMessage {
    let refused = |id, message: String| ReplyMessage::refused(incoming, id, message);
    let not_valid = |error: serde_json::Error| refused(None, format!("the payload is not valid: {error}"));
    if let "snapshot" | "enable" | "disable" = incoming.name.as_str() {
        let CameraCommand { camera, id } = match serde_json::from_slice(&incoming.payload) {
            Ok(payload) => payload,
            Err(error) => return not_valid(error),
        };
        if incoming.name != "snapshot" {
            let command = Command::SwitchCamera { camera, enabled: incoming.name == "enable" };
            return match control.ask(command).await {
                Ok(accepted) => ReplyMessage::accepted(incoming, id, accepted.warning),
                Err(error) => refused(id, error.to_string()),
            };
        }
        // The picture is published on the camera's topic.
        return match control.snapshots.ask(camera, SnapshotFreshness::Published).await {
            SnapshotReply::Refused(refusal) => refused(id, refusal.to_string()),
            SnapshotReply::Accepted | SnapshotReply::Taken(_) => ReplyMessage::accepted(incoming, id, None),
        };
    }
    let payload: ModelCommand = match serde_json::from_slice(&incoming.payload) {
        Ok(payload) => payload,
        Err(error) => return not_valid(error),
    };
    let id = payload.id.clone();
    let command = match command(&incoming.name, payload) {
        Ok(command) => command,
        Err(message) => return refused(id, message),
    };
    match control.ask(command).await {
        Ok(accepted) => ReplyMessage::accepted(incoming, id, accepted.warning),
        Err(error) => refused(id, error.to_string()),
    }
}

fn command(name: &str, payload: ModelCommand) -> Result<Command, String> {
    let ModelCommand { model, min_inference_units, max_inference_units, package, .. } = payload;
    let units = UnitNumbers { min_inference_units, max_inference_units };
    match name {
        "start" => {
            let bounds = units.bounds().map_err(|error| error.to_string())?;
            Ok(Command::StartModel { model, bounds })
        }
        "stop" => Ok(Command::StopModel { model }),
        "scale" => {
            let bounds = units.required_bounds().map_err(|error| error.to_string())?;
            Ok(Command::ScaleModel { model, bounds })
        }
        "swap" => Ok(Command::SwapModel { model, package: package.ok_or("`package` is missing")? }),
        _ => Err(format!(
            "there is no command `{name}`; there are start, stop, scale, swap, snapshot, enable and disable"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::pool::UnitBounds;

    fn parse(name: &str, payload: &str) -> Result<Command, String> {
        command(name, serde_json::from_str(payload).map_err(|error| error.to_string())?)
    }

    #[test]
    fn each_command_needs_its_part() {
        let scaled = parse("scale", r#"{"model": "m", "min_inference_units": 1, "max_inference_units": 2}"#);
        let bounds = UnitBounds { min: 1, max: Some(2) };
        assert_eq!(scaled, Ok(Command::ScaleModel { model: "m".into(), bounds }));
        assert_eq!(parse("start", r#"{"model": "m"}"#), Ok(Command::StartModel { model: "m".into(), bounds: None }));
        let no_minimum = r#"{"model": "m", "max_inference_units": 2}"#;
        assert!(parse("start", no_minimum).unwrap_err().contains("min_inference_units"));
        assert!(parse("scale", r#"{"model": "m"}"#).unwrap_err().contains("min_inference_units"));
        assert!(parse("swap", r#"{"model": "m"}"#).unwrap_err().contains("package"));
        assert!(parse("reboot", r#"{"model": "m"}"#).unwrap_err().contains("reboot"));
        assert!(parse("stop", r#"{"model": "m", "modle": 1}"#).is_err());
    }
}
