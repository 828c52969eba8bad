//! The series that a box serves.

use crate::queries::Query;
use std::collections::{BTreeMap, BTreeSet};

/// What Prometheus itself adds to each series of a box.
const OF_PROMETHEUS: [&str; 2] = ["instance", "job"];

/// Metrics with their labels, and the values of these.
pub struct Series(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Series {
    /// Of the text of `/metrics`.
    pub fn of(text: &str) -> Self {
        let mut series = BTreeMap::<String, BTreeMap<String, BTreeSet<String>>>::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
            let labels = series.entry(name.to_owned()).or_default();
            let inside = rest.strip_prefix('{').and_then(|rest| rest.rsplit_once('}'));
            for pair in inside.map(|(inside, _)| inside).unwrap_or_default().split("\",") {
                if let Some((label, value)) = pair.split_once("=\"") {
                    labels.entry(label.to_owned()).or_default().insert(value.trim_end_matches('"').to_owned());
                }
            }
        }
        Self(series)
    }

    /// Whether the metric is served, has the labels of the query, and these the values that it asks for.
    pub fn has(&self, query: &Query) -> Result<(), String> {
        let labels = self.0.get(&query.metric).ok_or("no box serves this metric")?;
        for (label, wanted) in &query.labels {
            if OF_PROMETHEUS.contains(&label.as_str()) {
                continue;
            }
            let values =
                labels.get(label).ok_or_else(|| format!("it has no label `{label}`, but {:?}", labels.keys()))?;
            let unknown: Vec<_> = wanted.iter().filter(|value| !values.contains(*value)).collect();
            if !unknown.is_empty() {
                return Err(format!("`{label}` is never {unknown:?}, but one of {values:?}"));
            }
        }
        let is_known = |group: &&String| labels.contains_key(*group) || OF_PROMETHEUS.contains(&group.as_str());
        match query.groups.iter().find(|group| !is_known(group)) {
            Some(group) => Err(format!("it has no label `{group}` to group by, but {:?}", labels.keys())),
            None => Ok(()),
        }
    }
}
