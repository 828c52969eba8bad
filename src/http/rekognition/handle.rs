//! A call from its head to its answer.
//!
//! The head is checked before the body costs anything. Then the body is received, and everything that only computes
//! (signature, role, an image from its JSON into a slot) is done in one step. Last comes the operation, which waits for the
//! catalog, the fleet or a unit.

use crate::catalog::arn::Resource;
use crate::http::auth::access_keys::AccessKey;
use crate::http::auth::sigv4::{Presented, Service};
use crate::http::body::{self, BodyBudget, BodyError, Received};
use crate::http::rekognition::call::Call;
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::operation::{Operation, Target};
use crate::http::rekognition::response::response;
use crate::http::rekognition::state::RekognitionState;
use crate::http::rekognition::{bring_in_version, held, projects, tags};
use crate::http::rekognition::{delete_project_version, describe_project_versions};
use crate::http::rekognition::{detect_custom_labels, detect_labels};
use crate::http::rekognition::{start_project_version, stop_project_version};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, header};
use axum::response::Response;
use serde_json::Value;
use tokio::time::Instant;

/// The longest body with an image: 5 MiB take 7 MB in base64.
const MAX_IMAGE_BODY_BYTES: usize = 8 << 20;

/// The longest body of an operation without an image: 50 tags with every character escaped take 120 kB.
const MAX_BODY_BYTES: usize = 256 << 10;

/// True for a request that an AWS client made, whatever its path.
pub(in crate::http) fn is_meant(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-target")
        || headers.contains_key("smithy-protocol")
        || headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-amz-json"))
}

/// Answers a call. Every refusal has the form that SDKs read.
pub async fn handle(state: &RekognitionState, budget: &BodyBudget, request: Request<Body>) -> Response {
    let (parts, mut body) = request.into_parts();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let target = Target::of(target);
    let mut whole_at = None;
    let answered = answer(state, budget, target, parts, &mut body, &mut whole_at).await;
    let result = answered.as_ref().map_or_else(|error| error.kind.result(), |_| "ok");
    state.metrics.call(target.name(), result, whole_at.map(|at: Instant| at.elapsed()));
    if answered.is_err() {
        body::discard(body).await;
    }
    response(answered)
}

/// `whole_at` is set when the whole request has arrived.
async fn answer(
    state: &RekognitionState,
    budget: &BodyBudget,
    target: Target,
    parts: Parts,
    body: &mut Body,
    whole_at: &mut Option<Instant>,
) -> Result<Value, ApiError> {
    if parts.headers.contains_key("smithy-protocol") {
        tracing::debug!("a client speaks CBOR, which this service does not; make it use JSON 1.1");
        return Err(ApiError::new(ErrorKind::UnknownOperation, "This endpoint speaks JSON 1.1, not CBOR."));
    }
    if parts.method != Method::POST {
        return Err(ApiError::new(ErrorKind::UnknownOperation, "Operations are sent with POST."));
    }
    let presented = state.presented(&parts, Service::Rekognition)?;
    let is_short = matches!(target, Target::Ours(operation) if !operation.takes_image());
    let max_bytes = if is_short { MAX_BODY_BYTES } else { MAX_IMAGE_BODY_BYTES };
    let received = body::receive(body, &parts.headers, max_bytes, budget).await.map_err(|error| match error {
        BodyError::TooLong if is_short => ApiError::new(ErrorKind::Validation, error.to_string()),
        error => error.into(),
    })?;
    *whole_at = Some(Instant::now());
    let (bytes, shared) = (received.bytes.len(), state.clone());
    let checked = state.cpu_turns.run(bytes, move || check(&shared, target, &parts, presented, received)).await;
    match checked.unwrap_or_else(|| Err(incomplete()))? {
        // The body has been freed by now: a waiting image is held by its slot only.
        Checked::CustomLabels(image) => image.detect(state).await,
        Checked::Labels(image) => image.detect(state).await,
        Checked::Other(operation, caller, received) if operation.changes_something() => {
            change_in_order(state.clone(), operation, caller, received).await
        }
        Checked::Other(operation, caller, received) => {
            let is_first_try = false;
            answer_call(&Call { state, operation, caller: caller.as_ref(), body: &received.bytes, is_first_try }).await
        }
    }
}

/// A call of an operation of this box, by a caller with a right to it.
enum Checked {
    CustomLabels(detect_custom_labels::Prepared),
    Labels(detect_labels::Prepared),
    /// The body is still to be parsed.
    Other(Operation, Option<AccessKey>, Received),
}

/// The step that takes time for a large body. It waits for nothing.
fn check(
    state: &RekognitionState,
    target: Target,
    parts: &Parts,
    presented: Option<(Presented, AccessKey)>,
    received: Received,
) -> Result<Checked, ApiError> {
    let caller = match presented {
        Some((presented, key)) => {
            state.verify(&presented, &key, parts, &received.bytes)?;
            Some(key)
        }
        None => None,
    };
    let operation = match target {
        Target::Ours(operation) => operation,
        Target::Elsewhere => {
            return Err(ApiError::new(ErrorKind::AccessDenied, "This box does not have that operation."));
        }
        Target::Unknown => {
            return Err(ApiError::new(ErrorKind::UnknownOperation, "There is no such operation."));
        }
    };
    let attempt = parts.headers.get("amz-sdk-request").and_then(|attempt| attempt.to_str().ok()).unwrap_or_default();
    let id = caller.as_ref().map_or("", |key| key.id.as_str());
    tracing::debug!(operation = operation.name(), caller = id, attempt, "a call");
    let is_first_try = is_first_try(attempt);
    let call = Call { state, operation, caller: caller.as_ref(), body: &received.bytes, is_first_try };
    if call.caller.is_some_and(|key| !key.may(operation.is_detection())) {
        return Err(call.denied());
    }
    match operation {
        Operation::DetectCustomLabels => detect_custom_labels::prepare(&call).map(Checked::CustomLabels),
        Operation::DetectLabels => detect_labels::prepare(&call).map(Checked::Labels),
        _ => Ok(Checked::Other(operation, caller, received)),
    }
}

/// True if a client says that it has not tried before: `attempt=1; max=3` is what SDKs send with each call. Nobody gains by
/// leaving it out but a little of what others were promised.
fn is_first_try(attempt: &str) -> bool {
    attempt.split(';').any(|part| part.trim() == "attempt=1")
}

/// One change after the other, and each to its end: a caller that disconnects in the middle leaves nothing half done.
async fn change_in_order(
    state: RekognitionState,
    operation: Operation,
    caller: Option<AccessKey>,
    received: Received,
) -> Result<Value, ApiError> {
    let shared = state.clone();
    let changing = tokio::spawn(async move {
        let _turn = shared.in_order.lock().await;
        let (state, body, is_first_try) = (&shared, received.bytes.as_slice(), false);
        change(&Call { state, operation, caller: caller.as_ref(), body, is_first_try }).await
    });
    let changed = changing.await.unwrap_or_else(|error| {
        tracing::error!(%error, operation = operation.name(), "a call ended early");
        Err(incomplete())
    });
    // Nobody else waits for an answer that is held.
    match changed? {
        Changed::Done(answer) => Ok(answer),
        Changed::Begun(version) => Ok(held::answer(&state, operation, &version).await),
    }
}

/// What a change came to.
enum Changed {
    Done(Value),
    /// Something goes on with this version.
    Begun(Resource),
}

async fn change(call: &Call<'_>) -> Result<Changed, ApiError> {
    match call.operation {
        Operation::CopyProjectVersion => bring_in_version::copy(call).await.map(Changed::Begun),
        Operation::CreateProjectVersion => bring_in_version::create(call).await.map(Changed::Begun),
        Operation::StartProjectVersion => start_project_version::answer(call).await.map(Changed::Begun),
        _ => answer_call(call).await.map(Changed::Done),
    }
}

async fn answer_call(call: &Call<'_>) -> Result<Value, ApiError> {
    match call.operation {
        Operation::CreateProject => projects::create(call).await,
        Operation::DeleteProject => projects::delete(call).await,
        Operation::DeleteProjectVersion => delete_project_version::answer(call).await,
        Operation::DescribeProjects => projects::describe(call),
        Operation::DescribeProjectVersions => describe_project_versions::answer(call),
        Operation::ListTagsForResource => tags::list(call),
        Operation::StopProjectVersion => stop_project_version::answer(call).await,
        Operation::TagResource => tags::tag(call).await,
        Operation::UntagResource => tags::untag(call).await,
        // `change` answers the first three, and `check` prepares the others: they never come here.
        Operation::CopyProjectVersion | Operation::CreateProjectVersion | Operation::StartProjectVersion => {
            Err(incomplete())
        }
        Operation::DetectCustomLabels | Operation::DetectLabels => Err(incomplete()),
    }
}

fn incomplete() -> ApiError {
    ApiError::new(ErrorKind::InternalServerError, "The call could not be completed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdks_say_whether_they_try_again() {
        assert!(is_first_try("attempt=1; max=3") && is_first_try("ttl=20261130T081500Z; attempt=1"));
        for other in ["", "attempt=2; max=3", "attempt=10", "max=1"] {
            assert!(!is_first_try(other), "{other}");
        }
    }
}
