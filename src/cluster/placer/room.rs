//! Which box a camera that has none goes to, and why none takes it.

use crate::cluster::placer::table::{BoxIndex, CameraIndex, FULL, Table};
use std::collections::BTreeMap;

/// The order in which cameras without a box choose: those that the operator has pinned, then the biggest, so that what
/// is left over fits anywhere. The size of a camera is its share of the box that carries it most easily: one that only
/// small boxes can take is big.
pub(super) fn sort_by_size(cameras: &mut [CameraIndex], table: &Table<'_>) {
    let size = |camera: CameraIndex| {
        let boxes = (0..table.sites.len()).filter(|site| table.takes(camera, *site));
        boxes.map(|site| table.share(camera, site)).fold(f64::INFINITY, f64::min)
    };
    let key = |camera: &CameraIndex| (*camera, (table.pin(*camera).is_none(), size(*camera)));
    let keys: BTreeMap<CameraIndex, (bool, f64)> = cameras.iter().map(key).collect();
    cameras.sort_by(|a, b| {
        let ((a_last, a_size), (b_last, b_size)) = (keys[a], keys[b]);
        a_last.cmp(&b_last).then(b_size.total_cmp(&a_size)).then(a.cmp(b))
    });
}

/// The box for a camera that has none: its pin, or of those that take it the one that is least used afterwards. A box
/// that would be overfull comes after all others, one that comes and goes after the steady ones, and one with a camera
/// that this one is to be apart from after those without.
pub(super) fn best_box(camera: CameraIndex, table: &Table<'_>) -> Option<BoxIndex> {
    let key = |site: BoxIndex| {
        let used = table.sites[site].used + table.share(camera, site);
        ((used > FULL, table.sites[site].is_unsteady, table.company(camera, site)), used)
    };
    let boxes = (0..table.sites.len()).filter(|site| table.takes(camera, *site)).map(|site| (key(site), site));
    let best = boxes.min_by(|((a, a_used), a_site), ((b, b_used), b_site)| {
        a.cmp(b).then(a_used.total_cmp(b_used)).then(a_site.cmp(b_site))
    });
    table.pin(camera).or(best.map(|(_, site)| site))
}

/// Why no box takes a camera: the boxes by their reasons.
pub(super) fn why_nowhere(camera: CameraIndex, table: &Table<'_>) -> String {
    let seat = &table.seats[camera];
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (site, entry) in table.sites.iter().enumerate() {
        let reason = match entry.state.cannot.get(seat.id) {
            Some(reason) => reason.clone(),
            None if !table.can(camera, site) => format!("no capacity for model `{}`", seat.need.model),
            None => "draining".to_owned(),
        };
        reasons.entry(reason).or_default().push(entry.name);
    }
    if reasons.is_empty() {
        return "no box is there".to_owned();
    }
    let reasons: Vec<String> =
        reasons.iter().map(|(reason, names)| format!("{}: {reason}", names.join(", "))).collect();
    format!("no box can take it ({})", reasons.join("; "))
}
