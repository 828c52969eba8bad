//! The connection to the broker, made again for ever, each time with a client that knows nothing of the last one.

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

/// A broker that refuses us is tried rarely: credentials will not change by themselves.
const REFUSED_SECONDS: u64 = 60;

/// A connection that stands.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) client: Client,
    /// Counts the connections, so that what belongs to an earlier one is told.
    pub(super) number: u64,
    /// A longer packet would end the connection.
    pub(super) max_packet_bytes: usize,
    replace: Arc<Notify>,
}

impl Link {
    /// Has the connection given up and another made: this one stands, but does nothing.
    pub(super) fn replace(&self) {
        self.replace.notify_one();
    }
}

/// The connection as those see it who publish.
pub(super) struct Connection {
    /// Set while it stands.
    pub(super) link: watch::Receiver<Option<Link>>,
    /// Messages for us; one that finds the queue full is dropped and logged.
    pub(super) incoming: mpsc::Receiver<Incoming>,
    /// Ends after a goodbye.
    pub(super) done: JoinHandle<()>,
}

/// Messages for us that wait: a broker gives what it retains all at once, as the announcements of other devices.
const INCOMING: usize = 256;

/// ±20 %: a site's boxes do not all come back in the second in which their broker does.
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
                tracing::warn!(broker, reason, "the broker is not connected; it is tried again for ever");
                last_reason = Some(reason);
            }
            tokio::time::sleep(jitter(Duration::from_secs(seconds))).await;
        }
    }

    /// One connection, until it fails; `None` after our own goodbye.
    async fn serve(&mut self, client: Client, mut event_loop: EventLoop) -> Option<Failure> {
        let replace = Arc::new(Notify::new());
        let mut is_leaving = false;
        loop {
            let happened = tokio::select! {
                happened = event_loop.poll() => happened,
                () = replace.notified() => {
                    return Some(Failure::own("it acknowledges nothing any more; its connection is replaced"));
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
                // It has been queued; the next polls write it, and then the connection ends.
                Ok(Happened::Disconnected) => is_leaving = true,
                Ok(Happened::Incoming(message)) => {
                    if let Err(error) = self.incoming.try_send(message) {
                        tracing::warn!(%error, "a message for this box is dropped");
                    }
                }
                Ok(Happened::Other) => {}
                Err(_) if is_leaving => return None,
                Err(failure) => return Some(failure),
            }
        }
    }
}
