//! Decides which box looks at which camera, by measured need and capacity.
//!
//! A camera keeps its box while that can look at it. What must move, since its box has died, drains or cannot take it any
//! longer, moves at once to the boxes that are least used afterwards, the biggest camera first. What could be better moves
//! slowly, one camera at a time, when boxes have been the same for a while. The same input gives the same decision; there is
//! no clock, no chance and no I/O in here. Who writes the plan, and whether a box has died, is decided elsewhere.

mod capacity;
mod decision;
mod history;
mod improvement;
mod input;
mod return_wait;
mod room;
mod share;
mod steadiness;
mod table;
#[cfg(test)]
mod tests;

use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::token_bucket::TokenBucket;
use capacity::Capacities;
pub use decision::{Decision, Move, MoveReason, Unplaced};
use history::History;
use improvement::{Bounds, next_step};
pub use input::{BoxState, CameraNeed, PlacerSettings};
use return_wait::ReturnWait;
pub(super) use share::Demand;
use std::collections::BTreeMap;
use steadiness::Steadiness;
use table::{BoxIndex, CameraIndex, Seat, Table};

/// A move away from an overfull box costs so much of a move: its cameras are looked at too seldom until then.
const OVERFULL_COST: f64 = 0.1;

/// Decides, and remembers what boxes and the plan were like before. A placer that is new knows nothing of that, and begins
/// with care: it moves no camera in its first minute for a reason that can wait.
#[derive(Debug)]
pub struct Placer {
    settings: PlacerSettings,
    capacities: Capacities,
    steadiness: Steadiness,
    history: History,
    return_wait: ReturnWait,
    /// Slow moves that are allowed.
    credit: Option<TokenBucket>,
}

impl Placer {
    /// A placer that has seen nothing yet.
    pub fn new(settings: PlacerSettings) -> Self {
        Self {
            settings,
            capacities: Capacities::default(),
            steadiness: Steadiness::default(),
            history: History::default(),
            return_wait: ReturnWait::default(),
            credit: None,
        }
    }

    /// Etcd was away for longer than the leases, and is back: boxes that are not there yet may have gone on all the time.
    pub fn wait_for_each(&mut self, plan: &BTreeMap<CameraId, String>, now: Monotonic) {
        self.return_wait.begin_for_each(plan, now);
    }

    /// Says what is to be changed in `plan`, the box of each camera by name. `boxes` are those that are alive. Lines of the
    /// plan for cameras that are not among `cameras` are ignored. To be called when something has changed, and once a second
    /// in any case, since slow moves wait for their time.
    pub fn decide(
        &mut self,
        boxes: &BTreeMap<String, BoxState>,
        cameras: &BTreeMap<CameraId, CameraNeed>,
        plan: &BTreeMap<CameraId, String>,
        now: Monotonic,
    ) -> Decision {
        self.capacities.follow(boxes);
        self.steadiness.look(boxes, self.settings.settle, now);
        self.history.look(plan, now);
        self.return_wait.look(boxes, plan, now);
        let mut table = Table::new(boxes, cameras, plan, &self.capacities);
        for site in &mut table.sites {
            site.has_settled = self.steadiness.has_settled(site.name, self.settings.settle, now);
            site.is_unsteady = self.steadiness.is_unsteady(site.name);
        }
        let mut decision = Decision::default();
        let mut moves = BTreeMap::new();
        self.place_at_once(&mut table, &mut decision, &mut moves);
        self.improve(&mut table, now, &mut moves);
        decision.moves = moves.into_iter().map(|(camera, (to, why))| step(&table, camera, to, why)).collect();
        let uses = table.sites.iter().map(|site| (site.name.to_owned(), narrow(site.used)));
        decision.use_of = uses.collect();
        decision
    }

    /// Puts each camera where the plan has it, and those that must move where there is most room.
    fn place_at_once(&self, table: &mut Table<'_>, decision: &mut Decision, moves: &mut Moves) {
        let mut homeless: Vec<CameraIndex> = Vec::new();
        let mut reasons: BTreeMap<CameraIndex, MoveReason> = BTreeMap::new();
        for camera in 0..table.seats.len() {
            let Seat { id, planned, .. } = table.seats[camera];
            if let Some(name) = planned.filter(|name| self.return_wait.waits_for(name)) {
                let why = format!("its box `{name}` may still be on its way back");
                decision.held.push(Unplaced { camera: id.clone(), why });
            } else if let Some(why) = table.why_homeless(camera) {
                homeless.push(camera);
                reasons.insert(camera, why);
            } else if let Some(home) = table.home(camera) {
                table.put(camera, home);
            }
        }
        room::sort_by_size(&mut homeless, table);
        for camera in homeless {
            if let Some(best) = room::best_box(camera, table) {
                table.put(camera, best);
                moves.insert(camera, (best, reasons[&camera]));
                continue;
            }
            let unplaced = Unplaced { camera: table.seats[camera].id.clone(), why: room::why_nowhere(camera, table) };
            // A box that drains is alive, and goes on until another can take the camera.
            match table.home(camera).filter(|_| reasons[&camera] == MoveReason::Draining) {
                Some(home) => {
                    table.put(camera, home);
                    decision.held.push(unplaced);
                }
                None => decision.unplaced.push(unplaced),
            }
        }
    }

    /// Makes slow moves as long as there are some and the rate allows them.
    fn improve(&mut self, table: &mut Table<'_>, now: Monotonic, moves: &mut Moves) {
        let rested = |(camera, seat): (CameraIndex, &Seat<'_>)| {
            !moves.contains_key(&camera) && self.history.has_rested(seat.id, now)
        };
        let mut has_rested: Vec<bool> = table.seats.iter().enumerate().map(rested).collect();
        let is_calm = self.steadiness.all_have_settled(self.settings.settle, now);
        let rate = f64::from(self.settings.moves_per_second);
        let credit = self.credit.get_or_insert_with(|| TokenBucket::new(0.0, now));
        loop {
            let bounds = Bounds { slack: f64::from(self.settings.slack), is_calm, has_rested: &has_rested };
            let Some((camera, to, why)) = next_step(table, &bounds) else { return };
            let cost = if why == MoveReason::Overfull { OVERFULL_COST } else { 1.0 };
            // What is not used in a second is lost: a quiet hour earns no burst.
            if credit.take_many(cost, rate, rate.max(1.0), now).is_err() {
                return;
            }
            table.put(camera, to);
            has_rested[camera] = false;
            moves.insert(camera, (to, why));
        }
    }
}

/// The moves of a decision.
type Moves = BTreeMap<CameraIndex, (BoxIndex, MoveReason)>;

fn step(table: &Table<'_>, camera: CameraIndex, to: BoxIndex, why: MoveReason) -> Move {
    let Seat { id, planned, .. } = table.seats[camera];
    Move { camera: id.clone(), from: planned.map(str::to_owned), to: table.sites[to].name.to_owned(), why }
}

/// A use for people: its last digits do not matter.
#[expect(clippy::cast_possible_truncation, reason = "a use is a small number")]
fn narrow(used: f64) -> f32 {
    used as f32
}
