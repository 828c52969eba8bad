//! Remarks about settings that are valid but do not fit this box.
//!
//! They are not mistakes: whether they fit depends on the box and its cameras, and one file may serve several boxes.

use crate::camera::settings::CameraSettings;
use crate::model::execution_provider::ExecutionProvider;
use crate::os::{cores, gpus, memory};
use crate::settings::Settings;
use crate::settings::remark::Remark;
use crate::supervisor::settings::ZoneSettings;

/// With a shorter timeout, a busy or distant camera may never connect.
const SHORT_CONNECT_SECONDS: f32 = 1.0;

/// The hardware facts that the advice depends on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct BoxFacts {
    /// The numbers of the usable cores.
    pub(crate) cores: Vec<u16>,
    /// The numbers of the NUMA nodes with usable cores; empty if the kernel does not report nodes.
    pub(crate) numa_nodes: Vec<u16>,
    /// How many NVIDIA GPUs there are.
    pub(crate) gpus: u16,
    /// The total memory of the box.
    pub(crate) memory_bytes: Option<u64>,
}

impl BoxFacts {
    /// Reads the facts of this box.
    pub(crate) fn read() -> Self {
        Self {
            cores: cores::usable(),
            numa_nodes: cores::by_numa_node().into_keys().collect(),
            gpus: gpus::nvidia_count().max(u16::from(gpus::has_integrated_nvidia())),
            memory_bytes: memory::total_bytes(),
        }
    }
}

impl Settings {
    /// Returns a remark for each setting that works on this box, but badly.
    pub(crate) fn advice(&self, facts: &BoxFacts) -> Vec<Remark> {
        let mut advice = Vec::new();
        self.advise_on_units(facts, &mut advice);
        let units = &self.units;
        if units.load_timeout_seconds < units.inference_timeout_seconds {
            let what = format!(
                "is {}, below units.inference_timeout_seconds, which is {}: a unit runs the model once or twice while it \
                 loads, so a slow model would be killed before it is ready",
                units.load_timeout_seconds, units.inference_timeout_seconds
            );
            advice.push(Remark::of_box("units.load_timeout_seconds", what, "raise it"));
        }
        if let Some(bytes) = facts.memory_bytes
            && u64::from(units.memory_reserve_mb) << 20 >= bytes
        {
            let what = format!(
                "is {}, but the box has only {} MB: no units will be added",
                units.memory_reserve_mb,
                bytes >> 20
            );
            advice.push(Remark::of_box("units.memory_reserve_mb", what, "lower it"));
        }
        for (index, zone) in self.zones.iter().enumerate() {
            let missing = missing_cores(&zone.cores, facts);
            if !missing.is_empty() && missing.len() < zone.cores.len() {
                let what = format!("names {}, which this box does not have or may not use", list(&missing));
                advice.push(Remark::of_box(format!("zones[{index}].cores"), what, "remove them"));
            }
            if let Some(node) = zone.numa_node.filter(|node| !facts.numa_nodes.contains(node)) {
                let what = format!(
                    "is {node}, but the nodes of this box are {}: its units run on any core",
                    list(&facts.numa_nodes)
                );
                advice.push(Remark::of_box(format!("zones[{index}].numa_node"), what, "correct or remove it"));
            }
        }
        if self.http.enabled && self.http.local_api.is_none() {
            let what = "is not set: every user and program of this box may switch cameras and models off, and see all \
                        pictures and events";
            let cure = "set \"token\": `ocelli` needs none, and other clients show that of the state directory, or use the \
                        Unix socket; or set \"open\" to leave it so";
            advice.push(Remark::of_box("http.local_api", what, cure));
        }
        if self.cluster.is_on() && self.cluster.share_models && self.cluster.peers.listen.is_none() {
            let what = "is true without `cluster.peers.listen`: a call that reaches a box without a unit of its model is refused, \
                        although another box has one";
            advice.push(Remark::of_box("cluster.share_models", what, "set [cluster.peers] on all boxes"));
        }
        if !self.cameras.is_empty() && self.capture.connect_timeout_seconds < SHORT_CONNECT_SECONDS {
            let what = format!(
                "is {}: many cameras take longer to reply and would never connect",
                self.capture.connect_timeout_seconds
            );
            advice.push(Remark::of_box("capture.connect_timeout_seconds", what, "set 1 or more"));
        }
        for (index, camera) in self.cameras.iter().enumerate() {
            let detect = camera.detect_url.as_ref().map(|_| camera.analysed());
            let streams = [("url", Some(camera.clone())), ("detect_url", detect)];
            for (name, _) in streams.iter().filter(|(_, stream)| stream.as_ref().is_some_and(has_late_at_sign)) {
                let what = "has `@` behind its host: if user and password stand in front of it, the password contains \
                            `/` or `?`";
                let cure = "write %2F for `/` and %3F for `?`, or give user and password in `credentials`";
                let key = format!("cameras[{index}].{name}");
                advice.push(Remark::of_box(key, what, cure).of_camera(camera.id.as_str()));
            }
        }
        self.advise_on_video(&mut advice);
        advice
    }

    /// What a camera is asked for that its `blackout` rules out.
    fn advise_on_video(&self, advice: &mut Vec<Remark>) {
        for (index, camera) in self.cameras.iter().enumerate().filter(|(_, camera)| camera.is_blacked_out()) {
            let asked = [("live", camera.live, "live view"), ("clips", camera.clips, "clips")];
            for (key, _, name) in asked.into_iter().filter(|(_, value, _)| *value == Some(true)) {
                let what =
                    format!("is true, but the camera has no {name}: video would show what is black in its snapshots");
                let cure = "remove it, or `blackout`";
                advice
                    .push(Remark::of_box(format!("cameras[{index}].{key}"), what, cure).of_camera(camera.id.as_str()));
            }
        }
    }

    /// Returns a remark for each setting that names hardware that this box does not have, so that units do not start.
    pub(crate) fn impossible_here(&self, facts: &BoxFacts) -> Vec<Remark> {
        let mut impossible = Vec::new();
        for (index, zone) in self.zones.iter().enumerate() {
            let missing = missing_cores(&zone.cores, facts);
            if !zone.cores.is_empty() && missing.len() == zone.cores.len() {
                let what = format!(
                    "names {} only, which this box does not have or may not use: no unit starts in zone {}",
                    list(&missing),
                    zone.name
                );
                let cure = format!("this box has the cores {}", list(&facts.cores));
                impossible.push(Remark::of_box(format!("zones[{index}].cores"), what, cure));
            }
            let runs_on_gpu = match zone.execution_provider {
                Some(provider) => is_nvidia(provider),
                None => self.models.iter().any(|model| model.execution_provider.named().is_some_and(is_nvidia)),
            };
            let device = zone.device.as_deref().filter(|_| runs_on_gpu);
            if let Some(what) = device.and_then(|device| missing_gpu(device, facts)) {
                impossible.push(Remark::of_box(format!("zones[{index}].device"), what, cure_of_gpu(facts)));
            }
        }
        // Zones may override the provider and the device of all models.
        let all_zones = |is_so: fn(&ZoneSettings) -> bool| !self.zones.is_empty() && self.zones.iter().all(is_so);
        if all_zones(|zone| zone.execution_provider.is_some_and(|provider| !is_nvidia(provider))) {
            return impossible;
        }
        let has_device_of_zone = all_zones(|zone| zone.device.is_some());
        for (index, model) in self.models.iter().enumerate() {
            let Some(provider) = model.execution_provider.named().filter(|provider| is_nvidia(*provider)) else {
                continue;
            };
            let device = model.device.as_deref().filter(|_| !has_device_of_zone);
            let (key, what) = match device.and_then(|device| missing_gpu(device, facts)) {
                Some(what) => (format!("models[{index}].device"), what),
                None if facts.gpus == 0 => {
                    let what = format!("is {provider}, but this box has no NVIDIA GPU");
                    (format!("models[{index}].execution_provider"), what)
                }
                None => continue,
            };
            impossible.push(Remark::of_box(key, what, cure_of_gpu(facts)).of_model(&model.name));
        }
        impossible
    }

    /// Zero stands for a default that follows the cores: twice their number for `max_units`, their number for
    /// `min_inference_units`.
    fn advise_on_units(&self, facts: &BoxFacts, advice: &mut Vec<Remark>) {
        let cores = u32::try_from(facts.cores.len()).unwrap_or(u32::MAX).max(1);
        let limit = match self.units.max_units {
            0 => 2 * cores,
            units => u32::from(units),
        };
        let min = |units: u16| if units == 0 { cores } else { u32::from(units) };
        let models = self.models.iter().filter(|model| model.enabled);
        let wanted: u32 = models.map(|model| min(model.min_inference_units)).sum();
        if wanted > limit {
            let what = format!(
                "allows {limit} units on this box, but the enabled models need {wanted} units together (min_inference_units; 0 \
                 means one for each of {cores} cores): the last models get fewer or none"
            );
            advice.push(Remark::of_box("units.max_units", what, "raise it, or lower the numbers of the models"));
        }
    }
}

/// `rtsp://admin:554/x@10.0.0.5/y`: everything up to the first `/` is taken for the host, and `554` for its port.
fn has_late_at_sign(camera: &CameraSettings) -> bool {
    let rest = camera.url.split_once("://").map_or("", |(_, rest)| rest);
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    camera.credentials.user.is_none() && host.contains(':') && path.contains('@')
}

fn missing_cores(cores: &[u16], facts: &BoxFacts) -> Vec<u16> {
    cores.iter().copied().filter(|core| !facts.cores.contains(core)).collect()
}

fn is_nvidia(provider: ExecutionProvider) -> bool {
    matches!(provider, ExecutionProvider::Cuda | ExecutionProvider::TensorRt)
}

fn missing_gpu(device: &str, facts: &BoxFacts) -> Option<String> {
    match device.parse::<u16>() {
        Ok(number) if number < facts.gpus => None,
        Ok(number) => Some(format!("is {number}, but this box has {} NVIDIA GPUs", facts.gpus)),
        Err(_) => Some(format!("is `{device}`, which is not the number of a GPU")),
    }
}

fn cure_of_gpu(facts: &BoxFacts) -> String {
    match facts.gpus {
        0 => "install its driver (/dev/nvidia0 is missing), or set another `execution_provider`".to_owned(),
        gpus => format!("give a number from 0 to {}", gpus - 1),
    }
}

fn list(numbers: &[u16]) -> String {
    numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn remarks(text: &str, of: impl Fn(&Settings, &BoxFacts) -> Vec<Remark>) -> Vec<String> {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        // Who has settings of an earlier version is told of the API, which is not the subject of these tests.
        let text =
            if text.contains("[http]") { text.to_owned() } else { format!("[http]\nlocal_api = \"open\"\n{text}") };
        std::fs::write(file.path(), text).unwrap();
        let settings = Settings::load_with(&[file.path().to_owned()], HashMap::new()).unwrap();
        let facts = BoxFacts { cores: vec![0, 1], numa_nodes: vec![0], gpus: 1, memory_bytes: Some(1 << 30) };
        of(&settings, &facts).iter().map(Remark::to_string).collect()
    }

    #[test]
    fn video_that_is_asked_for_of_a_camera_that_is_blacked_out_is_remarked_upon() {
        let camera = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://camera/\"\n";
        let area = "blackout = [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]]\n";
        let of = |more: &str| remarks(&format!("{camera}{more}"), Settings::advice);
        assert_eq!(of(area).len() + of("live = true\nclips = true\n").len(), 0);
        assert_eq!(of(&format!("{area}live = false\nclips = false\n")).len(), 0);
        let found = of(&format!("{area}live = true\nclips = true\n"));
        assert_eq!(found.len(), 2);
        assert!(
            found[0].starts_with("`cameras[0].live` of camera yard: is true, but the camera has no live view"),
            "{found:?}"
        );
        assert!(found[1].contains("no clips") && found[1].contains("remove it, or `blackout`"), "{found:?}");
    }

    #[test]
    fn the_defaults_fit_every_box() {
        assert_eq!(remarks("", Settings::advice), [""; 0]);
        assert_eq!(remarks("", Settings::impossible_here), [""; 0]);
    }

    #[test]
    fn an_api_that_is_open_only_because_nobody_has_decided_is_named() {
        let advice = remarks("[http]\nport = 8480", Settings::advice);
        assert!(advice.len() == 1 && advice[0].contains("`http.local_api`: is not set"), "{advice:?}");
        for decided in ["local_api = \"token\"", "local_api = \"open\"", "enabled = false"] {
            assert_eq!(remarks(&format!("[http]\n{decided}"), Settings::advice), [""; 0], "{decided}");
        }
    }

    #[test]
    fn each_unsuitable_setting_is_named_by_its_key() {
        let model = |name: &str| format!("[[models]]\nname = \"{name}\"\n");
        for (text, words) in [
            (["a", "b", "c"].map(model).concat(), "6 units"),
            (format!("{}min_inference_units = 5", model("a")), "5 units"),
            ("[units]\nload_timeout_seconds = 5.0".into(), "`units.load_timeout_seconds`: is 5"),
            ("[units]\nmemory_reserve_mb = 1024".into(), "`units.memory_reserve_mb`: is 1024"),
            ("[[zones]]\nname = \"z\"\ncores = [1, 77]".into(), "`zones[0].cores`: names 77,"),
            ("[[zones]]\nname = \"z\"\nnuma_node = 3".into(), "`zones[0].numa_node`: is 3"),
            (
                "[capture]\nconnect_timeout_seconds = 0.5\n[[cameras]]\nid = \"a\"\nurl = \"rtsp://a/\"".into(),
                "`capture.connect_timeout_seconds`",
            ),
            (
                "[[cameras]]\nid = \"a\"\nurl = \"rtsp://admin:554/x@10.0.0.5/y\"".into(),
                "`cameras[0].url` of camera a: has `@` behind its host",
            ),
        ] {
            let advice = remarks(&text, Settings::advice);
            assert!(advice.len() == 1 && advice[0].contains(words), "{words}: {advice:?}");
            assert_eq!(remarks(&text, Settings::impossible_here), [""; 0], "{text}");
        }
    }

    #[test]
    fn hardware_that_is_not_there_is_named_with_what_is_there() {
        let gpu = |more: &str| format!("[[models]]\nname = \"m\"\nexecution_provider = \"cuda\"\n{more}");
        let zone = |more: &str| format!("{}[[zones]]\nname = \"z\"\n{more}", gpu(""));
        for (text, words) in [
            ("[[zones]]\nname = \"z\"\ncores = [76, 77]".to_owned(), ["`zones[0].cores`", "76, 77 only", "cores 0, 1"]),
            (gpu("device = \"1\""), ["`models[0].device` of model m", "has 1 NVIDIA", "from 0 to 0"]),
            (gpu("device = \"GPU.0\""), ["`models[0].device` of model m", "GPU.0", "from 0 to 0"]),
            (zone("device = \"2\""), ["`zones[0].device`", "is 2", "from 0 to 0"]),
        ] {
            let found = remarks(&text, Settings::impossible_here);
            assert!(found.len() == 1 && words.iter().all(|word| found[0].contains(word)), "{words:?}: {found:?}");
        }
        assert_eq!(remarks(&gpu("device = \"0\""), Settings::impossible_here), [""; 0]);
        let without =
            |settings: &Settings, facts: &BoxFacts| settings.impossible_here(&BoxFacts { gpus: 0, ..facts.clone() });
        let found = remarks(&gpu(""), without);
        assert!(found.len() == 1 && found[0].contains("`models[0].execution_provider`"), "{found:?}");
    }
}
