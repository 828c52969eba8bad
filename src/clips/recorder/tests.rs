//! Recordings with a pipe instead of a capture process, on a real disk.

use super::*;
use crate::ipc::live_backlog::fragment;
use std::io::Write;

const LIMIT: Duration = Duration::from_secs(30);

fn clips(home: &Path) -> (Clips, mpsc::Receiver<ClipOrder>, CameraId) {
    let settings = ClipSettings { after_seconds: 0.0, ..ClipSettings::default() };
    let rules = ClipRules::new(&settings, 0);
    let (clips, orders) = Clips::start(&rules, home, Arc::default(), Troubles::default()).unwrap();
    let yard = CameraId::new("yard").unwrap();
    clips.set_cameras(BTreeSet::from([yard.clone()]), BTreeSet::new());
    (clips, orders, yard)
}

fn write(pipe: &std::io::PipeWriter, head: LiveHead, body: &[u8]) {
    let packet = LivePacket { head, body: body.into() };
    (&*pipe).write_all(&[packet.front(), body.to_vec()].concat()).unwrap();
}

fn init() -> LiveHead {
    LiveHead::Init { codec: "avc3.64001f".into(), width: 640, height: 480 }
}

/// The pipe of a clip that has begun with the event `a`, with one frame in it.
async fn begun(clips: &Clips, orders: &mut mpsc::Receiver<ClipOrder>, yard: &CameraId) -> std::io::PipeWriter {
    clips.event(yard, 1, EventKind::Began, "a", monotonic_now());
    let (reader, writer) = std::io::pipe().unwrap();
    clips.connect(orders.recv().await.unwrap(), reader.into()).unwrap();
    write(&writer, init(), b"init");
    write(&writer, fragment(true, []).head, b"one");
    writer
}

async fn kept(clips: &Clips, event: &str) -> Vec<u8> {
    tokio::time::timeout(LIMIT, clips.flush()).await.unwrap();
    let Some(FoundClip::In(file)) = clips.of(event) else { panic!("no clip: {:?}", clips.of(event)) };
    std::fs::read(file).unwrap()
}

#[tokio::test]
async fn what_a_capture_process_writes_from_before_an_event_to_its_end_is_its_clip() {
    let home = tempfile::tempdir().unwrap();
    let (clips, mut orders, yard) = clips(home.path());
    assert_eq!((clips.keep_ms(&yard), clips.keep_ms(&CameraId::new("gate").unwrap())), (5000, 0));
    assert!(!clips.event(&CameraId::new("gate").unwrap(), 1, EventKind::Began, "x", monotonic_now()));
    assert!(clips.event(&yard, 1, EventKind::Began, "a", monotonic_now()));
    let (reader, writer) = std::io::pipe().unwrap();
    clips.connect(orders.recv().await.unwrap(), reader.into()).unwrap();
    assert!(clips.event(&yard, 2, EventKind::Began, "b", monotonic_now()));
    assert!(orders.try_recv().is_err(), "they share it");
    write(&writer, LiveHead::Begins { media_us: 0 }, b"");
    write(&writer, init(), b"init");
    write(&writer, fragment(true, []).head, b"one");
    assert_eq!(clips.of("b"), Some(FoundClip::BeingMade));
    // Other parameter sets of the same pictures are in the frames as well.
    write(&writer, init(), b"other sets");
    write(&writer, fragment(false, []).head, b"two");
    drop(writer);
    assert_eq!(kept(&clips, "a").await, b"initonetwo");
    assert_eq!(kept(&clips, "b").await, b"initonetwo");
}

#[tokio::test]
async fn pictures_of_another_size_end_a_clip_and_no_video_makes_none() {
    let home = tempfile::tempdir().unwrap();
    let (clips, mut orders, yard) = clips(home.path());
    clips.event(&yard, 1, EventKind::Began, "a", monotonic_now());
    let (reader, writer) = std::io::pipe().unwrap();
    clips.connect(orders.recv().await.unwrap(), reader.into()).unwrap();
    let smaller = LiveHead::Init { codec: "avc3.64001f".into(), width: 320, height: 240 };
    for (head, body) in [(init(), b"init"), (fragment(true, []).head, b"one "), (smaller, b"more")] {
        write(&writer, head, body);
    }
    assert_eq!(kept(&clips, "a").await, b"initone ");

    clips.event(&yard, 2, EventKind::Began, "b", monotonic_now());
    let (reader, writer) = std::io::pipe().unwrap();
    clips.connect(orders.recv().await.unwrap(), reader.into()).unwrap();
    write(&writer, LiveHead::Unplayable { codec: "mjpeg".into() }, b"");
    tokio::time::timeout(LIMIT, clips.flush()).await.unwrap();
    assert_eq!(clips.of("b"), None);
    assert!(clips.0.shared.metrics.encode().contains("ocelli_clips_total{result=\"no_video\"} 1\n"));
}

#[tokio::test]
async fn a_clip_ends_with_its_events_although_the_camera_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (clips, mut orders, yard) = clips(home.path());
    let writer = begun(&clips, &mut orders, &yard).await;
    // Its first frame is written before its end comes.
    let written = || std::fs::read_dir(home.path().join("clips/yard")).ok()?.next()?.ok()?.metadata().ok();
    while written().is_none_or(|file| file.len() < 7) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    clips.event(&yard, 1, EventKind::Ended, "b", monotonic_now());
    assert!(kept(&clips, "b").await.starts_with(b"init"));
    drop(writer);
}

#[tokio::test]
async fn clips_of_a_camera_that_nobody_may_see_are_withheld_also_those_of_before() {
    let home = tempfile::tempdir().unwrap();
    let (clips, mut orders, yard) = clips(home.path());
    let writer = begun(&clips, &mut orders, &yard).await;
    drop(writer);
    assert_eq!(kept(&clips, "a").await, b"initone");
    clips.set_cameras(BTreeSet::new(), BTreeSet::from([yard.clone()]));
    assert!(!clips.event(&yard, 2, EventKind::Began, "b", monotonic_now()));
    assert_eq!(
        ["a", "b", "c"].map(|event| clips.of(event)),
        [Some(FoundClip::Withheld), Some(FoundClip::Withheld), None]
    );
    clips.set_cameras(BTreeSet::new(), BTreeSet::new());
    assert!(matches!(clips.of("a"), Some(FoundClip::In(_))) && clips.of("b").is_none());
}
