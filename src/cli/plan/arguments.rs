//! The command line of `ocelli plan`.

use crate::cli::config_arguments::ConfigArguments;
use crate::cli::tiles::parse_tiles;
use crate::model::execution_provider::ExecutionProvider;
use crate::vision::framing::Tiling;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ocelli plan\n  ocelli plan --size 1920x1080,640x480 --fps 10 --tps 60\n  ocelli plan --model coco-ssd-nms --max-units 8 --json\n  ocelli plan --execution-provider cuda --device 1\n  ocelli plan --tiles 2x2\n  ocelli plan --camera gate"
)]
pub(in crate::cli) struct PlanArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// The package: a directory in `units.models_directory`. Default: that of the first model in the settings.
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// The execution provider. Default: as model and zones of the settings say.
    #[arg(long, value_name = "NAME")]
    pub(super) execution_provider: Option<ExecutionProvider>,
    /// The provider's device: 1 for the second GPU; OpenVINO: GPU.1 or NPU.
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    /// Sizes of the cameras' frames. With several, units get them in turn.
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = parse_size, value_delimiter = ',')]
    pub(super) size: Vec<(u32, u32)>,
    /// Frames per second and camera that are to be analysed.
    #[arg(long, default_value = "5", value_parser = parse_rate)]
    pub(super) fps: f64,
    /// Cut frames into tiles and analyse these and the whole frame; each one is a transaction.
    #[arg(long, value_name = "CxR", value_parser = parse_tiles)]
    pub(super) tiles: Option<Tiling>,
    /// The camera of the settings whose stream is decoded, to say how many such cameras fit. Default: the first enabled one.
    #[arg(long, value_name = "ID")]
    pub(super) camera: Option<String>,
    /// Print how many inference units this many transactions per second need.
    #[arg(long, value_parser = parse_rate)]
    pub(super) tps: Option<f64>,
    /// The most units to try. Default: one per core.
    #[arg(long, value_name = "UNITS")]
    pub(super) max_units: Option<usize>,
    /// Seconds for which each number of units is measured.
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(super) seconds: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed.ok_or_else(|| "write it as 1280x720".to_owned())
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "must be a number above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_checked() {
        assert_eq!(parse_size("1280x720"), Ok((1280, 720)));
        assert!(parse_size("1280").is_err() && parse_rate("0").is_err() && parse_rate("NaN").is_err());
    }
}
