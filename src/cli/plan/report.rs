//! What `ocelli plan` prints.

use crate::appliance::core_count;
use crate::cli::live_view::print_line;
use crate::cli::plan::arguments::PlanArguments;
use crate::cli::plan::decoding::Decoding;
use crate::cli::plan::units::Computed;
use crate::cli::tiles::framing;
use crate::engine_choice::Choice;
use crate::model::execution_provider::ExecutionProvider;
use crate::supervisor::capacity_plan::{
    Budget, CameraNeed, Measured, PLANNED_USE, best, cameras_at, cameras_with, units_for,
};
use serde_json::json;

/// Shares of the cameras that are busy at any time, for which the table says how many fit.
const BUSY_SHARES: [f64; 4] = [1.0, 0.2, 0.05, 0.0];

/// Everything that was measured.
pub(super) struct Report<'a> {
    /// What was chosen to compute the model, if that was left open.
    pub(super) choice: Option<&'a Choice>,
    pub(super) measured: &'a [Measured],
    pub(super) computed: &'a [Computed],
    /// The cost of a camera, or why it is unknown.
    pub(super) decoding: Result<Decoding, String>,
    /// Seconds after which an idle camera is analysed all the same.
    pub(super) look_seconds: f64,
}

/// How many cameras fit if this share of them is busy.
struct Fit {
    busy_share: f64,
    cameras: usize,
}

impl Fit {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the number of cameras")]
    fn busy(&self) -> usize {
        (self.cameras as f64 * self.busy_share).ceil() as usize
    }
}

/// Prints the report, as JSON or in words.
pub(super) fn show(report: &Report<'_>, arguments: &PlanArguments) {
    let Some(best) = best(report.measured) else { return };
    if arguments.json {
        print_line(&in_json(report, best, arguments).to_string());
    } else {
        in_words(report, best, arguments);
    }
}

fn fits(report: &Report<'_>, decoding: &Decoding, best: Measured, arguments: &PlanArguments) -> Vec<Fit> {
    let transactions = f64::from(framing(arguments.tiles).transactions());
    let units_use_cores = report.computed.iter().any(|one| one.execution_provider == ExecutionProvider::Cpu)
        || report.computed.is_empty();
    let budget = Budget { cores: core_count() as f64, tps: best.tps, units_use_cores };
    let busy = CameraNeed { cores: decoding.busy_cores, tps: arguments.fps * transactions };
    let idle = CameraNeed { cores: decoding.idle_cores, tps: transactions / report.look_seconds.max(1.0) };
    let fit = |busy_share| Fit { busy_share, cameras: cameras_with(budget, busy, idle, busy_share) };
    BUSY_SHARES.into_iter().map(fit).collect()
}

fn in_json(report: &Report<'_>, best: Measured, arguments: &PlanArguments) -> serde_json::Value {
    let transactions = framing(arguments.tiles).transactions();
    let needed = arguments.tps.map(|tps| units_for(tps, best.unit_tps()));
    let row = |one: &Measured| json!({"threads": one.threads, "units": one.units, "tps": one.tps});
    let by = |one: &Computed| json!({"execution_provider": one.execution_provider, "device": one.device, "nodes": one.nodes});
    let decoding = report.decoding.as_ref().map(|decoding| {
        let fit = |fit: &Fit| json!({"busy_share": fit.busy_share, "cameras": fit.cameras, "busy": fit.busy()});
        json!({
            "camera": decoding.camera,
            "codec": decoding.info.codec,
            "size": [decoding.info.width, decoding.info.height],
            "frames_per_second": decoding.frames_per_second,
            "busy_cores": decoding.busy_cores,
            "idle_cores": decoding.idle_cores,
            "fit": fits(report, decoding, best, arguments).iter().map(fit).collect::<Vec<_>>(),
        })
    });
    json!({
        "cores": core_count(),
        "engine": report.choice,
        "computed_by": report.computed.iter().map(by).collect::<Vec<_>>(),
        "sizes": arguments.size,
        "measured": report.measured.iter().map(row).collect::<Vec<_>>(),
        "best": row(&best),
        "unit_tps": best.unit_tps(),
        "fps": arguments.fps,
        "transactions_per_frame": transactions,
        "cameras": cameras_at(arguments.fps * f64::from(transactions), best.tps),
        "decoding": decoding.as_ref().ok(),
        "decoding_error": decoding.as_ref().err(),
        "required_tps": arguments.tps,
        "inference_units": needed,
        "inference_units_with_one_to_spare": needed.map(|units| units + 1),
    })
}

fn in_words(report: &Report<'_>, best: Measured, arguments: &PlanArguments) {
    if let Some(choice) = report.choice {
        print_line(&format!("Chosen: {}.", choice.in_words()));
        choice.refused().for_each(|(engine, reason)| print_line(&format!("  refused: {engine}: {reason}")));
    }
    for Computed { execution_provider, device, nodes } in report.computed {
        let device = device.as_ref().map_or_else(String::new, |device| format!(" on device {device}"));
        print_line(&format!("Computed by {execution_provider}{device}; nodes of the model: {nodes}."));
    }
    print_line(&format!("{:>8} {:>6} {:>10} {:>13}", "THREADS", "UNITS", "TPS", "TPS PER UNIT"));
    for one in report.measured {
        let mark = if *one == best { "  <- most" } else { "" };
        let unit_tps = one.unit_tps();
        print_line(&format!("{:>8} {:>6} {:>10.1} {unit_tps:>13.1}{mark}", one.threads, one.units, one.tps));
    }
    let transactions = framing(arguments.tiles).transactions();
    let sizes: Vec<String> = arguments.size.iter().map(|(width, height)| format!("{width}x{height}")).collect();
    print_line(&format!(
        "{} cameras of {} at {} frames per second{} fit: {:.0} % of {:.1} TPS; the rest is for bursts.",
        cameras_at(arguments.fps * f64::from(transactions), best.tps),
        sizes.join(" and "),
        arguments.fps,
        cost(transactions),
        PLANNED_USE * 100.0,
        best.tps
    ));
    if let Some(tps) = arguments.tps {
        let units = units_for(tps, best.unit_tps());
        let fits = if units > best.units { ", more than this box has" } else { "" };
        print_line(&format!("{tps} TPS need {units} inference units{fits}; {} with one to spare.", units + 1));
    }
    match &report.decoding {
        Ok(decoding) => decoding_in_words(decoding, &fits(report, decoding, best, arguments)),
        Err(why) => print_line(&format!(
            "That is inference alone. Decoding takes its share of the cores as well, and was not measured: {why}."
        )),
    }
}

fn decoding_in_words(decoding: &Decoding, fits: &[Fit]) {
    let Decoding { camera, info, frames_per_second, .. } = decoding;
    print_line("");
    print_line(&format!(
        "With decoding, for cameras as {camera} ({} {}x{}, {frames_per_second:.0} frames a second), which takes {:.1} % of a core \
         while something moves and {:.1} % while nothing does:",
        info.codec,
        info.width,
        info.height,
        decoding.busy_cores * 100.0,
        decoding.idle_cores * 100.0,
    ));
    print_line(&format!("{:>10} {:>8} {:>6} {:>6}", "BUSY SHARE", "CAMERAS", "BUSY", "IDLE"));
    for fit in fits {
        let share = format!("{:.0} %", fit.busy_share * 100.0);
        print_line(&format!("{share:>10} {:>8} {:>6} {:>6}", fit.cameras, fit.busy(), fit.cameras - fit.busy()));
    }
    if !decoding.is_watched {
        print_line(
            "This camera is never idle: `watch = \"auto\"` in [capture] lets cameras be watched while nothing moves.",
        );
    }
}

/// The transactions of a frame, if there are several.
fn cost(transactions: u32) -> String {
    if transactions == 1 { String::new() } else { format!(" and {transactions} transactions per frame") }
}
