//! The endpoint that AWS SDKs know: Amazon Rekognition Custom Labels' "run a trained model" and `DetectLabels`,
//! over awsJson1_1. One file an operation, or a few that belong together.
//!
//! Where AWS says nothing, this box decides:
//!
//! | open | here |
//! |---|---|
//! | `MaxResults` 0 | no limit |
//! | `MaxLabels` 0, or above 1000 | 1000 |
//! | `MinConfidence` | `>=`; 0 gives everything, up to the manifest's `max_detections` |
//! | `MinConfidence` absent | each label's threshold in the manifest; for `DetectLabels` 55 |
//! | 4 MB | 4 MiB, the size of a slot |
//! | maximum below minimum | `InvalidParameterException` |
//! | start of a model that runs, starts or stops | `ResourceInUseException` |
//! | stop of a stopped model | `InvalidParameterException`; of one that stops, `ResourceInUseException` |
//! | more units or models than the box carries | `LimitExceededException` |
//! | units after a stop | those asked for last are kept |
//! | `AutoUpdate` `ENABLED` | `InvalidParameterException` |
//! | `CreateProjectVersion` | imports the package that `OutputConfig` names; training data: `AccessDeniedException` |
//! | a start after COPYING_COMPLETED or FAILED | like one after STOPPED |
//! | FAILED | no unit can be brought up; a running model that loses units stays RUNNING |
//! | a stop with calls under way | they are finished |
//! | images | at most 22 million pixels ([`MAX_PIXELS`](crate::vision::image_limits::MAX_PIXELS)); sides as `RULES` of each operation say |
//! | JSON that cannot be read | `SerializationException` |
//! | operations of the cloud that a box does not have | `AccessDeniedException` |
//! | a clock that the box does not know | a signature is good for `max_clock_skew_seconds` from when it was first seen |
//! | a model of the settings | a project with one version, neither of which can be deleted |
//! | order of checks | signature, operation, role, JSON, bounds, resource, versions of the role, state, length of the image, a place for it, base64, throughput; then the unit: format, pixels |
//! | unit hours | from RUNNING to STOPPED |

mod bring_in_version;
mod call;
mod delete_project_version;
mod describe_project_versions;
mod detect_custom_labels;
mod detect_labels;
mod error;
mod image;
mod operation;
mod page;
mod projects;
pub mod settings;
mod start_project_version;
mod state;
mod stop_project_version;
mod tags;
mod version_status;
mod wanted;

pub use state::RekognitionState;

use crate::http::auth::access_keys::AccessKey;
use crate::http::body::{self, BodyBudget, BodyError, Received};
use crate::http::rekognition::call::Call;
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::operation::{Operation, Target};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// An image of 5 MiB takes 7 MB in base64.
const MAX_BODY_BYTES: usize = 8 << 20;

/// True for a request that an AWS client made, whatever its path.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-target")
        || headers.contains_key("smithy-protocol")
        || headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-amz-json"))
}

/// Answers a call; every refusal is in the form that SDKs read.
pub async fn handle(state: &RekognitionState, budget: &BodyBudget, request: Request<Body>) -> Response {
    let (parts, mut body) = request.into_parts();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let target = Target::of(target);
    let mut whole_at = None;
    let answered = answer(state, budget, target, (&parts, &mut body), &mut whole_at).await;
    let result = answered.as_ref().map_or_else(|error| error.kind.result(), |_| "ok");
    state.metrics.call(target.name(), result, whole_at.map(|at: Instant| at.elapsed()));
    if answered.is_err() {
        body::discard(body).await;
    }
    respond(answered)
}

async fn answer(
    state: &RekognitionState,
    budget: &BodyBudget,
    target: Target,
    (parts, body): (&Parts, &mut Body),
    whole_at: &mut Option<Instant>,
) -> Result<Value, ApiError> {
    if parts.headers.contains_key("smithy-protocol") {
        tracing::debug!("a client speaks CBOR, which this service does not; make it use JSON 1.1");
        return Err(ApiError::new(ErrorKind::UnknownOperation, "This endpoint speaks JSON 1.1, not CBOR."));
    }
    if parts.method != Method::POST {
        return Err(ApiError::new(ErrorKind::UnknownOperation, "Operations are sent with POST."));
    }
    // What can be refused by its head is, before the body costs anything.
    let presented = state.presented(parts)?;
    let received = body::receive(body, &parts.headers, MAX_BODY_BYTES, budget).await?;
    *whole_at = Some(Instant::now());
    let caller = match &presented {
        Some(presented) => {
            state.verify(presented, parts, &received.bytes)?;
            Some(presented.1.clone())
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
    let is_denied = caller.as_ref().is_some_and(|key| !key.may(operation.is_detection()));
    if is_denied {
        let call = Call { state, operation, caller: caller.as_ref(), body: &received.bytes };
        return Err(call.denied());
    }
    if operation.changes_something() {
        change_in_order(state.clone(), operation, caller, received).await
    } else {
        answer_call(state, operation, caller.as_ref(), received).await
    }
}

/// One after the other, and to the end: a caller who goes away in the middle leaves nothing half done.
async fn change_in_order(
    state: RekognitionState,
    operation: Operation,
    caller: Option<AccessKey>,
    received: Received,
) -> Result<Value, ApiError> {
    let answering = tokio::spawn(async move {
        let _turn = state.in_order.lock().await;
        answer_call(&state, operation, caller.as_ref(), received).await
    });
    answering.await.unwrap_or_else(|error| {
        tracing::error!(%error, operation = operation.name(), "a call ended before its time");
        Err(ApiError::new(ErrorKind::InternalServerError, "The call could not be completed."))
    })
}

async fn answer_call(
    state: &RekognitionState,
    operation: Operation,
    caller: Option<&AccessKey>,
    received: Received,
) -> Result<Value, ApiError> {
    let call = Call { state, operation, caller, body: &received.bytes };
    match operation {
        Operation::CopyProjectVersion => bring_in_version::copy(&call).await,
        Operation::CreateProject => projects::create(&call).await,
        Operation::CreateProjectVersion => bring_in_version::create(&call).await,
        Operation::DeleteProject => projects::delete(&call).await,
        Operation::DeleteProjectVersion => delete_project_version::answer(&call).await,
        Operation::DescribeProjects => projects::describe(&call),
        Operation::DescribeProjectVersions => describe_project_versions::answer(&call),
        // While an image waits, its slot alone holds it.
        Operation::DetectCustomLabels => {
            let image = detect_custom_labels::prepare(&call).await?;
            drop(received);
            image.look(state).await
        }
        Operation::DetectLabels => {
            let image = detect_labels::prepare(&call).await?;
            drop(received);
            image.look(state).await
        }
        Operation::ListTagsForResource => tags::list(&call),
        Operation::StartProjectVersion => start_project_version::answer(&call).await,
        Operation::StopProjectVersion => stop_project_version::answer(&call).await,
        Operation::TagResource => tags::tag(&call).await,
        Operation::UntagResource => tags::untag(&call).await,
    }
}

/// `__type` in the body is what botocore reads, the header what other SDKs do.
fn respond(answered: Result<Value, ApiError>) -> Response {
    let request_id = uuid::Uuid::new_v4().to_string();
    let (status, body, error) = match answered {
        Ok(output) => (StatusCode::OK, output, None),
        Err(error) => {
            let name = error.kind.name();
            tracing::debug!(request_id, error = name, message = error.message, "a call is refused");
            let body = json!({"__type": name, "Code": name, "Logref": request_id, "Message": error.message});
            (error.kind.status(), body, Some(error))
        }
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    insert(headers, "x-amzn-requestid", &request_id);
    if let Some(error) = error {
        insert(headers, "x-amzn-errortype", error.kind.name());
        if let Some(after) = error.retry_after {
            let after = jittered(after);
            insert(headers, "x-amz-retry-after", &after.as_millis().to_string());
            insert(headers, "retry-after", &format!("{:.0}", after.as_secs_f64().ceil().max(1.0)));
        }
    }
    response
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Up to a tenth more: who was refused together does not come back together.
fn jittered(after: Duration) -> Duration {
    after + after.mul_f64(0.1 * f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0)
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLong => {
                let constraint = format!("Member must have length less than or equal to {}", 5 << 20);
                Self::constraint(&"java.nio.HeapByteBuffer", "image.bytes", &constraint)
            }
            BodyError::NoRoom => Self::throughput(Duration::from_millis(500)),
            BodyError::NoLength | BodyError::TooSlow | BodyError::Broken => {
                Self::new(ErrorKind::Serialization, error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests;
