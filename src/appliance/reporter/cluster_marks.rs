//! In whose name the reports of a camera are published: the box's own, or that of its claim in a cluster.

use crate::cluster::{Mark, Standing, Standings};
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;

/// How a camera's reports are published.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Voice {
    /// It is the box's own.
    Own,
    /// It is the cluster's, and this box has claimed it.
    Owner(Mark),
    /// It is the cluster's, and another box publishes.
    Silent,
}

/// The standing of the cluster's cameras, also of those that are gone: their last tracks end later.
#[derive(Debug, Default)]
pub(super) struct ClusterMarks {
    standings: Standings,
    former: BTreeMap<CameraId, Standing>,
}

impl ClusterMarks {
    /// Takes over the standings of now. Returns the cameras that this box publishes from now on, or under another epoch, and those that it
    /// does not publish any more although it still looks at them.
    pub(super) fn set(&mut self, standings: Standings) -> (Vec<CameraId>, Vec<CameraId>) {
        let before = std::mem::replace(&mut self.standings, standings);
        let now = &self.standings.cameras;
        let is_new = |(camera, standing): &(&CameraId, &Standing)| before.cameras.get(*camera) != Some(*standing);
        let (owned, silenced): (Vec<_>, Vec<_>) =
            now.iter().filter(is_new).partition(|(_, standing)| matches!(standing, Standing::Owner { .. }));
        self.former.retain(|camera, _| !now.contains_key(camera));
        self.former.extend(
            before.cameras.iter().filter(|(camera, _)| !now.contains_key(*camera)).map(|(id, it)| (id.clone(), *it)),
        );
        let ids = |list: Vec<(&CameraId, &Standing)>| list.into_iter().map(|(camera, _)| camera.clone()).collect();
        (ids(owned), ids(silenced))
    }

    /// Forgets cameras that are the box's own now.
    pub(super) fn forget_former(&mut self, is_own: impl Fn(&CameraId) -> bool) {
        self.former.retain(|camera, _| !is_own(camera));
    }

    pub(super) fn cluster(&self) -> &str {
        &self.standings.cluster
    }

    /// The cameras of the cluster that this box owns, with the epoch and the wall time of its claim.
    pub(super) fn owned(&self) -> impl Iterator<Item = (&CameraId, u64, i64)> {
        self.standings.cameras.iter().filter_map(|(camera, standing)| match standing {
            Standing::Owner { epoch, since_ms } => Some((camera, *epoch, *since_ms)),
            Standing::Ready => None,
        })
    }

    pub(super) fn voice(&self, camera: &CameraId) -> Voice {
        if let Some(mark) = self.standings.mark(camera) {
            return Voice::Owner(mark);
        }
        match self.standings.cameras.get(camera).or_else(|| self.former.get(camera)) {
            None => Voice::Own,
            Some(Standing::Ready) => Voice::Silent,
            // What ends now was seen under that claim; another box may have one since.
            Some(Standing::Owner { epoch, .. }) => {
                Voice::Owner(Mark { epoch: *epoch, is_uncertain: !self.standings.promise.holds_for(*epoch) })
            }
        }
    }

    /// What is said of the claim, and the cluster; `None` for what is the box's own. `Err`: another box publishes.
    pub(super) fn claim(&self, camera: &CameraId) -> Result<Option<(&str, Mark)>, ()> {
        match self.voice(camera) {
            Voice::Own => Ok(None),
            Voice::Owner(mark) => Ok(Some((&self.standings.cluster, mark))),
            Voice::Silent => Err(()),
        }
    }

    /// What a picture of a camera says of the claim under which it is published; `None` for one of the box's own.
    pub(super) fn comment(&self, camera: &CameraId) -> Option<String> {
        let (cluster, mark) = self.claim(camera).ok()??;
        let uncertain = if mark.is_uncertain { " owner_uncertain" } else { "" };
        Some(format!("ocelli cluster={cluster} camera={camera} epoch={}{uncertain}", mark.epoch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings(cameras: &[(&str, Standing)]) -> Standings {
        let cameras = cameras.iter().map(|(id, standing)| (CameraId::new(*id).unwrap(), *standing)).collect();
        Standings { cluster: "hall".into(), cameras, ..Standings::default() }
    }

    #[test]
    fn a_camera_is_silent_until_it_is_owned_and_its_last_tracks_end_under_its_last_claim() {
        let (mut marks, yard) = (ClusterMarks::default(), CameraId::new("yard").unwrap());
        assert_eq!(marks.voice(&yard), Voice::Own);
        let silenced = (vec![], vec![yard.clone()]);
        assert_eq!(marks.set(standings(&[("yard", Standing::Ready)])), silenced);
        assert_eq!((marks.voice(&yard), marks.claim(&yard)), (Voice::Silent, Err(())));
        assert_eq!(marks.comment(&yard), None);
        let owned = (vec![yard.clone()], vec![]);
        assert_eq!(marks.set(standings(&[("yard", Standing::Owner { epoch: 7, since_ms: 0 })])), owned);
        // Nobody has renewed the promise.
        let voice = Voice::Owner(Mark { epoch: 7, is_uncertain: true });
        assert_eq!(marks.voice(&yard), voice);
        assert_eq!(marks.comment(&yard).as_deref(), Some("ocelli cluster=hall camera=yard epoch=7 owner_uncertain"));
        assert_eq!(marks.set(standings(&[("yard", Standing::Owner { epoch: 7, since_ms: 0 })])), (vec![], vec![]));
        assert_eq!(marks.set(standings(&[])), (vec![], vec![]));
        assert_eq!(marks.voice(&yard), voice);
        assert_eq!(marks.set(standings(&[("yard", Standing::Owner { epoch: 9, since_ms: 0 })])), owned);
        drop(marks.set(standings(&[])));
        marks.forget_former(|camera| *camera == yard);
        assert_eq!(marks.voice(&yard), Voice::Own);
    }
}
