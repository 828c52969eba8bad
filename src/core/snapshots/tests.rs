//! Orders and answers without a capture process.

use super::*;
use crate::ipc::frame_slots::SlotWriter;
use crate::ipc::messages::RegionId;
use crate::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
use crate::vision::framing::Framing;

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos(seconds * 1_000_000_000)
}

fn yard() -> CameraId {
    CameraId::new("yard").unwrap()
}

fn snapshots(draw_boxes: bool) -> Snapshots {
    Snapshots::new(SnapshotSettings { per_minute: 2, draw_boxes, ..SnapshotSettings::default() })
}

fn wait(
    snapshots: &mut Snapshots,
    reply: Option<oneshot::Sender<SnapshotReply>>,
    second: u64,
) -> Result<(), SnapshotRefusal> {
    snapshots.may_wait(&yard(), at(second))?;
    snapshots.wait(&yard(), reply, at(second));
    Ok(())
}

fn order(snapshots: &mut Snapshots, second: u64, reason: Reason) -> SnapshotOrder {
    let picture = Picture::new(PixelFormat::I420, 64, 48, Colorimetry::default()).unwrap();
    let frame = Frame { sequence: second, captured_at: at(second), slot: 3, picture };
    let (number, region, framing) = (100 + second, RegionId(0), Framing::default());
    let work = FrameWork { camera: yard(), number, frame, region, framing, attempts: 0, failed_in: None };
    let subject = Subject { work: &work, group: 1, index: CameraIndex(7), captured_at_ms: None };
    let boxes = vec![NormalizedBox::from_corners(0.1, 0.1, 0.2, 0.2).unwrap()];
    snapshots.order(subject, boxes, reason, Region::create("test", 1).unwrap(), at(second))
}

/// What a capture process does: writes into the region, and says how much.
fn answer(snapshots: &mut Snapshots, id: SnapshotId, jpeg: &[u8]) -> Option<Ended> {
    let mut region = SlotWriter::new(snapshots.region(id)?.writable(), 1).unwrap();
    region.bytes_mut()[..jpeg.len()].copy_from_slice(jpeg);
    let bytes = u32::try_from(jpeg.len()).unwrap();
    snapshots.answered(1, SnapshotAnswer { id, result: Ok(bytes) })
}

fn event() -> Reason {
    Reason::Event("e1".into())
}

#[test]
fn the_picture_of_an_event_is_kept_and_published_and_no_older_one_replaces_it() {
    let mut snapshots = snapshots(true);
    let (first, second) = (order(&mut snapshots, 1, event()), order(&mut snapshots, 2, event()));
    assert_eq!((first.slot, first.camera, first.boxes.len()), (3, CameraIndex(7), 1));
    let (snapshot, is_kept) = answer(&mut snapshots, second.id, b"two").unwrap().result.unwrap();
    assert!(is_kept && snapshot.frame == 102 && snapshot.event.as_deref() == Some("e1"));
    let (_, is_kept) = answer(&mut snapshots, first.id, b"one").unwrap().result.unwrap();
    assert!(!is_kept);
    assert_eq!(*snapshots.newest(&yard()).unwrap().jpeg, *b"two");
    assert!(answer(&mut snapshots, second.id, b"again").is_none(), "one order has one answer");
}

#[test]
fn all_who_wait_get_the_same_picture_and_cost_one_of_the_limit() {
    let mut snapshots = snapshots(false);
    let mut askers = Vec::new();
    for _ in 0..3 {
        let (reply, asker) = oneshot::channel();
        wait(&mut snapshots, Some(reply), 0).unwrap();
        askers.push(asker);
    }
    let waiting = snapshots.take_waiting(&yard());
    let ordered = order(&mut snapshots, 1, Reason::Waiting(waiting));
    assert!(ordered.boxes.is_empty(), "the settings want none");
    let (_, is_kept) = answer(&mut snapshots, ordered.id, b"jpeg").unwrap().result.unwrap();
    assert!(!is_kept && snapshots.newest(&yard()).is_none(), "it is theirs alone");
    for mut asker in askers {
        assert!(matches!(asker.try_recv(), Ok(SnapshotReply::Taken(found)) if *found.jpeg == *b"jpeg"));
    }
    wait(&mut snapshots, None, 2).unwrap();
    snapshots.take_waiting(&yard());
    let refused = wait(&mut snapshots, None, 3).unwrap_err();
    assert!(matches!(refused, SnapshotRefusal::LimitReached { retry_after, .. } if retry_after.as_secs() == 57));
    assert!(snapshots.may_take(&yard(), SnapshotOccasion::Event, at(3)).is_ok(), "events have their own");
}

#[test]
fn more_than_a_few_do_not_wait() {
    let mut snapshots = snapshots(true);
    let waiting = (0..100).filter(|_| wait(&mut snapshots, None, 0).is_ok()).count();
    assert_eq!(waiting, MAX_WAITING);
}

#[test]
fn an_order_without_an_answer_costs_itself_alone() {
    let mut snapshots = snapshots(true);
    let (reply, mut asker) = oneshot::channel();
    wait(&mut snapshots, Some(reply), 0).unwrap();
    let waiting = snapshots.take_waiting(&yard());
    let lost = order(&mut snapshots, 1, Reason::Waiting(waiting));
    let next = order(&mut snapshots, 3, event());
    assert!(snapshots.tick(at(4)).0.is_empty());
    let late = snapshots.tick(at(5)).0;
    assert!(late.len() == 1 && late[0].result.is_err());
    assert!(matches!(asker.try_recv(), Ok(SnapshotReply::Refused(SnapshotRefusal::Failed(_)))));
    assert!(answer(&mut snapshots, lost.id, b"late").is_none());
    assert!(answer(&mut snapshots, next.id, b"jpeg").unwrap().result.is_ok());
}

#[test]
fn whoever_waits_too_long_for_a_frame_is_told_and_those_who_came_later_wait_on() {
    let mut snapshots = snapshots(true);
    wait(&mut snapshots, None, 0).unwrap();
    wait(&mut snapshots, None, 3).unwrap();
    assert_eq!(snapshots.tick(at(5)).1.len(), 1);
    assert_eq!(snapshots.take_waiting(&yard()).len(), 1);
}

#[test]
fn what_a_process_was_making_ends_with_it_and_no_other_process_answers_for_it() {
    let mut snapshots = snapshots(true);
    let ordered = order(&mut snapshots, 1, event());
    assert!(snapshots.answered(0, SnapshotAnswer { id: ordered.id, result: Ok(1) }).is_none());
    assert!(snapshots.process_ended(0).is_empty());
    assert_eq!(snapshots.process_ended(1).len(), 1);
    assert!(snapshots.newest(&yard()).is_none());
}

#[test]
fn a_length_that_cannot_be_is_not_believed() {
    for bytes in [0, 1_000_001, u32::MAX] {
        let mut snapshots = snapshots(true);
        let ordered = order(&mut snapshots, 1, event());
        let ended = snapshots.answered(1, SnapshotAnswer { id: ordered.id, result: Ok(bytes) }).unwrap();
        assert!(ended.result.unwrap_err().contains("length"));
    }
}

#[test]
fn switched_off_they_are_refused() {
    let mut snapshots = Snapshots::new(SnapshotSettings { per_minute: 0, ..SnapshotSettings::default() });
    assert_eq!(wait(&mut snapshots, None, 0).unwrap_err(), SnapshotRefusal::Off);
    assert_eq!(snapshots.may_take(&yard(), SnapshotOccasion::Event, at(0)), Err(SnapshotRefusal::Off));
}
