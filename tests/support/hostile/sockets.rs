//! WebSockets of clients that mean harm.

use super::clients::{connect, may_go_on};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const BINARY: u8 = 2;
const CONTINUATION: u8 = 0;
const PING: u8 = 9;

/// Live video of the well-behaved camera, once the daemon has agreed.
pub fn open(port: u16) -> Option<TcpStream> {
    let mut stream = connect(port)?;
    let ask = "GET /api/cameras/good/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
               Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(ask.as_bytes()).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    (head == *b"HTTP/1.1 101").then_some(stream)
}

/// A frame as clients send it, whose mask is zeros.
fn frame(is_last: bool, kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![u8::from(is_last) << 7 | kind];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Sends `block` again and again, and reads nothing; after an end over a new socket.
fn pour(port: u16, first: &[u8], block: &[u8], is_over: &AtomicBool) {
    while may_go_on(is_over) {
        let Some(mut stream) = open(port) else { continue };
        let mut sent = stream.write_all(first);
        while sent.is_ok() && may_go_on(is_over) {
            sent = stream.write_all(block);
        }
    }
}

pub fn pings(port: u16, is_over: &AtomicBool) {
    pour(port, &[], &frame(true, PING, &[7; 125]).repeat(500), is_over);
}

/// A message that is continued for ever, in pieces of nothing and of something.
pub fn fragments(port: u16, is_over: &AtomicBool) {
    let block = [frame(false, CONTINUATION, &[]), frame(false, CONTINUATION, b"x")].concat().repeat(500);
    pour(port, &frame(false, BINARY, b"x"), &block, is_over);
}

/// As many viewers as get in, of whom none reads.
pub fn never_reads(port: u16, is_over: &AtomicBool) {
    let mut held = Vec::new();
    while may_go_on(is_over) {
        match open(port) {
            Some(stream) => held.push(stream),
            // There is no room for more.
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
