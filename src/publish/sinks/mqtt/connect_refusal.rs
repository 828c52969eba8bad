//! Why a broker refuses a connection, in words for the operator, with the setting to change.

use rumqttc_v4 as v4;
use rumqttc_v5::ConnectReturnCode;

/// The broker's reason code of MQTT 5, section 3.2.2.2.
pub(super) fn of_v5(code: ConnectReturnCode) -> String {
    use ConnectReturnCode::{
        BadClientId, BadUserNamePassword, Banned, ClientIdentifierNotValid, ConnectionRateExceeded, NotAuthorized,
        RefusedProtocolVersion, ServerBusy, ServerUnavailable, ServiceUnavailable, UnsupportedProtocolVersion,
    };
    match code {
        BadUserNamePassword | NotAuthorized => LOGIN.to_owned(),
        BadClientId | ClientIdentifierNotValid => CLIENT_ID.to_owned(),
        UnsupportedProtocolVersion | RefusedProtocolVersion => {
            "it does not know MQTT 5: set mqtt.protocol to \"3.1.1\"".to_owned()
        }
        ServerUnavailable | ServerBusy | ServiceUnavailable => BUSY.to_owned(),
        ConnectionRateExceeded => "it accepts no more connections for now".to_owned(),
        Banned => "it has banned this client: ask whoever runs it".to_owned(),
        other => format!("it refuses the connection ({other:?})"),
    }
}

/// The broker's return code of MQTT 3.1.1, section 3.2.2.3.
pub(super) fn of_v311(code: v4::ConnectReturnCode) -> String {
    use v4::ConnectReturnCode::{
        BadClientId, BadUserNamePassword, NotAuthorized, RefusedProtocolVersion, ServiceUnavailable, Success,
    };
    match code {
        BadUserNamePassword | NotAuthorized => LOGIN.to_owned(),
        BadClientId => CLIENT_ID.to_owned(),
        RefusedProtocolVersion => "it does not know MQTT 3.1.1: set mqtt.protocol to \"5\"".to_owned(),
        ServiceUnavailable => BUSY.to_owned(),
        Success => "it refuses the connection".to_owned(),
    }
}

const LOGIN: &str = "it refuses the login: give a user and a password that it knows in mqtt.credentials";
const CLIENT_ID: &str = "it refuses this client id: set mqtt.client_id";
const BUSY: &str = "it is not available for now";
