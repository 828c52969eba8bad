//! A whole request for an object: a line with method and address, lines with headers, an empty line, a byte that says in what
//! parts the body arrives, and the body.

#![no_main]

use axum::http::Request;
use libfuzzer_sys::fuzz_target;
use ocelli::http::auth::chunk_signer::ChunkSigner;
use ocelli::http::auth::payload::Payload;
use ocelli::http::s3::body_check::BodyCheck;
use ocelli::http::s3::key::ObjectKey;
use ocelli::http::s3::operation::Asked;
use ocelli::http::s3::plan::Plan;

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.windows(2).position(|pair| pair == b"\n\n") else { return };
    let Ok(head) = std::str::from_utf8(&data[..end]) else { return };
    let [part, body @ ..] = &data[end + 2..] else { return };
    let mut lines = head.lines();
    let Some((method, address)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(()) else { return };
    let Ok(asked) = Asked::of(request.method(), request.uri(), request.headers()) else { return };
    if let Ok(key) = ObjectKey::parse(&asked.key) {
        assert!(key.names().iter().all(|name| !name.is_empty() && *name != ".." && *name != "." && !name.contains('/')));
    }
    let payload = request.headers().get("x-amz-content-sha256").and_then(|value| Payload::of(value.to_str().ok()?));
    let Some(Ok(plan)) = payload.map(|payload| Plan::of(request.headers(), payload)) else { return };
    let signer = ChunkSigner::new(b"key".to_vec(), "20261130T000000Z", "20261130/us-east-1/s3/aws4_request", "0".repeat(64));
    let (mut check, mut kept) = (BodyCheck::new(&plan, signer), 0_u64);
    for arrived in body.chunks(usize::from(*part).max(1)) {
        let taken = check.take(arrived, |bytes| {
            kept += bytes.len() as u64;
            Ok(())
        });
        assert!(kept <= plan.bytes, "no more is kept than was announced");
        if taken.is_err() {
            return;
        }
    }
    if check.finish().is_ok() {
        assert_eq!(kept, plan.bytes);
    }
});
