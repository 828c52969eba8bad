//! The thread that writes clips, on disks with room, without, and that refuse.

use super::*;
use crate::clips::recordings::{ClipTimes, Recordings};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::tracking::EventKind;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::path::Path;
use std::time::Duration;
use tokio::sync::Semaphore;

const RULES: RingRules = RingRules { most_bytes: 10_000, keep: Duration::from_secs(86_400), leave_bytes: 0 };

fn writer(home: &Path, rules: RingRules) -> (Writer, Troubles) {
    let troubles = Troubles::default();
    let times = ClipTimes { after: Duration::ZERO, longest: Duration::from_secs(60) };
    let shared = Shared::new(home.join("clips"), Recordings::new(times), Arc::default(), troubles.clone());
    let mut writer = Writer::new(Arc::new(shared), rules);
    writer.load();
    (writer, troubles)
}

/// A clip of an event with so many bytes.
fn keep(writer: &mut Writer, event: &str, start_ms: i64, bytes: usize) {
    let camera = CameraId::new("yard").unwrap();
    let at = Monotonic::from_nanos(u64::try_from(start_ms).unwrap() * 1_000_000);
    writer.shared.lock().recordings.event(&camera, 1, EventKind::Began, event, at);
    writer.shared.lock().recordings.event(&camera, 1, EventKind::Ended, event, at);
    let clip = u64::try_from(start_ms / 1000).unwrap();
    writer.perform(Job::Begin(clip, ClipEntry::new(camera, start_ms)));
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    writer.perform(Job::Write(clip, vec![7; bytes].into(), permit));
    writer.perform(Job::Finish { clip, end_ms: start_ms + 10, dropped: 0 });
}

fn counted(writer: &Writer, result: &str) -> bool {
    let metrics: &Metrics = &writer.shared.metrics;
    metrics.encode().contains(&format!("ocelli_clips_total{{result=\"{result}\"}} 1\n"))
}

#[test]
fn the_ring_removes_the_oldest_and_a_restart_knows_the_others() {
    let home = tempfile::tempdir().unwrap();
    // A step of reserved room is larger than these clips.
    let rules = RingRules { most_bytes: STEP_BYTES + 10_000, ..RULES };
    let (mut before, _) = writer(home.path(), rules);
    for (number, event) in (1..).zip(["a", "b", "c", "d"]) {
        keep(&mut before, event, number * 1000, 4000);
    }
    let found = |writer: &Writer| ["a", "b", "c", "d"].map(|event| writer.shared.find(event).is_some());
    assert_eq!(found(&before), [false, true, true, true]);
    assert_eq!(before.shared.lock().recordings.len(), 0);
    let (after, _) = writer(home.path(), rules);
    assert_eq!(found(&after), [false, true, true, true]);
    assert_eq!(after.shared.lock().library.bytes(), 12_000);
}

#[test]
fn a_disk_without_room_costs_the_clip_and_is_told_until_there_is_some() {
    let home = tempfile::tempdir().unwrap();
    let (mut writer, troubles) = writer(home.path(), RingRules { leave_bytes: u64::MAX / 2, ..RULES });
    keep(&mut writer, "a", 1000, 100);
    assert!(writer.shared.find("a").is_none() && counted(&writer, "no_room"));
    assert!(troubles.all()[0].starts_with("clips of events are not kept: there is no room"), "{:?}", troubles.all());
    assert!(writer.open.is_empty() && writer.shared.lock().recordings.len() == 0);
    writer.rules = RingRules { most_bytes: 10 * STEP_BYTES, ..RULES };
    keep(&mut writer, "b", 2000, 100);
    assert!(writer.shared.find("b").is_some() && troubles.all().is_empty());
}

#[test]
fn a_disk_that_refuses_costs_the_clip() {
    let home = tempfile::tempdir().unwrap();
    let (mut writer, troubles) = writer(home.path(), RingRules { most_bytes: 10 * STEP_BYTES, ..RULES });
    // A file has the name of the directory.
    std::fs::create_dir(home.path().join("clips")).unwrap();
    std::fs::write(home.path().join("clips/yard"), b"").unwrap();
    keep(&mut writer, "a", 1000, 100);
    assert!(counted(&writer, "refused"));
    assert!(troubles.all()[0].contains("the disk refuses them"), "{:?}", troubles.all());
}

#[test]
fn a_clip_whose_file_cannot_be_removed_is_counted_until_it_is() {
    let home = tempfile::tempdir().unwrap();
    let rules = RingRules { most_bytes: STEP_BYTES + 10_000, ..RULES };
    let (mut writer, _) = writer(home.path(), rules);
    keep(&mut writer, "a", 1000, 4000);
    // A directory with something in it cannot be removed as a file.
    let video = crate::clips::shared::video_file(&home.path().join("clips/yard"), 1000);
    std::fs::remove_file(&video).unwrap();
    std::fs::create_dir_all(video.join("full")).unwrap();
    for (number, event) in (2..).zip(["b", "c", "d"]) {
        keep(&mut writer, event, number * 1000, 4000);
    }
    let found = |writer: &Writer| ["a", "b", "c", "d"].map(|event| writer.shared.find(event).is_some());
    assert_eq!(found(&writer), [false, false, true, true], "another one goes instead");
    assert_eq!(writer.shared.lock().library.bytes(), 12_000);
    writer.perform(Job::Tidy);
    assert_eq!(writer.shared.lock().library.bytes(), 12_000);
    std::fs::remove_dir_all(&video).unwrap();
    writer.perform(Job::Tidy);
    assert_eq!(writer.shared.lock().library.bytes(), 8000);
    assert_eq!(found(&writer), [false, false, true, true]);
    assert!(writer.shared.metrics.encode().contains("ocelli_clips_removed_total 2\n"));
}
