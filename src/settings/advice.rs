//! Settings that are allowed, but with which this box will not do what is expected of it.
//!
//! They are no mistakes: whether they fit depends on the box and its cameras, and the same file may serve several boxes.

use crate::os::{cores, memory};
use crate::settings::Settings;

/// With less, a camera that is busy, or far away, may not be reached at all.
const SHORT_CONNECT_SECONDS: f32 = 1.0;

/// What matters of a box.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct BoxFacts {
    /// The cores that may be used, by number.
    pub(crate) cores: Vec<u16>,
    /// All memory of the box.
    pub(crate) memory_bytes: Option<u64>,
}

impl BoxFacts {
    /// Those of this box.
    pub(crate) fn read() -> Self {
        Self { cores: cores::usable(), memory_bytes: memory::total_bytes() }
    }
}

impl Settings {
    /// One sentence for each setting that will disappoint on this box: key, what happens, and the cure.
    pub(crate) fn advice(&self, facts: &BoxFacts) -> Vec<String> {
        let mut advice = Vec::new();
        self.advise_on_units(facts, &mut advice);
        let units = &self.units;
        if units.load_timeout_seconds < units.inference_timeout_seconds {
            advice.push(format!(
                "units.load_timeout_seconds is {} and units.inference_timeout_seconds {}: a unit infers once or twice while \
                 it loads, so that a slow model is ended before it is ready; the first should not be below the second",
                units.load_timeout_seconds, units.inference_timeout_seconds
            ));
        }
        if let Some(bytes) = facts.memory_bytes
            && u64::from(units.memory_reserve_mb) << 20 >= bytes
        {
            advice.push(format!(
                "units.memory_reserve_mb is {}, but the box has {} MB: no unit is ever added to those that run",
                units.memory_reserve_mb,
                bytes >> 20
            ));
        }
        for (index, zone) in self.zones.iter().enumerate() {
            let missing: Vec<String> =
                zone.cores.iter().filter(|core| !facts.cores.contains(core)).map(u16::to_string).collect();
            if !missing.is_empty() {
                advice.push(format!(
                    "zones[{index}].cores names {}, which this box does not have or may not use",
                    missing.join(", ")
                ));
            }
        }
        if !self.cameras.is_empty() && self.capture.connect_timeout_seconds < SHORT_CONNECT_SECONDS {
            advice.push(format!(
                "capture.connect_timeout_seconds is {}: many cameras take longer to answer, and are then never connected; \
                 give 1 or more",
                self.capture.connect_timeout_seconds
            ));
        }
        advice
    }

    /// Without `max_units` the number of cores decides, and without `min_inference_units` as well.
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
                "the enabled models want {wanted} units together (min_inference_units; 0 is one for each of {cores} cores), \
                 but this box may run {limit}: the last ones get fewer or none; lower the numbers, or set units.max_units"
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
    fn what_does_not_fit_this_box_is_said_with_its_key() {
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
