//! What begins though nothing happens: a street without people, and one whose people stand still, with the noise of a sensor.
//!
//! Whatever begins after the first seconds is false: there is nobody, or everybody has begun.

use super::Checked;
use super::clip::each_frame;
use super::random::Random;
use super::support::from_setup;
use super::support::package::Unit;
use super::tracking::{Sample, Seen, detectors, our_tracks, seen_by};
use ocelli::vision::frame::Picture;

const SIZE: (u32, u32) = (768, 576);
const FRAMES_PER_SECOND: u32 = 5;
const SECONDS: u32 = 300;

/// Whoever is there has begun by then.
const FIRST_SECONDS: u32 = 10;

/// Of this many frames of the clip, the median is a street without those who walk.
const MOMENTS: usize = 40;

/// What a sensor adds to a sample in dim light: about a normal distribution with a deviation of two steps.
const NOISE: [i8; 16] = [-4, -3, -2, -2, -1, -1, -1, 0, 0, 1, 1, 1, 2, 2, 3, 4];

pub(super) fn check() -> Vec<Checked> {
    let (picture, frames) = clip();
    let scenes = [("empty street", without_walkers(&frames)), ("people who stand", frames[frames.len() / 2].clone())];
    let home = tempfile::tempdir().unwrap();
    let mut checked = Vec::new();
    for (detector, package) in detectors(home.path()) {
        let mut unit = Unit::load(&package).unwrap();
        for (scene, planes) in &scenes {
            let seen = look(&mut unit, picture, planes);
            let seen = (0..).zip(seen.iter().map(Vec::as_slice)).collect();
            let sample = Sample { seen, frames_per_second: FRAMES_PER_SECOND as f32 };
            let (_, began) = our_tracks(&sample, FRAMES_PER_SECOND);
            let late = began.iter().filter(|(number, _)| *number >= FIRST_SECONDS * FRAMES_PER_SECOND).count();
            let hours = f64::from(SECONDS - FIRST_SECONDS) / 3600.0;
            let name = format!("{scene}, {FRAMES_PER_SECOND} fps, {detector}");
            checked.push(Checked::with_bar(&name, "began in ten seconds", (began.len() - late) as f64, None));
            checked.push(Checked::with_bar(&name, "false began an hour", late as f64 / hours, None));
        }
    }
    checked
}

/// Some frames of the surveillance clip.
fn clip() -> (Picture, Vec<Vec<u8>>) {
    let (mut all, mut known) = (Vec::new(), None);
    each_frame(&from_setup("testdata/vtest.h264"), SIZE.0, SIZE.1, |picture, planes| {
        known = Some(picture);
        all.push(planes.to_vec());
    });
    let step = all.len() / MOMENTS;
    (known.unwrap(), all.into_iter().step_by(step).collect())
}

/// The street without those who walk: of each sample the median over time.
fn without_walkers(frames: &[Vec<u8>]) -> Vec<u8> {
    let median = |place: usize| {
        let mut samples: Vec<u8> = frames.iter().map(|planes| planes[place]).collect();
        samples.sort_unstable();
        samples[samples.len() / 2]
    };
    (0..frames[0].len()).map(median).collect()
}

/// What the detector sees in a picture that stands still, with other noise in each frame.
fn look(unit: &mut Unit, picture: Picture, planes: &[u8]) -> Vec<Vec<Seen>> {
    let (mut random, luma) = (Random(7), (SIZE.0 * SIZE.1) as usize);
    let frame = |_| {
        let mut noisy = planes.to_vec();
        for sample in &mut noisy[..luma] {
            *sample = sample.saturating_add_signed(NOISE[random.below(NOISE.len())]);
        }
        seen_by(unit, picture, &noisy)
    };
    (0..SECONDS * FRAMES_PER_SECOND).map(frame).collect()
}
