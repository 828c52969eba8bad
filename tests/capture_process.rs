//! A capture process by itself: what it says to its parent from its first word on.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::ipc::frame_slots::Region;
use ocelli::ipc::heartbeat::HEARTBEAT;
use ocelli::ipc::messages::{CameraIndex, CameraSource, FromCapture, LossKind, ToCapture};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::camera::RtspCamera;
use support::capture::{Capture, START_LIMIT, source_of};

/// The directory of the registry below a cache directory.
fn registry(cache: &Path) -> std::path::PathBuf {
    cache.join("gstreamer-1.0")
}

/// Name and inode of each file there.
fn registry_files(cache: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(registry(cache)).unwrap().flatten();
    let mut files: Vec<(String, u64)> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().ino())).collect();
    files.sort();
    files
}

/// How many processes have looked at all plugins.
fn scans(cache: &Path) -> usize {
    std::fs::read_to_string(cache.join("log")).unwrap().matches("plugins were looked at").count()
}

#[test]
fn the_first_start_makes_a_registry_and_removes_what_killed_processes_have_left() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(registry(home.path())).unwrap();
    for leftover in ["registry.x86_64.bin.tmpA1b2C3", "registry.aarch64.bin.tmp000000"] {
        std::fs::write(registry(home.path()).join(leftover), vec![0; 1000]).unwrap();
    }
    let capture = Capture::start(home.path());
    capture.expect_started();
    let files = registry_files(home.path());
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].0.starts_with("registry.") && files[0].0.ends_with(".bin"), "{files:?}");
}

#[test]
fn of_processes_that_start_together_one_looks_at_the_plugins_and_the_others_read_what_it_wrote() {
    let home = tempfile::tempdir().unwrap();
    let captures: Vec<Capture> = (0..4).map(|_| Capture::start(home.path())).collect();
    for capture in &captures {
        capture.expect_started();
    }
    assert_eq!(scans(home.path()), 1);
    let files = registry_files(home.path());
    drop(captures);
    let later = Capture::start(home.path());
    later.expect_started();
    assert_eq!((scans(home.path()), registry_files(home.path())), (1, files));
}

#[test]
fn a_process_that_waits_for_another_to_look_at_the_plugins_has_said_hello_and_goes_on_when_that_one_dies() {
    let home = tempfile::tempdir().unwrap();
    // With a registry the start takes a tenth of a second: what takes longer waits.
    Capture::start(home.path()).expect_started();
    let held = File::open(registry(home.path())).unwrap();
    held.lock().unwrap();
    let capture = Capture::start(home.path());
    capture.expect_hello();
    assert_eq!(capture.next(Duration::from_secs(2)), None, "GStreamer was started although another holds the lock");
    // The kernel does the same with the lock of a process that dies.
    drop(held);
    capture.expect_initialized();
}

#[test]
fn a_process_without_cameras_says_that_it_lives() {
    let home = tempfile::tempdir().unwrap();
    let capture = Capture::start(home.path());
    capture.expect_started();
    let begun = Instant::now();
    for beat in 1..=3 {
        assert_eq!(capture.next(10 * HEARTBEAT), Some(FromCapture::Alive));
        assert!(begun.elapsed() >= HEARTBEAT * beat, "more often than it is said to be");
    }
}

/// An H.264 clip of ten seconds whose first frame is its only keyframe, as smart codecs send it.
fn long_group_of_pictures(home: &Path) -> std::path::PathBuf {
    let path = home.join("long.h264");
    let pipeline = "videotestsrc num-buffers=300 pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 \
                    ! x264enc speed-preset=ultrafast tune=zerolatency key-int-max=1000 \
                    ! video/x-h264,stream-format=byte-stream ! filesink";
    let status = Command::new("gst-launch-1.0")
        .arg("-q")
        .args(pipeline.split_whitespace())
        .arg(format!("location={}", path.display()))
        .status()
        .expect("gst-launch-1.0 is missing: run `make setup`");
    assert!(status.success());
    path
}

#[test]
fn between_two_keyframes_a_camera_that_sends_is_told_from_one_that_is_silent() {
    let home = tempfile::tempdir().unwrap();
    let clip = long_group_of_pictures(home.path());
    let camera = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "30"]);
    let capture = Capture::start(home.path());
    let region = Region::create("test", 6).unwrap();
    let source = CameraSource { keyframes_only: true, ..source_of(camera.url()) };
    let open = ToCapture::Open { camera: CameraIndex(1 << 40), source: Box::new(source), slots: region.slots() };
    capture.channel.send(&open, Some(region.writable().as_fd())).unwrap();
    let begun = Instant::now();
    let mut reports = Vec::new();
    // Two reports in a row without a frame between them, while packets came: only a group of pictures of many seconds
    // makes that.
    loop {
        assert!(begun.elapsed() < START_LIMIT, "{reports:?}");
        match capture.next(10 * HEARTBEAT) {
            Some(FromCapture::Progress { camera, counts }) => {
                assert_eq!(camera, CameraIndex(1 << 40));
                assert!(counts.closes(), "{counts:?}");
                reports.push((counts.decoded, counts.packets));
            }
            Some(FromCapture::Lost { detail, .. }) => panic!("{detail}"),
            Some(FromCapture::Frame { frame, .. }) => {
                let release = ToCapture::Release { camera: CameraIndex(1 << 40), slot: frame.slot };
                capture.channel.send(&release, None).unwrap();
            }
            _ => {}
        }
        if let [.., (first, first_packets), (second, second_packets), (third, third_packets)] = reports[..]
            && first > 0
            && first == second
            && second == third
        {
            assert!(first_packets < second_packets && second_packets < third_packets, "{reports:?}");
            break;
        }
    }
}

#[test]
fn a_camera_that_is_not_there_is_refused_and_the_other_one_of_the_process_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let server = RtspCamera::start(&["--fps", "25", "--size", "320x240"]);
    let capture = Capture::start(home.path());
    capture.expect_started();
    let (good, dead) = (CameraIndex(1), CameraIndex(2));
    let nobody = format!("rtsp://127.0.0.1:{}/x", support::free_port());
    let regions = [Region::create("test", 6).unwrap(), Region::create("test", 6).unwrap()];
    for ((camera, url), region) in [(good, server.url()), (dead, nobody.as_str())].into_iter().zip(&regions) {
        let source = source_of(url);
        let open = ToCapture::Open { camera, source: Box::new(source), slots: region.slots() };
        capture.channel.send(&open, Some(region.writable().as_fd())).unwrap();
    }
    let begun = Instant::now();
    let (mut losses, mut frames_after, mut beats_after) = (Vec::new(), 0, 0);
    while losses.is_empty() || frames_after < 25 || beats_after < 2 {
        assert!(begun.elapsed() < START_LIMIT, "{losses:?}, then {frames_after} frames and {beats_after} heartbeats");
        match capture.next(10 * HEARTBEAT) {
            Some(FromCapture::Lost { camera, kind, .. }) => losses.push((camera, kind)),
            Some(FromCapture::Frame { camera, frame }) => {
                assert_eq!(camera, good);
                frames_after += u32::from(!losses.is_empty());
                capture.channel.send(&ToCapture::Release { camera, slot: frame.slot }, None).unwrap();
            }
            Some(FromCapture::Alive) => beats_after += u32::from(!losses.is_empty()),
            _ => {}
        }
    }
    // Once, and not again in each round.
    assert_eq!(losses, [(dead, LossKind::Refused)]);
}

#[test]
fn connections_that_come_and_go_leave_neither_memory_nor_threads() {
    // `make cameras` does ten thousand.
    let times: u64 = std::env::var("OCELLI_RECONNECTS").ok().and_then(|times| times.parse().ok()).unwrap_or(60);
    let home = tempfile::tempdir().unwrap();
    let camera = RtspCamera::start(&["--fps", "25", "--size", "320x240"]);
    let capture = Capture::start(home.path());
    capture.expect_started();
    let mut settled = None;
    for time in 0..times {
        let region = Region::create("test", 6).unwrap();
        let index = CameraIndex(time);
        let source = source_of(camera.url());
        let open = ToCapture::Open { camera: index, source: Box::new(source), slots: region.slots() };
        capture.channel.send(&open, Some(region.writable().as_fd())).unwrap();
        loop {
            match capture.next(START_LIMIT) {
                Some(FromCapture::Frame { camera, .. }) if camera == index => break,
                Some(FromCapture::Lost { detail, .. }) => panic!("{detail}"),
                Some(_) => {}
                None => panic!("no frame"),
            }
        }
        capture.channel.send(&ToCapture::Close { camera: index }, None).unwrap();
        // GStreamer keeps some threads and pools for further use.
        if time == 20 {
            settled = Some(capture.memory_and_threads());
        }
    }
    // The last one is closed when the next heartbeat comes.
    assert!(std::iter::repeat_with(|| capture.next(START_LIMIT)).take(1000).any(|it| it == Some(FromCapture::Alive)));
    let ((before, threads_before), (after, threads)) = (settled.unwrap(), capture.memory_and_threads());
    assert!(after < before + 10_000, "{before} kB before, {after} kB after {times} connections");
    assert!(threads <= threads_before + 2, "{threads_before} threads before, {threads} after");
}
