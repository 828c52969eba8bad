//! Brokers that mean harm: each mode is a port of its own.

use super::mutation::Dice;
use crate::support::scripted_broker::{CONNECT, DISCONNECT, PUBLISH, SUBSCRIBE, acknowledge, read_packet};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Below what a client takes at all.
const LARGE_BYTES: usize = 1_900_000;
const BLOCK_BYTES: usize = 65_536;

/// Listens for clients, serves each as the mode says, and counts them. Its threads end with the test's process.
pub fn start(mode: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let clients = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&clients);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
            // A client that goes ends its thread.
            thread::spawn(move || drop(serve(mode, client)));
        }
    });
    (port, clients)
}

fn serve(mode: &str, client: TcpStream) -> io::Result<()> {
    let (mut reader, out) = (client.try_clone()?, Arc::new(Mutex::new(client)));
    match mode {
        "never-answers" => return reader.read_to_end(&mut Vec::new()).map(drop),
        "garbage" => {
            let mut dice = Dice::new(7);
            let bytes: Vec<u8> = (0..BLOCK_BYTES).map(|_| dice.byte()).collect();
            return pour(&out, &bytes);
        }
        _ => {}
    }
    let (mut is_5, mut is_poured) = (false, false);
    loop {
        let (kind, flags, body) = read_packet(&mut reader)?;
        if kind == DISCONNECT {
            return Ok(());
        }
        match (mode, kind) {
            ("refuses", CONNECT) => {
                // Not authorised.
                let refusal = if body[6] == 5 { vec![0x20, 3, 0, 0x87, 0] } else { vec![0x20, 2, 0, 5] };
                return out.lock().unwrap().write_all(&refusal);
            }
            ("trickle", CONNECT) => return trickle(&out, body[6] == 5),
            ("silent-after-connack", kind) if kind != CONNECT => continue,
            _ => acknowledge(&mut *out.lock().unwrap(), (kind, flags, &body), &mut is_5)?,
        }
        if mode == "closes-after-each" && kind != CONNECT {
            return reader.shutdown(Shutdown::Both);
        }
        // Once it is subscribed, which is when it takes messages.
        if kind == SUBSCRIBE && !is_poured {
            is_poured = true;
            let (mode, out) = (mode.to_owned(), Arc::clone(&out));
            thread::spawn(move || drop(send(&mode, is_5, &out)));
        }
    }
}

/// What comes without being asked for, as fast as it is read.
fn send(mode: &str, is_5: bool, out: &Mutex<TcpStream>) -> io::Result<()> {
    let command = |flags: u8, id: u16, payload: &[u8]| publish(is_5, (flags, id), "ocelli/box/command/scale", payload);
    let scale = br#"{"model": "none", "min_inference_units": 1}"#;
    match mode {
        "giant-length" => {
            out.lock().unwrap().write_all(&[0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, b'x'])?;
            pour(out, &[b'y'; BLOCK_BYTES])
        }
        "command-flood" => pour(out, &command(0, 0, scale).repeat(500)),
        "acknowledged-flood" => {
            let block: Vec<u8> = (1..500).flat_map(|id| command(0b0010, id, scale)).collect();
            pour(out, &block)
        }
        "huge-retained" => pour(out, &command(0b0001, 0, &vec![b'x'; LARGE_BYTES])),
        "unknown-acks" => {
            let block: Vec<u8> = (1..2000_u16)
                .flat_map(|id| {
                    let [high, low] = (id ^ 0x5555).to_be_bytes();
                    // PUBACK, PUBREC, PUBCOMP, and the answer to a subscription.
                    let code = if is_5 { vec![0x90, 4, high, low, 0, 1] } else { vec![0x90, 3, high, low, 1] };
                    [&[0x40, 2, high, low, 0x50, 2, high, low, 0x70, 2, high, low], &code[..]].concat()
                })
                .collect();
            pour(out, &block)
        }
        "invented-cameras" => {
            for number in 0_u32.. {
                let mut block = Vec::new();
                for part in 0..500 {
                    let topic = format!("ocelli/box/cameras/none-{}/state", number * 500 + part);
                    block.extend(publish(is_5, (0b0001, 0), &topic, b"{}"));
                }
                out.lock().unwrap().write_all(&block)?;
            }
            Ok(())
        }
        "goodbyes" => {
            let reason = format!("\u{1b}[31m\u{1b}]0;owned\u{7}%s{}", "A".repeat(60_000));
            let property = [&[0x1f][..], &length_16(reason.len()), reason.as_bytes()].concat();
            let body = [&[0x8b][..], &varint(property.len()), &property].concat();
            let goodbye = [&[0xe0][..], &varint(body.len()), &body].concat();
            out.lock().unwrap().write_all(if is_5 { &goodbye } else { &[0xe0, 0] })?;
            out.lock().unwrap().shutdown(Shutdown::Both)
        }
        _ => Ok(()),
    }
}

/// A byte each second of an answer that would be in order, with a property that is long.
fn trickle(out: &Mutex<TcpStream>, is_5: bool) -> io::Result<()> {
    let reason = vec![b'x'; 1000];
    let property = [&[0x1f][..], &length_16(reason.len()), &reason].concat();
    let body = [&[0, 0][..], &varint(property.len()), &property].concat();
    let answer = if is_5 { [&[0x20][..], &varint(body.len()), &body].concat() } else { vec![0x20, 2, 0, 0] };
    for byte in answer {
        thread::sleep(Duration::from_secs(1));
        out.lock().unwrap().write_all(&[byte])?;
    }
    Ok(())
}

/// Writes `block` until the client goes.
fn pour(out: &Mutex<TcpStream>, block: &[u8]) -> io::Result<()> {
    loop {
        out.lock().unwrap().write_all(block)?;
    }
}

fn publish(is_5: bool, (flags, id): (u8, u16), topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = [&length_16(topic.len())[..], topic.as_bytes()].concat();
    if flags & 0b0110 != 0 {
        body.extend(id.to_be_bytes());
    }
    if is_5 {
        body.push(0);
    }
    body.extend(payload);
    [&[PUBLISH << 4 | flags][..], &varint(body.len()), &body].concat()
}

fn length_16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

/// A remaining length.
fn varint(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = if length > 0x7f { 0x80 } else { 0 };
        bytes.push(u8::try_from(length & 0x7f).unwrap() | more);
        length >>= 7;
        if length == 0 {
            return bytes;
        }
    }
}
