//! `Authorization` and `X-Amz-Date`, a line each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli::http::auth::sigv4::{Presented, Service};

fuzz_target!(|text: &str| {
    let (authorization, time) = text.split_once('\n').unwrap_or((text, "20261124T002820Z"));
    if let Ok(presented) = Presented::parse(authorization, Some(time), Service::Rekognition) {
        // What is accepted has the form that the canonical request is built from.
        assert!(!presented.access_key_id.is_empty() && presented.time().len() == 16);
    }
});
