//! The one loop of the daemon: it waits, has the core decide, and carries out.
//!
//! A turn takes everything that is queued, has the core apply it, then at most one tick, and then carries out all effects.
//! So no deadline is judged before the messages that came in time. A long turn is logged; when the daemon itself was
//! suspended, the core is told for how long, and deadlines move.

use crate::appliance::inbox::{Inbox, Input};
use crate::appliance::meter::Meter;
use crate::appliance::performer::Performer;
use crate::control::ApplianceStatus;
use crate::core::{Core, Event};
use crate::ipc::child_process::ChildEvent;
use crate::ipc::messages::{FromCapture, FromUnit};
use crate::os::clock::monotonic_now;
use crate::os::pidfd::ExitStatus;
use crate::supervisor::unit_state::UnitId;
use crate::vision::camera_id::CameraId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often the core is told that time has passed: the finest limit is a unit's restart after 200 ms.
const TICK: Duration = Duration::from_millis(50);

/// How often the status is renewed.
const STATUS_PERIOD: Duration = Duration::from_millis(500);

/// Events of one turn; what is queued beyond waits for the next turn.
const MOST_EVENTS: usize = 512;

/// A turn that takes longer is logged.
const LONG_TURN: Duration = Duration::from_millis(100);

/// When a turn begins so much later than the last one, the daemon was suspended, or its turn held up by the system.
const PAUSE: Duration = Duration::from_millis(500);

/// How long units may finish what they do when the daemon stops. With the time that publishing takes it stays below the
/// ten seconds that a stop may last.
const DRAIN_LIMIT: Duration = Duration::from_secs(6);

/// How long a stop waits for the state files.
const DISK_PATIENCE: Duration = Duration::from_millis(500);

/// The loop, and what it holds.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) core: Core,
    pub(super) performer: Performer,
    pub(super) inbox: Inbox,
    pub(super) meter: Meter,
    pub(super) status: watch::Sender<ApplianceStatus>,
    pub(super) unit_pids: watch::Sender<BTreeMap<UnitId, u32>>,
}

/// What a turn did, for the log.
#[derive(Debug, Default)]
struct Turn {
    events: usize,
    effects: usize,
}

impl Shell {
    /// Runs until `shutdown` turns true, then drains. Returns the last status.
    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> ApplianceStatus {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_turn = monotonic_now();
        let mut status_at = last_turn;
        while !*shutdown.borrow() {
            let (first, is_tick) = tokio::select! {
                input = self.inbox.next() => (Some(input), false),
                _ = tick.tick() => (None, true),
                changed = shutdown.changed() => match changed {
                    Ok(()) => (None, false),
                    Err(_) => break,
                },
            };
            let began = monotonic_now();
            let mut events = self.pause_event(began.since(last_turn));
            last_turn = began;
            let had_command = self.gather(first, &mut events);
            if is_tick {
                events.push_back(Event::Tick);
            }
            let turn = self.turn(events);
            // A caller that reads the status after its command sees what has begun.
            if had_command || began >= status_at {
                status_at = began + STATUS_PERIOD;
                self.renew_status();
            }
            let took = monotonic_now().since(began);
            if took > LONG_TURN {
                let (events, effects) = (turn.events, turn.effects);
                tracing::warn!(
                    ms = took.as_millis(),
                    events,
                    effects,
                    had_command,
                    "a turn of the event loop was long"
                );
            }
        }
        self.drain().await
    }

    /// Tells the core when the daemon was suspended.
    fn pause_event(&self, since_last_turn: Duration) -> VecDeque<Event> {
        if since_last_turn < PAUSE {
            return VecDeque::new();
        }
        let ms = since_last_turn.as_millis();
        tracing::warn!(ms, "the daemon was suspended, or held up by the system; deadlines of its children move");
        VecDeque::from([Event::Paused(since_last_turn)])
    }

    /// Makes events of `first` and of what is queued. True if a command is among them.
    fn gather(&mut self, first: Option<Input>, events: &mut VecDeque<Event>) -> bool {
        let queued = self.inbox.take(MOST_EVENTS);
        let mut had_command = false;
        for input in first.into_iter().chain(queued) {
            had_command |= matches!(input, Input::Command(_));
            events.extend(self.event(input));
        }
        had_command
    }

    /// Has the core apply events, and carries out what it decides, until nothing more follows.
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

    /// What an input means to the core; the log is told here. `None`: nothing.
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
                            ExitStatus::Code(0) => tracing::info!(%unit, "an inference unit stopped as it was told"),
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
                        self.log_capture(group, &message);
                        Some(Event::Capture { group, message })
                    }
                    ChildEvent::Ended { .. } if !is_current => Some(Event::UndeadCaptureEnded { group }),
                    ChildEvent::Ended { status, violation } => {
                        match status {
                            ExitStatus::Code(0) => tracing::debug!(group, "a capture process stopped as it was told"),
                            _ => {
                                tracing::warn!(group, %status, violation, "a capture process ended; it is started again");
                            }
                        }
                        self.performer.captures.ended(group);
                        Some(Event::CaptureEnded { group, detail: format!("the capture process ended: {status}") })
                    }
                }
            }
            Input::Image(offer) => Some(self.performer.requests.image(offer)),
            Input::Snapshot(asked) => Some(self.performer.requests.snapshot(asked)),
            Input::Command(asked) => {
                tracing::info!(command = ?asked.0, "a command");
                Some(self.performer.requests.command(asked))
            }
            Input::Own(event) => Some(event),
        }
    }

    fn log_capture(&self, group: usize, message: &FromCapture) {
        let name = |index| self.core.camera_of(group, index).map(CameraId::as_str);
        match message {
            FromCapture::Hello { pid } => tracing::debug!(group, pid, "a capture process has started"),
            FromCapture::Streaming { camera, info } => {
                let camera = name(*camera);
                tracing::info!(
                    camera,
                    codec = info.codec,
                    decoder = info.decoder,
                    width = info.width,
                    height = info.height,
                    "a camera streams"
                );
            }
            FromCapture::Lost { camera, kind, detail } => {
                tracing::warn!(camera = name(*camera), ?kind, detail, "a camera is lost; it will be tried again");
            }
            _ => {}
        }
    }

    /// Cameras first, so that nothing new comes; then what units still do; then what is to be published.
    async fn drain(mut self) -> ApplianceStatus {
        tracing::info!("stopping: no new frames are taken, units finish what they do");
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
        }
        self.turn(VecDeque::from([Event::Abandon]));
        self.meter.close(self.core.metered(), monotonic_now()).await;
        if !self.performer.files.flush(DISK_PATIENCE).await {
            tracing::warn!("the disk does not take the last changes of commands in time");
        }
        self.performer.units.stop_all();
        self.performer.reporter.shut_down().await;
        let status = self.describe();
        self.status.send_replace(status.clone());
        let images_detected: u64 = status.models.values().map(|model| model.images.detected).sum();
        tracing::info!(ledger_closes = status.ledger_closes(), images_detected, "stopped");
        status
    }

    fn renew_status(&mut self) {
        let now = monotonic_now();
        self.meter.look(self.core.metered(), now);
        let status = self.describe();
        self.performer.reporter.publish_status(&status);
        self.unit_pids.send_replace(self.performer.units.pids());
        self.status.send_replace(status);
    }

    /// The status of the core, and over it what the shell knows.
    fn describe(&self) -> ApplianceStatus {
        let mut status = self.core.status();
        let reporter = &self.performer.reporter;
        for (id, camera) in &mut status.cameras {
            camera.seen = reporter.seen_now(id);
        }
        status.inference_hours = self.meter.totals();
        status.labels_seen = reporter.labels_seen();
        status.published = reporter.published();
        status.broker_connected = reporter.broker_connected();
        status.degraded.extend(reporter.degraded());
        status.degraded.extend(self.performer.files.degraded());
        status.unit_pids = self.performer.units.pids().into_values().collect();
        status.capture_pids = self.performer.captures.pids();
        status
    }
}

fn log_unit(unit: UnitId, message: &FromUnit) {
    match message {
        FromUnit::Hello { pid } => tracing::debug!(%unit, pid, "an inference unit has started"),
        FromUnit::Ready {
            load_ms,
            from_cache,
            execution_provider,
            providers,
            runtime_version,
            batch,
            cache_problem,
        } => {
            tracing::info!(%unit, load_ms, from_cache, %execution_provider, nodes = %providers, runtime_version, batch, "an inference unit is ready");
            if let Some(problem) = cache_problem {
                tracing::warn!(%unit, problem, "the model cache cannot be used");
            }
        }
        FromUnit::LoadFailed { reason } => tracing::error!(%unit, reason, "an inference unit cannot load its model"),
        // Callers that send bad pictures must not fill the log.
        FromUnit::Failed { cause, detail, .. } if cause.is_of_the_image() => {
            tracing::debug!(%unit, %cause, detail, "an image was refused");
        }
        FromUnit::Failed { cause, detail, .. } => tracing::warn!(%unit, %cause, detail, "an inference failed"),
        FromUnit::Detected { .. } | FromUnit::Pong { .. } | FromUnit::Inspected(_) => {}
    }
}
