//! An RTSP server of one answer: it describes a stream, and refuses each transport that a client asks for.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

const STREAM: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
                      m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n";

/// Listens until the test ends; returns the URL.
pub fn refuses_transport() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtsp://127.0.0.1:{}/x", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || serve(client));
        }
    });
    url
}

fn serve(mut client: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(client.try_clone().ok()?).lines().map_while(Result::ok);
    loop {
        let request: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let method = request.first()?.split(' ').next()?.to_owned();
        let sequence = request.iter().find(|line| line.starts_with("CSeq"))?.clone();
        let (status, headers, body) = match method.as_str() {
            "OPTIONS" => ("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n".to_owned(), ""),
            "DESCRIBE" => {
                ("200 OK", format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n", STREAM.len()), STREAM)
            }
            _ => ("461 Unsupported Transport", String::new(), ""),
        };
        client.write_all(format!("RTSP/1.0 {status}\r\n{sequence}\r\n{headers}\r\n{body}").as_bytes()).ok()?;
    }
}
