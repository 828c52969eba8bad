//! `ocelli plan`: measures this box with a model, and says how many cameras it can carry.

use crate::appliance::child_environment::child_environment;
use crate::appliance::{core_count, load_model};
use crate::cli::config_arguments::{ConfigArguments, load_settings};
use crate::cli::live_view::print_line;
use crate::cli::tiles::{framing, parse_tiles};
use crate::ipc::child_process::own_binary;
use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::{ExecutionProvider, NodeCounts};
use crate::settings::Settings;
use crate::supervisor::capacity_plan::{Measured, PLANNED_USE, best, cameras_at, units_for};
use crate::supervisor::one_shot::{OneShotError, OneShotUnit};
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;
use crate::vision::frame::{Colorimetry, Picture, PixelFormat};
use crate::vision::framing::Tiling;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ocelli plan\n  ocelli plan --size 1920x1080,640x480 --fps 10 --tps 60\n  ocelli plan --model coco-ssd-nms --max-units 8 --json\n  ocelli plan --execution-provider cuda --device 1\n  ocelli plan --tiles 2x2"
)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The package: a directory in `units.models_directory`. Default: that of the first model in the settings.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The execution provider. Default: as model and zones of the settings say.
    #[arg(long, value_name = "NAME")]
    execution_provider: Option<ExecutionProvider>,
    /// The provider's device: 1 for the second GPU; OpenVINO: GPU.1 or NPU.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Sizes of the cameras' frames. With several, units get them in turn.
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = parse_size, value_delimiter = ',')]
    size: Vec<(u32, u32)>,
    /// Frames per second and camera that are to be analysed.
    #[arg(long, default_value = "5", value_parser = parse_rate)]
    fps: f64,
    /// Cut frames into tiles and analyse these and the whole frame; each one is a transaction.
    #[arg(long, value_name = "CxR", value_parser = parse_tiles)]
    tiles: Option<Tiling>,
    /// Print how many inference units this many transactions per second need.
    #[arg(long, value_parser = parse_rate)]
    tps: Option<f64>,
    /// The most units to try. Default: one per core.
    #[arg(long, value_name = "UNITS")]
    max_units: Option<usize>,
    /// Seconds for which each number of units is measured.
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed.ok_or_else(|| "write it as 1280x720".to_owned())
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "must be a number above 0".to_owned())
}

pub(super) fn plan(arguments: &PlanArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let picture =
        |(width, height): &(u32, u32)| Picture::new(PixelFormat::I420, *width, *height, Colorimetry::default());
    let pictures: Vec<Picture> = match arguments.size.iter().map(picture).collect() {
        Ok(pictures) => pictures,
        Err(error) => {
            eprintln!("ocelli: --size: {}; a larger frame is scaled down to 4 MiB, as 2228x1254", describe(&error));
            return ExitCode::FAILURE;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = match runtime {
        Ok(runtime) => runtime.block_on(measure_all(&settings, arguments, &pictures)).map_err(|error| describe(&error)),
        Err(error) => Err(describe(&error)),
    };
    match measured {
        Ok((measured, computed)) => {
            show(&measured, &computed, arguments);
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("ocelli: {text}");
            ExitCode::FAILURE
        }
    }
}

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

async fn measure_all(
    settings: &Settings,
    arguments: &PlanArguments,
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
        let loads = loads(settings, arguments, threads, units);
        let tps = measure(settings, arguments, pictures, loads, &mut computed).await?;
        measured.push(Measured { threads, units, tps });
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok((measured, computed))
}

/// The execution provider that a unit was given, and which provider computes how many of its nodes.
#[derive(Clone, Debug, PartialEq)]
struct Computed {
    execution_provider: ExecutionProvider,
    device: Option<String>,
    nodes: NodeCounts,
}

/// What each unit loads: the zones of the settings take turns, unless the command line names a provider.
fn loads(settings: &Settings, arguments: &PlanArguments, threads: u16, units: usize) -> Vec<LoadModel> {
    let wanted = arguments.model.as_deref();
    let is_wanted = |model: &&ModelSettings| wanted.is_some_and(|wanted| model.package() == wanted);
    let model = settings.models.iter().find(is_wanted).cloned().unwrap_or_else(|| settings.default_model());
    let mut load = load_model(settings, &model, wanted.unwrap_or_else(|| model.package()));
    load.intra_op_threads = threads;
    let of = |unit: usize| {
        let mut load = load.clone();
        if arguments.execution_provider.is_none() && !settings.zones.is_empty() {
            let zone = &settings.zones[unit % settings.zones.len()];
            load.turn_to(zone.execution_provider, zone.device.as_deref());
        }
        load.turn_to(arguments.execution_provider, arguments.device.as_deref());
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

fn show(measured: &[Measured], computed: &[Computed], arguments: &PlanArguments) {
    let Some(best) = best(measured) else { return };
    let transactions = framing(arguments.tiles).transactions();
    let cameras = cameras_at(arguments.fps * f64::from(transactions), best.tps);
    let needed = arguments.tps.map(|tps| (tps, units_for(tps, best.unit_tps())));
    if arguments.json {
        let row = |one: &Measured| json!({"threads": one.threads, "units": one.units, "tps": one.tps});
        let by = |one: &Computed| json!({"execution_provider": one.execution_provider, "device": one.device, "nodes": one.nodes});
        let plan = json!({
            "cores": core_count(),
            "computed_by": computed.iter().map(by).collect::<Vec<_>>(),
            "sizes": arguments.size,
            "measured": measured.iter().map(row).collect::<Vec<_>>(),
            "best": row(&best),
            "unit_tps": best.unit_tps(),
            "fps": arguments.fps,
            "transactions_per_frame": transactions,
            "cameras": cameras,
            "required_tps": arguments.tps,
            "inference_units": needed.map(|(_, units)| units),
            "inference_units_with_one_to_spare": needed.map(|(_, units)| units + 1),
        });
        return print_line(&plan.to_string());
    }
    for Computed { execution_provider, device, nodes } in computed {
        let device = device.as_ref().map_or_else(String::new, |device| format!(" on device {device}"));
        print_line(&format!("Computed by {execution_provider}{device}; nodes of the model: {nodes}."));
    }
    print_line(&format!("{:>8} {:>6} {:>10} {:>13}", "THREADS", "UNITS", "TPS", "TPS PER UNIT"));
    for one in measured {
        let mark = if *one == best { "  <- most" } else { "" };
        let unit_tps = one.unit_tps();
        print_line(&format!("{:>8} {:>6} {:>10.1} {unit_tps:>13.1}{mark}", one.threads, one.units, one.tps));
    }
    let sizes: Vec<String> = arguments.size.iter().map(|(width, height)| format!("{width}x{height}")).collect();
    print_line(&format!(
        "{cameras} cameras of {} at {} frames per second{} fit: {:.0} % of {:.1} TPS; the rest is for bursts.",
        sizes.join(" and "),
        arguments.fps,
        cost(transactions),
        PLANNED_USE * 100.0,
        best.tps
    ));
    if let Some((tps, units)) = needed {
        let fits = if units > best.units { ", more than this box has" } else { "" };
        print_line(&format!("{tps} TPS need {units} inference units{fits}; {} with one to spare.", units + 1));
    }
    print_line("Units were measured without cameras: decoding a stream takes its share of the cores as well.");
}

/// The transactions of a frame, if there are several.
fn cost(transactions: u32) -> String {
    if transactions == 1 { String::new() } else { format!(" and {transactions} transactions per frame") }
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
    fn sizes_and_rates_are_checked() {
        assert_eq!(parse_size("1280x720"), Ok((1280, 720)));
        assert!(parse_size("1280").is_err() && parse_rate("0").is_err() && parse_rate("NaN").is_err());
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
            let loads = loads(&settings, &arguments, 2, 3).into_iter();
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
