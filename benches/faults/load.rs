//! Images at a steady rate, whatever becomes of them: an open loop, timed from when each was due.

use crate::support::from_setup;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server lets a connection be idle for a minute.
const IDLE_LIMIT: Duration = Duration::from_secs(40);

/// What became of the images.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// Milliseconds of each that was looked at.
    pub(crate) detected_ms: Vec<f64>,
    /// Milliseconds of each that was refused with 429.
    pub(crate) refused_ms: Vec<f64>,
    /// What the others were answered.
    pub(crate) failed: Vec<String>,
}

/// A load in the background.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<Mutex<Answers>>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Sends `tps` images a second until it is stopped.
    pub(crate) fn start(port: u16, tps: f64) -> Self {
        Self::send(port, tps, u32::MAX)
    }

    /// Sends so many images at once, each over a connection of its own.
    pub(crate) fn burst(port: u16, count: u32) -> Self {
        Self::send(port, 1e6, count)
    }

    fn send(port: u16, tps: f64, most: u32) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Answers::default())));
        let (until, sink) = (Arc::clone(&stop), Arc::clone(&answers));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(send_all(port, tps, most, &until, &sink));
        });
        Self { stop, answers, thread: Some(thread) }
    }

    /// Takes out what has been answered so far.
    pub(crate) fn take(&self) -> Answers {
        std::mem::take(&mut *self.answers.lock().unwrap())
    }

    /// Stops sending, waits for what is under way, and takes the answers.
    pub(crate) fn finish(mut self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.take()
    }
}

/// Sends for a while and returns the answers.
pub(crate) fn run(port: u16, tps: f64, seconds: u64) -> Answers {
    let load = Load::start(port, tps);
    std::thread::sleep(Duration::from_secs(seconds));
    load.finish()
}

async fn send_all(port: u16, tps: f64, most: u32, stop: &AtomicBool, answers: &Arc<Mutex<Answers>>) {
    let photo = std::fs::read(from_setup("testdata/photo.jpg")).unwrap();
    let head = format!(
        "POST /api/models/coco-ssd/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        photo.len()
    );
    let request = Arc::new([head.into_bytes(), photo].concat());
    let idle: Arc<Mutex<Vec<(TcpStream, Instant)>>> = Arc::default();
    let (begun, mut tasks, mut sent) = (Instant::now(), tokio::task::JoinSet::new(), 0_u32);
    while sent < most && !stop.load(Ordering::Relaxed) {
        let due = begun + Duration::from_secs_f64(f64::from(sent) / tps);
        sleep_until(due).await;
        sent += 1;
        let (request, idle, answers) = (Arc::clone(&request), Arc::clone(&idle), Arc::clone(answers));
        tasks.spawn(async move {
            let answer = timeout(PATIENCE, exchange(port, &request, &idle)).await;
            let ms = due.elapsed().as_secs_f64() * 1e3;
            let mut answers = answers.lock().unwrap();
            match answer {
                Ok(Ok(200)) => answers.detected_ms.push(ms),
                Ok(Ok(429)) => answers.refused_ms.push(ms),
                Ok(Ok(status)) => answers.failed.push(status.to_string()),
                Ok(Err(error)) => answers.failed.push(error.to_string()),
                Err(_) => answers.failed.push("no answer in time".into()),
            }
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

async fn exchange(port: u16, request: &[u8], idle: &Mutex<Vec<(TcpStream, Instant)>>) -> std::io::Result<u16> {
    // As every client does: one that the server may be closing by now is not used again.
    let kept = idle.lock().unwrap().pop().filter(|(_, since)| since.elapsed() < IDLE_LIMIT);
    let mut stream = match kept {
        Some((stream, _)) => stream,
        None => TcpStream::connect(("127.0.0.1", port)).await?,
    };
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
            if !head.contains("connection: close") {
                idle.lock().unwrap().push((stream, Instant::now()));
            }
            return Ok(status);
        }
    }
}
