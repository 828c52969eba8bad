//! Which of the engines that were tried is taken.

use crate::engine_choice::engine::{Engine, Wanted};
use serde::{Deserialize, Serialize};

/// Another engine must be faster than what computes without a choice by this factor: it takes memory and time to load.
const WORTH_IT: f64 = 1.05;

/// Of two engines that are about as fast, the one that was tried first is taken: of fewer threads, and the float model.
const ABOUT_AS_FAST: f64 = 1.02;

/// What came of trying an engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialResult {
    /// It answers right.
    Measured {
        /// Transactions per second of processor time.
        tps_per_core: f64,
        /// Memory of its process without what it shares, in bytes.
        memory_bytes: u64,
    },
    /// It is not taken, for this reason.
    Refused(String),
}

/// An engine that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What was tried.
    pub engine: Engine,
    /// What came of it.
    pub result: TrialResult,
}

/// The memory that the units of a model may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Room {
    /// Bytes for all of them; `None`: unknown, and not a limit.
    pub bytes: Option<u64>,
    /// How many units there will be at least.
    pub units: usize,
}

/// The engine for a model, and all that were tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// What computes the model.
    pub engine: Engine,
    /// In the order in which they were tried, the reference first.
    pub trials: Vec<Trial>,
}

impl Room {
    /// As the supervisor reckons: each unit a fifth larger than measured.
    fn has(self, each: u64) -> bool {
        let all = each.saturating_add(each / 5).saturating_mul(self.units as u64);
        self.bytes.is_none_or(|bytes| all <= bytes)
    }
}

impl Trial {
    fn tps(&self) -> Option<f64> {
        match self.result {
            TrialResult::Measured { tps_per_core, .. } => Some(tps_per_core),
            TrialResult::Refused(_) => None,
        }
    }
}

impl Choice {
    /// Takes the engine that does the most transactions a second and core, of those that the settings allow and whose units fit
    /// into the memory. What fits not is refused in `trials`. If none is left, it is what computes without a choice.
    pub fn of(mut trials: Vec<Trial>, wanted: Wanted, room: Room) -> Self {
        for trial in trials.iter_mut().filter(|trial| trial.engine != wanted.unmeasured()) {
            if let TrialResult::Measured { memory_bytes, .. } = trial.result
                && !room.has(memory_bytes)
            {
                let (units, each) = (room.units, memory_bytes >> 20);
                let reason =
                    format!("it takes too much memory: {units} units of {each} MiB do not fit beside the reserve");
                trial.result = TrialResult::Refused(reason);
            }
        }
        let allowed = trials.iter().filter(|trial| wanted.allows(trial.engine));
        let fastest = allowed.reduce(|best, one| {
            let least = best.tps().map_or(0.0, |tps| tps * ABOUT_AS_FAST);
            if one.tps().is_some_and(|tps| tps > least) { one } else { best }
        });
        let unmeasured = wanted.unmeasured();
        let before = trials.iter().find(|trial| trial.engine == unmeasured).and_then(Trial::tps);
        let is_worth_it = |trial: &&Trial| trial.tps().is_some_and(|tps| tps > before.unwrap_or(0.0) * WORTH_IT);
        let engine = fastest.filter(is_worth_it).map_or(unmeasured, |trial| trial.engine);
        Self { engine, trials }
    }

    /// Transactions a second and core of an engine, if it was measured.
    pub fn tps_of(&self, engine: Engine) -> Option<f64> {
        self.trials.iter().find(|trial| trial.engine == engine)?.tps()
    }

    /// In one line, for people.
    pub fn in_words(&self) -> String {
        let speed = |engine: Engine| match self.tps_of(engine) {
            Some(tps) => format!("{engine} {tps:.1}"),
            None => engine.to_string(),
        };
        let others = self.trials.iter().filter(|trial| trial.engine != self.engine && trial.tps().is_some());
        let others: Vec<String> = others.map(|trial| speed(trial.engine)).collect();
        match others.is_empty() {
            true => format!("{} transactions a second and core", speed(self.engine)),
            false => format!("{} transactions a second and core; {}", speed(self.engine), others.join(", ")),
        }
    }

    /// The engines that were refused, with the reasons.
    pub fn refused(&self) -> impl Iterator<Item = (Engine, &str)> {
        self.trials.iter().filter_map(|trial| match &trial.result {
            TrialResult::Refused(reason) => Some((trial.engine, reason.as_str())),
            TrialResult::Measured { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::execution_provider::ExecutionProvider::{self, Cpu, OpenVino, Xnnpack};
    use crate::model::model_file::ModelVariant::{self, Float, Int8};

    const OPEN: Wanted = Wanted { variant: None, most_threads: 1 };
    const ROOM: Room = Room { bytes: None, units: 2 };

    fn trial(provider: ExecutionProvider, variant: ModelVariant, tps: f64, megabytes: u64) -> Trial {
        let engine = Engine { execution_provider: provider, variant, threads: 1 };
        let measured = TrialResult::Measured { tps_per_core: tps, memory_bytes: megabytes << 20 };
        let result = if tps > 0.0 { measured } else { TrialResult::Refused("it crashed".into()) };
        Trial { engine, result }
    }

    fn chosen(trials: &[Trial], wanted: Wanted, room: Room) -> String {
        Choice::of(trials.to_vec(), wanted, room).engine.to_string()
    }

    #[test]
    fn the_fastest_that_answers_right_is_taken() {
        let trials = [
            trial(Cpu, Float, 48.0, 80),
            trial(OpenVino, Float, 58.0, 140),
            trial(Xnnpack, Float, 0.0, 0),
            trial(Cpu, Int8, 32.0, 80),
            trial(OpenVino, Int8, 92.0, 143),
        ];
        assert_eq!(chosen(&trials, OPEN, ROOM), "openvino int8");
        assert_eq!(chosen(&trials, Wanted { variant: Some(Float), ..OPEN }, ROOM), "openvino float");
        assert_eq!(chosen(&trials[..3], Wanted { variant: Some(Int8), ..OPEN }, ROOM), "cpu int8", "none was tried");
        let choice = Choice::of(trials.to_vec(), OPEN, ROOM);
        assert_eq!(
            choice.in_words(),
            "openvino int8 92.0 transactions a second and core; cpu float 48.0, openvino float 58.0, cpu int8 32.0"
        );
        assert_eq!(
            choice.refused().map(|(engine, why)| format!("{engine}: {why}")).collect::<Vec<_>>(),
            ["xnnpack float: it crashed"]
        );
    }

    #[test]
    fn what_does_not_fit_into_memory_is_refused_and_what_computes_anyway_is_not() {
        let trials = [trial(Cpu, Float, 48.0, 80), trial(OpenVino, Float, 58.0, 140)];
        let room = |megabytes: u64| Room { bytes: Some(megabytes << 20), units: 2 };
        assert_eq!(chosen(&trials, OPEN, room(400)), "openvino float");
        let choice = Choice::of(trials.to_vec(), OPEN, room(300));
        assert_eq!(choice.engine, Engine::REFERENCE);
        assert!(choice.refused().next().unwrap().1.contains("2 units of 140 MiB do not fit"));
        assert_eq!(chosen(&trials, OPEN, room(1)), "cpu float");
    }

    #[test]
    fn a_small_gain_changes_nothing_and_of_equals_the_first_is_taken() {
        let openvino = |tps| [trial(Cpu, Float, 48.0, 80), trial(OpenVino, Float, tps, 140)];
        assert_eq!(chosen(&openvino(50.0), OPEN, ROOM), "cpu float");
        assert_eq!(chosen(&openvino(51.0), OPEN, ROOM), "openvino float");
        let close = [openvino(60.0).to_vec(), vec![trial(OpenVino, Int8, 61.0, 140)]].concat();
        assert_eq!(chosen(&close, OPEN, ROOM), "openvino float");
    }
}
