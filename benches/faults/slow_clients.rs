//! A thousand clients that trickle the head of a request, and one that sends its body in chunks of one byte, must not slow
//! down a good client.

use crate::figure;
use crate::load;
use crate::report::Figure;
use crate::statistics::percentile;
use crate::support::broker::Broker;
use crate::support::daemon::Daemon;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

const MODEL: &str = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n";
const SLOW_CLIENTS: usize = 1_000;
const TPS: f64 = 20.0;
const SECONDS: u64 = 20;

/// Connects from another address than the good client, as a stranger would.
async fn connect(port: u16) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.2:0".parse().unwrap())?;
    socket.connect(([127, 0, 0, 1], port).into()).await
}

/// Sends a byte of a header each half second until the server closes the connection, and then connects again.
async fn slow_head(port: u16, stop: Arc<AtomicBool>, closed: Arc<AtomicU32>) {
    while !stop.load(Ordering::Relaxed) {
        if let Ok(mut stream) = connect(port).await {
            drop(stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await);
            while !stop.load(Ordering::Relaxed) && stream.write_all(b"x").await.is_ok() {
                let end = timeout(Duration::from_millis(500), stream.read_u8()).await;
                if end.is_ok() {
                    closed.fetch_add(1, Ordering::Relaxed);
                    break;
                }
            }
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Sends 3 MB in chunks of one byte, repeatedly.
async fn tiny_chunks(port: u16, stop: Arc<AtomicBool>) {
    let chunks = b"1\r\nx\r\n".repeat(3_000_000);
    while !stop.load(Ordering::Relaxed) {
        if let Ok(mut stream) = connect(port).await {
            let head =
                "POST /api/models/coco-ssd/detect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
            drop(stream.write_all(head.as_bytes()).await);
            drop(timeout(Duration::from_secs(5), stream.write_all(&chunks)).await);
        }
        sleep(Duration::from_secs(1)).await;
    }
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, MODEL);
    daemon.wait_ready();
    let port = daemon.http_port();
    drop(load::run(port, TPS, 3));
    let quiet = load::run(port, TPS, SECONDS);
    let (stop, closed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let attack = {
        let (stop, closed) = (Arc::clone(&stop), Arc::clone(&closed));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut clients = tokio::task::JoinSet::new();
                clients.spawn(tiny_chunks(port, Arc::clone(&stop)));
                for _ in 0..SLOW_CLIENTS {
                    clients.spawn(slow_head(port, Arc::clone(&stop), Arc::clone(&closed)));
                }
                while clients.join_next().await.is_some() {}
            });
        })
    };
    std::thread::sleep(Duration::from_secs(2));
    let attacked = load::run(port, TPS, SECONDS);
    stop.store(true, Ordering::Relaxed);
    attack.join().unwrap();
    let lost = attacked.failed.len() + attacked.refused_ms.len();
    let (quiet, attacked) = (percentile(quiet.detected_ms, 0.99), percentile(attacked.detected_ms, 0.99));
    let closed = closed.load(Ordering::Relaxed);
    println!("  p99 {quiet:.1} ms quiet, {attacked:.1} ms attacked; {closed} slow connections were closed");
    let method = "20 images a second beside 1,000 clients that send a byte of a head each half second, and one that \
                  sends 3 MB in chunks of one byte; 20 s, on the cores that the attackers use too";
    figures.push(figure("slow clients: a good one's p99 / quiet p99", attacked / quiet, "", Some(2.0), method));
    figures.push(figure("slow clients: a good one's requests lost", lost as f64, "", Some(0.0), method));
}
