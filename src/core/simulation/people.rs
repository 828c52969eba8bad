//! Faults, client requests and the disk in simulated time.

use crate::admission::{ImageId, ImageWork};
use crate::control::Command;
use crate::control::snapshots::SnapshotFreshness;
use crate::core::Event;
use crate::core::event::{CommandTicket, SnapshotTicket};
use crate::core::simulation::children::UnitFault;
use crate::core::simulation::faults::Fault;
use crate::core::simulation::world::{MS, Next, World};
use crate::ipc::messages::{CameraIndex, RegionId};
use crate::supervisor::pool::UnitBounds;
use crate::supervisor::unit_state::UnitId;
use crate::vision::look_options::LookOptions;
use std::time::Duration;

/// The packages in commands: most load, some do not, one is missing.
const PACKAGES: [&str; 7] = ["good-0", "good-1", "good-2", "good-slow", "bad", "hang", "missing"];

const MODELS: [&str; 3] = ["first", "second", "brought:in"];

impl World {
    fn nth_unit(&self, nth: usize) -> Option<UnitId> {
        let ready: Vec<UnitId> = self
            .units
            .iter()
            .filter(|(_, running)| running.is_ready && !running.is_killed)
            .map(|(unit, _)| *unit)
            .collect();
        (!ready.is_empty()).then(|| ready[nth % ready.len()])
    }

    fn break_unit(&mut self, nth: usize, fault: UnitFault) {
        if let Some(running) = self.nth_unit(nth).and_then(|unit| self.units.get_mut(&unit)) {
            running.fault = Some(fault);
        }
    }

    /// Applies a fault, or sends requests.
    pub(super) fn happens(&mut self, fault: Fault) {
        let groups = self.captures.len();
        let until = |world: &Self, seconds: u64| world.now + seconds * 1_000 * MS;
        match fault {
            Fault::UnitDies(nth) => {
                if let Some((unit, generation)) = self.nth_unit(nth).map(|unit| (unit, self.units[&unit].generation)) {
                    self.plan(0, Next::UnitExits(unit, generation));
                }
            }
            Fault::UnitHangs(nth) => self.break_unit(nth, UnitFault::Hangs),
            Fault::UnitLies(nth) => self.break_unit(nth, UnitFault::Lies),
            Fault::UnitInvalid(nth) => self.break_unit(nth, UnitFault::Invalid),
            Fault::UnitUndead(nth) => self.break_unit(nth, UnitFault::Undead),
            Fault::UnitGrows(nth) => {
                if let Some(running) = self.nth_unit(nth).and_then(|unit| self.units.get_mut(&unit)) {
                    running.bytes += 300 << 20;
                }
            }
            Fault::ZoneBreaks(zone, seconds) => self.trouble.zones[usize::from(zone)] = until(self, seconds),
            Fault::NoProcesses(seconds) => self.trouble.processes = until(self, seconds),
            Fault::CaptureDies(nth) => {
                let generation = self.captures[nth % groups].generation;
                self.plan(0, Next::CaptureExits(nth % groups, generation));
            }
            Fault::CaptureHangs(nth) => self.captures[nth % groups].is_hung = true,
            Fault::CaptureLies(nth) => self.captures[nth % groups].has_lied = true,
            Fault::CaptureUndead(nth) => {
                let capture = &mut self.captures[nth % groups];
                (capture.is_hung, capture.is_undead) = (true, true);
            }
            Fault::CameraDown(nth, seconds) => {
                let until = until(self, seconds);
                let camera = nth % self.cameras.len();
                self.cameras[camera].down_until = until;
            }
            Fault::CameraSilent(nth, seconds) => {
                let until = until(self, seconds);
                let camera = nth % self.cameras.len();
                self.cameras[camera].silent_until = until;
            }
            Fault::NoSharedMemory(seconds) => self.trouble.shared_memory = until(self, seconds),
            Fault::DiskRefuses(seconds) => self.trouble.disk_refuses = until(self, seconds),
            Fault::DiskSlow(seconds) => self.trouble.disk_slow = until(self, seconds),
            Fault::MemoryShort(seconds) => self.trouble.memory = until(self, seconds),
            Fault::Pause(ms) => self.pause(ms),
            Fault::Images(count) => {
                for _ in 0..count {
                    let (after, model) = (self.dice.between(0, 500), self.dice.index(MODELS.len()));
                    let patience_ms = self.dice.pick(&[300, 5_000, 30_000]);
                    self.plan(after * MS, Next::ImageComes(model, patience_ms));
                }
            }
            Fault::Snapshots(count) => (0..count).for_each(|_| self.request_snapshot()),
            Fault::Commands(count) => (0..count).for_each(|_| self.command()),
            Fault::Reload => self.reload(),
        }
    }

    /// An image arrives for a model.
    pub(super) fn image(&mut self, model: usize, patience_ms: u64) {
        let id = ImageId(self.books.ticket());
        let now = self.monotonic();
        let work = ImageWork {
            id,
            region: RegionId(u32::MAX),
            slot: 0,
            bytes: 1,
            arrived_at: now,
            deadline: now + Duration::from_millis(patience_ms),
            options: LookOptions::default(),
            is_first_try: false,
            attempts: 0,
            failed_in: None,
        };
        self.books.images.insert(id, self.now + patience_ms * MS);
        self.inbox.push_back(Event::Image { model: MODELS[model].into(), work });
    }

    fn request_snapshot(&mut self) {
        let ticket = SnapshotTicket(self.books.ticket());
        self.books.snapshots.insert(ticket, self.active());
        let camera = format!("camera-{}", self.dice.index(self.cameras.len() + 1));
        let freshness = self.dice.pick(&[
            SnapshotFreshness::Newest,
            SnapshotFreshness::Fresh,
            SnapshotFreshness::Plain,
            SnapshotFreshness::Published,
        ]);
        self.inbox.push_back(Event::SnapshotRequested { ticket, camera, freshness });
    }

    fn command(&mut self) {
        let ticket = CommandTicket(self.books.ticket());
        let model = self.dice.pick(&MODELS).to_owned();
        let min = self.dice.index(3);
        let bounds = UnitBounds { min, max: self.dice.one_in(2).then(|| min + self.dice.index(3)) };
        let command = match self.dice.index(9) {
            0 => Command::StopModel { model },
            1 | 2 => Command::StartModel { model, bounds: self.dice.one_in(2).then_some(bounds) },
            3 => Command::ScaleModel { model, bounds },
            4 | 5 => Command::SwapModel { model, package: self.dice.pick(&PACKAGES).into() },
            6 => {
                let camera = format!("camera-{}", self.dice.index(self.cameras.len() + 1));
                Command::SwitchCamera { camera, enabled: self.dice.one_in(2) }
            }
            7 => {
                let (model, bounds) = (MODELS[2].to_owned(), UnitBounds { min: 1, max: None });
                Command::RunPackage { model, directory: self.dice.pick(&PACKAGES).into(), bounds }
            }
            _ => Command::RemoveModel { model },
        };
        self.send(ticket, command);
    }

    /// Sends a command as an event, as the shell does.
    pub(super) fn send(&mut self, ticket: CommandTicket, command: Command) {
        self.note(|| format!("{ticket:?}: {command:?}"));
        self.books.commands.insert(ticket, self.active());
        self.inbox.push_back(Event::Command { ticket, command });
    }

    /// The duration of a disk operation now, in nanoseconds.
    pub(super) fn disk_time(&mut self) -> u64 {
        let is_slow = self.trouble.disk_slow > self.now;
        if is_slow { 8_000 * MS } else { self.dice.between(1, 30) * MS }
    }

    /// Writes a state file, as the file thread does.
    pub(super) fn keep(&mut self, ticket: Option<CommandTicket>) {
        let refuses = self.trouble.disk_refuses > self.now;
        let result = if refuses { Err("no space left".to_owned()) } else { Ok(()) };
        let after = self.disk_time();
        self.plan_result(after, Event::Kept { tickets: ticket.into_iter().collect(), result });
    }

    /// True if the core may treat a connection as silent: its camera is, or its process does not work.
    pub(super) fn may_be_silent(&self, group: usize, index: CameraIndex) -> bool {
        let capture = &self.captures[group];
        let Some(connection) = capture.connections.get(&index) else { return true };
        let camera = &self.cameras[connection.camera];
        // A limit may have expired just after the camera recovered.
        let grace = 120_000 * MS;
        let was_lately = |until: u64| until > 0 && until + grace > self.now;
        capture.is_hung || capture.is_killed || was_lately(camera.silent_until) || was_lately(camera.down_until)
    }
}
