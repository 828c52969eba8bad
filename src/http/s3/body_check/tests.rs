//! Whole bodies and chunked ones, as their clients meant them and changed on the way.

use super::*;
use crate::http::auth::sigv4::{Presented, Service};
use axum::http::{HeaderMap, Request};
use hmac::{Hmac, Mac as _};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TIME: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";

fn hmac(key: &[u8], data: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hash(data: &[u8]) -> String {
    hexadecimal(&Sha256::digest(data))
}

/// A client that signs, and then its chunks.
struct Client {
    key: Vec<u8>,
    previous: String,
}

impl Client {
    /// A client, and what the box checks its chunks by once it has checked the head.
    fn sign(payload: &str) -> (Self, ChunkSigner) {
        let canonical = format!(
            "PUT\n/files/x\n\nhost:box\nx-amz-content-sha256:{payload}\nx-amz-date:{TIME}\n\n\
             host;x-amz-content-sha256;x-amz-date\n{payload}"
        );
        let to_sign = format!("AWS4-HMAC-SHA256\n{TIME}\n{SCOPE}\n{}", hash(canonical.as_bytes()));
        let start = format!("AWS4{SECRET}").into_bytes();
        let key = ["20130524", "us-east-1", "s3", "aws4_request"].iter().fold(start, |key, part| hmac(&key, part));
        let signature = hexadecimal(&hmac(&key, &to_sign));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/{SCOPE}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature={signature}"
        );
        let request = Request::put("/files/x").header("host", "box").header("x-amz-date", TIME);
        let request = request.header("x-amz-content-sha256", payload).header("authorization", authorization);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let signer = Presented::of(&parts, Service::S3).unwrap().verify_payload(&parts, payload, SECRET).unwrap();
        (Self { key, previous: signature }, signer)
    }

    fn next(&mut self, kind: &str, rest: &str) -> String {
        let to_sign = format!("AWS4-HMAC-SHA256-{kind}\n{TIME}\n{SCOPE}\n{}\n{rest}", self.previous);
        self.previous = hexadecimal(&hmac(&self.key, &to_sign));
        self.previous.clone()
    }

    fn chunk(&mut self, data: &str) -> String {
        let signature = self.next("PAYLOAD", &format!("{}\n{}", hash(b""), hash(data.as_bytes())));
        let end = if data.is_empty() { "" } else { "\r\n" };
        format!("{:x};chunk-signature={signature}\r\n{data}{end}", data.len())
    }

    fn trailer(&mut self, line: &str) -> String {
        let signature = self.next("TRAILER", &hash(format!("{line}\n").as_bytes()));
        format!("{line}\r\nx-amz-trailer-signature:{signature}\r\n\r\n")
    }
}

fn check(payload: &str, headers: &[(&'static str, &str)], body: &str, signer: &ChunkSigner) -> Result<String, Code> {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let plan = Plan::of(&headers.collect::<HeaderMap>(), Payload::of(payload).unwrap()).unwrap();
    let mut kept = Vec::new();
    let mut received = || {
        let mut check = BodyCheck::new(&plan, signer.clone());
        for part in body.as_bytes().chunks(7) {
            check.take(part, |data| {
                kept.extend_from_slice(data);
                Ok(())
            })?;
        }
        check.finish()
    };
    received().map_err(|error: S3Error| error.code)?;
    Ok(String::from_utf8(kept).unwrap())
}

fn whole(headers: &[(&'static str, &str)], body: &str) -> Result<String, Code> {
    let hash = hash(b"hello");
    let all = [[("content-length", "5")].as_slice(), headers].concat();
    check(&hash, &all, body, &Client::sign(&hash).1)
}

#[test]
fn a_whole_body_is_the_one_that_was_signed() {
    let crc = ("x-amz-checksum-crc32", "NhCmhg==");
    assert_eq!(whole(&[crc, ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], "hello").unwrap(), "hello");
    assert_eq!(whole(&[], "hellO"), Err(Code::XAmzContentSha256Mismatch));
    assert_eq!(whole(&[], "hell"), Err(Code::IncompleteBody));
    assert_eq!(whole(&[], "hello!"), Err(Code::IncompleteBody));
    assert_eq!(whole(&[("x-amz-checksum-crc32", "NhCmhQ==")], "hello"), Err(Code::BadDigest));
    assert_eq!(whole(&[("content-md5", "XUFAKrxLKna5cZ2REBfFkQ==")], "hello"), Err(Code::BadDigest));
}

#[test]
fn signed_chunks_are_those_of_the_client_in_their_order() {
    let payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let (mut client, signer) = Client::sign(payload);
    let (first, second, last) = (client.chunk("hello "), client.chunk("world"), client.chunk("") + "\r\n");
    let length = [("x-amz-decoded-content-length", "11")];
    let check = |body: &str| check(payload, &length, body, &signer);
    assert_eq!(check(&format!("{first}{second}{last}")).unwrap(), "hello world");
    let forged = |body: String| assert_eq!(check(&body), Err(Code::SignatureDoesNotMatch), "{body}");
    forged(format!("{first}{second}{last}").replace("world", "World"));
    forged(format!("{second}{first}{last}"));
    forged(format!("{first}{last}"));
    let zeros = "0".repeat(64);
    forged(format!("{first}{second}0;chunk-signature={zeros}\r\n\r\n"));
    assert_eq!(check(&format!("{first}{second}")), Err(Code::IncompleteBody));
    assert_eq!(check(&format!("{first}5\r\nworld\r\n{last}")), Err(Code::IncompleteBody));
}

#[test]
fn headers_behind_signed_chunks_are_signed_and_right() {
    let payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    let headers = [("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc32")];
    let body = |line: &str, forge: fn(String) -> String| {
        let (mut client, signer) = Client::sign(payload);
        let text = client.chunk("hello") + &client.chunk("") + &client.trailer(line);
        check(payload, &headers, &forge(text), &signer)
    };
    let (good, wrong) = ("x-amz-checksum-crc32:NhCmhg==", "x-amz-checksum-crc32:NhCmhQ==");
    assert_eq!(body(good, |text| text).unwrap(), "hello");
    assert_eq!(body(wrong, |text| text), Err(Code::BadDigest));
    assert_eq!(body("x-amz-checksum-sha1:AAAA", |text| text), Err(Code::MalformedTrailerError));
    assert_eq!(body(good, |text| text.replace("mhg==", "mhQ==")), Err(Code::SignatureDoesNotMatch));
    assert_eq!(
        body(good, |text| text.replace("trailer-signature:", "trailer-signature:0")),
        Err(Code::SignatureDoesNotMatch)
    );
    let without = |text: String| text.split("x-amz-trailer-signature").next().unwrap().to_owned() + "\r\n";
    assert_eq!(body(good, without), Err(Code::SignatureDoesNotMatch));
    let bare = |text: String| text.split("x-amz-checksum").next().unwrap().to_owned() + "\r\n";
    assert_eq!(body(good, bare), Err(Code::MalformedTrailerError));
}

#[test]
fn unsigned_chunks_have_the_checksum_that_was_announced() {
    let payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    for (name, value) in [
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-checksum-crc32c", "mnG7TA=="),
        ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ] {
        let headers = [("x-amz-decoded-content-length", "5"), ("x-amz-trailer", name)];
        let check = |text: &str, value: &str| {
            let body = format!("5\r\n{text}\r\n0\r\n{name}:{value}\r\n\r\n");
            check(payload, &headers, &body, &Client::sign(payload).1)
        };
        assert_eq!(check("hello", value).unwrap(), "hello", "{name}");
        assert_eq!(check("hellO", value), Err(Code::BadDigest), "{name}");
        assert_eq!(check("hello", "A"), Err(Code::InvalidRequest), "{name}");
    }
}
