//! Events of two boxes that look at the same cameras: what one has of the other's.

use crate::clock::seconds_of_day;
use crate::support::broker::Subscriber;
use serde_json::Value;
use std::collections::BTreeMap;

/// An appearance: from the first to the last sighting, in seconds of the day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appearance {
    pub(crate) began: f64,
    pub(crate) ended: f64,
}

/// The appearances of people that have ended, by camera.
pub(crate) fn appearances(subscriber: &Subscriber) -> BTreeMap<String, Vec<Appearance>> {
    let mut found: BTreeMap<String, Vec<Appearance>> = BTreeMap::new();
    for (topic, payload) in subscriber.take() {
        let Ok(event) = serde_json::from_str::<Value>(&payload) else { continue };
        if !topic.ends_with("/events") || event["type"] != "ended" || event["label"] != "person" {
            continue;
        }
        let time = |key: &str| seconds_of_day(event[key].as_str().unwrap());
        let appearance = Appearance { began: time("began_at"), ended: time("ended_at") };
        found.entry(event["camera"].as_str().unwrap().to_owned()).or_default().push(appearance);
    }
    found
}
