//! Warns about settings that are valid but unsuitable for this box.
//!
//! They are not mistakes: whether they fit depends on the box and its cameras, and one file may serve several boxes.

use crate::os::{cores, memory};
use crate::settings::Settings;

/// With a shorter timeout, a busy or distant camera may never connect.
const SHORT_CONNECT_SECONDS: f32 = 1.0;

/// The hardware facts that the advice depends on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct BoxFacts {
    /// The numbers of the usable cores.
    pub(crate) cores: Vec<u16>,
    /// The total memory of the box.
    pub(crate) memory_bytes: Option<u64>,
}

impl BoxFacts {
    /// Reads the facts of this box.
    pub(crate) fn read() -> Self {
        Self { cores: cores::usable(), memory_bytes: memory::total_bytes() }
    }
}

impl Settings {
    /// Returns a sentence for each unsuitable setting: its key, the effect, and the cure.
    pub(crate) fn advice(&self, facts: &BoxFacts) -> Vec<String> {
        let mut advice = Vec::new();
        self.advise_on_units(facts, &mut advice);
        let units = &self.units;
        if units.load_timeout_seconds < units.inference_timeout_seconds {
            advice.push(format!(
                "units.load_timeout_seconds is {}, below units.inference_timeout_seconds, which is {}: a unit runs the model once or \
                 twice while it loads, so a slow model would be killed before it is ready; raise load_timeout_seconds",
                units.load_timeout_seconds, units.inference_timeout_seconds
            ));
        }
        if let Some(bytes) = facts.memory_bytes
            && u64::from(units.memory_reserve_mb) << 20 >= bytes
        {
            advice.push(format!(
                "units.memory_reserve_mb is {}, but the box has only {} MB: no units will be added; lower it",
                units.memory_reserve_mb,
                bytes >> 20
            ));
        }
        for (index, zone) in self.zones.iter().enumerate() {
            let missing: Vec<String> =
                zone.cores.iter().filter(|core| !facts.cores.contains(core)).map(u16::to_string).collect();
            if !missing.is_empty() {
                advice.push(format!(
                    "zones[{index}].cores names {}, which this box does not have or may not use; remove them",
                    missing.join(", ")
                ));
            }
        }
        if !self.cameras.is_empty() && self.capture.connect_timeout_seconds < SHORT_CONNECT_SECONDS {
            advice.push(format!(
                "capture.connect_timeout_seconds is {}: many cameras take longer to reply and would never connect; set 1 or \
                 more",
                self.capture.connect_timeout_seconds
            ));
        }
        advice
    }

    /// Zero stands for a default that follows the cores: twice their number for `max_units`, their number for
    /// `min_inference_units`.
    fn advise_on_units(&self, facts: &BoxFacts, advice: &mut Vec<String>) {
        let cores = u32::try_from(facts.cores.len()).unwrap_or(u32::MAX).max(1);
        let limit = match self.units.max_units {
            0 => 2 * cores,
            units => u32::from(units),
        };
        let min = |units: u16| if units == 0 { cores } else { u32::from(units) };
        let models = self.models.iter().filter(|model| model.enabled);
        let wanted: u32 = models.map(|model| min(model.min_inference_units)).sum();
        if wanted > limit {
            advice.push(format!(
                "the enabled models need {wanted} units together (min_inference_units; 0 means one for each of {cores} cores), \
                 but this box may run {limit}: the last models get fewer or none; lower the numbers, or raise units.max_units"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn advice(text: &str) -> Vec<String> {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let settings = Settings::load_with(&[file.path().to_owned()], HashMap::new()).unwrap();
        settings.advice(&BoxFacts { cores: vec![0, 1], memory_bytes: Some(1 << 30) })
    }

    #[test]
    fn the_defaults_fit_every_box() {
        assert_eq!(advice(""), [""; 0]);
    }

    #[test]
    fn each_unsuitable_setting_is_named_by_its_key() {
        let model = |name: &str| format!("[[models]]\nname = \"{name}\"\n");
        for (text, key) in [
            (["a", "b", "c"].map(model).concat(), "6 units"),
            (format!("{}min_inference_units = 5", model("a")), "5 units"),
            ("[units]\nload_timeout_seconds = 5.0".into(), "units.load_timeout_seconds"),
            ("[units]\nmemory_reserve_mb = 1024".into(), "units.memory_reserve_mb"),
            ("[[zones]]\nname = \"z\"\ncores = [1, 77]".into(), "zones[0].cores names 77,"),
            (
                "[capture]\nconnect_timeout_seconds = 0.5\n[[cameras]]\nid = \"a\"\nurl = \"rtsp://a/\"".into(),
                "capture.connect_timeout_seconds",
            ),
        ] {
            let advice = advice(&text);
            assert!(advice.len() == 1 && advice[0].contains(key), "{key}: {advice:?}");
        }
    }
}
