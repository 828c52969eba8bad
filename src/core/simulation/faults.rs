//! The faults and client requests of a run, drawn from a seed before it starts.

use crate::core::simulation::dice::Dice;

/// A fault, or a burst of requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// The n-th unit's process dies.
    UnitDies(usize),
    /// The n-th unit hangs, sends wrong replies, gives invalid output, cannot be killed, or grows.
    UnitHangs(usize),
    UnitLies(usize),
    UnitInvalid(usize),
    UnitUndead(usize),
    UnitGrows(usize),
    /// Units of a zone cannot load for this many seconds.
    ZoneBreaks(u16, u64),
    /// No process can be started for this many seconds.
    NoProcesses(u64),
    /// The n-th capture process dies, hangs, lies, or cannot be killed.
    CaptureDies(usize),
    CaptureHangs(usize),
    CaptureLies(usize),
    CaptureUndead(usize),
    /// A camera is unreachable, or silent, for this many seconds.
    CameraDown(usize, u64),
    CameraSilent(usize, u64),
    /// No shared memory can be created for this many seconds.
    NoSharedMemory(u64),
    /// For this many seconds the disk refuses writes, or takes 8 s for each operation.
    DiskRefuses(u64),
    DiskSlow(u64),
    /// Memory is short for this many seconds.
    MemoryShort(u64),
    /// The daemon is suspended for this many milliseconds.
    Pause(u64),
    /// This many images arrive at once.
    Images(u64),
    /// This many snapshot requests arrive at once.
    Snapshots(u64),
    /// This many commands arrive at once.
    Commands(u64),
    /// The settings are edited and read again.
    Reload,
}

/// The kinds of faults that a run has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weather {
    /// None; only images, snapshot requests and commands.
    Calm,
    /// One kind of fault.
    OneKind,
    /// All kinds of faults.
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
        21 => Fault::Commands(dice.between(1, 6)),
        _ => Fault::Reload,
    }
}

/// The number of kinds in [`one`].
const KINDS: u64 = 23;

/// The faults of a run with their times in milliseconds, in order. The last `calm_seconds` have none, so that
/// everything must have recovered at the end.
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
            // Client requests continue.
            Weather::OneKind => dice.between(19, KINDS),
            Weather::Everything => dice.between(0, KINDS),
        };
        // Some faults come in bursts.
        let burst = if dice.one_in(10) { dice.between(2, 6) } else { 1 };
        for _ in 0..burst {
            let is_mixed = burst > 1 && weather == Weather::Everything;
            let kind = if is_mixed { dice.between(0, KINDS) } else { kind };
            faults.push((at_ms, one(dice, kind)));
        }
    }
}
