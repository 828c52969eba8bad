//! What a scene answers: to made-up cells, and to a real yard in which troubles and people are known.

use super::Scene;
use crate::capture::watch::cells::Cells;
use crate::capture::watch::change::{Cause, Change};
use crate::capture::watch::nuisances::Random;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;

mod yard;

const COLUMNS: usize = 96;
const ROWS: usize = 54;

/// A made-up scene in front of a camera that sends a keyframe every two seconds.
struct Camera {
    scene: Scene,
    random: Random,
    seconds: u64,
    gain: f32,
}

impl Camera {
    /// A camera that has seen the empty scene for half a minute.
    fn new() -> Self {
        Self::with(Scene::new(0.5, Vec::new()))
    }

    fn with(scene: Scene) -> Self {
        let mut camera = Self { scene, random: Random(7), seconds: 0, gain: 1.0 };
        for _ in 0..15 {
            camera.look(&[]);
        }
        camera
    }

    /// Compares a keyframe in which the given places are brighter by so many grey levels, and accepts what moved.
    fn look(&mut self, things: &[(NormalizedBox, f32)]) -> Change {
        let (cells, now) = self.keyframe(things);
        let change = self.scene.compare(&cells, now);
        if change.moved {
            self.scene.accept(&cells, now);
        }
        change
    }

    fn keyframe(&mut self, things: &[(NormalizedBox, f32)]) -> (Cells, Monotonic) {
        self.seconds += 2;
        let mut levels = Vec::new();
        for cell in 0..COLUMNS * ROWS {
            let (x, y) = (cell % COLUMNS, cell / COLUMNS);
            let mut level = 60.0 + ((x / 5 * 37 + y / 4 * 61) % 90) as f32;
            for (place, brighter) in things {
                let (x, y) = ((x as f32 + 0.5) / COLUMNS as f32, (y as f32 + 0.5) / ROWS as f32);
                let is_inside = x > place.left && x < place.right() && y > place.top && y < place.bottom();
                level += if is_inside { *brighter } else { 0.0 };
            }
            levels.push((16.0 + (level - 16.0) * self.gain + 0.5 * self.random.normal()).clamp(0.0, 255.0));
        }
        (Cells::of_levels(&levels, COLUMNS), Monotonic::from_nanos(self.seconds * 1_000_000_000))
    }
}

fn place(left: f32, top: f32) -> NormalizedBox {
    NormalizedBox::from_corners(left, top, left + 0.03, top + 0.08).unwrap()
}

#[test]
fn the_first_four_pictures_are_looked_at_and_the_next_are_not() {
    let mut camera = Camera { scene: Scene::new(0.5, Vec::new()), random: Random(7), seconds: 0, gain: 1.0 };
    let causes: Vec<Cause> = (0..8).map(|_| camera.look(&[]).cause).collect();
    assert_eq!(causes[..4], [Cause::Unknown; 4]);
    assert_eq!(causes[4..], [Cause::Still; 4]);
}

#[test]
fn a_person_who_stands_becomes_part_of_the_scene_and_his_leaving_is_a_change() {
    let mut camera = Camera::new();
    let person = (place(0.4, 0.4), 25.0);
    let came = camera.look(&[person]);
    assert!(came.moved && came.cause == Cause::Movement, "{came:?}");
    assert_eq!(came.places.len(), 1, "{came:?}");
    assert!(came.places[0].iou(&person.0) > 0.3 && came.area < 0.01, "{came:?}");
    for _ in 0..10 {
        assert_eq!(camera.look(&[person]).cause, Cause::Still);
    }
    let left = camera.look(&[]);
    assert!(left.moved && left.places[0].intersection(&person.0) > 0.0, "{left:?}");
    assert_eq!(camera.look(&[]).cause, Cause::Still);
}

#[test]
fn what_is_not_accepted_stays_a_change() {
    let mut camera = Camera::new();
    for _ in 0..100 {
        let (cells, now) = camera.keyframe(&[(place(0.4, 0.4), 25.0)]);
        assert!(camera.scene.compare(&cells, now).moved);
    }
}

#[test]
fn a_change_of_gain_is_light_and_hides_nobody() {
    let mut camera = Camera::new();
    camera.gain = 0.7;
    assert_eq!(camera.look(&[]).cause, Cause::Light);
    camera.gain = 1.1;
    let came = camera.look(&[(place(0.7, 0.2), 25.0)]);
    assert!(came.moved && came.places[0].intersection(&place(0.7, 0.2)) > 0.0, "{came:?}");
}

#[test]
fn another_picture_is_looked_at_once() {
    let mut camera = Camera::new();
    camera.gain = -0.6;
    camera.random = Random(1);
    let night: Vec<(NormalizedBox, f32)> = vec![(NormalizedBox::WHOLE, -260.0)];
    let switched = camera.look(&night);
    assert!(switched.moved && switched.cause == Cause::Infrared && switched.places.is_empty(), "{switched:?}");
    for _ in 0..5 {
        assert_eq!(camera.look(&night).cause, Cause::Still);
    }
    camera.gain = 0.0;
    assert_eq!(camera.look(&[]).cause, Cause::Covered);
    assert!(!camera.look(&[]).moved);
}

#[test]
fn masks_hide_what_moves_in_them_and_nothing_else() {
    let mask = vec![[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]];
    let mut camera = Camera::with(Scene::new(0.5, vec![mask]));
    assert!(!camera.look(&[(place(0.2, 0.4), 60.0)]).moved);
    assert!(camera.look(&[(place(0.6, 0.4), 25.0)]).moved);
}

#[test]
fn another_size_is_another_scene() {
    let mut camera = Camera::new();
    let smaller = Cells::of_levels(&[90.0; 40 * 30], 40);
    let causes = (0..6).map(|at| camera.scene.compare(&smaller, Monotonic::from_nanos(at + (1 << 40))).cause);
    assert_eq!(causes.filter(|cause| *cause == Cause::Unknown).count(), 4);
    assert_eq!(camera.look(&[]).cause, Cause::Unknown);
}

#[test]
fn a_flag_is_learned_unless_something_is_seen_there() {
    let flag = place(0.3, 0.3);
    let alarms = |seen: &[NormalizedBox]| {
        let mut camera = Camera::new();
        let mut last = 0;
        for turn in 0..60 {
            let is_late = turn >= 30;
            let moved = camera.look(&[(flag, if turn % 2 == 0 { 25.0 } else { -25.0 })]).moved;
            camera.scene.learn(seen);
            last += u32::from(moved && is_late);
        }
        let elsewhere = camera.look(&[(flag, 25.0), (place(0.8, 0.6), 25.0)]);
        assert!(elsewhere.places.iter().any(|hit| hit.intersection(&place(0.8, 0.6)) > 0.0), "{elsewhere:?}");
        last
    };
    assert_eq!(alarms(&[]), 0, "after a minute");
    assert_eq!(alarms(&[flag]), 30);
}

#[test]
fn people_who_pass_are_not_learned_while_they_are_seen() {
    let mut camera = Camera::new();
    let way = place(0.5, 0.5);
    for _ in 0..60 {
        let came = camera.look(&[(way, 25.0)]);
        camera.scene.learn(&[way]);
        let left = camera.look(&[]);
        camera.scene.learn(&[]);
        assert!(came.moved && left.moved);
    }
}
