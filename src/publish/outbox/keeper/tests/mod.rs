//! The keeper with a real store in a real directory.

mod byte_flips;
mod crash_model;
mod dice;
mod disk_image;
mod failing_disk;
mod settlements;
mod trace;
mod whole_run;

use super::*;
use crate::publish::outbox::WINDOW;
use tempfile::TempDir;

fn at(ms: u64) -> Monotonic {
    Monotonic::from_nanos(ms * 1_000_000)
}

fn rules(home: &TempDir) -> OutboxRules {
    OutboxRules {
        file: home.path().join("events.db"),
        vfs: None,
        max_bytes: 1 << 20,
        keep: Duration::from_secs(3600),
        sync_after: Duration::from_millis(500),
        has_sink: true,
    }
}

fn event(number: usize) -> (Arc<str>, Vec<u8>) {
    ("yard".into(), format!("{{\"seq\":{number},\"padding\":\"{}\"}}", "x".repeat(300)).into_bytes())
}

fn record(keeper: &mut Keeper, numbers: std::ops::RangeInclusive<usize>, now: Monotonic) {
    keeper.take_in(numbers.map(event).collect(), &[], 1_000, now);
}

/// Sends and delivers all events. Returns their sequence numbers and `dropped` counts.
fn deliver(keeper: &mut Keeper, mut now: Monotonic) -> Vec<(u64, Option<i64>)> {
    let mut left = Vec::new();
    loop {
        match keeper.next(now) {
            Ok(departure) => {
                let json: serde_json::Value = serde_json::from_slice(&departure.payload).unwrap();
                left.push((json["seq"].as_u64().unwrap(), json["dropped"].as_i64()));
                keeper.take_in(Vec::new(), &[Settled::Delivered(departure.position)], 1_000, now);
            }
            Err(Some(wait)) => now = now + wait.max(Duration::from_millis(1)),
            Err(None) => return left,
        }
    }
}

fn sequence(left: &[(u64, Option<i64>)]) -> Vec<u64> {
    left.iter().map(|(seq, _)| *seq).collect()
}

#[test]
fn what_was_not_delivered_goes_again_after_a_crash_and_what_was_does_not() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    record(&mut keeper, 1..=5, at(0));
    let departure = keeper.next(at(0)).unwrap();
    keeper.take_in(Vec::new(), &[Settled::Delivered(departure.position)], 1_000, at(1));
    drop(keeper.next(at(1)).unwrap());
    keeper.tick(1_000, at(501));
    // Not closed, and the second one is on its way.
    drop(keeper);
    let mut keeper = Keeper::new(rules(&home), at(0));
    assert_eq!(keeper.next(at(0)), Err(None), "no sink is connected");
    keeper.set_connected(true, at(0));
    assert_eq!(sequence(&deliver(&mut keeper, at(0))), [2, 3, 4, 5]);
    let (records, _) = keeper.since(0, 0, 100).unwrap();
    assert_eq!(records.len(), 5, "delivered ones are kept for a while");
}

#[test]
fn a_second_process_is_refused_and_keeps_its_events_in_memory() {
    let home = tempfile::tempdir().unwrap();
    let first = Keeper::new(rules(&home), at(0));
    let mut second = Keeper::new(rules(&home), at(0));
    assert!(first.status().trouble.is_none());
    assert!(second.status().trouble.unwrap().contains("locked"));
    record(&mut second, 1..=3, at(0));
    drop(first);
    second.tick(1_000, at(1_000));
    assert_eq!(second.status().trouble, None, "recovered");
    assert_eq!(second.status().recorded, 3);
    second.set_connected(true, at(0));
    assert_eq!(sequence(&deliver(&mut second, at(1_000))), [1, 2, 3]);
}

#[test]
fn above_its_size_the_oldest_go_are_counted_and_told_of() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    for first in (1..=6_000).step_by(100) {
        record(&mut keeper, first..=first + 99, at(0));
    }
    let status = keeper.status();
    let size = std::fs::metadata(home.path().join("events.db")).unwrap().len();
    assert!(size <= (1 << 20) + 64 * 1024, "{size} bytes");
    assert_eq!(status.waiting + status.dropped, 6_000);
    assert!(status.dropped > 2_000, "{}", status.dropped);
    // Also if the daemon was killed meanwhile.
    drop(keeper);
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    let left = deliver(&mut keeper, at(0));
    assert_eq!(left[0], (status.dropped + 1, Some(i64::try_from(status.dropped).unwrap())));
    assert!(left[1..].iter().all(|(_, dropped)| dropped.is_none()), "it is reported once");
    assert_eq!(sequence(&left), (status.dropped + 1..=6_000).collect::<Vec<_>>());
    assert_eq!(keeper.status().unreported, 0);
}

#[test]
fn delivered_events_make_room_before_any_is_dropped() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    let mut delivered = 0;
    for first in (1..=6_000).step_by(100) {
        record(&mut keeper, first..=first + 99, at(0));
        delivered += deliver(&mut keeper, at(0)).len();
    }
    assert_eq!((delivered, keeper.status().dropped), (6_000, 0));
}

#[test]
fn the_window_holds_until_the_disk_knows() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    record(&mut keeper, 1..=300, at(0));
    let mut now = at(0);
    let mut left = 0;
    while left < WINDOW {
        match keeper.next(now) {
            Ok(_) => left += 1,
            Err(wait) => now = now + wait.unwrap().max(Duration::from_millis(1)),
        }
    }
    assert_eq!(keeper.next(now), Err(None));
    assert_eq!(keeper.status().on_their_way, WINDOW as u64);
}

#[test]
fn old_delivered_events_are_forgotten_and_others_are_not() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    record(&mut keeper, 1..=2, at(0));
    assert_eq!(deliver(&mut keeper, at(0)).len(), 2);
    keeper.set_connected(false, at(0));
    record(&mut keeper, 3..=3, at(0));
    keeper.tick(1_000 + 3_600_001, at(20_000));
    assert_eq!(keeper.since(0, 0, 100).unwrap().0.len(), 1);
    assert_eq!(keeper.status().waiting, 1);
}

#[test]
fn a_position_is_never_given_twice_also_when_its_event_is_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    record(&mut keeper, 1..=3, at(0));
    assert_eq!(deliver(&mut keeper, at(0)).len(), 3);
    keeper.tick(1_000 + 3_600_001, at(20_000));
    assert_eq!(keeper.since(0, 0, 100).unwrap().0, []);
    drop(keeper);
    let mut keeper = Keeper::new(rules(&home), at(0));
    record(&mut keeper, 4..=4, at(0));
    assert_eq!(keeper.since(0, 3, 100).unwrap().0[0].position, 4);
}

#[test]
fn damage_costs_the_event_it_hits() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("events.db");
    let mut keeper = Keeper::new(rules(&home), at(0));
    record(&mut keeper, 1..=500, at(0));
    drop(keeper);
    let clean = std::fs::read(&file).unwrap();
    // A page of the middle is overwritten, and the first: neither header nor tables can be read.
    let mut bytes = clean.clone();
    bytes[..1024].fill(0xAA);
    bytes[160 * 1024..161 * 1024].fill(0xAA);
    std::fs::write(&file, &bytes).unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.tick(1_000, at(1_000));
    assert_eq!(keeper.status().trouble, None);
    assert!(home.path().join("events.db.damaged").exists());
    keeper.set_connected(true, at(0));
    let left = sequence(&deliver(&mut keeper, at(1_000)));
    assert!((480..500).contains(&left.len()), "{} of 500", left.len());
    record(&mut keeper, 501..=501, at(2_000));
    assert_eq!(sequence(&deliver(&mut keeper, at(2_000))), [501], "and it continues");
}

/// Changes the files of a daemon that has ended.
fn change_on_disk(home: &TempDir, sql: &str) {
    let disk = rusqlite::Connection::open(home.path().join("events.db")).unwrap();
    disk.execute_batch(sql).unwrap();
}

#[test]
fn a_position_that_would_have_all_others_run_out_is_damage_and_costs_no_event_but_its_own() {
    let newest = i64::MAX;
    for damage in [
        format!("INSERT INTO tally VALUES ('newest', {newest})"),
        format!("UPDATE event SET position = {newest} WHERE position = 3"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::new(rules(&home), at(0));
        record(&mut keeper, 1..=3, at(0));
        drop(keeper);
        change_on_disk(&home, &damage);
        let mut keeper = Keeper::new(rules(&home), at(0));
        record(&mut keeper, 4..=5, at(0));
        keeper.tick(1_000, at(5_000));
        assert_eq!(keeper.status().trouble, None, "{damage}: healed");
        keeper.set_connected(true, at(0));
        let mut left = sequence(&deliver(&mut keeper, at(5_000)));
        // The checksum of an event shows its place.
        left.retain(|seq| *seq != 3);
        assert_eq!(left, [1, 2, 4, 5], "{damage}");
        assert!(home.path().join("events.db.damaged").exists());
    }
}

#[test]
fn counts_of_dropped_events_that_damage_has_made_huge_stop_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    record(&mut keeper, 1..=3, at(0));
    drop(keeper);
    change_on_disk(&home, &format!("INSERT INTO tally VALUES ('unreported', {0}), ('dropped', {0})", i64::MAX));
    let mut keeper = Keeper::new(rules(&home), at(0));
    // More than fit, so that some are dropped.
    for first in (4..=6_003).step_by(100) {
        record(&mut keeper, first..=first + 99, at(0));
        keeper.tick(1_000, at(first as u64));
    }
    keeper.set_connected(true, at(0));
    assert!(!deliver(&mut keeper, at(20_000)).is_empty());
    assert_eq!(keeper.status().trouble, None);
}

#[test]
fn a_file_that_is_removed_under_a_running_daemon_is_written_anew_with_all_that_it_had() {
    let home = tempfile::tempdir().unwrap();
    let rules = || OutboxRules { file: home.path().join("state/events.db"), ..rules(&home) };
    std::fs::create_dir(home.path().join("state")).unwrap();
    let mut keeper = Keeper::new(rules(), at(0));
    record(&mut keeper, 1..=3, at(0));
    std::fs::remove_dir_all(home.path().join("state")).unwrap();
    record(&mut keeper, 4..=4, at(1));
    keeper.tick(1_000, at(11_000));
    assert!(keeper.status().trouble.unwrap().contains("removed"));
    record(&mut keeper, 5..=5, at(11_001));
    keeper.tick(1_000, at(13_000));
    assert_eq!(keeper.status().trouble, None);
    record(&mut keeper, 6..=6, at(13_000));
    drop(keeper);
    let mut keeper = Keeper::new(rules(), at(0));
    keeper.set_connected(true, at(0));
    assert_eq!(sequence(&deliver(&mut keeper, at(0))), [1, 2, 3, 4, 5, 6]);
}
