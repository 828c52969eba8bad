//! What goes wrong, and what people ask for, drawn from a seed before a run begins.

use crate::core::simulation::dice::Dice;

/// Something that happens to the box at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// The n-th unit's process dies.
    UnitDies(usize),
    /// The n-th unit hangs, lies, gives invalid output, or cannot be killed.
    UnitHangs(usize),
    UnitLies(usize),
    UnitInvalid(usize),
    UnitUndead(usize),
    UnitGrows(usize),
    /// Units of a zone do not get up for so many seconds.
    ZoneBreaks(u16, u64),
    /// No process can be started for so many seconds.
    NoProcesses(u64),
    /// The n-th capture process dies, hangs, lies, or cannot be killed.
    CaptureDies(usize),
    CaptureHangs(usize),
    CaptureLies(usize),
    CaptureUndead(usize),
    /// A camera is unreachable, or silent, for so many seconds.
    CameraDown(usize, u64),
    CameraSilent(usize, u64),
    /// There is no shared memory for so many seconds.
    NoSharedMemory(u64),
    /// The disk refuses, or takes 8 s for everything, for so many seconds.
    DiskRefuses(u64),
    DiskSlow(u64),
    /// Memory is short for so many seconds.
    MemoryShort(u64),
    /// The daemon is suspended for so many milliseconds.
    Pause(u64),
    /// So many images come at once.
    Images(u64),
    /// So many requests for snapshots come at once.
    Snapshots(u64),
    /// So many commands come at once.
    Commands(u64),
}

/// Which faults a run has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weather {
    /// None: people and images only.
    Calm,
    /// One kind.
    OneKind,
    /// All of them.
    Everything,
}

fn one(dice: &mut Dice, kind: u64) -> Fault {
    let nth = dice.index(16);
    let seconds = dice.pick(&[1, 5, 20, 60, 300]);
    match kind {
        0 => Fault::UnitDies(nth),
        1 => Fault::UnitHangs(nth),
        2 => Fault::UnitLies(nth),
        3 => Fault::UnitInvalid(nth),
        4 => Fault::UnitUndead(nth),
        5 => Fault::UnitGrows(nth),
        6 => Fault::ZoneBreaks(dice.pick(&[0, 1]), seconds),
        7 => Fault::NoProcesses(dice.between(1, 20)),
        8 => Fault::CaptureDies(nth),
        9 => Fault::CaptureHangs(nth),
        10 => Fault::CaptureLies(nth),
        11 => Fault::CaptureUndead(nth),
        12 => Fault::CameraDown(nth, seconds),
        13 => Fault::CameraSilent(nth, seconds),
        14 => Fault::NoSharedMemory(dice.between(1, 20)),
        15 => Fault::DiskRefuses(seconds),
        16 => Fault::DiskSlow(seconds),
        17 => Fault::MemoryShort(seconds),
        18 => Fault::Pause(dice.pick(&[600, 2_000, 6_000, 20_000, 60_000])),
        19 => Fault::Images(dice.between(1, 60)),
        20 => Fault::Snapshots(dice.between(1, 30)),
        _ => Fault::Commands(dice.between(1, 6)),
    }
}

/// Kinds of faults that [`one`] knows.
const KINDS: u64 = 22;

/// The faults of a run of so many seconds, in the order of their times in milliseconds. The last minutes are calm, so that
/// everything must have healed at the end.
pub(super) fn schedule(dice: &mut Dice, weather: Weather, seconds: u64, calm_seconds: u64) -> Vec<(u64, Fault)> {
    let mean_gap_ms = seconds * 1000 / 120;
    let only = dice.between(0, KINDS);
    let mut faults = Vec::new();
    let mut at_ms = 5_000;
    loop {
        at_ms += dice.between(1, mean_gap_ms * 2);
        if at_ms + calm_seconds * 1000 >= seconds * 1000 {
            return faults;
        }
        let kind = match weather {
            Weather::Calm => dice.between(19, KINDS),
            Weather::OneKind if !dice.one_in(4) => only,
            // People go on asking.
            Weather::OneKind => dice.between(19, KINDS),
            Weather::Everything => dice.between(0, KINDS),
        };
        // Faults come in bursts, too.
        let burst = if dice.one_in(10) { dice.between(2, 6) } else { 1 };
        for _ in 0..burst {
            let is_mixed = burst > 1 && weather == Weather::Everything;
            let kind = if is_mixed { dice.between(0, KINDS) } else { kind };
            faults.push((at_ms, one(dice, kind)));
        }
    }
}
