//! Requests, orders and pictures without a capture process.

use super::*;
use crate::core::event::MadePicture;
use crate::ipc::messages::{CameraIndex, RegionId};
use crate::ipc::snapshot_messages::{MainOrder, SnapshotOrder};
use crate::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
use crate::vision::framing::Framing;
use crate::vision::picture_source::PictureSource;

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos(seconds * 1_000_000_000)
}

fn yard() -> CameraId {
    CameraId::new("yard").unwrap()
}

fn picture(jpeg: Vec<u8>) -> MadePicture {
    MadePicture { jpeg: jpeg.into(), source: PictureSource::Frame }
}

/// The snapshots of a box, and their results.
struct Yard {
    snapshots: Snapshots,
    tickets: u64,
    orders: Vec<SnapshotOrder>,
    replies: BTreeMap<SnapshotTicket, SnapshotReply>,
    published: Vec<Snapshot>,
    results: Vec<SnapshotResult>,
    forgotten: Vec<SnapshotId>,
    /// The main stream of the camera.
    main: Option<Result<CameraIndex, String>>,
    sources: Vec<PictureSource>,
}

impl Yard {
    fn new(per_minute: u16, draw_boxes: bool) -> Self {
        let snapshots = Snapshots::new(SnapshotSettings { per_minute, draw_boxes, ..SnapshotSettings::default() });
        let (tickets, orders, replies, published, results, forgotten, main, sources) = Default::default();
        Self { snapshots, tickets, orders, replies, published, results, forgotten, main, sources }
    }

    fn follow(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::TakeSnapshot { group, order } => {
                    assert_eq!(group, 1);
                    self.orders.push(*order);
                }
                Effect::AnswerSnapshot { ticket, reply } => {
                    assert!(self.replies.insert(ticket, reply).is_none(), "one reply for a request");
                }
                Effect::ForgetSnapshot(id) => self.forgotten.push(id),
                Effect::Report(Report::SnapshotTaken { snapshot, .. }) => self.published.push(snapshot),
                Effect::Report(Report::SnapshotEnded { result, source, .. }) => {
                    self.results.push(result);
                    self.sources.extend(source);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn request(&mut self, freshness: SnapshotFreshness, second: u64) -> SnapshotTicket {
        self.tickets += 1;
        let (ticket, mut effects) = (SnapshotTicket(self.tickets), Vec::new());
        self.snapshots.request(&yard(), freshness, ticket, None, at(second), &mut effects);
        self.follow(effects);
        ticket
    }

    fn work(second: u64) -> FrameWork {
        let picture = Picture::new(PixelFormat::I420, 64, 48, Colorimetry::default()).unwrap();
        let frame = Frame {
            sequence: second,
            captured_at: at(second),
            decoded_at: at(second),
            camera_ms: None,
            media_us: 0,
            slot: 3,
            picture,
        };
        let (number, region, framing) = (100 + second, RegionId(0), Framing::default());
        FrameWork { camera: yard(), number, frame, region, framing, attempts: 0, failed_in: None }
    }

    fn boxes() -> Vec<NormalizedBox> {
        vec![NormalizedBox::from_corners(0.1, 0.1, 0.2, 0.2).unwrap()]
    }

    fn connection(&self) -> FrameConnection {
        FrameConnection { group: 1, index: CameraIndex(7), main: self.main.clone() }
    }

    /// A unit processes a frame.
    fn frame(&mut self, second: u64) {
        let (connection, mut effects) = (self.connection(), Vec::new());
        self.snapshots.frame_seen(&Self::work(second), Some(&connection), Self::boxes, at(second), &mut effects);
        self.follow(effects);
    }

    /// A frame is the best picture of an event. Returns the order, if the limit allows one.
    fn event(&mut self, second: u64) -> Option<SnapshotId> {
        let (connection, mut effects, before) = (self.connection(), Vec::new(), self.orders.len());
        let (work, event) = (Self::work(second), "e1".to_owned());
        self.snapshots.event_seen(&work, Some(&connection), Self::boxes(), event, at(second), &mut effects);
        self.follow(effects);
        self.orders.get(before).map(|order| order.id)
    }

    fn made(&mut self, id: SnapshotId, jpeg: Vec<u8>, second: u64) {
        let mut effects = Vec::new();
        self.snapshots.made(1, id, Ok(picture(jpeg)), Some(1_000_000), at(second), &mut effects);
        self.follow(effects);
    }

    fn tick(&mut self, second: u64) {
        let mut effects = Vec::new();
        self.snapshots.tick(|_| "streaming".into(), at(second), &mut effects);
        self.follow(effects);
    }
}

#[test]
fn the_picture_of_an_event_is_kept_and_published_and_no_older_one_replaces_it() {
    let mut yard = Yard::new(10, true);
    let (first, second) = (yard.event(1).unwrap(), yard.event(2).unwrap());
    let order = &yard.orders[0];
    assert_eq!((order.slot, order.camera, order.boxes.len()), (3, CameraIndex(7), 1));
    yard.made(second, b"two".to_vec(), 3);
    yard.made(first, b"one".to_vec(), 3);
    yard.made(second, b"again".to_vec(), 3);
    assert_eq!(yard.published.len(), 1, "the older picture came later and is not published");
    let published = &yard.published[0];
    assert_eq!((published.frame, published.event.as_deref()), (102, Some("e1")));
    assert_eq!(published.captured_at_ms, Some(999_000), "a second before it was made");
    let ticket = yard.request(SnapshotFreshness::Newest, 3);
    assert!(matches!(&yard.replies[&ticket], SnapshotReply::Taken(kept) if *kept.jpeg == *b"two"));
}

#[test]
fn all_waiting_requests_get_the_same_picture_and_cost_one_of_the_limit() {
    let mut yard = Yard::new(2, false);
    let tickets: Vec<SnapshotTicket> = (0..3).map(|_| yard.request(SnapshotFreshness::Fresh, 0)).collect();
    yard.frame(1);
    assert!(yard.orders[0].boxes.is_empty(), "the settings want none");
    yard.made(yard.orders[0].id, b"jpeg".to_vec(), 1);
    for ticket in tickets {
        assert!(matches!(&yard.replies[&ticket], SnapshotReply::Taken(found) if *found.jpeg == *b"jpeg"));
    }
    assert!(yard.published.is_empty(), "pictures of requests are not published");
    yard.request(SnapshotFreshness::Fresh, 2);
    yard.frame(2);
    let limited = yard.request(SnapshotFreshness::Fresh, 3);
    let SnapshotReply::Refused(SnapshotRefusal::LimitReached { retry_after, .. }) = &yard.replies[&limited] else {
        panic!("{:?}", yard.replies[&limited]);
    };
    assert_eq!((retry_after.as_secs(), yard.results.last()), (57, Some(&SnapshotResult::Limited)));
    assert!(yard.event(3).is_some(), "events have a limit of their own");
}

#[test]
fn a_picture_for_a_model_is_the_frame_alone_and_nobody_looks_at_it() {
    let mut yard = Yard::new(1, true);
    yard.main = Some(Ok(CameraIndex(8)));
    let tickets = [SnapshotFreshness::Recent, SnapshotFreshness::Plain].map(|one| yard.request(one, 0));
    yard.frame(1);
    let orders = yard.orders.clone();
    let look = |order: &SnapshotOrder| (order.boxes.len(), order.main.is_some(), order.max_width_px);
    assert_eq!((look(&orders[0]), look(&orders[1])), ((1, true, 1280), (0, false, 4096)));
    for (order, jpeg) in orders.iter().zip([b"drawn", b"plain"]) {
        yard.made(order.id, jpeg.to_vec(), 1);
    }
    let again = yard.request(SnapshotFreshness::Recent, 2);
    for (ticket, jpeg) in [(tickets[0], b"drawn"), (tickets[1], b"plain"), (again, b"drawn")] {
        assert!(matches!(&yard.replies[&ticket], SnapshotReply::Taken(found) if *found.jpeg == *jpeg));
    }
}

#[test]
fn no_more_than_a_few_requests_wait_for_one_camera() {
    let mut yard = Yard::new(10, true);
    let busy = SnapshotReply::Refused(SnapshotRefusal::Busy);
    for _ in 0..100 {
        yard.request(SnapshotFreshness::Fresh, 0);
    }
    assert_eq!(yard.replies.values().filter(|reply| **reply == busy).count(), 100 - MAX_WAITING);
}

#[test]
fn an_order_without_a_picture_fails_alone_and_its_memory_is_freed() {
    let mut yard = Yard::new(10, true);
    let ticket = yard.request(SnapshotFreshness::Fresh, 0);
    yard.frame(1);
    let (lost, next) = (yard.orders[0].id, yard.event(3).unwrap());
    yard.tick(4);
    assert!(yard.results.is_empty());
    yard.tick(5);
    assert_eq!((&yard.results[..], &yard.forgotten[..]), (&[SnapshotResult::Failed][..], &[lost][..]));
    assert!(matches!(yard.replies[&ticket], SnapshotReply::Refused(SnapshotRefusal::Failed(_))));
    yard.made(lost, b"late".to_vec(), 5);
    yard.made(next, b"jpeg".to_vec(), 5);
    assert_eq!(yard.published.len(), 1);
}

#[test]
fn a_request_that_waits_too_long_for_a_frame_is_answered_and_later_ones_wait_on() {
    let mut yard = Yard::new(10, true);
    let (first, later) = (yard.request(SnapshotFreshness::Fresh, 0), yard.request(SnapshotFreshness::Fresh, 3));
    yard.tick(5);
    assert!(matches!(yard.replies[&first], SnapshotReply::Refused(SnapshotRefusal::NoFrame { .. })));
    assert!(!yard.replies.contains_key(&later));
}

#[test]
fn what_a_process_was_making_ends_with_it_and_no_other_process_answers_for_it() {
    let mut yard = Yard::new(10, true);
    let id = yard.event(1).unwrap();
    let mut effects = Vec::new();
    yard.snapshots.made(0, id, Ok(picture(b"x".to_vec())), None, at(1), &mut effects);
    yard.snapshots.process_ended(0, at(1), &mut effects);
    assert!(effects.is_empty());
    yard.snapshots.process_ended(1, at(1), &mut effects);
    yard.follow(effects);
    assert_eq!((yard.results.len(), yard.forgotten.len(), yard.published.len()), (1, 1, 0));
}

#[test]
fn a_frame_whose_connection_is_closed_becomes_no_picture() {
    let mut yard = Yard::new(10, true);
    let (ticket, mut effects) = (yard.request(SnapshotFreshness::Fresh, 0), Vec::new());
    yard.snapshots.frame_seen(&Yard::work(1), None, Yard::boxes, at(1), &mut effects);
    yard.follow(effects);
    assert!(matches!(yard.replies[&ticket], SnapshotReply::Refused(SnapshotRefusal::Failed(_))));
}

#[test]
fn a_length_that_is_not_possible_is_not_believed() {
    for bytes in [0, 1_000_001] {
        let mut yard = Yard::new(10, true);
        let id = yard.event(1).unwrap();
        yard.made(id, vec![0; bytes], 1);
        assert_eq!((&yard.results[..], yard.published.len()), (&[SnapshotResult::Failed][..], 0));
    }
}

#[test]
fn snapshots_that_are_switched_off_are_refused_and_not_counted() {
    let mut yard = Yard::new(0, true);
    let ticket = yard.request(SnapshotFreshness::Fresh, 0);
    assert_eq!(yard.replies[&ticket], SnapshotReply::Refused(SnapshotRefusal::Off));
    assert!(yard.event(0).is_none() && yard.results.is_empty());
}

#[test]
fn the_main_stream_is_asked_for_while_it_is_connected_and_else_the_reason_is_told() {
    let mut yard = Yard::new(10, true);
    let id = yard.event(1).unwrap();
    assert_eq!(yard.orders[0].main, None, "the camera has one stream");
    yard.made(id, b"one".to_vec(), 1);
    yard.main = Some(Ok(CameraIndex(8)));
    let id = yard.event(2).unwrap();
    let main = MainOrder { camera: CameraIndex(8), max_width_px: 4096, max_offset_ms: 10_000 };
    assert_eq!((yard.orders[1].main, yard.orders[1].captured_at), (Some(main), at(2)));
    let made = MadePicture { source: PictureSource::Main { offset_ms: -400 }, ..picture(b"two".to_vec()) };
    let mut effects = Vec::new();
    yard.snapshots.made(1, id, Ok(made), None, at(2), &mut effects);
    yard.follow(effects);
    yard.main = Some(Err("no such path".to_owned()));
    let id = yard.event(3).unwrap();
    assert_eq!(yard.orders[2].main, None);
    yard.made(id, b"three".to_vec(), 3);
    let instead = PictureSource::FrameInstead { why: "no such path".to_owned() };
    assert_eq!(yard.sources, [PictureSource::Frame, PictureSource::Main { offset_ms: -400 }, instead]);
    assert_eq!(yard.published.last().unwrap().source.stream(), Some("detect"));
}

#[test]
fn persons_who_look_share_a_picture_and_get_an_old_one_rather_than_none() {
    let mut yard = Yard::new(1, true);
    let taken = |yard: &Yard, ticket: SnapshotTicket| match &yard.replies[&ticket] {
        SnapshotReply::Taken(snapshot) => snapshot.frame,
        other => panic!("{other:?}"),
    };
    yard.request(SnapshotFreshness::Recent, 0);
    yard.frame(1);
    yard.made(yard.orders[0].id, b"jpeg".to_vec(), 1);
    for second in [1, 3] {
        let ticket = yard.request(SnapshotFreshness::Recent, second);
        assert_eq!((taken(&yard, ticket), yard.orders.len()), (101, 1), "it is recent");
    }
    // The scene is still: no frame is analysed.
    let ticket = yard.request(SnapshotFreshness::Recent, 4);
    assert!(!yard.replies.contains_key(&ticket), "it waits for the next frame");
    yard.tick(9);
    assert_eq!(taken(&yard, ticket), 101);
    assert!(yard.event(9).is_some(), "events have a limit of their own");
    yard.request(SnapshotFreshness::Fresh, 10);
    yard.frame(10);
    assert_eq!(yard.orders.len(), 3, "so have other requests");
    assert!(yard.results.iter().all(|result| *result == SnapshotResult::Taken));
}

#[test]
fn persons_who_look_have_a_limit_and_none_where_snapshots_are_off() {
    let (mut yard, mut orders) = (Yard::new(1, true), 0);
    for second in (0..180).step_by(3) {
        yard.request(SnapshotFreshness::Recent, second);
        yard.frame(second);
        if let Some(order) = yard.orders.get(orders).map(|order| order.id) {
            orders += 1;
            yard.made(order, b"jpeg".to_vec(), second);
        }
    }
    assert_eq!(orders, 60, "one each three seconds");
    let mut off = Yard::new(0, true);
    let ticket = off.request(SnapshotFreshness::Recent, 0);
    assert!(matches!(off.replies[&ticket], SnapshotReply::Refused(SnapshotRefusal::Off)));
}
