//! Sends events of the outbox to the broker, and reports their acknowledgements to the outbox.

use crate::os::clock::monotonic_now;
use crate::publish::outbox::{Departure, Position, Settled, SinkEnd, WINDOW};
use crate::publish::sinks::mqtt::ack_watch::AckWatch;
use crate::publish::sinks::mqtt::client::Message;
use crate::publish::sinks::mqtt::connection::Link;
use crate::publish::sinks::mqtt::receipt::Acknowledgement;
use crate::publish::sinks::mqtt::topics;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Retry period of a full client queue while the daemon stops.
const RETRY: Duration = Duration::from_millis(20);

/// How long a stop waits for acknowledgements. Less than the sink has in all, which says goodbye after it.
const FINISH_LIMIT: Duration = Duration::from_secs(1);

/// An event that was sent and is not acknowledged.
struct Sent {
    /// Number of its connection.
    link: u64,
    position: Position,
    camera: Arc<str>,
}

/// Connects the outbox with the sink's connection.
pub(super) struct EventStream {
    prefix: String,
    box_id: String,
    end: SinkEnd,
    link: Option<Link>,
    /// Open while events may leave.
    departures: Option<mpsc::Receiver<Departure>>,
    /// An event that waits for room in the client's queue.
    held: Option<Departure>,
    acknowledgements: JoinSet<(Sent, Acknowledgement)>,
    ack_watch: AckWatch,
    /// Cameras whose events the broker rejects; each was logged once.
    refused: BTreeSet<Arc<str>>,
}

impl EventStream {
    pub(super) fn new(end: SinkEnd, prefix: &str, box_id: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            box_id: box_id.to_owned(),
            end,
            link: None,
            departures: None,
            held: None,
            acknowledgements: JoinSet::new(),
            ack_watch: AckWatch::default(),
            refused: BTreeSet::new(),
        }
    }

    /// Switches to another connection, or none. The outbox resends what was not acknowledged.
    pub(super) fn follow(&mut self, link: Option<Link>) {
        (self.departures, self.held, self.ack_watch) = (None, None, AckWatch::default());
        let sender = link.is_some().then(|| {
            let (sender, receiver) = mpsc::channel(WINDOW);
            self.departures = Some(receiver);
            sender
        });
        self.link = link;
        self.end.link.send_replace(sender);
    }

    /// Waits for the next event or acknowledgement and passes it on.
    pub(super) async fn step(&mut self) {
        tokio::select! {
            Some(departure) = next(&mut self.departures), if self.held.is_none() => self.publish(departure),
            Some(Ok((sent, how))) = self.acknowledgements.join_next() => self.acknowledged(&sent, how),
            else => std::future::pending().await,
        }
    }

    /// Retries an event that found the client's queue full, and replaces a connection that acknowledges nothing.
    pub(super) fn retry(&mut self) {
        if let Some(held) = self.held.take() {
            self.publish(held);
        }
        if self.ack_watch.is_stuck(monotonic_now())
            && let Some(link) = &self.link
        {
            link.replace();
        }
    }

    fn publish(&mut self, departure: Departure) {
        let Some(link) = &self.link else { return };
        let message = Message {
            topic: topics::events_of(&self.prefix, &self.box_id, &departure.camera),
            payload: departure.payload.clone(),
            is_acknowledged: true,
            is_retained: false,
            expires: None,
            correlation: None,
        };
        let Some(receipt) = link.client.try_publish_tracked(message) else {
            self.held = Some(departure);
            return;
        };
        self.ack_watch.sent(monotonic_now());
        let sent = Sent { link: link.number, position: departure.position, camera: departure.camera };
        self.acknowledgements.spawn(async move { (sent, receipt.known().await) });
    }

    fn acknowledged(&mut self, sent: &Sent, how: Acknowledgement) {
        let (position, camera) = (sent.position, &*sent.camera);
        let is_of_this_link = self.link.as_ref().is_some_and(|now| now.number == sent.link);
        if is_of_this_link && how != Acknowledgement::Lost {
            self.ack_watch.acknowledged(monotonic_now());
        }
        let settled = match how {
            Acknowledgement::Accepted => {
                if self.refused.remove(camera) {
                    tracing::info!(camera, "the broker accepts this camera's events again");
                }
                Settled::Delivered(position)
            }
            Acknowledgement::RefusedForEver(reason) => {
                tracing::error!(position, reason, "the broker rejects this event for good; it is skipped");
                Settled::Refused(position)
            }
            Acknowledgement::RefusedForNow(reason) if is_of_this_link => {
                // Logged once per camera: a broker that forbids a topic rejects each event.
                if self.refused.insert(Arc::clone(&sent.camera)) {
                    let topic = topics::events_of(&self.prefix, &self.box_id, camera);
                    tracing::warn!(
                        topic,
                        reason,
                        "the broker rejects this camera's events; they are kept, and one is retried each minute. \
                         Check that its access list allows this box to publish there"
                    );
                }
                Settled::PutOff(position)
            }
            // The outbox resends it with the next connection.
            Acknowledgement::RefusedForNow(_) | Acknowledgement::Lost => return,
        };
        if self.end.settled.try_send(settled).is_err() {
            // The channel has room for a whole window. Without the report the event is only sent again.
            tracing::error!(position, "an acknowledgement could not be passed to the outbox");
        }
    }

    /// Sends what has left the outbox when the daemon stops, and waits for its acknowledgements, one second at most. The
    /// rest stays in the outbox.
    pub(super) async fn finish(&mut self) {
        // With each acknowledgement the outbox would hand over more.
        self.departures.iter_mut().for_each(mpsc::Receiver::close);
        let deadline = tokio::time::Instant::now() + FINISH_LIMIT;
        while self.link.is_some() && (self.has_departures() || !self.acknowledgements.is_empty()) {
            tokio::select! {
                () = self.step() => {}
                () = tokio::time::sleep(RETRY) => self.retry(),
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        self.end.link.send_replace(None);
    }

    fn has_departures(&self) -> bool {
        self.held.is_some() || self.departures.as_ref().is_some_and(|departures| !departures.is_empty())
    }
}

/// The next event. Never returns while there is no connection.
async fn next(departures: &mut Option<mpsc::Receiver<Departure>>) -> Option<Departure> {
    match departures {
        Some(departures) => departures.recv().await,
        None => std::future::pending().await,
    }
}
