//! The JSON of every refusal of the native API: a code for programs and a message for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;

/// `{"error": {"code": ..., "message": ...}}`.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"error": {"code": code, "message": message}}))).into_response()
}

/// Adds when to retry: `Retry-After` has whole seconds, here at least one.
pub(super) fn retry_after(mut response: Response, after: Duration) -> Response {
    let seconds = after.as_millis().div_ceil(1000).clamp(1, u32::MAX.into());
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_500, "60")] {
            let refused = refusal(StatusCode::TOO_MANY_REQUESTS, "throttled", "slow down");
            let response = retry_after(refused, Duration::from_millis(millis));
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds, "{millis} ms");
        }
    }
}
