//! What etcd holds of the cluster, as it was last heard of.

use crate::cluster::records::{
    BoxRecord, CameraRecord, HoursRecord, Keys, LeaderRecord, ModelRecord, NeedRecord, OwnerRecord, PlanRecord,
};
use crate::vision::camera_id::CameraId;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A value and the revision at which it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept<T> {
    /// The value.
    pub value: T,
    /// The revision of etcd at which it was written.
    pub revision: i64,
}

/// Everything below the cluster's prefix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The boxes that are there.
    pub boxes: BTreeMap<String, Kept<BoxRecord>>,
    /// The cluster's cameras.
    pub cameras: BTreeMap<CameraId, Kept<CameraRecord>>,
    /// What each was measured to need.
    pub needs: BTreeMap<CameraId, NeedRecord>,
    /// Where each is to be.
    pub plan: BTreeMap<CameraId, Kept<PlanRecord>>,
    /// Who looks at it; the revision is the epoch.
    pub owners: BTreeMap<CameraId, Kept<OwnerRecord>>,
    /// What is wanted of shared models.
    pub models: BTreeMap<String, Kept<ModelRecord>>,
    /// Inference hours by month and box.
    pub hours: BTreeMap<(String, String), Kept<HoursRecord>>,
    /// The box that plans.
    pub leader: Option<Kept<LeaderRecord>>,
    /// Keys whose values cannot be read, for the operator.
    pub unreadable: BTreeMap<String, String>,
}

/// A change of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyChange {
    /// The whole key.
    pub key: String,
    /// The new value; `None`: it is deleted.
    pub value: Option<Vec<u8>>,
    /// The revision of the change.
    pub revision: i64,
}

impl View {
    /// Takes a change over, unless a later one of the same key is known: the box takes what it writes itself at once, and the watch
    /// repeats it, with what was before.
    pub fn apply(&mut self, keys: &Keys, change: &KeyChange) {
        let Some((kind, whose)) = keys.parts(&change.key) else { return };
        self.unreadable.remove(&change.key);
        let taken = match kind {
            "boxes" => set(&mut self.boxes, whose.to_owned(), change),
            "hours" => {
                let (month, of) = whose.split_once('/').unwrap_or((whose, ""));
                set(&mut self.hours, (month.to_owned(), of.to_owned()), change)
            }
            "models" => set(&mut self.models, whose.to_owned(), change),
            "leader" => {
                let mut leader = BTreeMap::new();
                let taken = set(&mut leader, (), change);
                self.leader = leader.remove(&());
                taken
            }
            _ => match CameraId::new(whose) {
                Ok(camera) => self.apply_camera(kind, camera, change),
                Err(error) => Err(error.to_string()),
            },
        };
        if let Err(why) = taken {
            self.unreadable.insert(change.key.clone(), why);
        }
    }

    fn apply_camera(&mut self, kind: &str, camera: CameraId, change: &KeyChange) -> Result<(), String> {
        match kind {
            "cameras" => set(&mut self.cameras, camera, change),
            "plan" => set(&mut self.plan, camera, change),
            "owner" => set(&mut self.owners, camera, change),
            "needs" => {
                let mut need = BTreeMap::new();
                set::<_, NeedRecord>(&mut need, (), change)?;
                let is_number = |figure: f32| figure.is_finite() && figure >= 0.0;
                match need.remove(&()).map(|need| need.value) {
                    Some(need) if is_number(need.tps) && is_number(need.cores) => self.needs.insert(camera, need),
                    _ => self.needs.remove(&camera),
                };
                Ok(())
            }
            // A later version may keep more.
            _ => Ok(()),
        }
    }

    /// Who looks at a camera, and since which epoch.
    pub fn owner(&self, camera: &CameraId) -> Option<(&OwnerRecord, u64)> {
        let kept = self.owners.get(camera)?;
        Some((&kept.value, epoch(kept.revision)))
    }
}

/// The epoch of a claim that was written at a revision.
pub(super) fn epoch(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or(0)
}

/// Sets or removes an entry. What cannot be read is as if it were not there.
fn set<K: Ord, T: DeserializeOwned>(
    entries: &mut BTreeMap<K, Kept<T>>,
    name: K,
    change: &KeyChange,
) -> Result<(), String> {
    if entries.get(&name).is_some_and(|known| known.revision > change.revision) {
        return Ok(());
    }
    let Some(bytes) = &change.value else {
        entries.remove(&name);
        return Ok(());
    };
    match serde_json::from_slice(bytes) {
        Ok(value) => {
            entries.insert(name, Kept { value, revision: change.revision });
            Ok(())
        }
        Err(error) => {
            entries.remove(&name);
            Err(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(key: &str, value: Option<&str>, revision: i64) -> KeyChange {
        KeyChange { key: format!("/ocelli/hall/{key}"), value: value.map(|it| it.as_bytes().to_vec()), revision }
    }

    #[test]
    fn a_claim_has_the_revision_as_its_epoch_and_goes_with_its_key() {
        let (mut view, keys, yard) = (View::default(), Keys::new("hall"), CameraId::new("yard").unwrap());
        view.apply(&keys, &change("owner/yard", Some(r#"{"box":"gate","run":"1"}"#), 17));
        assert_eq!(view.owner(&yard).map(|(owner, epoch)| (owner.box_id.as_str(), epoch)), Some(("gate", 17)));
        view.apply(&keys, &change("needs/yard", Some(r#"{"tps":2.5}"#), 18));
        view.apply(&keys, &change("owner/yard", None, 19));
        assert_eq!((view.owner(&yard), view.needs.get(&yard)), (None, Some(&NeedRecord { tps: 2.5, cores: 0.0 })));
        view.apply(&keys, &change("leader", Some(r#"{"box":"gate","run":"1"}"#), 20));
        assert_eq!(view.leader.as_ref().map(|leader| leader.revision), Some(20));
    }

    #[test]
    fn what_the_watch_repeats_late_changes_nothing() {
        let (mut view, keys, yard) = (View::default(), Keys::new("hall"), CameraId::new("yard").unwrap());
        for (name, revision) in [("b", 9), ("a", 5), ("b", 9)] {
            let value = format!(r#"{{"box":"{name}","run":"1"}}"#);
            view.apply(&keys, &change("owner/yard", Some(&value), revision));
            assert_eq!(view.owner(&yard).map(|(owner, epoch)| (owner.box_id.as_str(), epoch)), Some(("b", 9)));
        }
        view.apply(&keys, &change("owner/yard", None, 6));
        assert!(view.owner(&yard).is_some());
    }

    #[test]
    fn what_cannot_be_read_is_told_and_not_there() {
        let (mut view, keys) = (View::default(), Keys::new("hall"));
        view.apply(&keys, &change("cameras/yard", Some("{}"), 1));
        view.apply(&keys, &change("cameras/yard", Some("nonsense"), 2));
        assert!(view.cameras.is_empty() && view.unreadable.contains_key("/ocelli/hall/cameras/yard"));
        view.apply(&keys, &change("cameras/bad name", Some("{}"), 3));
        assert_eq!(view.unreadable.len(), 2);
        view.apply(&keys, &change("cameras/yard", None, 4));
        assert_eq!(view.unreadable.len(), 1);
        view.apply(&keys, &KeyChange { key: "/other/x".into(), value: None, revision: 5 });
        view.apply(&keys, &change("future/thing", Some("1"), 6));
        assert_eq!(view.unreadable.len(), 1);
    }
}
