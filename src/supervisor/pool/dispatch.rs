//! Dispatches waiting work to units, and turns their replies into outcomes.

use super::Pool;
use crate::admission::Work;
use crate::ipc::messages::RequestId;
use crate::model::package::Package;
use crate::supervisor::actions::{Answer, SupervisorAction};
use crate::supervisor::batch::Batch;
use crate::supervisor::pool::roster::Unanswered;
use crate::supervisor::unit_state::{Unit, UnitId, UnitState};
use crate::supervisor::zones::ZoneIndex;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::sync::Arc;
use std::time::Duration;

/// The retry delay of images that are shed: a restart takes about as long.
const RETRY_AFTER_RESTART: Duration = Duration::from_secs(1);

/// A unit with this many invalid results in a row is replaced.
const MOST_INVALID: u32 = 2;

impl Pool {
    pub(super) fn shed(&mut self, actions: &mut Vec<SupervisorAction>, work: Work, reason: ShedReason) {
        self.end(actions, work, Outcome::Shed(reason), None);
    }

    /// A unit replied. Busy -> Busy | Idle, or Dying if it names a request that is not open.
    pub fn unit_answered(
        &mut self,
        unit: UnitId,
        request: RequestId,
        result: Result<Answer, FailureCause>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let Some(slot) = self.roster.units.get_mut(&unit) else { return };
        let zone = slot.zone;
        let (work, since) = match &mut slot.state {
            UnitState::Busy(batch) => (batch.answered(request, result.is_ok()), batch.since()),
            // Replies of a killed unit are ignored: its work has been retried or failed.
            UnitState::Dying { .. } => return,
            _ => (None, now),
        };
        let Some(work) = work else {
            actions.push(SupervisorAction::Kill { unit, why: "it answered a request that it was not given" });
            if let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Dying { since: now }) {
                self.break_off((batch, zone), FailureCause::UnitDied, now, actions);
            }
            return self.dispatch(actions, now);
        };
        slot.items_done += 1;
        let is_invalid = matches!(result, Err(FailureCause::InvalidOutput));
        slot.invalid_in_row = if is_invalid { slot.invalid_in_row + 1 } else { 0 };
        slot.is_worn |= slot.invalid_in_row >= MOST_INVALID;
        let package = Arc::clone(&slot.version.package);
        if let UnitState::Busy(batch) = &slot.state
            && batch.open() == 0
            && let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Idle)
        {
            self.measure(unit, &batch, now);
        }
        match result {
            Ok(mut answer) => {
                self.throughput.count(work.kind(), work.transactions(), now);
                answer.queued = since.since(work.since());
                self.end(actions, work, Outcome::Detected, Some((answer, package)));
            }
            Err(cause) if cause.is_of_the_image() => self.end(actions, work, Outcome::Failed(cause), None),
            Err(cause) => self.retry_or_fail(work, zone, cause, now, actions),
        }
        self.dispatch(actions, now);
    }

    /// Records the service time of a unit's batch, all items of which have replies.
    fn measure(&mut self, unit: UnitId, batch: &Batch, now: Monotonic) {
        let Some((share, kinds)) = batch.measured(now) else { return };
        let is_other_free = |(id, slot): (&UnitId, &Unit)| *id != unit && slot.is_free();
        let (in_service, all_busy) = (self.in_service(), !self.roster.units.iter().any(is_other_free));
        let slot = self.roster.units.get_mut(&unit);
        let times = slot.map(|slot| &mut slot.times).into_iter().chain([&mut self.throughput.service_time]);
        for times in times {
            kinds.iter().for_each(|kind| times.record(*kind, share, in_service, all_busy));
        }
    }

    /// Retries failed work once, preferably in another zone, if the retry budget allows. Work that failed twice may be
    /// what crashes the units, so no third unit gets it.
    pub(super) fn retry_or_fail(
        &mut self,
        mut work: Work,
        zone: ZoneIndex,
        cause: FailureCause,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let may_be_tried = work.attempts() == 0 && !self.is_draining && self.wanted() > 0;
        if !may_be_tried || !self.demand.retry_budget.withdraw(now) {
            return self.end(actions, work, Outcome::Failed(cause), None);
        }
        work.count_attempt(zone.0);
        if let Some(work) = self.demand.gate.offer_again(work) {
            self.shed(actions, work, ShedReason::Superseded);
        }
    }

    /// Retries the open items of a unit one by one, so that an item that crashes units cannot fail the others of its
    /// batch again. In reverse, so that images keep their order at the front of their queue.
    pub(super) fn break_off(
        &mut self,
        (batch, zone): Unanswered,
        cause: FailureCause,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        for work in batch.into_open().into_iter().rev() {
            self.retry_or_fail(work, zone, cause, now, actions);
        }
    }

    /// Sheds stale work and gives the rest to free units. Units get batches only when none of them is left free.
    pub(super) fn dispatch(&mut self, actions: &mut Vec<SupervisorAction>, now: Monotonic) {
        self.shed_stale(actions, now);
        if self.demand.gate.waiting() == 0 {
            return;
        }
        let mut given = self.spread();
        self.fill(&mut given);
        for (unit, items) in given {
            if let Some(slot) = self.roster.units.get_mut(&unit) {
                // Idle -> Busy
                slot.state = UnitState::Busy(Batch::new(items.clone(), now));
                actions.push(SupervisorAction::Dispatch { unit, items });
            }
        }
    }

    /// Gives one item to each free unit, while items are waiting.
    fn spread(&mut self) -> Vec<(UnitId, Vec<(RequestId, Work)>)> {
        let free = self.roster.units.iter().filter(|(_, slot)| slot.is_free());
        let mut free: Vec<(UnitId, ZoneIndex)> = free.map(|(unit, slot)| (*unit, slot.zone)).collect();
        let mut given = Vec::new();
        while !free.is_empty()
            && let Some(work) = self.demand.gate.take_next()
        {
            let elsewhere = free.iter().position(|(_, zone)| work.failed_in() != Some(zone.0));
            let (unit, _) = free.remove(elsewhere.unwrap_or(0));
            given.push((unit, vec![(self.next_request(), work)]));
        }
        given
    }

    /// Fills the batches of the units that just got an item. Retries are not batched.
    fn fill(&mut self, given: &mut [(UnitId, Vec<(RequestId, Work)>)]) {
        let transactions = |items: &[(RequestId, Work)]| items.iter().map(|(_, work)| work.transactions()).sum::<u32>();
        loop {
            let takes_more = |(unit, items): &&mut (UnitId, Vec<(RequestId, Work)>)| {
                let batch = self.roster.units.get(unit).map_or(1, |slot| slot.batch);
                transactions(items) < batch && items.iter().all(|(_, work)| work.attempts() == 0)
            };
            let emptiest = given.iter_mut().filter(takes_more).min_by_key(|(_, items)| transactions(items));
            let Some((_, items)) = emptiest else { return };
            let Some(work) = self.demand.gate.take_fresh() else { return };
            items.push((self.next_request(), work));
        }
    }

    fn next_request(&mut self) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        request
    }

    fn shed_stale(&mut self, actions: &mut Vec<SupervisorAction>, now: Monotonic) {
        for work in self.demand.gate.take_stale(now) {
            let reason = if matches!(work, Work::Frame(_)) { ShedReason::Stale } else { ShedReason::Expired };
            self.shed(actions, work, reason);
        }
        self.throughput.forget_old(now);
    }

    /// Sheds all waiting work.
    pub(super) fn shed_all(&mut self, reason: ShedReason, actions: &mut Vec<SupervisorAction>) {
        for work in self.demand.gate.take_all() {
            self.shed(actions, work, reason);
        }
    }

    /// Stops accepting work; units finish their current batches.
    pub fn drain(&mut self, actions: &mut Vec<SupervisorAction>) {
        self.is_draining = true;
        self.shed_all(ShedReason::Draining, actions);
    }

    /// The drain deadline has passed: work without a reply fails. Busy -> Dying
    pub fn abandon(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        self.drain(actions);
        let mut abandoned = Vec::new();
        for slot in self.roster.units.values_mut().filter(|slot| matches!(slot.state, UnitState::Busy(_))) {
            if let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Dying { since: now }) {
                abandoned.extend(batch.into_open());
            }
        }
        for work in abandoned {
            self.end(actions, work, Outcome::Failed(FailureCause::UnitHung), None);
        }
    }

    /// Gives work its outcome. All work ends here, except images that are throttled.
    pub(super) fn end(
        &mut self,
        actions: &mut Vec<SupervisorAction>,
        work: Work,
        outcome: Outcome,
        answer: Option<(Answer, Arc<Package>)>,
    ) {
        self.demand.count_outcome(&work, outcome);
        actions.push(match work {
            Work::Frame(work) => SupervisorAction::Ended { work, outcome, answer },
            Work::Image(work) => {
                SupervisorAction::ImageEnded { work, outcome, answer, retry_after: RETRY_AFTER_RESTART }
            }
        });
    }
}
