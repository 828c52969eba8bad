//! Keeps the broker connected. Each connection has a new client, without state of the previous one.

use crate::os::clock::monotonic_now;
use crate::publish::broker_status::BrokerStatus;
use crate::publish::outgoing::{PublishCounters, SinkTroubles};
use crate::publish::sinks::mqtt::client::{Client, ClientOptions};
use crate::publish::sinks::mqtt::event_loop::{EventLoop, Happened, Incoming};
use crate::publish::sinks::mqtt::failure::Failure;
use crate::publish::sinks::mqtt::reconnects::{PROVEN_AFTER, Reconnects};
use crate::vision::line_limit::LineLimit;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

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

impl Drop for Connection {
    /// Whoever ends the sink ends its connection.
    fn drop(&mut self) {
        self.done.abort();
    }
}

/// Capacity of the queue of received messages. A broker sends all retained messages of a subscription at once: up to one
/// for each label of a model.
const INCOMING: usize = 2048;

/// ±20 % jitter, so that the boxes of a site do not all reconnect at once when their broker returns.
fn jitter(time: Duration) -> Duration {
    let random = RandomState::new().hash_one(time);
    time.mul_f64(0.8 + (random % 401) as f64 / 1000.0)
}

/// Starts connecting.
pub(super) fn start(options: ClientOptions, counters: Arc<PublishCounters>, troubles: Arc<SinkTroubles>) -> Connection {
    let (link_sender, link) = watch::channel(None);
    let (incoming_sender, incoming) = mpsc::channel(INCOMING);
    let reconnects = Reconnects::new(options.client_id());
    let keeper = Keeper {
        options,
        counters,
        troubles,
        reconnects,
        link: link_sender,
        incoming: incoming_sender,
        lines: LineLimit::default(),
        number: 0,
    };
    Connection { link, incoming, done: tokio::spawn(keeper.keep_connected()) }
}

struct Keeper {
    options: ClientOptions,
    counters: Arc<PublishCounters>,
    troubles: Arc<SinkTroubles>,
    reconnects: Reconnects,
    link: watch::Sender<Option<Link>>,
    incoming: mpsc::Sender<Incoming>,
    /// Of the lines about messages that are dropped.
    lines: LineLimit,
    number: u64,
}

impl Keeper {
    async fn keep_connected(mut self) {
        let broker = self.options.broker();
        loop {
            let (client, event_loop) = self.options.client();
            let ended = self.serve(client, event_loop).await;
            self.counters.connected.store(false, Ordering::Relaxed);
            self.link.send_replace(None);
            let Some(failure) = ended else { return };
            let options = &self.options;
            let retry = self.reconnects.ended(failure, |end| options.mistake_behind(end), monotonic_now());
            let reason = retry.reason;
            self.troubles.set_connection(Some(match retry.is_refusal {
                true => BrokerStatus::Refused(Some(format!("the broker {broker} refuses this box: {reason}"))),
                false => BrokerStatus::Away(Some(format!("the broker {broker} is not connected: {reason}"))),
            }));
            if retry.is_news {
                tracing::warn!(broker, reason, "the broker is not connected; retrying");
            }
            tokio::time::sleep(jitter(retry.wait)).await;
        }
    }

    /// Runs one connection until it fails; `None` after our own disconnect.
    async fn serve(&mut self, client: Client, mut event_loop: EventLoop) -> Option<Failure> {
        let replace = Arc::new(Notify::new());
        let mut is_leaving = false;
        let mut proven_at: Option<Instant> = None;
        loop {
            let happened = tokio::select! {
                happened = event_loop.poll() => happened,
                () = replace.notified() => {
                    return Some(Failure::own("it stopped acknowledging messages; reconnecting"));
                }
            };
            // At the latest with the next keep-alive: polling is not interrupted for it.
            if proven_at.take_if(|at| *at <= Instant::now()).is_some() && happened.is_ok() {
                self.is_proven();
            }
            match happened {
                Ok(Happened::Connected(max_packet_bytes)) => {
                    proven_at = Some(Instant::now() + PROVEN_AFTER);
                    self.is_connected(client.clone(), max_packet_bytes, Arc::clone(&replace));
                }
                Ok(Happened::Published) => drop(self.counters.published.fetch_add(1, Ordering::Relaxed)),
                // The packet is queued; the next polls write it and end the connection.
                Ok(Happened::Disconnected) => is_leaving = true,
                Ok(Happened::Incoming(message)) => {
                    if let Err(error) = self.incoming.try_send(message)
                        && let Some(left_out) = self.lines.admit(monotonic_now())
                    {
                        tracing::warn!(%error, left_out = left_out.count(), "a received message is dropped{left_out}");
                    }
                }
                Ok(Happened::Other) => {}
                Err(_) if is_leaving => return None,
                Err(failure) => return Some(failure),
            }
        }
    }

    fn is_connected(&mut self, client: Client, max_packet_bytes: Option<u32>, replace: Arc<Notify>) {
        if self.reconnects.connected(monotonic_now()) {
            tracing::info!(broker = self.options.broker(), "the broker is connected");
        }
        if !self.reconnects.is_flapping() {
            self.troubles.set_connection(None);
        }
        self.number += 1;
        self.counters.connected.store(true, Ordering::Relaxed);
        let max_packet_bytes = max_packet_bytes.map_or(usize::MAX, |bytes| bytes as usize);
        self.link.send_replace(Some(Link { client, number: self.number, max_packet_bytes, replace }));
    }

    /// The session has lasted.
    fn is_proven(&mut self) {
        if self.reconnects.proven() {
            tracing::info!(broker = self.options.broker(), "the broker is connected, and stays so");
        }
        self.troubles.set_connection(None);
    }
}
