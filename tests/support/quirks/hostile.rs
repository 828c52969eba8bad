//! What is no camera, or means harm.

use super::connection::Out;
use super::quirk::Quirk::{self, *};
use super::request::Request;
use std::io::Write as _;

/// Answers as `quirk` does. `None`: in the ordinary way. False: the connection ends.
pub fn obey(quirk: Quirk, request: &Request, out: &Out) -> Option<bool> {
    let method = request.method.as_str();
    let cseq = request.header("cseq").unwrap_or("0");
    match (quirk, method) {
        (HttpServer, _) => {
            say(out, b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nno\n");
            Some(false)
        }
        (Garbage, _) => {
            say(out, &[0x16, 3, 1, 0, 5, 0xff, 0, 0x80, 7, 7, 10, 13, 10].repeat(50));
            Some(true)
        }
        (Silent, _) | (SilentAfterDescribe, "SETUP") => Some(true),
        (ClosesAtOnce, _) => Some(false),
        (EndlessHeaders, "DESCRIBE") => {
            Some(pour(out, &format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n"), "X-Header: more and more\r\n"))
        }
        (EndlessLine, "DESCRIBE") => {
            Some(pour(out, &format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nX: "), "more and more of this"))
        }
        (EndlessSdp, "DESCRIBE") => Some(pour(
            out,
            &format!(
                "RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Type: application/sdp\r\nContent-Length: 2000000000\r\n\r\nv=0\r\n"
            ),
            "a=x:more and more of this\r\n",
        )),
        (HugeBody, "DESCRIBE") => Some(pour(
            out,
            &format!(
                "RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Type: application/sdp\r\nContent-Length: 4000000000\r\n\r\n"
            ),
            "x",
        )),
        _ => None,
    }
}

fn say(out: &Out, bytes: &[u8]) {
    // A client that has gone in the meantime shows with the next read.
    drop(out.lock().unwrap().write_all(bytes));
}

/// Sends `first`, then `again` as fast as it is read, until the client goes.
fn pour(out: &Out, first: &str, again: &str) -> bool {
    let block = again.repeat(65_536 / again.len());
    let mut out = out.lock().unwrap();
    if out.write_all(first.as_bytes()).is_ok() {
        while out.write_all(block.as_bytes()).is_ok() {}
    }
    false
}
