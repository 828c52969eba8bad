//! Hands refused images on.

use crate::cluster::{Choice, Peers};
use crate::control::Control;
use crate::control::image_calls::RefusedImage;
use crate::control::images::ImageReply;
use crate::http::peers::books::Books;
use crate::http::peers::connections::{PeerConnections, PeerError};
use crate::http::peers::message::{CALL_HEADER, HandedCall, HandedReply, PATH};
use crate::http::peers::tls::PeerTls;
use crate::model::package::Package;
use crate::os::clock::monotonic_now;
use crate::os::random;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::vision::line_limit::LineLimit;
use crate::vision::outcome::ShedReason;
use axum::body::Bytes;
use axum::http::{Method, Request, header};
use http_body_util::Full;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Images on their way to other boxes at a time. They are held in memory meanwhile: one above 4 MiB takes the places of several.
const AT_A_TIME: usize = 24;

/// What one place holds.
const PLACE_BYTES: u32 = 4 << 20;

/// How long another box may take, however long the caller waits. One that is frozen costs a caller so much.
const ANSWER_LIMIT: Duration = Duration::from_secs(4);

/// With less time than this left, nothing is handed on.
const LEAST_PATIENCE: Duration = Duration::from_millis(100);

/// What the other box is told of the time is so much less: its answer has to arrive.
const WAY_BACK: Duration = Duration::from_millis(50);

/// What handing on needs.
struct Hand {
    control: Control,
    peers: watch::Receiver<Peers>,
    connections: PeerConnections,
    metrics: Arc<Metrics>,
    troubles: Troubles,
    books: Mutex<Books>,
    lines: Mutex<LineLimit>,
}

/// Hands on what this box refuses, as long as the daemon runs.
pub async fn hand_on(
    tls: PeerTls,
    control: Control,
    peers: watch::Receiver<Peers>,
    (metrics, troubles): (Arc<Metrics>, Troubles),
) {
    let Some(mut queue) = control.images.hand_on() else { return };
    metrics.cluster().begin_calls();
    let connections = PeerConnections::new(tls.connector);
    let (books, lines) = (Mutex::default(), Mutex::default());
    let mut changes = peers.clone();
    let hand = Arc::new(Hand { control, peers, connections, metrics, troubles, books, lines });
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    loop {
        let refused = tokio::select! {
            refused = queue.recv() => refused,
            Ok(()) = changes.changed() => {
                hand.tell_trouble();
                continue;
            }
        };
        let Some(refused) = refused else { return };
        let needed = refused.slot.bytes().div_ceil(PLACE_BYTES).max(1);
        let Ok(place) = Arc::clone(&places).try_acquire_many_owned(needed) else {
            hand.metrics.cluster().handed_on("busy");
            // A caller that has gone needs no answer.
            drop(refused.reply.send(refused.refusal));
            continue;
        };
        let hand = Arc::clone(&hand);
        tokio::spawn(async move {
            hand.answer(refused).await;
            drop(place);
        });
    }
}

impl Hand {
    async fn answer(&self, refused: RefusedImage) {
        let RefusedImage { model, mut slot, options, deadline, is_first_try, refusal, mut reply } = refused;
        let (now, package) = (monotonic_now(), self.package(&model));
        let limit = deadline.since(now).min(ANSWER_LIMIT);
        let patience = limit.saturating_sub(WAY_BACK);
        let is_late = patience < LEAST_PATIENCE;
        let chosen = package.filter(|_| !is_late).and_then(|package| Some((self.choose(&package)?, package)));
        let (outcome, answer) = match chosen {
            None if is_late => ("late", None),
            None => ("no_peer", None),
            Some((choice, package)) => {
                let _on_way = OnWay { hand: self, box_id: &choice.box_id };
                let patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
                let call = HandedCall { model, digest: package.digest.clone(), patience_ms, options, is_first_try };
                let image = Bytes::copy_from_slice(slot.content());
                // Other callers may have the slot meanwhile.
                drop(slot);
                let asking = self.ask(&choice, &call, image, limit);
                let answer = tokio::select! {
                    answer = asking => answer,
                    // Its caller has gone.
                    () = reply.closed() => return self.metrics.cluster().handed_on("abandoned"),
                };
                let judged = self.judge(&choice, answer, limit, (&package, &refusal));
                self.tell_trouble();
                judged
            }
        };
        self.metrics.cluster().handed_on(outcome);
        drop(reply.send(answer.unwrap_or(refusal)));
    }

    /// Says which boxes have not answered for long, and no more once they have, or are gone.
    fn tell_trouble(&self) {
        // Held until it is told: another call may have heard the opposite meanwhile.
        let mut books = self.books();
        match books.trouble(|box_id| self.peers.borrow().contains(box_id)) {
            Some(trouble) => drop(self.troubles.set("peers", trouble)),
            None => drop(self.troubles.clear("peers")),
        }
    }

    /// The package by whose labels answers are read here.
    fn package(&self, model: &str) -> Option<Arc<Package>> {
        self.control.read(|status| status.models.get(model)?.running.clone())
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The box to ask, which counts as having the call from now on.
    fn choose(&self, package: &Package) -> Option<Choice> {
        let dice = random::bytes::<16>().ok()?;
        let (one, other) = dice.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        let (now, mut books) = (monotonic_now(), self.books());
        let calls = |box_id: &str| books.calls(box_id, now);
        let dice = [number(one), number(other)];
        let choice = self.peers.borrow().choose((&package.model, &package.digest), calls, dice)?;
        // At once: the next call is to know of it.
        books.begin(&choice.box_id);
        Some(choice)
    }

    async fn ask(
        &self,
        choice: &Choice,
        call: &HandedCall,
        image: Bytes,
        limit: Duration,
    ) -> Result<HandedReply, PeerError> {
        let unreadable = |error: &dyn std::fmt::Display| PeerError::Unreadable(error.to_string());
        let call = serde_json::to_string(call).map_err(|error| unreadable(&error))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(PATH)
            .header(header::HOST, choice.address.as_str())
            .header(header::CONTENT_LENGTH, image.len())
            .header(CALL_HEADER, call)
            .body(Full::new(image))
            .map_err(|error| unreadable(&error))?;
        let answer = self.connections.exchange(&choice.address, request, limit).await?;
        serde_json::from_slice(&answer).map_err(|error| unreadable(&error))
    }

    /// What it came to, for the metric, and the answer for the caller if that is not the refusal of this box.
    fn judge(
        &self,
        choice: &Choice,
        answer: Result<HandedReply, PeerError>,
        limit: Duration,
        (package, refusal): (&Arc<Package>, &ImageReply),
    ) -> (&'static str, Option<ImageReply>) {
        match answer {
            Ok(answer) => {
                self.books().answered(&choice.box_id);
                let outcome = match &answer {
                    HandedReply::Detected { .. } => "answered",
                    HandedReply::Failed(_) => "failed",
                    HandedReply::Shed { reason: ShedReason::Draining | ShedReason::ModelStopped, .. }
                    | HandedReply::OtherPackage => "not_taken",
                    HandedReply::Shed { .. } => "refused",
                };
                (outcome, answer.into_reply(package, refusal))
            }
            Err(error) => {
                // A caller in a hurry says nothing of the box.
                if !matches!(error, PeerError::TimedOut) || limit == ANSWER_LIMIT {
                    self.books().failed(&choice.box_id, error.to_string(), monotonic_now());
                }
                let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(left_out) = lines.admit(monotonic_now()) {
                    let (box_id, count) = (&choice.box_id, left_out.count());
                    let address = &choice.address;
                    tracing::warn!(box_id, address, %error, left_out = count, "a box of the cluster takes no calls{left_out}");
                }
                let outcome = match error {
                    PeerError::Unreachable(_) => "unreachable",
                    PeerError::TimedOut => "timed_out",
                    PeerError::Unreadable(_) => "unreadable",
                };
                (outcome, None)
            }
        }
    }
}

/// A call that is on its way to a box, until it is dropped.
struct OnWay<'a> {
    hand: &'a Hand,
    box_id: &'a str,
}

impl Drop for OnWay<'_> {
    fn drop(&mut self) {
        self.hand.books().end(self.box_id);
    }
}
