//! Requests of a command to the running daemon. The box that answers is always named: another daemon may have the port.

use crate::http::client::{Answer, ClientError, DaemonPlace, HttpMethod, RESPONSE_LIMIT, exchange, read_lines};
use crate::settings::Settings;
use crate::vision::error_chain::describe;
use serde_json::Value;
use std::time::Duration;

/// What a box is called that does not say its name: a daemon of an older version, or something else at the port.
const UNNAMED: &str = "(unnamed)";

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum DaemonError {
    /// There is no daemon, or none that answers in time.
    #[error("{0}")]
    NoAnswer(String),
    /// The daemon has refused it.
    #[error("box {box_id}: {message}")]
    Refused {
        /// The box that refused it.
        box_id: String,
        /// The reason that it gives.
        message: String,
    },
}

/// The daemon that the settings lead to.
#[derive(Debug)]
pub(super) struct Daemon {
    place: DaemonPlace,
    /// The box of the settings.
    box_id: String,
    /// How long an answer may take.
    limit: Duration,
}

impl Daemon {
    /// The daemon with these settings.
    pub(super) fn of(settings: &Settings) -> Result<Self, DaemonError> {
        if !settings.http.enabled {
            return Err(DaemonError::NoAnswer("the daemon cannot be reached: `http.enabled` is false".to_owned()));
        }
        let place = DaemonPlace::of(&settings.http, &settings.state_directory);
        Ok(Self { place, box_id: settings.box_id.clone(), limit: RESPONSE_LIMIT })
    }

    /// Waits this long for answers.
    pub(super) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Sends a request; returns the box that has answered, and its answer.
    pub(super) async fn ask(
        &self,
        method: HttpMethod,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(String, Vec<u8>), DaemonError> {
        let no_answer = |error: ClientError| DaemonError::NoAnswer(describe(&error));
        let answer = exchange(&self.place, method, path, body, self.limit).await;
        let Answer { box_id, status, body } = answer.map_err(no_answer)?;
        let box_id = box_id.unwrap_or_else(|| UNNAMED.to_owned());
        if (200..300).contains(&status) {
            return Ok((box_id, body));
        }
        let text = String::from_utf8_lossy(&body);
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = answer["error"]["message"].as_str();
        let message = message.map_or_else(|| format!("status {status}: {}", text.trim()), str::to_owned);
        Err(DaemonError::Refused { box_id, message })
    }

    /// [`Self::ask`] for JSON.
    pub(super) async fn ask_json(
        &self,
        method: HttpMethod,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(String, Value), DaemonError> {
        let (box_id, answer) = self.ask(method, path, body).await?;
        let unreadable = |error| DaemonError::NoAnswer(format!("the answer of box {box_id} cannot be read: {error}"));
        let answer = serde_json::from_slice(&answer).map_err(unreadable)?;
        Ok((box_id, answer))
    }

    /// Requests lines, and passes each to `show` as it comes. The box that sends them is named on standard error.
    pub(super) async fn read_lines(&self, path: &str, show: impl FnMut(&str)) -> Result<(), DaemonError> {
        let begin = |box_id: Option<String>| {
            let box_id = box_id.unwrap_or_else(|| UNNAMED.to_owned());
            eprintln!("box {box_id}");
            self.warn_of_another_box(&box_id);
        };
        let result = read_lines(&self.place, path, begin, show).await;
        result.map_err(|error| DaemonError::NoAnswer(describe(&error)))
    }

    /// Tells the operator if another box than that of the settings has answered.
    pub(super) fn warn_of_another_box(&self, answered: &str) {
        if answered != self.box_id {
            let (place, own) = (&self.place, &self.box_id);
            eprintln!("ocelli: box {answered} answers at {place}, and these settings are those of {own}");
        }
    }
}
