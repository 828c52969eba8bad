//! Why a connection failed, for both protocol versions, as a sentence that is stable for the same cause.

use crate::publish::sinks::mqtt::connect_refusal;
use rumqttc_v4 as v4;
use rumqttc_v5 as v5;
use rustls::AlertDescription;
use std::error::Error;
use std::io::{self, ErrorKind};
use v5::{ConnectReturnCode, DisconnectReasonCode};

/// Why a connection failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// The broker rejects this client: a soon retry would fail as well.
    pub(super) is_refusal: bool,
    pub(super) reason: String,
    /// Set when the broker closed the connection without an MQTT packet.
    pub(super) abrupt: Option<AbruptEnd>,
}

/// How a broker closes a connection without an MQTT packet. Before the first packet this means a mistake in `[mqtt]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AbruptEnd {
    Closed,
    /// A TLS alert gives the reason. With TLS 1.3 a broker checks our certificate after our side of the handshake.
    Alert(AlertDescription),
}

impl Failure {
    /// From the broker's reason codes, MQTT 5, sections 3.2.2.2 and 3.14.2.1: a busy broker is retried soon, one that
    /// rejects this client rarely.
    pub(super) fn v5(error: &v5::ConnectionError) -> Self {
        use v5::ConnectionError::{ConnectionRefused, MqttState};
        let is_refusal = match error {
            ConnectionRefused(code) | MqttState(v5::StateError::ConnFail { reason: code }) => !matches!(
                code,
                ConnectReturnCode::ServerUnavailable
                    | ConnectReturnCode::ServerBusy
                    | ConnectReturnCode::ServiceUnavailable
            ),
            MqttState(v5::StateError::ServerDisconnect { reason_code, .. }) => {
                if *reason_code == DisconnectReasonCode::SessionTakenOver {
                    let reason = "another client has connected with this box's client id: set mqtt.client_id";
                    return Self { is_refusal: true, reason: reason.to_owned(), abrupt: None };
                }
                matches!(
                    reason_code,
                    DisconnectReasonCode::NotAuthorized
                        | DisconnectReasonCode::AdministrativeAction
                        | DisconnectReasonCode::QuotaExceeded
                        | DisconnectReasonCode::MessageRateTooHigh
                )
            }
            _ => false,
        };
        let is_closed = matches!(error, MqttState(v5::StateError::ConnectionAborted));
        // This error does not return the I/O error as its source.
        let io = match error {
            MqttState(v5::StateError::Deserialization(v5::mqttbytes::Error::Io(io))) => Some(io),
            _ => io_error(error),
        };
        let reason = match error {
            ConnectionRefused(code) | MqttState(v5::StateError::ConnFail { reason: code }) => {
                connect_refusal::of_v5(*code)
            }
            _ => reason(error, io),
        };
        Self { is_refusal, reason, abrupt: abrupt_end(io, is_closed) }
    }

    pub(super) fn v311(error: &v4::ConnectionError) -> Self {
        let is_refusal = matches!(error, v4::ConnectionError::ConnectionRefused(_));
        let is_closed = matches!(error, v4::ConnectionError::MqttState(v4::StateError::ConnectionAborted));
        let io = io_error(error);
        let reason = match error {
            v4::ConnectionError::ConnectionRefused(code) => connect_refusal::of_v311(*code),
            _ => reason(error, io),
        };
        Self { is_refusal, reason, abrupt: abrupt_end(io, is_closed) }
    }

    /// A failure that this box detected itself.
    pub(super) fn own(reason: &str) -> Self {
        Self { is_refusal: false, reason: reason.to_owned(), abrupt: None }
    }
}

/// The reason of the operating system, or ours about a certificate, without the client's own wrapping.
fn reason(error: &dyn Error, io: Option<&io::Error>) -> String {
    io.map_or_else(|| error.to_string(), io::Error::to_string)
}

fn abrupt_end(io: Option<&io::Error>, is_closed: bool) -> Option<AbruptEnd> {
    if let Some(rustls::Error::AlertReceived(alert)) = io.and_then(io::Error::get_ref).and_then(|it| it.downcast_ref())
    {
        return Some(AbruptEnd::Alert(*alert));
    }
    let is_end = |io: &io::Error| {
        matches!(
            io.kind(),
            ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
        )
    };
    (is_closed || io.is_some_and(is_end)).then_some(AbruptEnd::Closed)
}

fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut error = Some(error);
    while let Some(one) = error {
        if let Some(io) = one.downcast_ref() {
            return Some(io);
        }
        error = one.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_without_a_word_is_told_from_other_failures() {
        let v5_io = |io: io::Error| Failure::v5(&v5::ConnectionError::MqttState(v5::StateError::Io(io)));
        let v311_io = |io: io::Error| Failure::v311(&v4::ConnectionError::MqttState(v4::StateError::Io(io)));
        let alert = || io::Error::other(rustls::Error::AlertReceived(AlertDescription::CertificateRequired));
        let in_a_packet = v5::StateError::Deserialization(v5::mqttbytes::Error::Io(alert()));
        let in_a_packet = Failure::v5(&v5::ConnectionError::MqttState(in_a_packet));
        for failure in [v5_io(alert()), v311_io(alert()), in_a_packet] {
            assert_eq!(failure.abrupt, Some(AbruptEnd::Alert(AlertDescription::CertificateRequired)));
        }
        for failure in [v5_io(ErrorKind::ConnectionReset.into()), v311_io(ErrorKind::ConnectionReset.into())] {
            assert_eq!((failure.abrupt, &*failure.reason), (Some(AbruptEnd::Closed), "connection reset"));
        }
        let failure = Failure::v5(&v5::ConnectionError::MqttState(v5::StateError::ConnectionAborted));
        assert_eq!(failure.abrupt, Some(AbruptEnd::Closed));
        let failure = Failure::v5(&v5::ConnectionError::Io(ErrorKind::ConnectionRefused.into()));
        assert_eq!((failure.abrupt, failure.is_refusal), (None, false));
        let failure = Failure::v5(&v5::ConnectionError::ConnectionRefused(ConnectReturnCode::NotAuthorized));
        assert_eq!((failure.abrupt, failure.is_refusal), (None, true));
        assert!(failure.reason.contains("refuses the login") && failure.reason.contains("mqtt.credentials"));
    }
}
