//! The last hour in numbers, and the last connections of each camera, for people who look at the box.
//!
//! A series has a fixed number of samples, and there is a most of series: the memory is the same after a year. Nothing is
//! counted for this: samples are taken from the status that the event loop makes anyway. It is kept in memory alone.

mod connections;
mod samples;

pub use connections::{ConnectionChange, MOST_CHANGES};
pub use samples::{BoxUse, Counted};

use crate::control::status::ApplianceStatus;
use connections::Connections;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The time between two samples.
pub const STEP_SECONDS: u64 = 10;

/// Samples of a series: an hour.
pub const SAMPLES: usize = 360;

/// The most series of cameras, and of models. Those beyond have no history.
const MOST_SERIES: usize = 256;

/// One number over the hour, the oldest sample first. A sample is absent where nothing is known, as before the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Series(Vec<Option<f32>>);

impl Default for Series {
    fn default() -> Self {
        Self(vec![None; SAMPLES])
    }
}

impl Series {
    /// Adds the newest sample, and forgets the oldest.
    fn push(&mut self, sample: Option<f64>) {
        self.0.rotate_left(1);
        #[expect(clippy::cast_possible_truncation, reason = "a plot needs no more digits")]
        let sample = sample.filter(|number| number.is_finite()).map(|number| ((number * 100.0).round() / 100.0) as f32);
        if let Some(newest) = self.0.last_mut() {
            *newest = sample;
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<f32> {
        self.0.last().copied().flatten()
    }
}

/// A camera over the hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CameraHistory {
    /// Frames a second that arrived.
    pub received_fps: Series,
    /// Frames a second that a unit analysed.
    pub analysed_fps: Series,
}

/// A model over the hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelHistory {
    /// Transactions a second that its units did.
    pub load_tps: Series,
    /// Transactions a second that its units in service could do.
    pub capacity_tps: Series,
    /// Frames and images a second that were not looked at because all units were busy.
    pub throttled: Series,
}

/// The box over the hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BoxHistory {
    /// Processor time of ocelli and its processes, in percent of all processors.
    pub processor_percent: Series,
    /// Memory that ocelli and its processes have for themselves, in bytes.
    pub memory_bytes: Series,
    /// Memory of the box that is free for anyone, in bytes.
    pub free_memory_bytes: Series,
}

/// All series, and the connections of the cameras.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct History {
    /// The time between two samples.
    step_seconds: u64,
    /// When the newest sample was taken, in milliseconds since 1970; 0 before the first one.
    at_ms: i64,
    #[serde(rename = "box")]
    of_box: BoxHistory,
    cameras: BTreeMap<String, CameraHistory>,
    models: BTreeMap<String, ModelHistory>,
    connections: Connections,
    #[serde(skip)]
    counted: BTreeMap<String, Counted>,
}

impl History {
    /// Takes in a status, [`STEP_SECONDS`] after the one before.
    pub fn sample(&mut self, status: &ApplianceStatus, of_box: BoxUse) {
        (self.step_seconds, self.at_ms) = (STEP_SECONDS, status.made_at_ms);
        self.of_box.processor_percent.push(of_box.processor_percent);
        self.of_box.memory_bytes.push(of_box.memory_bytes.map(|bytes| bytes as f64));
        self.of_box.free_memory_bytes.push(of_box.free_memory_bytes.map(|bytes| bytes as f64));
        // Cameras and models that are gone keep their hour.
        status.cameras.keys().for_each(|id| begin(&mut self.cameras, id.as_str()));
        for (id, camera) in &mut self.cameras {
            let view = status.cameras.iter().find(|(one, _)| one.as_str() == id).map(|(_, view)| view);
            camera.received_fps.push(view.map(|view| view.rates.received));
            camera.analysed_fps.push(view.map(|view| view.rates.analysed));
        }
        self.cameras.retain(|_, camera| !camera.received_fps.is_empty());
        status.models.keys().for_each(|name| begin(&mut self.models, name));
        let before = std::mem::take(&mut self.counted);
        for (name, model) in &mut self.models {
            let view = status.models.get(name);
            model.load_tps.push(view.map(|view| view.load_tps));
            model.capacity_tps.push(view.map(|view| view.capacity_tps));
            let counted = view.map(Counted::of);
            model.throttled.push(counted.and_then(|now| Some(now.since(*before.get(name)?) / STEP_SECONDS as f64)));
            self.counted.extend(counted.map(|counted| (name.clone(), counted)));
        }
        self.models.retain(|_, model| !model.load_tps.is_empty());
    }

    /// Takes in how the cameras are connected. Cheap: called for each status.
    pub fn watch(&mut self, status: &ApplianceStatus) {
        self.connections.watch(status);
    }
}

/// Makes room for the series of a camera or model, if there are not too many.
fn begin<T: Default>(kept: &mut BTreeMap<String, T>, name: &str) {
    if !kept.contains_key(name) && kept.len() < MOST_SERIES {
        kept.insert(name.to_owned(), T::default());
    }
}

/// The history of a box. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct HistoryBook(Arc<Mutex<History>>);

impl HistoryBook {
    /// Opens it. Keep it open for a short time: the event loop never waits for it, but readers do.
    pub fn open(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::ModelStatus;
    use crate::vision::outcome::ShedReason;

    fn status(load_tps: f64, throttled: u64) -> ApplianceStatus {
        let mut model = ModelStatus { load_tps, ..ModelStatus::default() };
        model.images.shed.insert(ShedReason::Throttled, throttled);
        ApplianceStatus { models: [("coco".to_owned(), model)].into(), ..ApplianceStatus::default() }
    }

    #[test]
    fn a_series_holds_an_hour_and_no_more() {
        let mut history = History::default();
        for sample in 0..1000 {
            history.sample(&status(f64::from(sample), 20 * u64::try_from(sample).unwrap()), BoxUse::default());
        }
        let coco = &history.models["coco"];
        assert_eq!(
            (coco.load_tps.0.len(), coco.load_tps.0[0], coco.load_tps.newest()),
            (SAMPLES, Some(640.0), Some(999.0))
        );
        assert_eq!(coco.throttled.newest(), Some(2.0), "20 in 10 seconds");
        assert_eq!(history.of_box.processor_percent.newest(), None);
    }

    #[test]
    fn what_is_gone_for_an_hour_is_forgotten_and_a_number_that_is_none_is_absent() {
        let mut history = History::default();
        history.sample(&status(f64::NAN, 0), BoxUse::default());
        assert!(history.models.is_empty(), "nothing is known of it");
        history.sample(&status(1.0, 0), BoxUse::default());
        for _ in 1..SAMPLES {
            history.sample(&ApplianceStatus::default(), BoxUse::default());
        }
        assert_eq!(history.models.len(), 1);
        history.sample(&ApplianceStatus::default(), BoxUse::default());
        assert!(history.models.is_empty());
    }

    #[test]
    fn there_is_a_most_of_series() {
        let mut history = History::default();
        let many = (0..2 * MOST_SERIES).map(|number| (format!("model-{number}"), ModelStatus::default())).collect();
        history.sample(&ApplianceStatus { models: many, ..ApplianceStatus::default() }, BoxUse::default());
        assert_eq!(history.models.len(), MOST_SERIES);
    }
}
