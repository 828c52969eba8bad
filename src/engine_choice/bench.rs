//! Tries engines: each in a confined unit of its own, with the canary and pictures that are made up.

use crate::engine_choice::choice::{Choice, Room, Trial, TrialResult};
use crate::engine_choice::engine::{Engine, Wanted};
use crate::engine_choice::judge::{self, LEAST_CONFIDENCE, Seen};
use crate::engine_choice::pictures;
use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::ExecutionProvider;
use crate::model::manifest::Manifest;
use crate::model::model_file::ModelVariant;
use crate::os::{memory, processor_time};
use crate::supervisor::one_shot::{OneShotError, OneShotUnit};
use crate::vision::detection::Detection;
use crate::vision::error_chain::describe;
use crate::vision::framing::Framing;
use crate::vision::look_options::LookOptions;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How often the memory of a unit is looked at.
const MEMORY_PERIOD: Duration = Duration::from_millis(20);

/// Speed is the median of so many parts, each of so much processor time and so many runs at least.
const PARTS: usize = 5;
const PART: Duration = Duration::from_millis(250);
const LEAST_RUNS: u32 = 3;

/// A part ends after this time by the clock, however little processor time it was given.
const MOST_OF_PART: Duration = Duration::from_secs(3);

/// What the measurement may take beside the pictures, on a box whose cores others have.
const MOST_OF_PARTS: Duration = Duration::from_secs(15);

/// What a trial may take.
#[derive(Clone, Copy, Debug)]
pub struct BenchLimits {
    /// To load the model.
    pub load: Duration,
    /// For all pictures of one engine.
    pub looks: Duration,
    /// For all engines together. What is not tried by then is refused.
    pub all: Duration,
    /// Memory of a unit without what it shares, in bytes; `None`: no limit.
    pub memory_bytes: Option<u64>,
}

/// What trials of a package need.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The program of units.
    pub program: PathBuf,
    /// The environment of units.
    pub environment: BTreeMap<String, String>,
    /// What units load, without caches: what is tried leaves nothing behind. Each engine is applied to it.
    pub load: LoadModel,
    /// The library of each provider that has one of its own.
    pub libraries: BTreeMap<ExecutionProvider, PathBuf>,
    /// What a trial may take.
    pub limits: BenchLimits,
}

/// What an engine did.
struct Run {
    seen: Seen,
    tps_per_core: f64,
    memory_bytes: u64,
}

/// Why an engine is not taken.
struct Refusal {
    reason: String,
    /// It could not be loaded: no other engine of its provider is tried.
    is_of_provider: bool,
}

/// Tries every engine that the package and the settings allow, and chooses. `next` is told what is tried.
///
/// # Errors
/// Why nothing could be compared: the package cannot be read, or the reference does not run.
pub async fn measure_all(bench: &Bench, wanted: Wanted, room: Room, next: impl Fn(Engine)) -> Result<Choice, String> {
    let begun = Instant::now();
    let most_memory = bench.limits.memory_bytes.into_iter().chain(room.bytes).min();
    let directory = bench.load.directory.clone();
    // A disk may hang.
    let read = tokio::task::spawn_blocking(move || read(&directory)).await.map_err(|error| error.to_string())?;
    let (manifest, canary) = read?;
    let variants: Vec<ModelVariant> = manifest.model.variants().collect();
    next(Engine::REFERENCE);
    let reference = bench.run(Engine::REFERENCE, canary.as_deref(), most_memory).await;
    let reference = reference.map_err(|Refusal { reason, .. }| format!("the float model does not run: {reason}"))?;
    let nothing = judge::nothing_to_compare(&manifest, &reference.seen);
    let mut trials = vec![Trial { engine: Engine::REFERENCE, result: reference.measured() }];
    let mut not_here: BTreeMap<ExecutionProvider, String> = BTreeMap::new();
    for engine in wanted.candidates(&variants).into_iter().skip(1) {
        let known = not_here.get(&engine.execution_provider).or(nothing.as_ref()).cloned();
        let late = (begun.elapsed() >= bench.limits.all).then(|| "there was no time left to try it".to_owned());
        let result = match known.or(late) {
            Some(reason) => TrialResult::Refused(reason),
            None => {
                next(engine);
                match bench.run(engine, canary.as_deref(), most_memory).await {
                    Ok(run) => mismatch(&manifest, engine, &reference.seen, &run.seen)
                        .map_or_else(|| run.measured(), TrialResult::Refused),
                    Err(Refusal { reason, is_of_provider }) => {
                        if is_of_provider {
                            not_here.insert(engine.execution_provider, reason.clone());
                        }
                        TrialResult::Refused(reason)
                    }
                }
            }
        };
        trials.push(Trial { engine, result });
    }
    Ok(match nothing {
        // Without anything to compare, what computes without a choice goes on.
        Some(_) => Choice { engine: wanted.unmeasured(), trials },
        None => Choice::of(trials, wanted, room),
    })
}

/// The manifest of a package, and its canary's picture if it has one.
fn read(package: &Path) -> Result<(Manifest, Option<Vec<u8>>), String> {
    let manifest = Manifest::load(package).map_err(|error| describe(&error))?;
    let picture = manifest.canary.as_ref().map(|canary| std::fs::read(package.join(&canary.image)));
    let picture = picture.transpose().map_err(|error| format!("the canary cannot be read: {error}"))?;
    Ok((manifest, picture))
}

/// Why an engine does not see what the reference sees.
fn mismatch(
    manifest: &Manifest,
    engine: Engine,
    reference: &[Vec<Detection>],
    seen: &[Vec<Detection>],
) -> Option<String> {
    match engine.variant {
        ModelVariant::Float => judge::float_mismatch(manifest, reference, seen),
        ModelVariant::Int8 => judge::int8_mismatch(manifest, reference, seen),
    }
}

impl Run {
    fn measured(&self) -> TrialResult {
        TrialResult::Measured { tps_per_core: self.tps_per_core, memory_bytes: self.memory_bytes }
    }
}

impl From<OneShotError> for Refusal {
    fn from(error: OneShotError) -> Self {
        Self { is_of_provider: matches!(error, OneShotError::Load(_)), reason: describe(&error) }
    }
}

impl Bench {
    /// Runs one engine in a unit of its own, which ends with this call.
    async fn run(&self, engine: Engine, canary: Option<&[u8]>, most_memory: Option<u64>) -> Result<Run, Refusal> {
        let mut load = self.load.clone();
        engine.apply(&mut load);
        if let Some(library) = self.libraries.get(&engine.execution_provider) {
            load.runtime_library.clone_from(library);
        }
        let mut unit = OneShotUnit::spawn(self.program.clone(), self.environment.clone(), load)?;
        let pid = unit.pid();
        let trial = async {
            unit.loaded(self.limits.load).await?;
            let run = timeout(self.limits.looks + MOST_OF_PARTS, look_and_measure(&mut unit, canary)).await;
            run.unwrap_or(Err(OneShotError::TimedOut))
                .map_err(|error| Refusal { is_of_provider: false, ..error.into() })
        };
        tokio::select! {
            run = trial => run,
            bytes = too_much_memory(pid, most_memory) => {
                let reason = format!("it takes too much memory: {} MiB while it was tried", bytes >> 20);
                Err(Refusal { is_of_provider: false, reason })
            }
        }
    }
}

/// Waits until a process has more memory than it may.
async fn too_much_memory(pid: u32, limit: Option<u64>) -> u64 {
    loop {
        sleep(MEMORY_PERIOD).await;
        if let Some(bytes) = memory::anonymous_bytes(pid).filter(|bytes| limit.is_some_and(|limit| *bytes > limit)) {
            return bytes;
        }
    }
}

async fn look_and_measure(unit: &mut OneShotUnit, canary: Option<&[u8]>) -> Result<Run, OneShotError> {
    let options = LookOptions { min_confidence: Some(LEAST_CONFIDENCE), ..LookOptions::default() };
    let mut seen = Seen::new();
    if let Some(canary) = canary {
        seen.push(unit.detect(canary, options).await?.detections);
    }
    let format = pictures::format().map_err(|error| OneShotError::Io(std::io::Error::other(error)))?;
    for number in 0..pictures::COUNT {
        seen.push(unit.detect_frame(format, &pictures::planes(number), options).await?.detections);
    }
    let mut speeds = Vec::new();
    for _ in 0..PARTS {
        let (begun, before) = (Instant::now(), used(unit));
        let mut runs = 0;
        let mut spent = Duration::ZERO;
        while (spent < PART || runs < LEAST_RUNS) && begun.elapsed() < MOST_OF_PART {
            unit.detect_raw(format, Framing::default()).await?;
            runs += 1;
            spent = used(unit).saturating_sub(before);
        }
        speeds.push(f64::from(runs) / spent.as_secs_f64().max(1e-6));
    }
    speeds.sort_by(f64::total_cmp);
    let memory_bytes = memory::anonymous_bytes(unit.pid()).unwrap_or_default();
    Ok(Run { seen, tps_per_core: speeds[PARTS / 2], memory_bytes })
}

/// Processor time of all threads of a unit.
fn used(unit: &OneShotUnit) -> Duration {
    processor_time::of_process(unit.pid()).unwrap_or_default()
}
