//! The form of every response: JSON, a request id, and for an error its name where each SDK looks for it.

use crate::http::rekognition::error::ApiError;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use std::time::Duration;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// botocore reads `__type` in the body, other SDKs read the header.
pub(super) fn response(answered: Result<Value, ApiError>) -> Response {
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
            insert(headers, "x-amz-retry-after", &milliseconds(after).to_string());
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

/// Rounded up: who comes back before the place is free is refused again, and 0 would say that there is no reason to wait.
fn milliseconds(after: Duration) -> u128 {
    after.as_micros().div_ceil(1000).max(1)
}

/// Adds up to a tenth, so that clients refused together do not retry together.
fn jittered(after: Duration) -> Duration {
    after + after.mul_f64(0.1 * f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_never_too_early() {
        let of = |micros| milliseconds(Duration::from_micros(micros));
        assert_eq!([of(0), of(300), of(1000), of(1001), of(2_500)], [1, 1, 1, 2, 3]);
    }
}
