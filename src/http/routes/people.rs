//! `POST /api/page-link` and `GET /api/access`: a link into the page, and who has looked and changed something.

use crate::http::login::gate::ACCESS;
use crate::http::login::links::LINK_LIFETIME;
use crate::http::login::reception::Reception;
use crate::http::login::viewer::ViewerRole;
use crate::http::login::visitor::Visitor;
use crate::http::routes::refusal::refusal;
use crate::os::clock::rfc3339_utc;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Reception> {
    Router::new().route("/api/page-link", post(link)).route(ACCESS, get(access))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default = "operator")]
    role: ViewerRole,
}

fn operator() -> ViewerRole {
    ViewerRole::Operator
}

/// Makes a link. A session makes none: it would outlive the person.
async fn link(
    State(reception): State<Reception>,
    Extension(visitor): Extension<Visitor>,
    Json(wanted): Json<Wanted>,
) -> Response {
    if visitor.expires_in.is_some() {
        let what = "links are made on the box itself: run `ocelli page` there";
        return refusal(StatusCode::FORBIDDEN, "role", what);
    }
    match reception.make_link(wanted.role) {
        Ok(link) => {
            let seconds = LINK_LIFETIME.as_secs();
            Json(json!({"link": link.reveal(), "role": wanted.role.name(), "expires_in_s": seconds})).into_response()
        }
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "failed", &error.to_string()),
    }
}

/// The record, the newest access first.
async fn access(State(reception): State<Reception>) -> Response {
    let record = reception.record();
    let entries = record.newest_first().map(|access| {
        json!({
            "who": access.who,
            "address": access.address,
            "what": access.deed.name(),
            "subject": access.subject,
            "first_at": rfc3339_utc(access.first_ms),
            "last_at": rfc3339_utc(access.last_ms),
            "count": access.count,
        })
    });
    let entries: Vec<Value> = entries.collect();
    let (sessions, forgotten) = (reception.sessions(), record.forgotten());
    Json(json!({"sessions": sessions, "forgotten": forgotten, "accesses": entries})).into_response()
}
