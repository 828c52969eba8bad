//! A site of unequal boxes with many cameras, by seed, and what happens to its boxes in a day.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "speeds, needs and seconds of a made-up site are small and positive"
)]

use super::{BoxState, CameraNeed, id};
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;

/// The cameras of a simulated site.
pub(super) const CAMERAS: usize = 1_000;
/// How many boxes it has.
pub(super) const BOXES: usize = 30;
/// A day in seconds.
pub(super) const DAY: u64 = 86_400;
/// Nothing happens in the last part of a day.
pub(super) const REST: u64 = 2_400;

/// Models, and their speed on a box as a share of that of the fastest one.
const MODELS: [(&str, f64); 3] = [("person", 1.0), ("vehicle", 0.6), ("face", 0.4)];

/// What happens to a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    Dies,
    Returns,
    Drains,
    Undrains,
    /// Its speed becomes this share of what it was in the morning.
    Throttles(f64),
    /// What it measures becomes this share of its speed.
    Wobbles(f64),
}

/// Reproducible random numbers (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number of `low..high`.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (high - low) * ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.between(0.0, of.len() as f64) as usize]
    }

    fn is(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// A time with this mean, in seconds, after which something happens that has no memory.
    fn wait(&mut self, mean: f64) -> f64 {
        -mean * self.between(f64::EPSILON, 1.0).ln()
    }
}

/// A box as it is, not as it is seen.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) zone: String,
    /// Transactions a second by model.
    pub(super) speed: BTreeMap<&'static str, f64>,
    pub(super) is_alive: bool,
    pub(super) is_draining: bool,
    pub(super) throttle: f64,
    pub(super) wobble: f64,
}

impl Machine {
    pub(super) fn state(&self) -> BoxState {
        let measured = |speed: &f64| (speed * self.throttle * self.wobble) as f32;
        let capacity_tps = self.speed.iter().map(|(model, speed)| ((*model).to_owned(), measured(speed))).collect();
        BoxState { capacity_tps, zone: self.zone.clone(), is_draining: self.is_draining, ..BoxState::default() }
    }
}

pub(super) fn machine(dice: &mut Dice, number: usize) -> Machine {
    let speed = dice.pick(&[200.0, 300.0, 400.0, 600.0, 800.0, 1_200.0]) * dice.between(0.9, 1.1);
    // Not every box has every model; the first ones have them all.
    let has = |dice: &mut Dice, index: usize| number < 3 || index == 0 || dice.is([1.0, 0.75, 0.5][index]);
    let models = MODELS.iter().enumerate().filter(|(index, _)| has(dice, *index));
    let speed = models.map(|(_, (model, share))| (*model, speed * share)).collect();
    let (name, zone) = (format!("box-{number:02}"), format!("hall-{}", number % 3));
    Machine { name, zone, speed, is_alive: true, is_draining: false, throttle: 1.0, wobble: 1.0 }
}

/// Cameras that need seven tenths of what all boxes can do.
pub(super) fn cameras(dice: &mut Dice, machines: &[Machine]) -> BTreeMap<CameraId, CameraNeed> {
    let mut needs: Vec<CameraNeed> = Vec::new();
    for number in 0..CAMERAS {
        let model = dice.pick(&["person", "person", "person", "vehicle", "face"]).to_owned();
        let tps = dice.pick(&[2.0, 5.0, 5.0, 10.0, 15.0]);
        let apart = (number < 200).then(|| format!("group-{}", number / 4));
        let pin = (number % 100 == 99).then(|| machines[number % 3].name.clone());
        needs.push(CameraNeed { model, tps, cores: 0.0, pin, apart });
    }
    let cost = |need: &CameraNeed| f64::from(need.tps) / MODELS.iter().find(|(name, _)| *name == need.model).unwrap().1;
    let can: f64 = machines.iter().map(|machine| machine.speed["person"]).sum();
    let scale = 0.7 * can / needs.iter().map(cost).sum::<f64>();
    needs.iter_mut().for_each(|need| need.tps *= scale as f32);
    needs.into_iter().enumerate().map(|(number, need)| (id(&format!("cam-{number:04}")), need)).collect()
}

/// What happens to a box in a day: it dies every eight hours or so for seconds, minutes or hours, may be drained or too
/// hot, and measures a tenth more or less all the time.
pub(super) fn course(dice: &mut Dice, number: usize) -> Vec<(u64, usize, Event)> {
    let mut events = Vec::new();
    let mut add = |second: f64, event| {
        if second < (DAY - REST) as f64 {
            events.push((second as u64, number, event));
        }
    };
    let mut second = 600.0 + dice.wait(28_800.0);
    while second < (DAY - REST) as f64 {
        add(second, Event::Dies);
        let (short, long) = dice.pick(&[(4.0, 60.0), (60.0, 1_800.0), (60.0, 1_800.0), (3_600.0, 14_400.0)]);
        second += dice.between(short, long);
        add(second, Event::Returns);
        second += dice.wait(28_800.0);
    }
    if dice.is(0.3) {
        let begin = dice.between(600.0, 80_000.0);
        add(begin, Event::Drains);
        add(begin + dice.between(300.0, 1_800.0), Event::Undrains);
    }
    if dice.is(0.3) {
        let begin = dice.between(600.0, 80_000.0);
        add(begin, Event::Throttles(dice.between(0.6, 0.8)));
        add(begin + dice.between(3_600.0, 10_000.0), Event::Throttles(1.0));
    }
    let mut second = dice.between(0.0, 1_200.0);
    while second < DAY as f64 {
        add(second, Event::Wobbles(dice.between(0.9, 1.1)));
        second += 1_200.0;
    }
    events
}
