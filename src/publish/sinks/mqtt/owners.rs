//! Who looks at the cameras of the cluster, as the broker retains it.
//!
//! A box that cannot reach etcd still hears here that another has claimed its camera. And a box that comes back from a long
//! absence repeats what it retained, with the epoch of then: whoever has a higher one repeats its own.

use crate::publish::cluster_link::{ClusterLink, HeardOwner};
use crate::publish::outgoing::States;
use crate::publish::sinks::mqtt::event_loop::Incoming;
use crate::publish::sinks::mqtt::topics;
use crate::vision::camera_id::CameraId;

/// The most cameras that are remembered: other clients may publish any number.
const MOST_CAMERAS: usize = 4096;

/// The sink's part in a cluster.
pub(super) struct Owners {
    /// What the topics of owners begin with.
    base: String,
    /// What all topics of the cluster's cameras begin with.
    cameras: String,
    link: ClusterLink,
}

impl Owners {
    pub(super) fn new(prefix: &str, link: ClusterLink) -> Self {
        let (base, cameras) = (topics::owner(prefix, &link.name, ""), format!("{prefix}/{}/cameras/", link.name));
        Self { base, cameras, link }
    }

    pub(super) fn subscription(&self) -> String {
        format!("{}+", self.base)
    }

    /// Takes a message; `None` if it is about something else. Returns what is to be published again: it was overwritten by a box
    /// with a lower epoch.
    pub(super) fn receive(&self, message: &Incoming, states: &States) -> Option<States> {
        let camera = message.topic.strip_prefix(&self.base)?;
        let Ok(id) = CameraId::new(camera) else { return Some(States::new()) };
        if message.payload.is_empty() {
            // Cleared: by an operator after etcd was set up anew, or by a box that had a camera of that name before.
            self.link.heard.send_if_modified(|heard| heard.remove(&id).is_some());
            return Some(self.own(camera, &message.topic, states));
        }
        let Ok(HeardOwner { epoch }) = serde_json::from_slice(&message.payload) else { return Some(States::new()) };
        self.link.heard.send_if_modified(|heard| {
            let is_news = heard.get(&id).is_none_or(|known| *known < epoch);
            let has_room = heard.len() < MOST_CAMERAS || heard.contains_key(&id);
            if is_news && has_room {
                heard.insert(id, epoch);
            }
            is_news && has_room
        });
        let own = states.get(&message.topic).and_then(|payload| serde_json::from_slice::<HeardOwner>(payload).ok());
        if own.is_none_or(|own| own.epoch <= epoch) {
            return Some(States::new());
        }
        Some(self.own(camera, &message.topic, states))
    }

    /// What this box publishes of a camera.
    fn own(&self, camera: &str, owner: &str, states: &States) -> States {
        let base = format!("{}{camera}/", self.cameras);
        let own = states.iter().filter(|(topic, _)| *topic == owner || topic.starts_with(&base));
        own.filter(|(_, payload)| !payload.is_empty())
            .map(|(topic, payload)| (topic.clone(), payload.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::commands::ReplyTo;
    use std::collections::BTreeMap;
    use tokio::sync::watch;

    fn told(topic: &str, payload: &str) -> Incoming {
        let (topic, payload) = (topic.to_owned(), payload.as_bytes().to_vec());
        Incoming { topic, is_retained: true, payload, reply_to: ReplyTo::default() }
    }

    #[test]
    fn higher_epochs_are_passed_on_and_what_a_lower_one_overwrote_is_repeated() {
        let (heard, listener) = watch::channel(BTreeMap::new());
        let owners = Owners::new("ocelli", ClusterLink { name: "hall".into(), heard });
        assert_eq!(owners.subscription(), "ocelli/hall/owner/+");
        let states: States = ["owner/yard", "cameras/yard/state", "cameras/yardage/state"]
            .map(|topic| (format!("ocelli/hall/{topic}"), br#"{"epoch":7}"#.as_slice().into()))
            .into();
        let receive = |payload: &str| owners.receive(&told("ocelli/hall/owner/yard", payload), &states).unwrap();
        assert!(receive(r#"{"epoch":7}"#).is_empty() && receive(r#"{"epoch":9,"box":"b"}"#).is_empty());
        let again: Vec<String> = receive(r#"{"epoch":5}"#).into_keys().collect();
        assert_eq!(again, ["ocelli/hall/cameras/yard/state", "ocelli/hall/owner/yard"]);
        assert!(receive("nonsense").is_empty());
        let epochs = || listener.borrow().values().copied().collect::<Vec<u64>>();
        assert_eq!(epochs(), [9]);
        assert_eq!((receive("").len(), epochs()), (2, vec![]), "somebody has cleared what this box publishes");
        assert!(owners.receive(&told("ocelli/hall/cameras/yard/state", "{}"), &states).is_none());
        assert!(owners.receive(&told("ocelli/hall/owner/bad name", r#"{"epoch":1}"#), &states).unwrap().is_empty());
    }
}
