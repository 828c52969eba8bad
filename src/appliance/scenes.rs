//! What happens in front of each camera: its tracker, and the counts of its labels as they were published.

use crate::camera::settings::CameraSettings;
use crate::model::package::Package;
use crate::publish::label_counts::{LabelCount, LabelCounts};
use crate::supervisor::Answer;
use crate::tracking::settings::TrackingSettings;
use crate::tracking::{CameraTracker, Observed, Seen, TrackEvent, TrackingRules};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One camera's.
#[derive(Debug)]
struct Scene {
    /// None: tracking is switched off.
    tracker: Option<CameraTracker>,
    /// The labels that matter; empty: all.
    labels: Vec<String>,
    counts: LabelCounts,
    /// What looked last.
    package: Option<Arc<Package>>,
    /// Something may be in view.
    is_live: bool,
}

/// What is to be told of a camera.
#[derive(Debug, Default)]
pub(super) struct SceneNews {
    pub(super) events: Vec<TrackEvent>,
    /// The counts that have changed.
    pub(super) counts: Vec<LabelCount>,
    /// Which model saw it.
    pub(super) package: Option<Arc<Package>>,
    /// The camera has a model for the first time, or another: the labels that may be seen.
    pub(super) labels: Option<Vec<String>>,
}

/// All cameras'.
#[derive(Debug, Default)]
pub(super) struct Scenes {
    by_camera: BTreeMap<CameraId, Scene>,
}

impl Scenes {
    /// Settings that were checked make rules; what is wrong all the same is tracked by no rule.
    pub(super) fn new(tracking: &TrackingSettings, cameras: &[CameraSettings]) -> Self {
        let scene = |camera: &CameraSettings| {
            let rules = TrackingRules::new(tracking, &camera.scene).ok().filter(|_| tracking.enabled);
            let scene = Scene {
                tracker: rules.map(CameraTracker::new),
                labels: camera.scene.labels.clone(),
                counts: LabelCounts::default(),
                package: None,
                is_live: false,
            };
            (camera.id.clone(), scene)
        };
        Self { by_camera: cameras.iter().map(scene).collect() }
    }

    /// A frame captured at `at` was looked at: what of it counts, and what is to be told.
    pub(super) fn observe(
        &mut self,
        camera: &CameraId,
        answer: &Answer,
        package: &Arc<Package>,
        at: Monotonic,
    ) -> (Observed, SceneNews) {
        let seen: Vec<Seen<'_>> = answer
            .detections
            .iter()
            .map(|found| Seen {
                label: package.labels.name(found.class),
                confidence: found.confidence,
                bounding_box: found.bounding_box,
            })
            .collect();
        let Some(scene) = self.by_camera.get_mut(camera) else {
            return (all_of(&seen), SceneNews::default());
        };
        let mut observed = match &mut scene.tracker {
            Some(tracker) => tracker.observe(&seen, at),
            None => all_of(&seen),
        };
        scene.is_live = true;
        let labels = scene.looked_at_by(package);
        let mut counts: Vec<LabelCount> = if labels.is_some() { scene.counts.current().collect() } else { Vec::new() };
        counts.extend(scene.count(&observed.in_view));
        let events = std::mem::take(&mut observed.events);
        (observed, SceneNews { events, counts, package: Some(Arc::clone(package)), labels })
    }

    /// What time alone brings; to be called about once a second.
    pub(super) fn tick(&mut self, now: Monotonic) -> Vec<(CameraId, SceneNews)> {
        let told = |(camera, scene): (&CameraId, &mut Scene)| {
            let tracker = scene.tracker.as_mut().filter(|_| scene.is_live)?;
            let events = tracker.tick(now);
            let in_view = tracker.in_view();
            let counts = scene.count(&in_view);
            let is_news = !events.is_empty() || !counts.is_empty();
            is_news
                .then(|| (camera.clone(), SceneNews { events, counts, package: scene.package.clone(), labels: None }))
        };
        self.by_camera.iter_mut().filter_map(told).collect()
    }

    /// The camera is lost, or the daemon stops: nothing is in view. Nothing is told twice.
    pub(super) fn lose(&mut self, camera: &CameraId, now: Monotonic) -> Option<SceneNews> {
        let scene = self.by_camera.get_mut(camera).filter(|scene| scene.is_live)?;
        scene.is_live = false;
        let events = scene.tracker.as_mut().map(|tracker| tracker.end_all(now)).unwrap_or_default();
        let counts = scene.counts.lose_camera();
        Some(SceneNews { events, counts, package: scene.package.clone(), labels: None })
    }

    /// The cameras, all of them.
    pub(super) fn cameras(&self) -> Vec<CameraId> {
        self.by_camera.keys().cloned().collect()
    }
}

impl Scene {
    /// Another model, or the first: all its labels that matter have a count from now on. A count that an earlier run
    /// left on the broker goes with it.
    /// Returns the labels then.
    fn looked_at_by(&mut self, package: &Arc<Package>) -> Option<Vec<String>> {
        let is_known = self.package.as_ref().is_some_and(|known| known.labels == package.labels);
        self.package = Some(Arc::clone(package));
        if is_known {
            return None;
        }
        let matters = |label: &&str| self.labels.is_empty() || self.labels.iter().any(|wanted| wanted == label);
        let labels: Vec<String> = package.labels.names().filter(matters).map(str::to_owned).collect();
        let known: Vec<String> = self.counts.current().map(|count| count.level).collect();
        self.counts = LabelCounts::starting_at_zero(known.iter().chain(&labels).map(String::as_str));
        Some(labels)
    }

    fn count(&mut self, in_view: &BTreeMap<String, u32>) -> Vec<LabelCount> {
        let things = in_view.iter().flat_map(|(label, count)| (0..*count).map(move |_| label.as_str()));
        self.counts.set_in_view(things)
    }
}

/// Without a tracker all counts, and nothing has a number.
fn all_of(seen: &[Seen<'_>]) -> Observed {
    let mut in_view = BTreeMap::new();
    for one in seen {
        *in_view.entry(one.label.to_owned()).or_default() += 1;
    }
    Observed { tracks: vec![None; seen.len()], kept: vec![true; seen.len()], events: Vec::new(), in_view }
}
