//! The failure zones of this box: those of the settings, or else zones that follow from the hardware.

use crate::model::provider_setting::ProviderSetting;
use crate::os::{cores, gpus};
use crate::settings::Settings;
use crate::supervisor::ZonePlacement;
use crate::supervisor::settings::{ModelSettings, ZoneSettings};
use std::collections::BTreeMap;

/// The number of cores that the daemon may use. A model without a number of units has one unit per core.
pub fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The hardware that may form zones.
#[derive(Clone, Debug, Default)]
struct Hardware {
    gpus: u16,
    cores_by_node: BTreeMap<u16, Vec<u16>>,
    usable_cores: Vec<u16>,
}

/// The zones of the box, at least one.
pub(super) fn placements(settings: &Settings) -> Vec<ZonePlacement> {
    let hardware =
        Hardware { gpus: gpus::nvidia_count(), cores_by_node: cores::by_numa_node(), usable_cores: cores::usable() };
    if !settings.zones.is_empty() {
        let library = |zone: &ZoneSettings| Some(settings.units.library_of(zone.execution_provider?).to_owned());
        let of = |zone| ZonePlacement { runtime_library: library(zone), ..configured(zone, &hardware) };
        return settings.zones.iter().map(of).collect();
    }
    suggested(&hardware, Wishes::of(&settings.models))
}

/// The demands of the models of the settings.
#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    /// True if a model runs on a GPU, and no such model has a configured device.
    gpu: bool,
    /// The most units of all models together.
    units: usize,
    /// The most threads of one inference.
    threads: usize,
}

impl Wishes {
    fn of(models: &[ModelSettings]) -> Self {
        let on_gpu = |provider| matches!(provider, ProviderSetting::Cuda | ProviderSetting::TensorRt);
        // A minimum of 0 is one unit per core.
        let units = |model: &ModelSettings| match model.min_inference_units {
            0 => core_count(),
            min => usize::from(min.max(model.max_inference_units)),
        };
        let mut on_gpus = models.iter().filter(|model| on_gpu(model.execution_provider)).peekable();
        Self {
            gpu: on_gpus.peek().is_some() && on_gpus.all(|model| model.device.is_none()),
            units: models.iter().map(units).sum(),
            threads: models.iter().map(|model| usize::from(model.threads)).max().unwrap_or(1),
        }
    }
}

fn configured(zone: &ZoneSettings, hardware: &Hardware) -> ZonePlacement {
    let of_node = zone.numa_node.map(|node| match hardware.cores_by_node.get(&node) {
        Some(cores) => cores.clone(),
        None => {
            tracing::error!(zone = zone.name, node, "the box has no such NUMA node; the zone's units run on any core");
            Vec::new()
        }
    });
    ZonePlacement {
        name: zone.name.clone(),
        cores: of_node.unwrap_or_else(|| zone.cores.clone()),
        execution_provider: zone.execution_provider,
        runtime_library: None,
        device: zone.device.clone(),
    }
}

/// One zone per GPU if a model needs one; else one per NUMA node; else two halves of the cores if there are at least
/// two units that fit into a half; else one zone.
fn suggested(hardware: &Hardware, wishes: Wishes) -> Vec<ZonePlacement> {
    if wishes.gpu && hardware.gpus > 0 {
        let gpu = |index: u16| ZonePlacement {
            name: format!("gpu-{index}"),
            device: Some(index.to_string()),
            ..ZonePlacement::default()
        };
        return (0..hardware.gpus).map(gpu).collect();
    }
    let of_cores = |name: String, cores: &[u16]| ZonePlacement { name, cores: cores.to_vec(), ..Default::default() };
    if hardware.cores_by_node.len() > 1 {
        let nodes = hardware.cores_by_node.iter();
        return nodes.map(|(node, cores)| of_cores(format!("node-{node}"), cores)).collect();
    }
    let (first, second) = hardware.usable_cores.split_at(hardware.usable_cores.len() / 2);
    if wishes.units < 2 || wishes.threads > first.len() {
        return vec![of_cores("cpu".into(), &[])];
    }
    vec![of_cores("cores-0".into(), first), of_cores("cores-1".into(), second)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hardware: &Hardware, wishes: Wishes) -> Vec<(String, Vec<u16>, Option<String>)> {
        let zones = suggested(hardware, wishes).into_iter();
        zones.map(|zone| (zone.name, zone.cores, zone.device)).collect()
    }

    #[test]
    fn a_box_is_split_where_it_would_break() {
        let mut hardware = Hardware { gpus: 2, usable_cores: vec![0, 1, 2], ..Hardware::default() };
        let wishes = Wishes { gpu: false, units: 2, threads: 1 };
        let gpu = |index: &str| (format!("gpu-{index}"), vec![], Some(index.to_owned()));
        assert_eq!(names(&hardware, Wishes { gpu: true, ..wishes }), [gpu("0"), gpu("1")]);
        assert_eq!(names(&hardware, wishes), [("cores-0".into(), vec![0], None), ("cores-1".into(), vec![1, 2], None)]);
        let whole = [("cpu".to_owned(), vec![], None)];
        assert_eq!(names(&hardware, Wishes { units: 1, ..wishes }), whole, "one unit may use all cores");
        assert_eq!(names(&hardware, Wishes { threads: 2, ..wishes }), whole, "its threads need more than a half");
        hardware.cores_by_node = BTreeMap::from([(0, vec![0]), (1, vec![1, 2])]);
        assert_eq!(names(&hardware, wishes), [("node-0".into(), vec![0], None), ("node-1".into(), vec![1, 2], None)]);
        assert_eq!(names(&Hardware::default(), Wishes { gpu: true, ..wishes }), whole);
    }

    #[test]
    fn a_model_that_names_its_gpu_is_not_spread_over_all() {
        let model = |execution_provider, device: Option<&str>| ModelSettings {
            execution_provider,
            device: device.map(str::to_owned),
            ..ModelSettings::default()
        };
        let wishes = |models: &[ModelSettings]| Wishes::of(models).gpu;
        let (cuda, cpu) = (ProviderSetting::Cuda, ProviderSetting::Cpu);
        assert!(wishes(&[model(cuda, None), model(cpu, None)]));
        assert!(!wishes(&[model(cuda, Some("1")), model(cuda, None)]));
        assert!(!wishes(&[model(cpu, None)]));
    }

    #[test]
    fn a_zone_of_a_node_has_its_cores_and_one_of_a_missing_node_any() {
        let hardware = Hardware { cores_by_node: BTreeMap::from([(1, vec![4, 5])]), ..Hardware::default() };
        let zone = |numa_node| ZoneSettings { name: "z".into(), numa_node, cores: vec![7], ..ZoneSettings::default() };
        assert_eq!(configured(&zone(Some(1)), &hardware).cores, [4, 5]);
        assert!(configured(&zone(Some(0)), &hardware).cores.is_empty());
        assert_eq!(configured(&zone(None), &hardware).cores, [7]);
    }
}
