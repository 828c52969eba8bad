//! A simulated day of an outbox: its operations, the disk operations that follow, and the state that must survive each.

use super::dice::Dice;
use super::*;
use crate::os::tests::watched_disk::{Step, WatchedDisk};
use crate::publish::outbox::store::Dropped;
use std::path::Path;

/// The state after an operation, which must survive any later crash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Known {
    /// Recorded, and neither delivered nor dropped.
    pub(super) undelivered: Vec<Position>,
    /// The highest position that was ever used.
    pub(super) newest: Position,
    pub(super) dropped: Dropped,
}

/// See the module.
pub(super) struct Trace {
    pub(super) steps: Vec<Step>,
    /// The state after each number of operations.
    pub(super) known: Vec<Known>,
    pub(super) contents: BTreeMap<Position, (Arc<str>, Vec<u8>)>,
}

/// A directory in memory if there is one, because thousands of stores are written.
pub(super) fn quick_directory() -> TempDir {
    match Path::new("/dev/shm") {
        memory if memory.is_dir() => tempfile::tempdir_in(memory).unwrap(),
        _ => tempfile::tempdir().unwrap(),
    }
}

/// Small, so that events are dropped for lack of space and the log restarts several times.
pub(super) fn small_rules(home: &Path, vfs: Option<String>) -> OutboxRules {
    OutboxRules {
        file: home.join("events.db"),
        vfs,
        max_bytes: 256 << 10,
        keep: Duration::from_secs(20),
        sync_after: Duration::from_millis(500),
        has_sink: true,
    }
}

/// A camera and a unique payload of up to 16 KiB. Some are longer than a page of the store.
pub(super) fn any_event(dice: &mut Dice, number: usize) -> (Arc<str>, Vec<u8>) {
    let cameras = ["a", "yard", "gate-2", "barn/north", "a-camera-with-a-name-that-does-not-end-soon", "hall"];
    let length = match dice.below(100) {
        0..70 => 100 + dice.below(600),
        70..90 => 700 + dice.below(3_200),
        90..98 => 3_900 + dice.below(5_000),
        _ => 16_200 + dice.below(184),
    };
    let mut payload = format!("{{\"seq\":{number},\"padding\":\"").into_bytes();
    payload.resize_with(length - 2, || b'a' + u8::try_from(dice.below(26)).unwrap());
    payload.extend(b"\"}");
    (cameras[dice.below(cameras.len())].into(), payload)
}

struct Recorder {
    dice: Dice,
    keeper: Keeper,
    now_ms: u64,
    /// Events in flight.
    on_their_way: Vec<Position>,
    events: usize,
    contents: BTreeMap<Position, (Arc<str>, Vec<u8>)>,
}

impl Recorder {
    fn operate(&mut self) {
        self.now_ms += 10 + self.dice.below(100) as u64;
        let (now, wall_ms) = (at(self.now_ms), 1_000 + i64::try_from(self.now_ms).unwrap());
        match self.dice.below(100) {
            0..45 => {
                let new = self.new_events();
                self.keeper.take_in(new, &[], wall_ms, now);
            }
            45..60 => {
                let (new, settled) = (self.new_events(), self.settle());
                self.keeper.take_in(new, &settled, wall_ms, now);
            }
            60..75 => {
                let settled = self.settle();
                self.keeper.take_in(Vec::new(), &settled, wall_ms, now);
            }
            75..98 => {
                for _ in 0..self.dice.below(6) {
                    let Ok(departure) = self.keeper.next(now) else { break };
                    self.on_their_way.push(departure.position);
                }
            }
            _ => {
                self.on_their_way.clear();
                self.keeper.set_connected(false, now);
                self.keeper.set_connected(self.dice.percent(90), now);
            }
        }
        self.keeper.tick(wall_ms, now);
        assert_eq!(self.keeper.status().trouble, None);
    }

    fn new_events(&mut self) -> Vec<(Arc<str>, Vec<u8>)> {
        let mut new = Vec::new();
        for _ in 0..1 + self.dice.below(3) {
            self.events += 1;
            new.push(any_event(&mut self.dice, self.events));
        }
        self.contents.extend((self.keeper.next_position..).zip(new.iter().cloned()));
        new
    }

    /// Settles a few events in flight, in random order.
    fn settle(&mut self) -> Vec<Settled> {
        let mut settled = Vec::new();
        for _ in 0..self.on_their_way.len().min(1 + self.dice.below(5)) {
            let position = self.on_their_way.swap_remove(self.dice.below(self.on_their_way.len()));
            let is_refused = self.dice.percent(3);
            settled.push(if is_refused { Settled::Refused(position) } else { Settled::Delivered(position) });
        }
        settled
    }

    fn known(&self) -> Known {
        let store = self.keeper.store.as_ref().unwrap();
        let undelivered = store.undelivered().unwrap().into_iter().map(|(position, _)| position).collect();
        Known { undelivered, newest: self.keeper.next_position - 1, dropped: store.dropped().unwrap() }
    }
}

/// Runs some operations. Fails if written data stays unsynced for a second.
pub(super) fn record_trace(operations: usize, seed: u64) -> Trace {
    let (home, disk) = (quick_directory(), WatchedDisk::new());
    let keeper = Keeper::new(small_rules(home.path(), Some(disk.vfs.clone())), at(0));
    let (dice, contents) = (Dice(seed), BTreeMap::new());
    let mut recorder = Recorder { dice, keeper, now_ms: 0, on_their_way: Vec::new(), events: 0, contents };
    recorder.keeper.set_connected(true, at(0));
    disk.mark(0);
    let mut known = vec![recorder.known()];
    let (mut synced_at, mut synced_step) = (0, disk.step_count());
    for operation in 1..=operations {
        recorder.operate();
        if disk.has_synced_since(synced_step, "-wal") {
            synced_at = recorder.now_ms;
        }
        synced_step = disk.step_count();
        assert!(recorder.now_ms - synced_at < 1_000, "not synced since {synced_at} ms at {} ms", recorder.now_ms);
        disk.mark(operation);
        known.push(recorder.known());
    }
    Trace { steps: disk.take_steps(), known, contents: recorder.contents }
}
