//! The JSON of commands over MQTT, and of the replies to them.

use crate::publish::commands::IncomingCommand;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The schema name of [`ReplyMessage`].
pub const SCHEMA_REPLY: &str = "ocelli.reply.v1";

/// The payload of `command/enable`, `command/disable` and `command/snapshot`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CameraCommand {
    /// The camera's id.
    pub camera: String,
    /// Returned in the reply.
    pub id: Option<Value>,
}

/// The payload of `command/start`, `command/stop`, `command/scale` and `command/swap`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelCommand {
    /// The model's name.
    pub model: String,
    /// Lower limit of inference units; `scale` needs it, `start` takes it.
    pub min_inference_units: Option<u16>,
    /// Upper limit of the autoscaler; without it the number of units is fixed.
    pub max_inference_units: Option<u16>,
    /// Directory name of the package to swap to; `swap` needs it.
    pub package: Option<String>,
    /// Returned in the reply.
    pub id: Option<Value>,
}

/// The reply to a command, on its response topic or `<p>/<box>/reply`. `schema` is `ocelli.reply.v1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplyMessage {
    /// The schema of this message.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_REPLY)))]
    pub schema: &'static str,
    /// The name of the command, such as `scale`.
    pub command: String,
    /// The command's `id`, or null.
    pub id: Option<Value>,
    /// False if nothing was changed.
    pub accepted: bool,
    /// What the operator should know of an accepted command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Why the command was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ReplyError>,
}

/// Why a command was not accepted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplyError {
    /// A sentence for the operator.
    pub message: String,
}

impl ReplyMessage {
    /// The reply to a command that was accepted.
    pub fn accepted(command: &IncomingCommand, id: Option<Value>, warning: Option<String>) -> Self {
        let command = command.name.clone();
        Self { schema: SCHEMA_REPLY, command, id, accepted: true, warning, error: None }
    }

    /// The reply to a command that was not accepted.
    pub fn refused(command: &IncomingCommand, id: Option<Value>, message: String) -> Self {
        let (command, error) = (command.name.clone(), Some(ReplyError { message }));
        Self { schema: SCHEMA_REPLY, command, id, accepted: false, warning: None, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::commands::ReplyTo;
    use serde_json::json;

    #[test]
    fn a_reply_names_its_command_and_returns_its_id() {
        let command = IncomingCommand { name: "scale".into(), payload: vec![], reply_to: ReplyTo::default() };
        let accepted = ReplyMessage::accepted(&command, Some(json!(7)), None);
        let expected = json!({"schema": "ocelli.reply.v1", "command": "scale", "id": 7, "accepted": true});
        assert_eq!(serde_json::to_value(accepted).unwrap(), expected);
        let refused = serde_json::to_value(ReplyMessage::refused(&command, None, "no such model".into())).unwrap();
        assert_eq!((&refused["id"], &refused["accepted"]), (&Value::Null, &json!(false)));
        assert_eq!(refused["error"]["message"], "no such model");
    }
}
