//! Moves that can wait: back to a pin, apart, and for balance. One camera at a time.
//!
//! None of them is ever undone while boxes and needs stay the same. A move to a pin makes one camera more that is at its
//! pin, and the other moves leave such cameras alone. A move apart makes the squares of the numbers of a group's cameras
//! in zones, or else on boxes, add up to less, and balance never makes that sum grow. A move for balance leaves both boxes
//! less used than the fuller one was, so the list of uses, fullest first, gets smaller. What only gets smaller ends.

use crate::cluster::placer::decision::MoveReason;
use crate::cluster::placer::table::{BoxIndex, CameraIndex, FULL, Table};

/// What the search for a move must know of cameras.
#[derive(Debug)]
pub(super) struct Bounds<'a> {
    /// The difference in use that is left alone.
    pub(super) slack: f64,
    /// No box has come, gone or changed of late.
    pub(super) is_calm: bool,
    /// By camera: it has stayed for a while.
    pub(super) has_rested: &'a [bool],
}

/// A camera, the box that it is to go to, and why.
pub(super) type Step = (CameraIndex, BoxIndex, MoveReason);

/// The next move that makes the plan better, the most wanted kind first.
pub(super) fn next_step(table: &Table<'_>, bounds: &Bounds<'_>) -> Option<Step> {
    if let Some(step) = to_a_pin(table) {
        return Some(step);
    }
    if !bounds.is_calm {
        return None;
    }
    apart(table, bounds).or_else(|| for_balance(table, bounds))
}

/// A camera that is not on its pin, though the pin is there for long enough.
fn to_a_pin(table: &Table<'_>) -> Option<Step> {
    (0..table.seats.len()).filter(|camera| table.seats[*camera].need.pin.is_some()).find_map(|camera| {
        let (at, pin) = (table.seats[camera].at?, table.pin(camera)?);
        (at != pin && table.sites[pin].has_settled).then_some((camera, pin, MoveReason::Pinned))
    })
}

/// True if the camera may move for its own or for others' good.
fn is_free(camera: CameraIndex, table: &Table<'_>, bounds: &Bounds<'_>) -> bool {
    let seat = &table.seats[camera];
    bounds.has_rested[camera] && (seat.need.pin.is_none() || table.pin(camera) != seat.at)
}

/// True if the box may be given cameras that have a box.
fn is_open(site: BoxIndex, table: &Table<'_>) -> bool {
    table.sites[site].has_settled && !table.sites[site].state.is_draining
}

/// A camera that has company where it is, and less on another box with room.
fn apart(table: &Table<'_>, bounds: &Bounds<'_>) -> Option<Step> {
    let cameras = (0..table.seats.len()).filter(|camera| table.has_group(*camera) && is_free(*camera, table, bounds));
    cameras.filter_map(|camera| Some((camera, table.company(camera, table.seats[camera].at?)))).find_map(
        |(camera, company)| {
            let used = |site: BoxIndex| table.sites[site].used + table.share(camera, site);
            let boxes = (0..table.sites.len()).filter(|site| is_open(*site, table) && table.takes(camera, *site));
            let better = boxes.filter(|site| table.company(camera, *site) < company && used(*site) <= FULL);
            let best = better.min_by(|a, b| {
                let company = table.company(camera, *a).cmp(&table.company(camera, *b));
                company.then(used(*a).total_cmp(&used(*b))).then(a.cmp(b))
            })?;
            Some((camera, best, MoveReason::Apart))
        },
    )
}

/// From the fullest box to the emptiest one that differ by more than the slack, and can exchange a camera, the camera that
/// lowers the difference most and does not turn it round.
fn for_balance(table: &Table<'_>, bounds: &Bounds<'_>) -> Option<Step> {
    let mut by_use: Vec<BoxIndex> = (0..table.sites.len()).collect();
    by_use.sort_by(|a, b| table.sites[*b].used.total_cmp(&table.sites[*a].used).then(a.cmp(b)));
    for from in by_use.iter().copied().filter(|site| !table.sites[*site].state.is_draining) {
        for to in by_use.iter().rev().copied() {
            let difference = table.sites[from].used - table.sites[to].used;
            if difference <= bounds.slack {
                break;
            }
            let Some(camera) = is_open(to, table).then(|| best_exchange(table, bounds, from, to)).flatten() else {
                continue;
            };
            let relieves = table.sites[from].used > FULL && table.sites[to].used + table.share(camera, to) <= FULL;
            return Some((camera, to, if relieves { MoveReason::Overfull } else { MoveReason::Balance }));
        }
    }
    None
}

fn best_exchange(table: &Table<'_>, bounds: &Bounds<'_>, from: BoxIndex, to: BoxIndex) -> Option<CameraIndex> {
    let difference = table.sites[from].used - table.sites[to].used;
    let cameras = table.sites[from].cameras.iter().copied();
    let movable = cameras.filter(|camera| table.takes(*camera, to) && is_free(*camera, table, bounds));
    let apart = movable.filter(|camera| table.company(*camera, to) <= table.company(*camera, from));
    let gains = apart.map(|camera| (table.share(camera, from) + table.share(camera, to), camera));
    let fitting = gains.filter(|(gain, _)| *gain <= difference);
    fitting.max_by(|(a, a_camera), (b, b_camera)| a.total_cmp(b).then(b_camera.cmp(a_camera))).map(|(_, camera)| camera)
}
