//! The transactions a second that this box's units do, for every number of units and threads.

use crate::appliance::child_environment::child_environment;
use crate::appliance::{core_count, load_with_caches, turn_to};
use crate::cli::plan::arguments::PlanArguments;
use crate::cli::plan::engine::model_of;
use crate::cli::tiles::framing;
use crate::engine_choice::Choice;
use crate::ipc::child_process::own_binary;
use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::{ExecutionProvider, NodeCounts};
use crate::settings::Settings;
use crate::supervisor::capacity_plan::Measured;
use crate::supervisor::one_shot::{OneShotError, OneShotUnit};
use crate::vision::frame::Picture;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;
use tokio::time::Instant;

/// Splits of the cores: every number of units with one thread, and with more as long as the cores are enough.
fn splits(cores: usize, max_units: usize) -> Vec<(u16, usize)> {
    let threads =
        std::iter::successors(Some(1_usize), |threads| Some(threads * 2)).take_while(|threads| *threads <= cores);
    let of = |threads: usize| {
        let most = if threads == 1 { max_units } else { max_units.min(cores / threads) };
        (1..=most).map(move |units| (u16::try_from(threads).unwrap_or(u16::MAX), units))
    };
    threads.flat_map(of).collect()
}

/// Measures every split of the cores, with the `pictures` in turn.
///
/// # Errors
/// When a unit does not load or answer.
pub(super) async fn measure_all(
    settings: &Settings,
    arguments: &PlanArguments,
    choice: Option<&Choice>,
    pictures: &[Picture],
) -> Result<(Vec<Measured>, Vec<Computed>), OneShotError> {
    let cores = core_count();
    let splits = splits(cores, arguments.max_units.unwrap_or(cores).max(1));
    let progress = ProgressBar::new(splits.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("measuring [{bar:30}] {pos}/{len} {msg}") {
        progress.set_style(style.progress_chars("=> "));
    }
    let (mut measured, mut computed) = (Vec::new(), Vec::new());
    for (threads, units) in splits {
        progress.set_message(format!("{units} units of {threads} threads"));
        let loads = loads(settings, arguments, choice, threads, units);
        let tps = measure(settings, arguments, pictures, loads, &mut computed).await?;
        measured.push(Measured { threads, units, tps });
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok((measured, computed))
}

/// The execution provider that a unit was given, and which provider computes how many of its nodes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Computed {
    pub(super) execution_provider: ExecutionProvider,
    pub(super) device: Option<String>,
    pub(super) nodes: NodeCounts,
}

/// What each unit loads: the zones of the settings take turns, unless the command line names a provider.
fn loads(
    settings: &Settings,
    arguments: &PlanArguments,
    choice: Option<&Choice>,
    threads: u16,
    units: usize,
) -> Vec<LoadModel> {
    let (model, package) = model_of(settings, arguments);
    let mut load = load_with_caches(settings, &model, &package);
    choice.into_iter().for_each(|choice| turn_to(settings, choice, &mut load));
    load.intra_op_threads = threads;
    let of = |unit: usize| {
        let mut load = load.clone();
        if arguments.execution_provider.is_none() && !settings.zones.is_empty() {
            let zone = &settings.zones[unit % settings.zones.len()];
            load.turn_to(zone.execution_provider, zone.device.as_deref());
        }
        load.turn_to(arguments.execution_provider, arguments.device.as_deref());
        settings.units.library_of(load.execution_provider).clone_into(&mut load.runtime_library);
        load
    };
    (0..units).map(of).collect()
}

/// Transactions per second of all these units at the same time. Adds to `computed` what computes them.
async fn measure(
    settings: &Settings,
    arguments: &PlanArguments,
    pictures: &[Picture],
    loads: Vec<LoadModel>,
    computed: &mut Vec<Computed>,
) -> Result<f64, OneShotError> {
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    let mut units = Vec::new();
    for load in loads {
        let (execution_provider, device) = (load.execution_provider, load.device.clone());
        let environment = child_environment("warn", settings.sandbox.mode);
        let unit = OneShotUnit::start(own_binary(), environment, load, limit).await?;
        let by = Computed { execution_provider, device, nodes: unit.nodes().clone() };
        if !computed.contains(&by) {
            computed.push(by);
        }
        units.push(unit);
    }
    let begun = Instant::now();
    let until = begun + Duration::from_secs(arguments.seconds);
    let framing = framing(arguments.tiles);
    let mut working = tokio::task::JoinSet::new();
    for mut unit in units {
        let pictures = pictures.to_vec();
        working.spawn(async move {
            let mut done = 0_u32;
            for picture in pictures.into_iter().cycle() {
                if Instant::now() >= until {
                    break;
                }
                unit.detect_raw(picture, framing).await?;
                done += framing.transactions();
            }
            Ok::<u32, OneShotError>(done)
        });
    }
    let mut done = 0;
    while let Some(unit) = working.join_next().await {
        done += unit.map_err(|error| OneShotError::Io(std::io::Error::other(error)))??;
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Plan {
        #[command(flatten)]
        arguments: PlanArguments,
    }

    #[test]
    fn every_split_uses_no_more_threads_than_cores_but_for_single_threads() {
        assert_eq!(splits(2, 3), [(1, 1), (1, 2), (1, 3), (2, 1)]);
        assert_eq!(splits(4, 4), [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (4, 1)]);
    }

    #[test]
    fn units_compute_as_the_settings_say_unless_the_command_line_does() {
        use ExecutionProvider::{Cpu, Cuda, OpenVino};
        let text = "[[models]]\nname = \"m\"\nexecution_provider = \"cuda\"\ndevice = \"1\"\n\
                    provider_options = { memory_limit_mb = 512 }\n\
                    [[models]]\nname = \"other\"\n\
                    [[zones]]\nname = \"gpu\"\n[[zones]]\nname = \"rest\"\nexecution_provider = \"cpu\"\n";
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let settings = Settings::load(&[file.path().to_owned()]).unwrap();
        let of = |line: &str| {
            let arguments = Plan::try_parse_from(line.split(' ')).unwrap().arguments;
            let loads = loads(&settings, &arguments, None, 2, 3).into_iter();
            loads
                .map(|load| (load.execution_provider, load.device, load.provider_options.memory_limit_mb))
                .collect::<Vec<_>>()
        };
        let first = |device: &str| (Cuda, Some(device.to_owned()), Some(512));
        let rest = (Cpu, None, None);
        assert_eq!(of("plan"), [first("1"), rest.clone(), first("1")]);
        assert_eq!(of("plan --model other"), [rest.clone(), rest.clone(), rest.clone()]);
        assert_eq!(of("plan --execution-provider cuda --device 0"), [first("0"), first("0"), first("0")]);
        let npu = (OpenVino, Some("NPU".to_owned()), None);
        assert_eq!(of("plan --execution-provider openvino --device NPU"), [npu.clone(), npu.clone(), npu]);
    }
}
