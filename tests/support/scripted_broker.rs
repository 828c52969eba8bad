//! A broker that does what no real one can be told to: it speaks just enough of both versions of MQTT.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What it does beside accepting everything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Script {
    /// Refuses each subscription of the first connection, and ends that one when it is told to go on.
    RefuseSubscriptions,
    /// Ends each session without a word, once the client has published something.
    EndSessions,
}

/// A broker on loopback. Its threads end with the test's process.
pub struct ScriptedBroker {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    sessions: AtomicUsize,
    /// The sessions before this one are refused their subscriptions.
    granted_from: AtomicUsize,
    subscriptions: AtomicUsize,
}

impl ScriptedBroker {
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, state) = (listener.local_addr().unwrap().port(), Arc::new(State::default()));
        state.granted_from.store(usize::MAX, Ordering::SeqCst);
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (number, shared) = (shared.sessions.fetch_add(1, Ordering::SeqCst) + 1, Arc::clone(&shared));
                thread::spawn(move || drop(serve(stream.unwrap(), script, number, &shared)));
            }
        });
        Self { port, state }
    }

    /// How many sessions have begun.
    pub fn sessions(&self) -> usize {
        self.state.sessions.load(Ordering::SeqCst)
    }

    /// How many subscriptions were asked for.
    pub fn subscriptions(&self) -> usize {
        self.state.subscriptions.load(Ordering::SeqCst)
    }

    /// Ends the session at its next packet, and grants what later ones ask for.
    pub fn grant_from_next_session(&self) {
        self.state.granted_from.store(self.sessions() + 1, Ordering::SeqCst);
    }
}

/// Serves one client until it is gone, or the script ends its session.
fn serve(mut stream: TcpStream, script: Script, number: usize, state: &State) -> std::io::Result<()> {
    let mut is_5 = false;
    loop {
        let (kind, flags, body) = read_packet(&mut stream)?;
        let granted_from = state.granted_from.load(Ordering::SeqCst);
        if script == Script::RefuseSubscriptions && granted_from != usize::MAX && number < granted_from {
            return Ok(());
        }
        match kind {
            PUBLISH if script == Script::EndSessions => return Ok(()),
            SUBSCRIBE => {
                state.subscriptions.fetch_add(1, Ordering::SeqCst);
                if script == Script::RefuseSubscriptions && number < granted_from {
                    let (refusal, of_311) = ([0x90, 4, body[0], body[1], 0, 0x87], [0x90, 3, body[0], body[1], 0x80]);
                    stream.write_all(if is_5 { &refusal } else { &of_311 })?;
                    continue;
                }
            }
            DISCONNECT => return Ok(()),
            _ => {}
        }
        acknowledge(&mut stream, (kind, flags, &body), &mut is_5)?;
    }
}

pub const CONNECT: u8 = 1;
pub const PUBLISH: u8 = 3;
pub const SUBSCRIBE: u8 = 8;
pub const DISCONNECT: u8 = 14;

/// Answers a packet as a broker does that grants everything.
pub fn acknowledge(out: &mut impl Write, (kind, flags, body): (u8, u8, &[u8]), is_5: &mut bool) -> std::io::Result<()> {
    match kind {
        // The level is behind the name `MQTT`.
        CONNECT => {
            *is_5 = body[6] == 5;
            out.write_all(if *is_5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] })
        }
        // The packet id is behind the topic.
        PUBLISH if flags & 0b0110 != 0 => {
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            out.write_all(&[0x40, 2, body[2 + topic], body[3 + topic]])
        }
        SUBSCRIBE if *is_5 => out.write_all(&[0x90, 4, body[0], body[1], 0, 1]),
        SUBSCRIBE => out.write_all(&[0x90, 3, body[0], body[1], 1]),
        // UNSUBSCRIBE
        10 if *is_5 => out.write_all(&[0xB0, 4, body[0], body[1], 0, 0]),
        10 => out.write_all(&[0xB0, 2, body[0], body[1]]),
        // PINGREQ
        12 => out.write_all(&[0xD0, 0]),
        _ => Ok(()),
    }
}

/// Kind, flags and body of the next packet.
pub fn read_packet(stream: &mut TcpStream) -> std::io::Result<(u8, u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    let first = byte[0];
    let (mut length, mut shift) = (0, 0);
    loop {
        stream.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7F) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((first >> 4, first & 0x0F, body))
}
