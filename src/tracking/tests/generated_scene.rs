//! Generated streets: walkers on known paths, and an imperfect detector that sees them at uneven times.

use crate::tracking::track_score::Boxes;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Random numbers that are the same in every run (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// Uniform in 0..1.
    pub(super) fn roll(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u16::try_from((mixed ^ (mixed >> 31)) >> 48).map(f32::from).unwrap() / 65536.0
    }

    /// Approximately normal with deviation 1.
    fn error(&mut self) -> f32 {
        (0..12).map(|_| self.roll()).sum::<f32>() - 6.0
    }
}

/// A person who walks on a line and may turn back.
pub(super) struct Walker {
    /// Middle of the box's lower edge at the start, in ratios.
    pub(super) from: [f32; 2],
    /// Ratios a second.
    pub(super) velocity: [f32; 2],
    /// The seconds between which the person is in the scene.
    pub(super) time: [f32; 2],
    /// Seconds after which the person turns back.
    pub(super) turns_after: f32,
}

impl Walker {
    fn stands(&self, seconds: f32) -> Option<NormalizedBox> {
        if !(self.time[0]..self.time[1]).contains(&seconds) {
            return None;
        }
        let walked = seconds - self.time[0];
        let along = if walked > self.turns_after { 2.0 * self.turns_after - walked } else { walked };
        let (x, y) = (self.from[0] + self.velocity[0] * along, self.from[1] + self.velocity[1] * along);
        // People nearer to the camera are larger. The stride makes a box wider and narrower twice a second.
        let height = 0.1 + 0.25 * (y - 0.3);
        let width = height * (0.22 + 0.04 * (12.0 * seconds).sin());
        NormalizedBox::from_corners(x - width / 2.0, y - height, x + width / 2.0, y)
    }
}

/// The quality of frames and detector.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) fps: f32,
    /// Share of frames that are shed.
    pub(super) shed: f32,
    /// Share of visible objects that are not detected in a frame.
    pub(super) missed: f32,
    /// False boxes in each frame.
    pub(super) false_boxes: f32,
    /// Standard deviation of a box's edges, relative to its sides.
    pub(super) shake: f32,
}

/// The detections of a frame, and the people who were really there.
pub(super) struct SceneFrame {
    pub(super) at: Monotonic,
    pub(super) truth: Boxes,
    pub(super) seen: Vec<(f32, NormalizedBox)>,
}

/// Films the walkers for `seconds`. A person who is hidden by more than 60 %, by a nearer person or by the pole between the
/// ratios `pole` across the picture, is not detected. A half hidden person is detected with low confidence.
pub(super) fn film(
    walkers: &[Walker],
    pole: [f32; 2],
    conditions: &Conditions,
    seconds: f32,
    seed: u64,
) -> Vec<SceneFrame> {
    let mut dice = Dice(seed);
    let mut frames = Vec::new();
    let mut time = 0.0;
    while time < seconds {
        let shown = time + 0.03 * dice.roll();
        time += 1.0 / conditions.fps;
        if dice.roll() < conditions.shed {
            continue;
        }
        let mut standing: Vec<(u64, NormalizedBox)> =
            (1..).zip(walkers).filter_map(|(id, walker)| Some((id, walker.stands(shown)?))).collect();
        standing.sort_by(|a, b| b.1.bottom().total_cmp(&a.1.bottom()));
        let mut frame = SceneFrame {
            at: Monotonic::from_nanos(1_000_000_000) + Duration::from_secs_f32(shown),
            truth: Vec::new(),
            seen: Vec::new(),
        };
        for (rank, &(id, place)) in standing.iter().enumerate() {
            let hidden_by = |other: &NormalizedBox| shared(&place, other) / place.area();
            let post = NormalizedBox { left: pole[0], top: 0.0, width: pole[1] - pole[0], height: 1.0 };
            let nearer = standing[..rank].iter().map(|(_, other)| hidden_by(other));
            let hidden = nearer.chain([hidden_by(&post)]).fold(0.0, f32::max);
            if hidden > 0.6 {
                continue;
            }
            frame.truth.push((id, place));
            if dice.roll() < conditions.missed {
                continue;
            }
            let confidence = if hidden > 0.3 { 0.3 + 0.3 * dice.roll() } else { 0.5 + 0.45 * dice.roll() };
            if let Some(shaken) = shake(&place, conditions.shake, &mut dice) {
                frame.seen.push((confidence, shaken));
            }
        }
        if dice.roll() < conditions.false_boxes {
            let (x, y) = (dice.roll(), 0.4 + 0.5 * dice.roll());
            frame.seen.extend(
                NormalizedBox::from_corners(x, y - 0.2, x + 0.05, y).map(|ghost| (0.5 + 0.2 * dice.roll(), ghost)),
            );
        }
        frames.push(frame);
    }
    frames
}

fn shake(place: &NormalizedBox, deviation: f32, dice: &mut Dice) -> Option<NormalizedBox> {
    let (across, down) = (deviation * place.width, deviation * place.height);
    NormalizedBox::from_corners(
        place.left + across * dice.error(),
        place.top + down * dice.error(),
        place.right() + across * dice.error(),
        place.bottom() + down * dice.error(),
    )
}

fn shared(one: &NormalizedBox, other: &NormalizedBox) -> f32 {
    let width = (one.right().min(other.right()) - one.left.max(other.left)).max(0.0);
    let height = (one.bottom().min(other.bottom()) - one.top.max(other.top)).max(0.0);
    width * height
}
