//! The line between a daemon and its broker, or a camera, which can be cut and can go silent: while it is, subscribers settle
//! at the broker's own port.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Line {
    /// They pass.
    Open,
    /// Connections stay, and nothing passes.
    Silent,
    /// Bytes pass, those of the broker [`LATENESS`] late.
    Slow,
    /// Connections stay, and what the broker says does not pass.
    Unanswered,
    /// Answers pass at [`NARROW`].
    Narrow,
    /// Connections end, and new ones end at once.
    Cut,
    /// Connections are reset, and new ones too.
    Reset,
}

/// A round trip over a slow line, more or less.
const LATENESS: Duration = Duration::from_millis(200);

/// Bytes that pass a narrow line in each [`NARROW_PERIOD`]: 10 kB/s.
const NARROW: usize = 1_000;
const NARROW_PERIOD: Duration = Duration::from_millis(100);

/// A port in front of the broker's.
pub struct Link {
    pub port: u16,
    line: Arc<watch::Sender<Line>>,
    _runtime: Runtime,
}

impl Link {
    /// In front of this port, cut at first.
    pub fn to(broker_port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(watch::channel(Line::Cut).0);
        runtime.spawn(serve(listener, broker_port, Arc::clone(&line)));
        Self { port, line, _runtime: runtime }
    }

    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn serve(listener: TcpListener, broker_port: u16, line: Arc<watch::Sender<Line>>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        if matches!(*line.borrow(), Line::Cut | Line::Reset) {
            continue;
        }
        let Ok(Ok(broker)) =
            tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(("127.0.0.1", broker_port))).await
        else {
            continue;
        };
        client.set_nodelay(true).unwrap();
        broker.set_nodelay(true).unwrap();
        let ((from_client, to_client), (from_broker, to_broker)) = (client.into_split(), broker.into_split());
        tokio::spawn(carry(from_client, to_broker, line.subscribe(), false));
        tokio::spawn(carry(from_broker, to_client, line.subscribe(), true));
    }
}

/// Until one side ends, or the line is cut.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>, is_answer: bool) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let passes = line.wait_for(|line| match line {
            Line::Open | Line::Slow | Line::Narrow | Line::Cut | Line::Reset => true,
            Line::Silent => false,
            Line::Unanswered => !is_answer,
        });
        let now = passes.await.map_or(Line::Cut, |line| *line);
        if now == Line::Cut {
            return;
        }
        if now == Line::Reset {
            to.as_ref().set_zero_linger().unwrap();
            // Else its end is told before the connection is closed.
            to.forget();
            return;
        }
        let is_narrow = is_answer && now == Line::Narrow;
        let most = if is_narrow { NARROW } else { bytes.len() };
        let count = tokio::select! {
            count = from.read(&mut bytes[..most]) => count.unwrap_or(0),
            changed = line.changed() => {
                changed.unwrap();
                continue;
            }
        };
        if is_answer && *line.borrow() == Line::Slow {
            tokio::time::sleep(LATENESS).await;
        }
        if is_narrow {
            tokio::time::sleep(NARROW_PERIOD).await;
        }
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
