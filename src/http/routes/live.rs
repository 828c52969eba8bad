//! `/api/cameras/<camera>/live`: live video of a camera over a WebSocket, with what is seen in its frames.
//!
//! Text messages are JSON with a `type`: `hello` before each init segment, `detections`, `state` of the camera's connection with
//! its reason, `dropped` when frames were left out because the viewer was slow, `unplayable` with the camera's codec. Binary
//! messages are init segments and fragments of one frame each, for Media Source Extensions, in their order. A socket ends with the
//! session that it was opened with, and says so by its close code.

use crate::control::{ApplianceStatus, Control, ControlError};
use crate::http::connections::Connection;
use crate::http::login::stay::Presence;
use crate::http::routes::models;
use crate::http::routes::refusal::refusal;
use crate::live::{LiveHead, LivePacket, Outgoing, Viewer};
use crate::vision::camera_id::CameraId;
use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, any};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Browsers and what is between close a connection that is silent for a minute.
const PING: Duration = Duration::from_secs(30);

/// How soon a socket ends behind its session.
const LOOK: Duration = Duration::from_secs(1);

/// The close code where the session has ended, of the range for applications, after HTTP's 401.
const LOGGED_OUT: u16 = 4401;

/// A viewer says nothing but that it lives, or goes.
const MAX_RECEIVED_BYTES: usize = 1024;

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/cameras/{camera}/live", any(live))
}

async fn live(
    State(control): State<Control>,
    Path(camera): Path<String>,
    place: Option<Extension<Arc<Connection>>>,
    session: Option<Extension<Presence>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let is_known = |id: &CameraId| control.read(|status| status.cameras.contains_key(id));
    let Some(id) = CameraId::new(camera.as_str()).ok().filter(is_known) else {
        return models::refuse(&ControlError::NoSuchCamera(camera));
    };
    // Also told to whoever asks without a WebSocket: a page cannot read the answer to one.
    if let Some(why) = control.live.why_private(&id) {
        return refusal(StatusCode::FORBIDDEN, "private", &why.to_string());
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let viewer = match control.live.join(&id) {
        Ok(viewer) => viewer,
        Err(error) => return refusal(StatusCode::SERVICE_UNAVAILABLE, "too_many_viewers", &error.to_string()),
    };
    let upgrade = upgrade.max_message_size(MAX_RECEIVED_BYTES).max_frame_size(MAX_RECEIVED_BYTES);
    upgrade.on_upgrade(async move |socket| {
        let shown = show(socket, &viewer, &control, &id, session.as_deref());
        let Some(Extension(place)) = place else { return shown.await };
        // The next step is not the client's: others give way first.
        place.serving();
        tokio::select! {
            () = shown => {}
            () = place.closing() => tracing::debug!(camera = %id, "a viewer makes room for another connection"),
        }
    })
}

/// Sends to a viewer until it goes, its session ends, or the daemon stops.
async fn show(
    mut socket: WebSocket,
    viewer: &Viewer,
    control: &Control,
    camera: &CameraId,
    session: Option<&Presence>,
) {
    let (mut status, mut told) = (control.watch(), String::new());
    let (mut ping, mut look) = (every(PING), every(LOOK));
    let mut may_be_new = true;
    loop {
        let mut messages = Vec::new();
        if std::mem::take(&mut may_be_new) {
            let state = state_text(&status.borrow_and_update(), camera);
            if state != told {
                messages.push(Message::Text(state.as_str().into()));
                told = state;
            }
        } else {
            tokio::select! {
                next = viewer.next() => match next {
                    Some(next) => messages = messages_of(next),
                    None => return,
                },
                received = socket.recv() => match received {
                    None | Some(Err(_) | Ok(Message::Close(_))) => return,
                    Some(Ok(_)) => {}
                },
                changed = status.changed() => match changed {
                    Ok(()) => may_be_new = true,
                    Err(_) => return,
                },
                _ = ping.tick() => messages.push(Message::Ping(Bytes::new())),
                _ = look.tick() => if session.is_some_and(|session| !session.is_here()) {
                    let frame = CloseFrame { code: LOGGED_OUT, reason: "you were logged out".into() };
                    // Whether the goodbye arrives changes nothing.
                    drop(socket.send(Message::Close(Some(frame))).await);
                    return;
                },
            }
        }
        for message in messages {
            // The connection itself limits how long a client may read nothing.
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn state_text(status: &ApplianceStatus, camera: &CameraId) -> String {
    let Some(view) = status.cameras.get(camera) else {
        return json!({"type": "state", "state": "removed", "reason": "the camera is no longer in the settings"})
            .to_string();
    };
    json!({"type": "state", "state": view.state.state, "reason": view.state.reason}).to_string()
}

fn messages_of(next: Outgoing) -> Vec<Message> {
    let LivePacket { head, body } = match next {
        Outgoing::Text(text) => return vec![Message::Text((*text).into())],
        Outgoing::Packet(packet) => packet,
    };
    let text = match head {
        LiveHead::Init { codec, width, height } => {
            let codec = format!("video/mp4; codecs=\"{codec}\"");
            Some(json!({"type": "hello", "codec": codec, "width": width, "height": height}))
        }
        LiveHead::Fragment { dropped: 0, .. } => None,
        LiveHead::Fragment { dropped, .. } => Some(json!({"type": "dropped", "count": dropped})),
        // Of clips.
        LiveHead::Begins { .. } => return Vec::new(),
        LiveHead::Unplayable { codec } => {
            let text = json!({"type": "unplayable", "codec": codec}).to_string();
            return vec![Message::Text(text.into())];
        }
    };
    let text = text.map(|text| Message::Text(text.to_string().into()));
    text.into_iter().chain([Message::Binary(Bytes::from_owner(body))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_segment_comes_behind_its_hello_and_a_gap_before_the_frame_that_follows_it() {
        let packet = |head| messages_of(Outgoing::Packet(LivePacket { head, body: Arc::from([1, 2]) }));
        let messages = packet(LiveHead::Init { codec: "avc3.64001f".into(), width: 640, height: 480 });
        let hello = r#"{"codec":"video/mp4; codecs=\"avc3.64001f\"","height":480,"type":"hello","width":640}"#;
        assert_eq!(messages, [Message::Text(hello.into()), Message::Binary(Bytes::from_static(&[1, 2]))]);
        let messages = packet(LiveHead::Fragment { is_keyframe: true, dropped: 7 });
        assert_eq!(messages[0], Message::Text(r#"{"count":7,"type":"dropped"}"#.into()));
        assert_eq!(packet(LiveHead::Fragment { is_keyframe: false, dropped: 0 }).len(), 1);
        let messages = packet(LiveHead::Unplayable { codec: "mjpeg".into() });
        assert_eq!(messages, [Message::Text(r#"{"codec":"mjpeg","type":"unplayable"}"#.into())]);
    }
}
