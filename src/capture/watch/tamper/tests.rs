//! What is done to a camera, on a picture with structure of all sizes.

use super::{Tamper, TamperKind};
use crate::capture::watch::cells::Cells;
use crate::capture::watch::nuisances::{Luma, Random, level};
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

const WIDTH: usize = 480;
const HEIGHT: usize = 360;

/// Walls, windows and gravel; every seed gives another place.
fn place(seed: u64) -> Luma {
    let mut random = Random(seed);
    let mut picture: Luma =
        (0..WIDTH * HEIGHT).map(|pixel| level(90.0 + 40.0 * (pixel / WIDTH) as f32 / 360.0)).collect();
    for _ in 0..400 {
        let (left, top) = (random.below(WIDTH), random.below(HEIGHT));
        let (width, height, grey) = (random.below(60) + 3, random.below(60) + 3, random.between(40.0, 200.0));
        for y in top..(top + height).min(HEIGHT) {
            picture[y * WIDTH + left..y * WIDTH + (left + width).min(WIDTH)].fill(level(grey));
        }
    }
    picture
}

fn blurred(picture: &Luma, radius: usize) -> Luma {
    let mean = |pixel: usize| {
        let (x, y) = (pixel % WIDTH, pixel / WIDTH);
        let (across, down) =
            (x.saturating_sub(radius)..(x + radius).min(WIDTH), y.saturating_sub(radius)..(y + radius).min(HEIGHT));
        let count = (across.len() * down.len()) as f32;
        let sum: f32 =
            down.flat_map(|y| across.clone().map(move |x| y * WIDTH + x)).map(|at| f32::from(picture[at])).sum();
        level(sum / count)
    };
    (0..picture.len()).map(mean).collect()
}

/// A camera that sends a picture every two seconds.
struct Camera {
    tamper: Tamper,
    random: Random,
    seconds: u64,
}

impl Camera {
    fn new() -> Self {
        Self { tamper: Tamper::new(Duration::from_secs(20)), random: Random(3), seconds: 0 }
    }

    /// Shows `picture` with noise of `sigma` for some seconds, and says what is told at the end and how soon it was.
    fn show(&mut self, picture: &Luma, sigma: f32, seconds: u64) -> (Option<TamperKind>, u64) {
        let (begin, mut told) = (self.seconds, (None, 0));
        while self.seconds < begin + seconds {
            self.seconds += 2;
            let mut noise = || sigma * 0.6 * (self.random.between(-2.0, 2.0) + self.random.between(-2.0, 2.0));
            let noisy: Luma = picture.iter().map(|pixel| level(f32::from(*pixel) + noise())).collect();
            let cells = Cells::of(&noisy, WIDTH, WIDTH, HEIGHT).unwrap();
            let now = self.tamper.judge(&cells, Monotonic::from_nanos(self.seconds * 1_000_000_000));
            if now != told.0 {
                told = (now, self.seconds - begin);
            }
        }
        told
    }
}

#[test]
fn a_covered_blurred_or_turned_camera_is_told_in_time_and_when_it_is_well_again() {
    let scene = place(1);
    let hand: Luma = (0..scene.len()).map(|pixel| level(24.0 + 10.0 * (pixel % WIDTH) as f32 / 480.0)).collect();
    for (what, picture, kind) in [
        ("a bag", vec![17; scene.len()], TamperKind::Covered),
        ("a bright hand", hand, TamperKind::Covered),
        ("white paint", vec![235; scene.len()], TamperKind::Covered),
        ("out of focus", blurred(&scene, 8), TamperKind::Blurred),
        ("turned", place(2), TamperKind::Turned),
    ] {
        let mut camera = Camera::new();
        assert_eq!(camera.show(&scene, 2.0, 40).0, None, "{what}");
        let (told, soon) = camera.show(&picture, 2.0, 40);
        assert_eq!(told, Some(kind), "{what}");
        assert!((20..=24).contains(&soon), "{what}: after {soon} s");
        let (told, soon) = camera.show(&scene, 2.0, 30);
        assert_eq!(told, None, "{what}");
        assert!((1..=14).contains(&soon), "{what}: well after {soon} s");
    }
}

#[test]
fn light_night_infrared_and_a_passing_hand_are_no_tampering() {
    let scene = place(1);
    let map = |by: &dyn Fn(f32, usize) -> f32| -> Luma {
        scene.iter().enumerate().map(|(pixel, grey)| level(by(f32::from(*grey), pixel))).collect()
    };
    let lamp_off = map(&|grey, _| 16.0 + 0.12 * (grey - 16.0));
    let lamp_on = map(&|grey, _| 16.0 + 1.6 * (grey - 16.0));
    let infrared = map(&|grey, pixel| {
        let (x, y) = ((pixel % WIDTH) as f32 / 480.0 - 0.5, (pixel / WIDTH) as f32 / 360.0 - 0.5);
        (215.0 - 0.7 * grey) * (1.0 - 1.1 * (x * x + y * y))
    });
    for (what, picture, sigma) in [
        ("lamp off", lamp_off, 3.0),
        ("lamp on", lamp_on, 2.0),
        ("night", scene.clone(), 8.0),
        ("infrared", infrared, 5.0),
    ] {
        let mut camera = Camera::new();
        camera.show(&scene, 2.0, 40);
        assert_eq!(camera.show(&picture, sigma, 60), (None, 0), "{what}");
    }
    let mut camera = Camera::new();
    camera.show(&scene, 2.0, 40);
    assert_eq!(camera.show(&vec![17; scene.len()], 2.0, 16), (None, 0));
    assert_eq!(camera.show(&scene, 2.0, 10), (None, 0));
    assert_eq!(camera.show(&vec![17; scene.len()], 2.0, 16), (None, 0), "two passing hands do not add up");
}

#[test]
fn a_camera_that_never_saw_anything_is_not_called_covered() {
    let fog = vec![120; WIDTH * HEIGHT];
    let mut camera = Camera::new();
    camera.show(&fog, 2.0, 40);
    assert_eq!(camera.show(&vec![40; WIDTH * HEIGHT], 2.0, 60), (None, 0));
}
