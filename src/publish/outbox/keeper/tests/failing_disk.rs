//! A disk that is full, read-only or failing for a time. No event that fits into the ring is lost, and writing resumes.

use super::dice::Dice;
use super::disk_image::{DiskImage, End};
use super::trace::quick_directory;
use super::*;
use crate::os::tests::watched_disk::{Fault, WatchedDisk};
use std::collections::BTreeSet;

const FAULTS: [Fault; 5] = [Fault::Full, Fault::ReadOnly, Fault::Write, Fault::Sync, Fault::Read];

/// A keeper on a disk that fails on demand, with a broker that takes everything.
struct Story {
    home: TempDir,
    disk: WatchedDisk,
    keeper: Keeper,
    now_ms: u64,
    recorded: usize,
    left: Vec<u64>,
    /// The sum of `dropped` in the events that were sent.
    told_dropped: i64,
}

impl Story {
    fn begin(fault: Option<Fault>) -> Self {
        Self::begin_in(quick_directory(), fault)
    }

    fn begin_in(home: TempDir, fault: Option<Fault>) -> Self {
        let disk = WatchedDisk::new();
        disk.set_fault(fault);
        let mut keeper = Keeper::new(story_rules(&home, Some(disk.vfs.clone())), at(0));
        keeper.set_connected(true, at(0));
        Self { home, disk, keeper, now_ms: 0, recorded: 0, left: Vec::new(), told_dropped: 0 }
    }

    fn record(&mut self, events: usize) {
        let first = self.recorded + 1;
        self.recorded += events;
        record(&mut self.keeper, first..=self.recorded, at(self.now_ms));
    }

    /// Time passes, and the broker accepts up to a number of events.
    fn pass(&mut self, ms: u64, mut take: usize) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.now_ms += 50;
            self.keeper.tick(1_000, at(self.now_ms));
            while take > 0
                && let Ok(departure) = self.keeper.next(at(self.now_ms))
            {
                take -= 1;
                let json: serde_json::Value = serde_json::from_slice(&departure.payload).unwrap();
                self.left.push(json["seq"].as_u64().unwrap());
                self.told_dropped += json["dropped"].as_i64().unwrap_or(0);
                let settled = [Settled::Delivered(departure.position)];
                self.keeper.take_in(Vec::new(), &settled, 1_000, at(self.now_ms));
            }
        }
    }

    /// The disk works again: a second later there is no trouble, and all events are sent.
    fn heal(&mut self) {
        self.disk.set_fault(None);
        self.pass(1_100, 0);
        assert_eq!(self.keeper.status().trouble, None);
        while self.keeper.status().waiting > 0 {
            self.pass(1_000, usize::MAX);
        }
        self.keeper.sync(at(self.now_ms));
    }

    fn numbers(&self) -> BTreeSet<u64> {
        self.left.iter().copied().collect()
    }
}

fn story_rules(home: &TempDir, vfs: Option<String>) -> OutboxRules {
    OutboxRules { max_bytes: 16 << 20, vfs, ..rules(home) }
}

#[test]
fn nothing_is_lost_while_a_disk_fails_for_a_time_and_it_heals() {
    for fault in FAULTS {
        let mut story = Story::begin(None);
        // More than SQLite caches, so that reads reach the disk.
        story.record(3_000);
        story.pass(1_000, 10);
        story.disk.set_fault(Some(fault));
        for _ in 0..10 {
            story.record(30);
            story.pass(600, 5);
        }
        assert!(story.disk.refused() > 0, "{fault:?} has no effect");
        assert!(story.keeper.status().trouble.is_some(), "{fault:?} is not reported");
        story.heal();
        let status = story.keeper.status();
        let counts = (status.dropped, status.damaged, status.unreported, status.waiting);
        assert_eq!(counts, (0, 0, 0, 0), "{fault:?}");
        assert_eq!(story.numbers(), (1..=3_300).collect(), "{fault:?}");
        let Story { home, keeper, .. } = story;
        drop(keeper);
        let keeper = Keeper::new(story_rules(&home, None), at(0));
        assert_eq!((keeper.status().waiting, keeper.status().trouble), (0, None), "{fault:?}: the disk knows it all");
    }
}

#[test]
fn a_disk_that_cannot_be_opened_at_first_has_everything_once_it_can() {
    for fault in [Fault::Full, Fault::ReadOnly, Fault::Write, Fault::Read] {
        let mut story = Story::begin(Some(fault));
        assert!(story.keeper.status().trouble.is_some(), "{fault:?}");
        story.record(100);
        story.pass(3_000, 20);
        assert_eq!(story.numbers().len(), 20, "{fault:?}: what is in memory leaves");
        story.heal();
        assert_eq!(story.left, (1..=100).collect::<Vec<_>>(), "{fault:?}: each once, in order");
        assert_eq!(story.keeper.status().recorded, 80, "{fault:?}");
    }
}

#[test]
fn what_leaves_before_the_disk_can_be_opened_is_not_taken_for_what_waits_there() {
    let home = quick_directory();
    record(&mut Keeper::new(story_rules(&home, None), at(0)), 1..=30, at(0));
    let mut story = Story::begin_in(home, Some(Fault::Read));
    story.recorded = 30;
    story.record(20);
    story.pass(3_000, 15);
    assert_eq!(story.left, (31..=45).collect::<Vec<_>>(), "only the ring can be read");
    // These five are acknowledged after they were given other positions.
    let on_their_way: Vec<Departure> = std::iter::from_fn(|| story.keeper.next(at(story.now_ms)).ok()).collect();
    story.disk.set_fault(None);
    story.pass(1_100, 0);
    let late: Vec<Settled> = on_their_way.iter().map(|one| Settled::Delivered(one.position)).collect();
    story.keeper.take_in(Vec::new(), &late, 1_000, at(story.now_ms));
    story.heal();
    assert_eq!((on_their_way.len(), story.numbers()), (5, (1..=50).collect()));
}

#[test]
fn a_disk_that_fails_for_ever_has_nothing_grow_but_the_ring() {
    let mut story = Story::begin(None);
    story.disk.set_fault(Some(Fault::Full));
    for _ in 0..50 {
        story.record(50);
        story.pass(500, usize::MAX);
    }
    assert!(story.left.len() > 500 && story.keeper.settled.len() <= 50, "{}", story.keeper.settled.len());
}

#[test]
fn without_a_sink_what_the_disk_has_missed_is_kept_once_it_heals() {
    let (home, disk) = (quick_directory(), WatchedDisk::new());
    let rules = OutboxRules { has_sink: false, ..story_rules(&home, Some(disk.vfs.clone())) };
    let mut keeper = Keeper::new(rules, at(0));
    record(&mut keeper, 1..=10, at(0));
    disk.set_fault(Some(Fault::Full));
    (2..=5).for_each(|ten| record(&mut keeper, ten * 10 - 9..=ten * 10, at(10)));
    disk.set_fault(None);
    keeper.tick(1_000, at(2_000));
    let (kept, _) = keeper.since(0, 0, 100).unwrap();
    let status = keeper.status();
    assert_eq!((kept.len(), status.recorded, status.waiting, status.trouble), (50, 50, 0, None));
}

#[test]
fn what_the_ring_cannot_hold_is_counted_and_told() {
    let mut story = Story::begin(None);
    story.record(50);
    story.disk.set_fault(Some(Fault::Full));
    for _ in 0..16 {
        story.record(100);
    }
    let status = story.keeper.status();
    assert_eq!((status.recorded, status.dropped), (50, 600));
    story.heal();
    let expected: BTreeSet<u64> = (1..=50).chain(651..=1_650).collect();
    assert_eq!((story.numbers(), story.told_dropped), (expected, 600));
    let status = story.keeper.status();
    assert_eq!((status.recorded, status.dropped, status.unreported), (1_050, 600, 0));
}

#[test]
fn a_disk_that_fails_in_the_midst_of_making_room_leaves_no_event_behind() {
    for spared in 0..40 {
        let mut story = Story::begin(None);
        story.keeper.rules.max_bytes = 64 << 10;
        story.keeper.set_connected(false, at(story.now_ms));
        story.record(100);
        story.record(100);
        story.disk.set_fault_after(spared, Fault::Write);
        story.record(100);
        story.disk.set_fault(None);
        story.keeper.set_connected(true, at(story.now_ms));
        story.heal();
        let (left, status) = (story.numbers().len() as u64, story.keeper.status());
        assert!(status.dropped > 0);
        assert_eq!(left + status.dropped, 300, "after {spared} writes: {status:?}");
        assert_eq!(story.told_dropped.unsigned_abs(), status.dropped, "after {spared} writes");
    }
}

#[test]
fn whatever_fails_whenever_every_event_leaves_or_counts_as_dropped() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut story = Story::begin(dice.percent(20).then_some(FAULTS[dice.below(5)]));
        for _ in 0..60 {
            match dice.below(10) {
                0..4 => story.record(1 + dice.below(60)),
                4..7 => story.pass(50 + dice.below(700) as u64, dice.below(40)),
                7 => story.disk.set_fault(Some(FAULTS[dice.below(5)])),
                8 => story.disk.set_fault(None),
                _ => {
                    story.keeper.set_connected(false, at(story.now_ms));
                    story.keeper.set_connected(true, at(story.now_ms));
                }
            }
        }
        story.heal();
        let (left, status) = (story.numbers().len() as u64, story.keeper.status());
        assert_eq!(left + status.dropped, story.recorded as u64, "seed {seed}: {status:?}");
        assert_eq!((status.damaged, status.unreported), (0, 0), "seed {seed}");
        assert_eq!(story.told_dropped.unsigned_abs(), status.dropped, "seed {seed}");
    }
}

#[test]
fn a_sync_that_fails_is_made_good_before_it_counts() {
    let mut story = Story::begin(None);
    story.keeper.set_connected(false, at(story.now_ms));
    story.record(100);
    story.pass(600, 0);
    story.record(100);
    story.disk.set_fault(Some(Fault::Sync));
    story.pass(600, 0);
    assert!(story.keeper.status().trouble.is_some());
    story.disk.set_fault(None);
    story.pass(1_100, 0);
    story.record(100);
    story.keeper.sync(at(story.now_ms));
    assert_eq!(story.keeper.status().trouble, None);
    let (steps, after) = (story.disk.take_steps(), quick_directory());
    let mut image = DiskImage::default();
    steps.iter().for_each(|step| image.apply(step));
    for seed in 0..20 {
        image.write(after.path(), End::PowerCut, &mut Dice(seed));
        let keeper = Keeper::new(story_rules(&after, None), at(0));
        assert_eq!((keeper.status().waiting, keeper.status().trouble), (300, None), "seed {seed}");
    }
}
