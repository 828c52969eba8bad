//! What cameras that mean harm answer, before they send anything.

use super::server::{pour, trickle};
use std::io::Write;
use std::net::TcpStream;

/// Answers a request for a place. `None` or false: the connection ends.
pub fn obey(mode: &str, (method, place): (&str, &str), cseq: &str, out: &mut TcpStream) -> Option<bool> {
    if mode.starts_with("http-") {
        return http(mode, out);
    }
    let head = format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n");
    let sdp = |out: &mut TcpStream, body: &str| {
        let length = body.len();
        let text = format!("{head}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}");
        out.write_all(text.as_bytes()).ok().map(|()| true)
    };
    match (mode, method) {
        ("endless-headers", _) => pour(out, &head, b"X-Header: more and more\r\n"),
        ("endless-line", _) => pour(out, "RTSP/1.0 200 ", b"more and more of this"),
        ("same-header", "DESCRIBE") => {
            let text = head + &"WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n".repeat(200_000) + "\r\n";
            out.write_all(text.as_bytes()).ok().map(|()| true)
        }
        ("endless-sdp", "DESCRIBE") => pour(
            out,
            &format!("{head}Content-Type: application/sdp\r\nContent-Length: 4000000000\r\n\r\nv=0\r\n"),
            b"a=x:more\r\n",
        ),
        ("many-attributes", "DESCRIBE") => {
            sdp(out, &(description() + &"a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(100_000)))
        }
        ("many-tracks", "DESCRIBE") => {
            let tracks = (1..3000)
                .map(|track| format!("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track={track}\r\n"));
            sdp(out, &(description() + &tracks.collect::<String>()))
        }
        ("redirect-loop", "DESCRIBE") => {
            let to = format!("Location: {place}\r\n");
            out.write_all(head.replace("200 OK", "302 Found").as_bytes()).ok()?;
            out.write_all(format!("{to}\r\n").as_bytes()).ok().map(|()| true)
        }
        ("new-challenges", "DESCRIBE") => {
            let realm = "r".repeat(4000);
            let ask = format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"{cseq}\", stale=true\r\n\r\n");
            out.write_all((head.replace("200 OK", "401 Unauthorized") + &ask).as_bytes()).ok().map(|()| true)
        }
        ("trickle", _) => {
            trickle(out, format!("{head}Public: OPTIONS, DESCRIBE, SETUP, PLAY, and much more\r\n\r\n").as_bytes())
        }
        ("strange-reason", "DESCRIBE") => {
            let reason = format!("404 \u{1b}[31m\u{1b}]0;owned\u{7}%s%n{}", "A".repeat(60_000));
            out.write_all(head.replace("200 OK", &reason).as_bytes()).ok()?;
            out.write_all(b"\r\n").ok().map(|()| true)
        }
        (_, "OPTIONS") => say(out, &head, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n"),
        (_, "DESCRIBE") if mode.ends_with("h265") => {
            sdp(out, &description().replace("H264", "H265").replace("a=fmtp:96 packetization-mode=1\r\n", ""))
        }
        (_, "DESCRIBE") => sdp(out, &description()),
        (_, "SETUP") => say(out, &head, "Session: 7;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
        (_, "TEARDOWN") => say(out, &head, "").map(|_| false),
        _ => say(out, &head, "Session: 7\r\n"),
    }
}

fn say(out: &mut TcpStream, head: &str, more: &str) -> Option<bool> {
    out.write_all(format!("{head}{more}\r\n").as_bytes()).ok().map(|()| true)
}

fn description() -> String {
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n\
     a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track=0\r\n"
        .into()
}

fn http(mode: &str, out: &mut TcpStream) -> Option<bool> {
    let ok = "HTTP/1.1 200 OK\r\n";
    match mode {
        "http-endless-headers" => pour(out, ok, b"X-Header: more and more\r\n"),
        "http-endless-chunks" => pour(
            out,
            &format!("{ok}Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"),
            b"8\r\n\xff\xd8\xff\xe0aaaa\r\n",
        ),
        "http-endless-part" => {
            let head =
                "Content-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n";
            pour(out, &format!("{ok}{head}"), b"\xff\xd8\xff\xe0aaaa")
        }
        "http-trickle" => {
            trickle(out, format!("{ok}Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n").as_bytes())
        }
        "http-redirect-loop" => {
            say(out, "HTTP/1.1 302 Found\r\n", "Location: /http-redirect-loop\r\nContent-Length: 0\r\n")
        }
        _ => bomb(out),
    }
}

/// A JPEG of few bytes that says to be of 65500x65500 pixels.
pub fn jpeg_bomb() -> Vec<u8> {
    let mut jpeg = b"\xff\xd8\xff\xdb\x00\x43\x00".to_vec();
    jpeg.extend([1; 64]);
    jpeg.extend(b"\xff\xc0\x00\x0b\x08\xff\xdc\xff\xdc\x01\x01\x11\x00");
    jpeg.extend(b"\xff\xc4\x00\x14\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00");
    jpeg.extend(b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00");
    jpeg.extend([0; 2000]);
    jpeg.extend(b"\xff\xd9");
    jpeg
}

/// The same picture again and again.
fn bomb(out: &mut TcpStream) -> Option<bool> {
    let jpeg = jpeg_bomb();
    out.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n").ok()?;
    loop {
        let head = format!("--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
        out.write_all(&[head.as_bytes(), &jpeg, b"\r\n"].concat()).ok()?;
    }
}
