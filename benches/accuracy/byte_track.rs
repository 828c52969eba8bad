//! ByteTrack, by an implementation in Python that `setup/byte_track.sh` installs.

use super::support::{from_setup, root};
use super::tracking::{Sample, Seen};
use ocelli::tracking::track_score::Boxes;
use ocelli::vision::geometry::NormalizedBox;
use std::io::Write;
use std::process::{Command, Stdio};

/// The number of a track, and the left, top, right and bottom edge of its box in pixels.
type TrackAndEdges = (u64, f32, f32, f32, f32);

/// The tracks of one kind of object in each sampled frame.
pub(super) fn byte_track(sample: &Sample<'_>, kind: &str, (width, height): (u32, u32)) -> Vec<Boxes> {
    let (width, height) = (width as f32, height as f32);
    let pixels = |seen: &Seen| {
        let place = &seen.place;
        [place.left * width, place.top * height, place.right() * width, place.bottom() * height, seen.confidence]
    };
    let of_frame = |seen: &[Seen]| seen.iter().filter(|seen| seen.kind == kind).map(pixels).collect();
    let frames: Vec<Vec<[f32; 5]>> = sample.seen.iter().map(|(_, seen)| of_frame(seen)).collect();
    let given = serde_json::json!({"frames_per_second": sample.frames_per_second, "frames": frames});

    let mut python = Command::new(from_setup(".setup/byte-track/venv/bin/python"))
        .arg(root().join("tools/byte_track.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all of it before it writes.
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "tools/byte_track.py has failed");
    let tracks: Vec<Vec<TrackAndEdges>> = serde_json::from_slice(&output.stdout).unwrap();
    let place = |(track, left, top, right, bottom): TrackAndEdges| {
        let place = NormalizedBox::from_corners(left / width, top / height, right / width, bottom / height)?;
        Some((track, place))
    };
    tracks.into_iter().map(|frame| frame.into_iter().filter_map(place).collect()).collect()
}
