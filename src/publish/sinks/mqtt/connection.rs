//! Keeps the broker connected. Each connection has a new client, without state of the previous one.

use crate::publish::outgoing::PublishCounters;
use crate::publish::sinks::mqtt::client::{Client, ClientOptions};
use crate::publish::sinks::mqtt::event_loop::{EventLoop, Happened, Incoming};
use crate::publish::sinks::mqtt::failure::Failure;
use crate::vision::reconnect_ladder::seconds_before_try;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

/// Retry period after the broker rejected the connection: credentials do not change by themselves.
const REFUSED_SECONDS: u64 = 60;

/// An open connection.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) client: Client,
    /// Counts the connections, so that results of an earlier one are recognised.
    pub(super) number: u64,
    /// A longer packet would end the connection.
    pub(super) max_packet_bytes: usize,
    replace: Arc<Notify>,
}

impl Link {
    /// Closes the connection and makes another: this one is open, but the broker acknowledges nothing.
    pub(super) fn replace(&self) {
        self.replace.notify_one();
    }
}

/// The connection as its publishers see it.
pub(super) struct Connection {
    /// Set while connected.
    pub(super) link: watch::Receiver<Option<Link>>,
    /// Received messages; a full queue drops them, with a log line.
    pub(super) incoming: mpsc::Receiver<Incoming>,
    /// Ends after our own disconnect.
    pub(super) done: JoinHandle<()>,
}

/// Capacity of the queue of received messages. A broker sends all retained messages of a subscription at once.
const INCOMING: usize = 256;

/// ±20 % jitter, so that the boxes of a site do not all reconnect at once when their broker returns.
fn jitter(time: Duration) -> Duration {
    let random = RandomState::new().hash_one(time);
    time.mul_f64(0.8 + (random % 401) as f64 / 1000.0)
}

/// Starts connecting.
pub(super) fn start(options: ClientOptions, counters: Arc<PublishCounters>) -> Connection {
    let (link_sender, link) = watch::channel(None);
    let (incoming_sender, incoming) = mpsc::channel(INCOMING);
    let keeper = Keeper { options, counters, link: link_sender, incoming: incoming_sender, number: 0 };
    Connection { link, incoming, done: tokio::spawn(keeper.keep_connected()) }
}

struct Keeper {
    options: ClientOptions,
    counters: Arc<PublishCounters>,
    link: watch::Sender<Option<Link>>,
    incoming: mpsc::Sender<Incoming>,
    number: u64,
}

impl Keeper {
    async fn keep_connected(mut self) {
        let broker = self.options.broker();
        let (mut failures, mut last_reason) = (0_u32, None);
        loop {
            let (client, event_loop) = self.options.client();
            let connections_before = self.number;
            let ended = self.serve(client, event_loop).await;
            self.counters.connected.store(false, Ordering::Relaxed);
            self.link.send_replace(None);
            let Some(Failure { is_refusal, mut reason, abrupt }) = ended else { return };
            if self.number > connections_before {
                (failures, last_reason) = (0, None);
            } else if let Some(end) = abrupt {
                reason = self.options.mistake_behind(end);
            }
            let seconds = if is_refusal { REFUSED_SECONDS } else { seconds_before_try(failures) };
            failures = failures.saturating_add(1);
            // Each new reason once: a broker that is away for a week is one line.
            if last_reason.as_ref() != Some(&reason) {
                tracing::warn!(broker, reason, "the broker is not connected; retrying");
                last_reason = Some(reason);
            }
            tokio::time::sleep(jitter(Duration::from_secs(seconds))).await;
        }
    }

    /// Runs one connection until it fails; `None` after our own disconnect.
    async fn serve(&mut self, client: Client, mut event_loop: EventLoop) -> Option<Failure> {
        let replace = Arc::new(Notify::new());
        let mut is_leaving = false;
        loop {
            let happened = tokio::select! {
                happened = event_loop.poll() => happened,
                () = replace.notified() => {
                    return Some(Failure::own("it stopped acknowledging messages; reconnecting"));
                }
            };
            match happened {
                Ok(Happened::Connected(max_packet_bytes)) => {
                    tracing::info!(broker = self.options.broker(), "the broker is connected");
                    self.number += 1;
                    self.counters.connected.store(true, Ordering::Relaxed);
                    self.link.send_replace(Some(Link {
                        client: client.clone(),
                        number: self.number,
                        max_packet_bytes: max_packet_bytes.map_or(usize::MAX, |bytes| bytes as usize),
                        replace: Arc::clone(&replace),
                    }));
                }
                Ok(Happened::Published) => drop(self.counters.published.fetch_add(1, Ordering::Relaxed)),
                // The packet is queued; the next polls write it and end the connection.
                Ok(Happened::Disconnected) => is_leaving = true,
                Ok(Happened::Incoming(message)) => {
                    if let Err(error) = self.incoming.try_send(message) {
                        tracing::warn!(%error, "a received message is dropped");
                    }
                }
                Ok(Happened::Other) => {}
                Err(_) if is_leaving => return None,
                Err(failure) => return Some(failure),
            }
        }
    }
}
