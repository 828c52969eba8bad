//! Waiting work to units, answers to outcomes.

use super::{LOAD_WINDOW, Pool};
use crate::admission::{Work, WorkKind};
use crate::ipc::messages::RequestId;
use crate::model::package::Package;
use crate::supervisor::actions::{Answer, SupervisorAction};
use crate::supervisor::batch::Batch;
use crate::supervisor::unit_state::{UnitId, UnitState};
use crate::supervisor::zones::ZoneIndex;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::sync::Arc;
use std::time::Duration;

/// When units that are missing may be there again.
const RETRY_AFTER_RESTART: Duration = Duration::from_secs(1);

/// A unit that answers nonsense so many times in a row is replaced.
const MOST_INVALID: u32 = 2;

impl Pool {
    pub(super) fn shed(&mut self, actions: &mut Vec<SupervisorAction>, work: Work, reason: ShedReason) {
        self.end(actions, work, Outcome::Shed(reason), None);
    }

    /// A unit answered. Busy -> Busy | Idle, or Dying when it names a request that it was not given.
    pub fn unit_answered(
        &mut self,
        unit: UnitId,
        request: RequestId,
        result: Result<Answer, FailureCause>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let Some(slot) = self.units.get_mut(&unit) else { return };
        let zone = slot.zone;
        let (work, since) = match &mut slot.state {
            UnitState::Busy(batch) => (batch.answered(request, result.is_ok()), batch.since()),
            // Its death has been ordered; what it still says does not count.
            UnitState::Dying => return,
            _ => (None, now),
        };
        let Some(work) = work else {
            actions.push(SupervisorAction::Kill { unit, why: "it answered a request that it was not given" });
            if let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Dying) {
                self.break_off(batch, zone, FailureCause::UnitDied, now, actions);
            }
            return self.dispatch(actions, now);
        };
        slot.items_done += 1;
        let is_invalid = matches!(result, Err(FailureCause::InvalidOutput));
        slot.invalid_in_row = if is_invalid { slot.invalid_in_row + 1 } else { 0 };
        slot.is_worn |= slot.invalid_in_row >= MOST_INVALID;
        if let UnitState::Busy(batch) = &slot.state
            && batch.open() == 0
            && let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Idle)
        {
            self.measure(unit, &batch, now);
        }
        match result {
            Ok(answer) => self.found(unit, work, answer, since, now, actions),
            Err(cause) if cause.is_of_the_image() => self.end(actions, work, Outcome::Failed(cause), None),
            Err(cause) => self.retry_or_fail(work, zone, cause, now, actions),
        }
        self.dispatch(actions, now);
    }

    /// All that a unit was given has its answer.
    fn measure(&mut self, unit: UnitId, batch: &Batch, now: Monotonic) {
        let Some((share, kinds)) = batch.measured(now) else { return };
        let is_idle = |(id, slot): (&UnitId, &super::Unit)| {
            *id != unit && !slot.is_retiring && matches!(slot.state, UnitState::Idle)
        };
        let (in_service, all_worked) = (self.in_service(), !self.units.iter().any(is_idle));
        for kind in kinds {
            self.service_time.record(*kind, share, in_service, all_worked);
        }
    }

    fn found(
        &mut self,
        unit: UnitId,
        work: Work,
        mut answer: Answer,
        since: Monotonic,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        self.count_done(work.kind(), work.transactions(), now);
        answer.queued = since.since(work.since());
        let version = self.units.get(&unit).map(|slot| slot.version);
        let candidate = self.candidate.as_ref().filter(|candidate| Some(candidate.id) == version);
        let package = Arc::clone(&candidate.unwrap_or(&self.current).package);
        self.end(actions, work, Outcome::Detected, Some((answer, package)));
    }

    fn count_done(&mut self, kind: WorkKind, transactions: u32, now: Monotonic) {
        self.recent_answers.push_back((now, transactions));
        self.completed += u64::from(transactions);
        self.transactions += u64::from(transactions);
        if kind == WorkKind::Image {
            self.image_transactions += u64::from(transactions);
        }
    }

    /// Work whose unit failed it is tried once more, in another zone if one has a unit free, and if the budget allows.
    /// What has failed two units is not given to a third.
    pub(super) fn retry_or_fail(
        &mut self,
        mut work: Work,
        zone: ZoneIndex,
        cause: FailureCause,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let may_be_tried = work.attempts() == 0 && !self.is_draining && self.is_wanted;
        if !may_be_tried || !self.retry_budget.withdraw(now) {
            return self.end(actions, work, Outcome::Failed(cause), None);
        }
        work.count_attempt(zone.0);
        if let Some(work) = self.gate.offer_again(work) {
            self.shed(actions, work, ShedReason::Superseded);
        }
    }

    /// A unit is gone, or goes, and what it has not answered is tried again item by item: where one of them has ended the
    /// unit, it takes none of the others along twice. The last comes first, so that images keep their order at the front
    /// of their queue.
    pub(super) fn break_off(
        &mut self,
        batch: Batch,
        zone: ZoneIndex,
        cause: FailureCause,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        for work in batch.into_open().into_iter().rev() {
            self.retry_or_fail(work, zone, cause, now, actions);
        }
    }

    /// Sheds what has waited too long, and gives the rest to the units that have nothing to do: one item to each, and
    /// more than one only where all units work.
    pub(super) fn dispatch(&mut self, actions: &mut Vec<SupervisorAction>, now: Monotonic) {
        self.shed_stale(actions, now);
        let mut given = self.spread();
        self.fill(&mut given);
        for (unit, items) in given {
            if let Some(slot) = self.units.get_mut(&unit) {
                // Idle -> Busy
                slot.state = UnitState::Busy(Batch::new(items.clone(), now));
                actions.push(SupervisorAction::Dispatch { unit, items });
            }
        }
    }

    /// One item for each unit that has nothing to do, as long as some wait.
    fn spread(&mut self) -> Vec<(UnitId, Vec<(RequestId, Work)>)> {
        let is_free = |slot: &super::Unit| !slot.is_retiring && matches!(slot.state, UnitState::Idle);
        let free = self.units.iter().filter(|(_, slot)| is_free(slot));
        let mut free: Vec<(UnitId, ZoneIndex)> = free.map(|(unit, slot)| (*unit, slot.zone)).collect();
        let mut given = Vec::new();
        while !free.is_empty()
            && let Some(work) = self.gate.take_next()
        {
            let elsewhere = free.iter().position(|(_, zone)| work.failed_in() != Some(zone.0));
            let (unit, _) = free.remove(elsewhere.unwrap_or(0));
            given.push((unit, vec![(self.next_request(), work)]));
        }
        given
    }

    /// No unit is left without work: those that get some now take more of what waits, up to their batch. What has failed
    /// a unit before goes alone.
    fn fill(&mut self, given: &mut [(UnitId, Vec<(RequestId, Work)>)]) {
        let transactions = |items: &[(RequestId, Work)]| items.iter().map(|(_, work)| work.transactions()).sum::<u32>();
        loop {
            let takes_more = |(unit, items): &&mut (UnitId, Vec<(RequestId, Work)>)| {
                let batch = self.units.get(unit).map_or(1, |slot| slot.batch);
                transactions(items) < batch && items.iter().all(|(_, work)| work.attempts() == 0)
            };
            let emptiest = given.iter_mut().filter(takes_more).min_by_key(|(_, items)| transactions(items));
            let Some((_, items)) = emptiest else { return };
            let Some(work) = self.gate.take_fresh() else { return };
            items.push((self.next_request(), work));
        }
    }

    fn next_request(&mut self) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        request
    }

    pub(super) fn shed_stale(&mut self, actions: &mut Vec<SupervisorAction>, now: Monotonic) {
        for work in self.gate.take_stale(now) {
            let reason = if matches!(work, Work::Frame(_)) { ShedReason::Stale } else { ShedReason::Expired };
            self.shed(actions, work, reason);
        }
        while self.recent_answers.front().is_some_and(|(at, _)| now.since(*at) > LOAD_WINDOW) {
            self.recent_answers.pop_front();
        }
    }

    /// Sheds what waits.
    pub(super) fn shed_all(&mut self, reason: ShedReason, actions: &mut Vec<SupervisorAction>) {
        for work in self.gate.take_all() {
            self.shed(actions, work, reason);
        }
    }

    /// Takes no more work; what units do is still finished.
    pub fn drain(&mut self, actions: &mut Vec<SupervisorAction>) {
        self.is_draining = true;
        self.shed_all(ShedReason::Draining, actions);
    }

    /// Ends what units still do when the time to drain is over.
    pub fn abandon(&mut self, actions: &mut Vec<SupervisorAction>) {
        self.drain(actions);
        let mut abandoned = Vec::new();
        for slot in self.units.values_mut().filter(|slot| matches!(slot.state, UnitState::Busy(_))) {
            // Busy -> Dying
            if let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Dying) {
                abandoned.extend(batch.into_open());
            }
        }
        for work in abandoned {
            self.end(actions, work, Outcome::Failed(FailureCause::UnitHung), None);
        }
    }

    /// The only place where a frame gets its outcome, and an image one of these.
    pub(super) fn end(
        &mut self,
        actions: &mut Vec<SupervisorAction>,
        work: Work,
        outcome: Outcome,
        answer: Option<(Answer, Arc<Package>)>,
    ) {
        match work {
            Work::Frame(work) => {
                self.ledgers.entry(work.camera.clone()).or_default().count(outcome);
                actions.push(SupervisorAction::Ended { work, outcome, answer });
            }
            Work::Image(work) => {
                self.images.count(outcome);
                let retry_after = RETRY_AFTER_RESTART;
                actions.push(SupervisorAction::ImageEnded { work, outcome, answer, retry_after });
            }
        }
    }
}
