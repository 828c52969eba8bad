//! What two models saw on the same pictures, added up and told.

use crate::cli::columns::columns;
use crate::evaluation::pairing::{Pairing, Seen, ratio};
use crate::model::labels::Labels;
use crate::supervisor::one_shot::ImageResult;
use crate::vision::detection::{ClassIndex, Detection};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Labels that a table names at most; the rest are a number.
const MOST_NAMED: usize = 20;

/// The labels of two models in one numbering: labels with the same name are the same.
#[derive(Debug)]
pub(super) struct SharedLabels<'a> {
    of: [&'a Labels; 2],
    names: Vec<&'a str>,
}

impl<'a> SharedLabels<'a> {
    pub(super) fn new(first: &'a Labels, second: &'a Labels) -> Self {
        let names: Vec<&str> = first.names().chain(second.names().filter(|name| first.class(name).is_none())).collect();
        Self { of: [first, second], names }
    }

    /// What the first (0) or second (1) model sees, in the shared numbering.
    fn seen(&self, model: usize, detections: &[Detection]) -> Vec<Seen> {
        let shared = |one: &Detection| {
            let name = self.of[model].name(one.class);
            let at = self.names.iter().position(|known| *known == name).unwrap_or(self.names.len());
            let class = ClassIndex(u16::try_from(at).unwrap_or(u16::MAX));
            Seen { class, confidence: one.confidence, bounding_box: one.bounding_box }
        };
        detections.iter().map(shared).collect()
    }

    fn name(&self, class: ClassIndex) -> &'a str {
        self.names.get(usize::from(class.0)).copied().unwrap_or("unknown")
    }

    /// The labels of one model that the other does not have.
    fn only(&self, model: usize) -> Vec<&'a str> {
        self.of[model].names().filter(|name| self.of[1 - model].class(name).is_none()).collect()
    }
}

/// How often both, only the first or only the second saw something.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    both: usize,
    only: [usize; 2],
}

impl Counts {
    fn ratio(self) -> Option<f64> {
        ratio(self.both, self.only[0], self.only[1])
    }
}

/// The sum over all pictures.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    labels: &'a SharedLabels<'a>,
    models: [&'a str; 2],
    pictures: Vec<Value>,
    differences: Vec<String>,
    failed: BTreeMap<String, String>,
    all: Counts,
    by_label: BTreeMap<ClassIndex, Counts>,
    iou: f64,
    confidence_difference: f64,
    inference_us: [Vec<u32>; 2],
    whole_us: [Vec<u32>; 2],
    /// Memory of each model's unit in bytes.
    pub(super) memory_bytes: [Option<u64>; 2],
}

impl<'a> Comparison<'a> {
    pub(super) fn new(labels: &'a SharedLabels<'a>, models: [&'a str; 2]) -> Self {
        Self {
            labels,
            models,
            pictures: Vec::new(),
            differences: Vec::new(),
            failed: BTreeMap::new(),
            all: Counts::default(),
            by_label: BTreeMap::new(),
            iou: 0.0,
            confidence_difference: 0.0,
            inference_us: Default::default(),
            whole_us: Default::default(),
            memory_bytes: [None, None],
        }
    }

    /// Adds a picture that one of the two could not analyse.
    pub(super) fn add_failed(&mut self, name: &str, why: String) {
        self.failed.insert(name.to_owned(), why);
    }

    /// The number of pictures that one of the two could not analyse.
    pub(super) fn failed(&self) -> usize {
        self.failed.len()
    }

    /// Adds what both see on a picture; true if they differ.
    pub(super) fn add(&mut self, name: &str, first: &ImageResult, second: &ImageResult) -> bool {
        for (model, result) in [first, second].into_iter().enumerate() {
            let timing = &result.timing;
            self.inference_us[model].push(timing.inference_us);
            let around = timing.decode_us + timing.preprocess_us + timing.postprocess_us;
            self.whole_us[model].push(around + timing.inference_us);
        }
        let (first, second) = (self.labels.seen(0, &first.detections), self.labels.seen(1, &second.detections));
        let pairing = Pairing::of(&first, &second);
        for pair in &pairing.both {
            self.by_label.entry(first[pair.first].class).or_default().both += 1;
            self.iou += f64::from(pair.iou);
            self.confidence_difference += f64::from(second[pair.second].confidence - first[pair.first].confidence);
        }
        self.all.both += pairing.both.len();
        let only = [(&first, &pairing.only_first), (&second, &pairing.only_second)];
        for (model, (seen, left)) in only.into_iter().enumerate() {
            self.all.only[model] += left.len();
            left.iter().for_each(|at| self.by_label.entry(seen[*at].class).or_default().only[model] += 1);
        }
        let told = only.map(|(seen, left)| left.iter().map(|at| self.told(&seen[*at])).collect::<Vec<_>>());
        self.pictures.push(json!({
            "picture": name, "both": pairing.both.len(), "only_first": told[0], "only_second": told[1],
        }));
        let of_one = self.models.iter().zip(&told).filter(|(_, told)| !told.is_empty());
        let of_one: Vec<String> = of_one.map(|(model, told)| format!("only {model}: {}", told.join(", "))).collect();
        if of_one.is_empty() {
            return false;
        }
        self.differences.push(format!("{name}: {} alike; {}", pairing.both.len(), of_one.join("; ")));
        true
    }

    fn told(&self, seen: &Seen) -> String {
        format!("{} {:.0} %", self.labels.name(seen.class), 100.0 * seen.confidence)
    }

    /// The mean over all that both saw.
    fn mean(&self, sum: f64) -> Option<f64> {
        (self.all.both > 0).then(|| sum / self.all.both as f64)
    }

    /// For a terminal: the pictures on which they differ, then the sums.
    pub(super) fn lines(&self) -> Vec<String> {
        let percent = |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{:.1} %", 100.0 * ratio));
        let mut lines = self.differences.clone();
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let row = |what: &str, cells: [String; 2]| {
            let [first, second] = cells;
            vec![what.to_owned(), first, second]
        };
        let ms = |us: &[Vec<u32>; 2]| {
            [0, 1].map(|model| median(&us[model]).map_or("-".to_owned(), |us| format!("{:.1} ms", f64::from(us) / 1e3)))
        };
        let mb = self.memory_bytes.map(|bytes| bytes.map_or("-".to_owned(), |it| format!("{} MB", it / 1_000_000)));
        let [first, second] = self.models;
        lines.extend(columns(
            &["", first, second],
            vec![
                row("seen", [0, 1].map(|model| (self.all.both + self.all.only[model]).to_string())),
                row("seen by it alone", self.all.only.map(|count| count.to_string())),
                row("inference, median", ms(&self.inference_us)),
                row("whole picture, median", ms(&self.whole_us)),
                row("memory of the unit", mb),
            ],
        ));
        let alike = self.mean(self.iou).map_or(String::new(), |iou| {
            let change = 100.0 * self.mean(self.confidence_difference).unwrap_or_default();
            format!("; where alike, IoU {iou:.3}, and {second} is {change:+.1} percentage points surer")
        });
        let pictures = self.pictures.len();
        lines.push(format!("\nagreement {} on {pictures} pictures{alike}", percent(self.all.ratio())));
        if self.by_label.values().any(|counts| counts.only != [0, 0]) {
            let rows = self.by_label.iter().map(|(class, counts)| {
                let name = self.labels.name(*class).to_owned();
                let [first, second] = counts.only.map(|count| count.to_string());
                vec![name, counts.both.to_string(), first, second, percent(counts.ratio())]
            });
            let heads = [format!("ONLY {first}"), format!("ONLY {second}")];
            lines.push(String::new());
            lines.extend(columns(&["LABEL", "BOTH", &heads[0], &heads[1], "AGREEMENT"], rows.collect()));
        }
        for (model, name) in self.models.into_iter().enumerate() {
            let only = self.labels.only(model);
            let more = only.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            if !only.is_empty() {
                let named = only[..only.len().min(MOST_NAMED)].join(", ");
                lines.push(format!("Labels that only {name} has: {named}{more}"));
            }
        }
        lines
    }

    /// Everything as one JSON object.
    pub(super) fn json(&self) -> Value {
        let by_label = self.by_label.iter().map(|(class, counts)| {
            let Counts { both, only } = counts;
            let all = json!({"both": both, "only_first": only[0], "only_second": only[1], "agreement": counts.ratio()});
            (self.labels.name(*class).to_owned(), all)
        });
        let of = |model: usize| {
            json!({
                "model": self.models[model], "seen": self.all.both + self.all.only[model],
                "seen_alone": self.all.only[model], "labels_alone": self.labels.only(model),
                "inference_ms": median(&self.inference_us[model]).map(|us| f64::from(us) / 1e3),
                "whole_ms": median(&self.whole_us[model]).map(|us| f64::from(us) / 1e3),
                "memory_bytes": self.memory_bytes[model],
            })
        };
        json!({
            "first": of(0), "second": of(1), "agreement": self.all.ratio(), "both": self.all.both,
            "mean_iou": self.mean(self.iou), "mean_confidence_difference": self.mean(self.confidence_difference),
            "labels": by_label.collect::<serde_json::Map<_, _>>(), "pictures": self.pictures, "failed": self.failed,
        })
    }
}

fn median(values: &[u32]) -> Option<u32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
