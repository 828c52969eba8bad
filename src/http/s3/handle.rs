//! A request for objects, from its head to its response.
//!
//! The signature is checked before a byte of the body is asked for: it covers what the head says of the body, so nobody
//! without a key makes the box write.

use crate::http::auth::access_keys::AccessKey;
use crate::http::auth::chunk_signer::ChunkSigner;
use crate::http::auth::payload::Payload;
use crate::http::auth::sigv4::{Service, single};
use crate::http::body;
use crate::http::rekognition::RekognitionState;
use crate::http::s3::access::allow;
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::operation::{Asked, Operation};
use crate::http::s3::plan::Plan;
use crate::http::s3::state::S3State;
use crate::http::s3::{list, put, read};
use axum::body::{Body, HttpBody as _};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use tokio::time::Instant;

/// What the box calls a request whose operation it cannot tell, in its metrics.
const UNKNOWN: &str = "S3";

/// True for a request that a client of S3 made, whatever its path: it is signed for that service, or by a presigned URL or
/// Signature Version 2, which no other service of the box has.
pub(in crate::http) fn is_meant(headers: &HeaderMap, query: Option<&str>) -> bool {
    if headers.contains_key("x-amz-target") {
        return false;
    }
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let scope = String::from_utf8_lossy(authorization);
    let is_signed =
        scope.starts_with("AWS4-") && scope.split([',', ' ']).any(|part| part.ends_with("/s3/aws4_request"));
    let is_presigned = query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("X-Amz-Signature=")));
    is_signed || is_presigned || scope.starts_with("AWS ")
}

/// Answers a request. Every refusal has the form that SDKs read.
pub(in crate::http) async fn handle(
    s3: &S3State,
    rekognition: &RekognitionState,
    is_tls: bool,
    request: Request<Body>,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let is_empty = body.is_end_stream();
    let begun = Instant::now();
    let asked = Asked::of(&parts.method, &parts.uri, &parts.headers);
    let name = asked.as_ref().map_or(UNKNOWN, |asked| asked.operation.name());
    let mut is_read = false;
    let answered = answer(s3, rekognition, is_tls, &parts, asked, &mut body, &mut is_read).await;
    let result = answered.as_ref().map_or_else(|error| error.code.result(), |_| "ok");
    // The time of a put is that of its client's connection.
    let took = (name != Operation::PutObject.name()).then(|| begun.elapsed());
    rekognition.metrics.call(name, result, took);
    // A client that waits for `100 Continue` has sent no body; reading it now would make it send all of it.
    let (is_refused, expects) = (answered.is_err(), parts.headers.contains_key(header::EXPECT));
    let waits = expects && !is_read;
    if is_refused && !waits {
        body::discard(body).await;
    }
    let region = &rekognition.settings().region;
    let mut response = finish(answered, &parts, region);
    // A client that is refused sends no body, and the server could take the next request for it. An empty body is answered without
    // `100 Continue`: botocore up to 1.40 takes the status of such an answer for that of the connection's next one too.
    if is_refused && waits || is_empty && expects {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn answer(
    s3: &S3State,
    rekognition: &RekognitionState,
    is_tls: bool,
    parts: &Parts,
    asked: Result<Asked, S3Error>,
    body: &mut Body,
    is_read: &mut bool,
) -> Result<Response, S3Error> {
    let (caller, verified) = match identify(rekognition, is_tls, parts)? {
        Some((key, payload, signer)) => (Some(key), Some((payload, signer))),
        None => (None, None),
    };
    let asked = asked?;
    let bucket = allow(rekognition, caller.as_ref(), &asked)?;
    let owner = single(&parts.headers, "x-amz-expected-bucket-owner")?;
    if owner.is_some_and(|owner| owner != rekognition.settings().account_id) {
        return Err(S3Error::new(Code::AccessDenied, "Access Denied: the bucket has another owner"));
    }
    let id = caller.as_ref().map_or("", |key| key.id.as_str());
    tracing::debug!(operation = asked.operation.name(), caller = id, "a call");
    let mut response = Response::new(Body::empty());
    match asked.operation {
        Operation::GetObject | Operation::HeadObject => {
            let is_head = asked.operation == Operation::HeadObject;
            return read::answer(s3, bucket, &asked.key, &parts.headers, is_head).await;
        }
        Operation::HeadBucket => {}
        Operation::ListObjectsV2 => {
            *response.body_mut() = list::answer(s3, bucket, &asked.query).await?.into();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        Operation::PutObject => {
            // Nobody may write without a key.
            let (payload, signer) = verified.ok_or_else(|| S3Error::new(Code::AccessDenied, "Access Denied"))?;
            let (plan, name) = (Plan::of(&parts.headers, payload)?, bucket.name.clone());
            let tag = put::put(s3, bucket, &asked.key, plan, signer, body, is_read).await?;
            s3.log_change("put", id, &name, &asked.key);
            if let Ok(tag) = HeaderValue::from_str(&tag) {
                response.headers_mut().insert(header::ETAG, tag);
            }
        }
        Operation::DeleteObject => {
            let is_condition =
                |name: &header::HeaderName| ["if-", "x-amz-if-"].iter().any(|start| name.as_str().starts_with(start));
            if let Some(name) = parts.headers.keys().find(|name| is_condition(name)) {
                return Err(S3Error::not_implemented(&format!("DeleteObject with the header {name}")));
            }
            put::delete(s3, bucket, &asked.key, caller.as_ref()).await?;
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
    }
    Ok(response)
}

/// Whose request it is, and how its body is vouched for. `None`: calls need no signature.
fn identify(
    rekognition: &RekognitionState,
    is_tls: bool,
    parts: &Parts,
) -> Result<Option<(AccessKey, Payload, ChunkSigner)>, S3Error> {
    let is_old = |value: &HeaderValue| value.as_bytes().starts_with(b"AWS ");
    if parts.headers.get(header::AUTHORIZATION).is_some_and(is_old) {
        let what = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(S3Error::new(Code::InvalidRequest, what));
    }
    let Some((presented, key)) = rekognition.presented(parts, Service::S3)? else { return Ok(None) };
    let claimed = single(&parts.headers, "x-amz-content-sha256")?.unwrap_or_default();
    let payload = Payload::of(claimed).ok_or_else(|| {
        let what = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, one of the STREAMING- values of SigV4 with HMAC, or a sha256";
        S3Error::invalid(what)
    })?;
    let signer = rekognition.verify_payload(&presented, &key, parts, claimed)?;
    if !payload.is_signed() && !is_tls {
        let what = "Access Denied: a body that is not signed is accepted over TLS only";
        return Err(S3Error::new(Code::AccessDenied, what));
    }
    Ok(Some((key, payload, signer)))
}

/// Adds what every response has, and makes a document of a refusal.
fn finish(answered: Result<Response, S3Error>, parts: &Parts, region: &str) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    let (request_id, host_id) = (&id[..16], &id[16..]);
    let mut response = answered.unwrap_or_else(|error| {
        // Neither may have a body.
        let is_empty = parts.method == axum::http::Method::HEAD || error.code == Code::NotModified;
        let resource = parts.uri.path();
        let document = if is_empty { String::new() } else { error.xml(resource, request_id, host_id) };
        let mut response = Response::new(Body::from(document));
        *response.status_mut() = error.code.status();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        if error.code == Code::SlowDown {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    });
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set("x-amz-request-id", request_id);
    set("x-amz-id-2", host_id);
    set("x-amz-bucket-region", region);
    response
}
