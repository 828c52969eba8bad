//! Which cameras are together in a process, in simulated time.

use super::*;
use crate::camera::settings::{CameraSettings, CaptureSettings};
use crate::core::camera_switches::CameraSwitches;
use crate::ipc::messages::{CameraIndex, FromCapture, LossKind};

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos((1_000 + seconds) * 1_000_000_000)
}

fn camera(number: usize) -> CameraSettings {
    serde_json::from_value(serde_json::json!({"id": format!("c{number}"), "url": "rtsp://127.0.0.1/"})).unwrap()
}

fn cameras(count: usize, cameras_per_process: u16) -> Cameras {
    let capture = CaptureSettings { cameras_per_process, ..CaptureSettings::default() };
    let all: Vec<CameraSettings> = (0..count).map(camera).collect();
    let mut cameras = Cameras::new(&all, &capture, CameraSwitches::default(), at(0));
    run(&mut cameras, at(0));
    cameras
}

/// Starts the processes that are due, which are up at once, and opens their cameras.
fn run(cameras: &mut Cameras, now: Monotonic) {
    let mut effects = Vec::new();
    cameras.tick(now, &mut effects);
    for effect in std::mem::take(&mut effects) {
        if let Effect::StartCapture { group, .. } = effect {
            cameras.message(group, FromCapture::Initialized, now, &mut effects);
        }
    }
    cameras.tick(now, &mut effects);
}

/// How many cameras each process has.
fn sizes(cameras: &Cameras) -> Vec<usize> {
    cameras.groups.iter().map(|group| group.cameras().count()).filter(|count| *count > 0).collect()
}

fn die(cameras: &mut Cameras, group: usize, now: Monotonic) -> usize {
    let mut effects = Vec::new();
    cameras.process_ended(group, "a signal", now, &mut effects);
    let separated = effects.iter().find_map(|effect| match effect {
        Effect::Report(Report::CamerasSeparated { cameras }) => Some(cameras.len()),
        _ => None,
    });
    separated.unwrap_or(0)
}

#[test]
fn up_to_eight_cameras_have_a_process_each_and_more_share_by_four() {
    assert_eq!(sizes(&cameras(8, 0)), [1; 8]);
    assert_eq!(sizes(&cameras(9, 0)), [4, 4, 1]);
    assert_eq!(sizes(&cameras(60, 0)), [4; 15]);
    assert_eq!(sizes(&cameras(9, 1)), [1; 9], "a number in the settings is obeyed");
    let mut growing = cameras(8, 0);
    growing.add(&camera(8), at(1));
    assert_eq!(sizes(&growing), [2, 1, 1, 1, 1, 1, 1, 1], "none that streams is moved");
}

#[test]
fn after_a_crash_a_further_one_costs_the_camera_that_causes_it() {
    let mut cameras = cameras(12, 0);
    assert_eq!(die(&mut cameras, 1, at(100)), 4);
    assert_eq!(sizes(&cameras), [4, 1, 4, 1, 1, 1]);
    run(&mut cameras, at(102));
    let open = |cameras: &Cameras| cameras.groups.iter().filter(|group| !group.is_disconnected()).count();
    assert_eq!(open(&cameras), 6, "all are opened again within two seconds");
    assert_eq!(die(&mut cameras, 4, at(200)), 0);
    assert_eq!(open(&cameras), 5, "one alone is down");
    assert_eq!(sizes(&cameras), [4, 1, 4, 1, 1, 1]);
}

#[test]
fn eight_cameras_at_most_are_alone() {
    let mut cameras = cameras(12, 0);
    assert_eq!([0, 1, 2].map(|group| die(&mut cameras, group, at(100))), [4, 4, 0]);
    assert_eq!(sizes(&cameras), [1, 1, 4, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_process_that_never_worked_separates_nobody() {
    let capture = CaptureSettings { cameras_per_process: 4, ..CaptureSettings::default() };
    let all: Vec<CameraSettings> = (0..4).map(camera).collect();
    let mut cameras = Cameras::new(&all, &capture, CameraSwitches::default(), at(0));
    cameras.tick(at(0), &mut Vec::new());
    assert_eq!(die(&mut cameras, 0, at(1)), 0);
    assert_eq!(sizes(&cameras), [4]);
}

#[test]
fn a_camera_returns_after_an_hour_when_it_has_to_connect_anyway() {
    let mut cameras = cameras(12, 0);
    die(&mut cameras, 1, at(100));
    run(&mut cameras, at(102));
    cameras.end_separations(at(100 + 3_600));
    assert_eq!(sizes(&cameras), [4, 1, 4, 1, 1, 1], "they are connected");
    for (group, hour) in [(3, 3_700), (4, 3_701)] {
        let index: CameraIndex = cameras.groups[group].index_of(0).unwrap();
        let lost = FromCapture::Lost { camera: index, kind: LossKind::Ended, detail: "rebooted".into() };
        cameras.message(group, lost, at(hour), &mut Vec::new());
        cameras.end_separations(at(hour));
    }
    assert_eq!(sizes(&cameras), [4, 1, 4, 2, 1], "the first makes its process a shared one, which the second joins");
    die(&mut cameras, 5, at(3_702));
    cameras.end_separations(at(3_703));
    assert_eq!(sizes(&cameras), [4, 1, 4, 2, 1], "the hour of a camera whose process died begins anew");
}
