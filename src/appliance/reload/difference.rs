//! What a change of the settings means for a running box.

use crate::camera::settings::CameraSettings;
use crate::clips::settings::ClipSettings;
use crate::core::change::CameraChange;
use crate::settings::Settings;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeSet;

/// What changes while the box runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Difference {
    pub(super) removed_cameras: Vec<CameraId>,
    pub(super) added_cameras: Vec<CameraSettings>,
    pub(super) changed_cameras: Vec<CameraChange>,
    pub(super) is_tracking_new: bool,
    pub(super) are_snapshots_new: bool,
    pub(super) are_models_new: bool,
    pub(super) are_buckets_new: bool,
}

impl Difference {
    /// `other_logins` are cameras whose password is another, although its file may have the same name.
    pub(super) fn new(old: &Settings, new: &Settings, other_logins: &BTreeSet<CameraId>) -> Self {
        let find = |cameras: &[CameraSettings], id: &CameraId| cameras.iter().find(|camera| camera.id == *id).cloned();
        let is_new = |camera: &&CameraSettings| find(&old.cameras, &camera.id).is_none();
        let is_gone = |camera: &&CameraSettings| find(&new.cameras, &camera.id).is_none();
        let change = |settings: &CameraSettings| {
            let before = find(&old.cameras, &settings.id)?;
            let is_login_other = other_logins.contains(&settings.id);
            // What `clips` and `live` mean is compared, not what is written.
            let (connected, connects) = (connection(&before, &old.clips), connection(settings, &new.clips));
            let change = CameraChange {
                settings: settings.clone(),
                reconnects: is_login_other || connected != connects,
                is_blackout_new: before.blackout != settings.blackout,
                is_scene_new: before.scene != settings.scene,
            };
            (before != *settings || is_login_other).then_some(change)
        };
        Self {
            removed_cameras: old.cameras.iter().filter(is_gone).map(|camera| camera.id.clone()).collect(),
            added_cameras: new.cameras.iter().filter(is_new).cloned().collect(),
            changed_cameras: new.cameras.iter().filter_map(change).collect(),
            is_tracking_new: old.tracking != new.tracking,
            are_snapshots_new: old.snapshots != new.snapshots,
            are_models_new: old.models != new.models,
            are_buckets_new: old.buckets != new.buckets,
        }
    }

    /// One line for each change that was made, for the operator.
    pub(super) fn lines(&self) -> Vec<String> {
        let removed = self.removed_cameras.iter().map(|camera| format!("camera {camera}: removed"));
        let added = self.added_cameras.iter().map(|camera| format!("camera {}: added", camera.id));
        let changed = self.changed_cameras.iter().map(|change| {
            let how = match (change.reconnects, change.is_scene_new) {
                (true, true) => "changed; it reconnects, and its scene begins anew",
                (true, false) => "changed; it reconnects",
                (false, true) => "changed; its scene begins anew",
                (false, false) => "changed",
            };
            format!("camera {}: {how}", change.settings.id)
        });
        let sections = [
            (self.is_tracking_new, "[tracking]: every scene begins anew"),
            (self.are_snapshots_new, "[snapshots]: changed"),
            (self.are_models_new, "[[models]]: changed"),
            (self.are_buckets_new, "[[buckets]]: changed"),
        ];
        let sections = sections.into_iter().filter(|(is_new, _)| *is_new).map(|(_, line)| line.to_owned());
        removed.chain(added).chain(changed).chain(sections).collect()
    }
}

/// The settings that an open connection cannot change.
fn connection(camera: &CameraSettings, clips: &ClipSettings) -> impl PartialEq + use<> {
    let times = (camera.connect_timeout_seconds.map(f32::to_bits), camera.latency_ms);
    let CameraSettings { url, credentials, transport, keyframes_only, .. } = camera;
    let CameraSettings { video_track, basic_auth, follow_redirects, tls, .. } = camera;
    let CameraSettings { detect_url, detect_credentials, .. } = camera;
    let watch =
        (camera.watch, camera.watch_sensitivity.map(f32::to_bits), camera.watch_ignore.clone(), camera.motion_events);
    let urls = (url.clone(), credentials.clone(), detect_url.clone(), detect_credentials.clone());
    let kept = (camera.has_live_view(), camera.has_clips(clips.enabled), camera.blackout.clone());
    let decoded = (*keyframes_only, *video_track, watch);
    (urls, *basic_auth, *follow_redirects, tls.clone(), *transport, times, decoded, kept)
}

#[cfg(test)]
mod tests;
