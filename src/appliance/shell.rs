//! The event loop of the daemon: it waits for events, passes them to the core and performs the effects.
//!
//! A turn applies all queued events, then at most one tick, and then performs all effects. So messages that arrived in
//! time are applied before deadlines are checked. Long turns are logged. After a suspension of the daemon the core gets
//! its length and extends the deadlines.

use crate::appliance::child_log::{log_capture, log_unit};
use crate::appliance::inbox::{Inbox, Input};
use crate::appliance::meter::Meter;
use crate::appliance::performer::Performer;
use crate::appliance::status_maker::StatusMaker;
use crate::appliance::stream_lines::StreamLines;
use crate::control::ApplianceStatus;
use crate::core::{Core, Event};
use crate::ipc::child_process::ChildEvent;
use crate::ipc::messages::FromCapture;
use crate::os::clock::monotonic_now;
use crate::os::pidfd::ExitStatus;
use crate::supervisor::unit_state::UnitId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// The period of ticks. The shortest deadline is the restart of a unit after 200 ms.
const TICK: Duration = Duration::from_millis(50);

/// The period of ticks while the core is at rest. What is due then is due after seconds. The daemon of an idle box with
/// one camera uses half as much processor time.
const TICK_AT_REST: Duration = Duration::from_millis(250);

/// How often the status is updated.
const STATUS_PERIOD: Duration = Duration::from_millis(500);

/// The most queued inputs of one turn; further ones wait for the next turn.
const MOST_EVENTS: usize = 512;

/// A turn that takes longer is logged.
const LONG_TURN: Duration = Duration::from_millis(100);

/// If a turn starts this much later than it was due, the daemon was suspended or not scheduled.
const PAUSE: Duration = Duration::from_millis(500);

/// How long units may finish their work at shutdown. With what else may wait, a shutdown takes twelve seconds at most.
const DRAIN_LIMIT: Duration = Duration::from_secs(4);

/// How long the shutdown waits for the state files.
const DISK_PATIENCE: Duration = Duration::from_millis(500);

/// How long it waits for the clips that were being made, each of which is synchronised with the disk.
const CLIP_PATIENCE: Duration = Duration::from_secs(2);

/// The event loop and its parts.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) core: Core,
    pub(super) performer: Performer,
    pub(super) inbox: Inbox,
    pub(super) stream_lines: StreamLines,
    pub(super) meter: Meter,
    pub(super) statuses: StatusMaker,
    pub(super) status: watch::Sender<ApplianceStatus>,
    pub(super) unit_pids: watch::Sender<BTreeMap<UnitId, u32>>,
}

/// The size of a turn, for the log.
#[derive(Debug, Default)]
struct Turn {
    events: usize,
    effects: usize,
}

impl Shell {
    /// Runs until `shutdown` turns true, then drains. Returns the last status.
    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> ApplianceStatus {
        let mut last_turn = monotonic_now();
        let (mut status_at, mut last_tick) = (last_turn, last_turn);
        while !*shutdown.borrow() {
            let period = if self.core.is_at_rest() { TICK_AT_REST } else { TICK };
            let until_tick = period.saturating_sub(monotonic_now().since(last_tick));
            let (first, is_tick) = tokio::select! {
                input = self.inbox.next() => (Some(input), false),
                () = sleep(until_tick) => (None, true),
                changed = shutdown.changed() => match changed {
                    Ok(()) => (None, false),
                    Err(_) => break,
                },
            };
            let began = monotonic_now();
            let mut events = self.pause_event(began.since(last_turn), period);
            last_turn = began;
            self.gather(first, &mut events);
            if is_tick {
                last_tick = began;
                events.push_back(Event::Tick);
            }
            let turn = self.turn(events);
            // A client that reads the status after the reply to its command must see the effect.
            let has_replies = self.performer.requests.has_replies();
            if has_replies || began >= status_at {
                status_at = began + STATUS_PERIOD;
                self.renew_status();
                self.performer.requests.send_replies();
            }
            let took = monotonic_now().since(began);
            if took > LONG_TURN {
                let (events, effects) = (turn.events, turn.effects);
                tracing::warn!(
                    ms = took.as_millis(),
                    events,
                    effects,
                    has_replies,
                    "a turn of the event loop was long"
                );
            }
        }
        self.drain().await
    }

    /// Returns the event for the core if the daemon was suspended.
    fn pause_event(&self, since_last_turn: Duration, period: Duration) -> VecDeque<Event> {
        if since_last_turn < PAUSE + period {
            return VecDeque::new();
        }
        let ms = since_last_turn.as_millis();
        tracing::warn!(ms, "the daemon was suspended or not scheduled; deadlines of child processes are extended");
        VecDeque::from([Event::Paused(since_last_turn)])
    }

    /// Converts `first` and the queued inputs to events.
    fn gather(&mut self, first: Option<Input>, events: &mut VecDeque<Event>) {
        let queued = self.inbox.take(MOST_EVENTS);
        for input in first.into_iter().chain(queued) {
            events.extend(self.event(input));
        }
    }

    /// Applies events and performs their effects, until no further events follow from them.
    fn turn(&mut self, mut events: VecDeque<Event>) -> Turn {
        let mut turn = Turn::default();
        while !events.is_empty() {
            let mut effects = Vec::new();
            for event in events.drain(..) {
                turn.events += 1;
                effects.extend(self.core.apply(event, monotonic_now()));
            }
            turn.effects += effects.len();
            events.extend(effects.into_iter().filter_map(|effect| self.performer.perform(effect)));
        }
        turn
    }

    /// Converts an input to an event, and logs it. `None`: the core has no use for it.
    fn event(&mut self, input: Input) -> Option<Event> {
        match input {
            Input::Unit(event) => {
                if !self.performer.units.is_current(&event) {
                    return None;
                }
                let unit = event.unit;
                match event.event {
                    ChildEvent::Message(message) => {
                        log_unit(unit, &message);
                        Some(Event::Unit { unit, message })
                    }
                    ChildEvent::Ended { status, violation } => {
                        match status {
                            ExitStatus::Code(0) => tracing::info!(%unit, "an inference unit stopped as requested"),
                            _ => tracing::warn!(%unit, %status, violation, "an inference unit ended"),
                        }
                        self.performer.units.ended(unit);
                        Some(Event::UnitEnded { unit })
                    }
                }
            }
            Input::Capture(event) => {
                let (group, is_current) = (event.group, self.performer.captures.is_current(&event));
                match event.event {
                    ChildEvent::Message(_) if !is_current => None,
                    ChildEvent::Message(FromCapture::Snapshot(answer)) => {
                        Some(self.performer.snapshot_made(group, answer))
                    }
                    ChildEvent::Message(message) => {
                        log_capture(&self.core, &mut self.stream_lines, group, &message);
                        Some(Event::Capture { group, message })
                    }
                    ChildEvent::Ended { .. } if !is_current => Some(Event::UndeadCaptureEnded { group }),
                    ChildEvent::Ended { status, violation } => {
                        match status {
                            ExitStatus::Code(0) => tracing::debug!(group, "a capture process stopped as requested"),
                            _ => {
                                tracing::warn!(group, %status, violation, "a capture process ended; restarting it");
                            }
                        }
                        self.performer.captures.ended(group);
                        Some(Event::CaptureEnded { group, detail: format!("the capture process ended: {status}") })
                    }
                }
            }
            Input::Image(offer) => Some(self.performer.requests.image(offer)),
            Input::Snapshot(asked) => Some(self.performer.requests.snapshot(asked)),
            Input::Watched(camera) => {
                self.performer.live.watched(&camera, &self.performer.captures);
                None
            }
            Input::Clip(order) => {
                self.performer.live.record(order, &self.performer.captures);
                None
            }
            Input::Command(asked) => Some(self.performer.requests.command(asked)),
            Input::Change(request) => Some(self.performer.change(request)),
            Input::Own(event) => Some(event),
        }
    }

    /// Stops in order: first the cameras, so that no new frames arrive; then units, after their work; then publishing.
    async fn drain(mut self) -> ApplianceStatus {
        tracing::info!("stopping: no new frames are accepted, units finish their work");
        self.performer.captures.stop_all();
        self.inbox.close_requests();
        self.turn(VecDeque::from([Event::Drain]));
        let deadline = monotonic_now() + DRAIN_LIMIT;
        while self.core.in_flight() > 0 && monotonic_now() < deadline {
            let first = tokio::time::timeout(TICK, self.inbox.next()).await.ok();
            let mut events = VecDeque::new();
            self.gather(first, &mut events);
            events.push_back(Event::Tick);
            self.turn(events);
            self.performer.requests.send_replies();
        }
        self.turn(VecDeque::from([Event::Abandon]));
        self.performer.requests.send_replies();
        self.meter.close(self.core.metered(), monotonic_now()).await;
        let clips = self.performer.live.clips();
        while let Ok(order) = self.inbox.clips.try_recv() {
            clips.cannot_begin(&order);
        }
        if tokio::time::timeout(CLIP_PATIENCE, clips.flush()).await.is_err() {
            tracing::warn!("the last clips of events could not be written to the disk in time");
        }
        if !self.performer.files.flush(DISK_PATIENCE).await {
            tracing::warn!("the last changes of commands could not be written to the disk in time");
        }
        self.performer.units.stop_all();
        self.performer.reporter.shut_down().await;
        let status = self.statuses.make(&self.core, &self.performer, &self.meter);
        self.status.send_replace(status.clone());
        let images_detected: u64 = status.models.values().map(|model| model.images.detected).sum();
        tracing::info!(ledger_closes = status.ledger_closes(), images_detected, "stopped");
        status
    }

    fn renew_status(&mut self) {
        let now = monotonic_now();
        self.meter.look(self.core.metered(), now);
        let status = self.statuses.make(&self.core, &self.performer, &self.meter);
        self.performer.reporter.publish_status(&status, now);
        self.unit_pids.send_replace(self.performer.units.pids());
        self.status.send_replace(status);
    }
}
