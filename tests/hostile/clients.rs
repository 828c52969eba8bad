//! Clients of the API that mean harm.

use crate::hostile::answers::jpeg_bomb;
use crate::hostile::clients::{Attack, is_let_in};
use crate::hostile::cost;
use crate::neighbour::{self, NEIGHBOUR};
use crate::report::{self, Bars, ProcessBars};
use crate::support::daemon::Daemon;
use rustix::net::{self, AddressFamily, SocketType};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// All of them.
const MODES: [&str; 16] = [
    "idle-connections",
    "slow-heads",
    "slow-bodies",
    "endless-head",
    "endless-line",
    "endless-chunks",
    "lying-length",
    "deep-json",
    "picture-bombs",
    "many-requests",
    "never-reads-answers",
    "never-reads-events",
    "socket-pings",
    "socket-fragments",
    "socket-never-reads",
    "half-requests",
];
/// Those of a short run: many slow connections, and few that are busy.
const SOME: [&str; 2] = ["slow-heads", "endless-chunks"];

/// The daemon itself speaks HTTP, and serves who asks as fast as it can. It has 64 MiB for the bodies of all requests, and 512
/// connections.
const BARS: Bars = Bars { process: None, daemon_mib: 128.0, daemon_cores: 2.0, lines: 60.0 };
/// Pictures go to a unit.
const UNIT: ProcessBars = ProcessBars { name: "the unit", memory_mib: 512.0, cores: 2.0, threads: 32.0 };

/// Within this a client that means no harm wants its answer, and of so many it gets one.
const PATIENCE: Duration = Duration::from_secs(2);
const ANSWERED: f64 = 0.9;

/// Whether the daemon is healthy, asked from another address than that of the attack: connections are counted by address, and
/// who has most makes room.
fn is_healthy(daemon: &Daemon) -> Option<bool> {
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).ok()?;
    net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 0)).ok()?;
    net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, daemon.http_port())).ok()?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.starts_with("HTTP/1.1 200"))
}

/// One that asks five times a second until it is told to stop: the share of its requests that was answered in time.
fn ask_until(daemon: &Daemon, is_over: &AtomicBool) -> f64 {
    let (mut asked, mut answered, first) = (0.0, 0.0, Instant::now());
    // Also when the test fails beside it: it must not go on for ever.
    while !is_over.load(Ordering::Relaxed) && first.elapsed() < Duration::from_secs(120) {
        let begun = Instant::now();
        let is_healthy = is_healthy(daemon) == Some(true);
        asked += 1.0;
        answered += if is_healthy && begun.elapsed() < PATIENCE { 1.0 } else { 0.0 };
        std::thread::sleep(Duration::from_millis(200));
    }
    answered / asked
}

/// Few bytes for many pixels: a JPEG and a PNG that only say so, and a PNG that has them all.
fn pictures() -> Vec<Vec<u8>> {
    let png = |side: u32, rows: u32| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_depth(png::BitDepth::One);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        let mut stream = writer.stream_writer().unwrap();
        let row = vec![0; side.div_ceil(8) as usize];
        for _ in 0..rows {
            stream.write_all(&row).unwrap();
        }
        // Without its end where there are fewer rows.
        drop(stream);
        drop(writer);
        bytes
    };
    vec![jpeg_bomb(), png(60_000, 10), png(20_000, 20_000)]
}

#[test]
fn a_client_that_means_harm_costs_its_own_connections() {
    let _alone = report::alone();
    let modes = report::chosen(&MODES, &SOME);
    if modes.is_empty() {
        return;
    }
    // A neighbour's frames are told once a second: a shorter time would lose a tenth of them to that alone.
    let time = Duration::from_secs(if report::is_whole() { 15 } else { 8 });
    let pictures = Arc::new(pictures());
    let site = neighbour::start("[mqtt]\nenabled = false\n");
    let daemon = &site.daemon;
    daemon.wait_ready();
    let mut rows = Vec::new();
    for mode in modes {
        assert!(is_let_in(mode, daemon.http_port()), "{mode} attacks nothing");
        let is_over = AtomicBool::new(false);
        let (cost, answered) = std::thread::scope(|scope| {
            let begin =
                || (Attack::start(mode, daemon.http_port(), &pictures), scope.spawn(|| ask_until(daemon, &is_over)));
            let units = |_: &_| if mode == "picture-bombs" { daemon.units() } else { Vec::new() };
            let (cost, (attack, asking)) = cost::measure(daemon, &NEIGHBOUR, begin, units, |_, so_far| so_far < time);
            is_over.store(true, Ordering::Relaxed);
            drop(attack);
            (cost, asking.join().unwrap())
        });
        let bars = Bars { process: (mode == "picture-bombs").then_some(UNIT), ..BARS };
        rows.extend(report::rows(mode, cost, bars));
        let (name, method) = (
            format!("{mode}: answers to another client"),
            "GET /healthz from another address within two seconds, of those asked",
        );
        rows.push(report::row(&name, answered, "ratio", ANSWERED, method));
    }
    daemon.assert_ledger_closes();
    report::judge("client", &rows);
}
