//! What is left of a box for calls, in the words of HAProxy's agent-check.

use serde::{Deserialize, Serialize};

/// What a running model can do for images of callers, in transactions a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallRoom {
    /// All of it.
    pub whole_tps: f32,
    /// What is left beside the present load.
    pub free_tps: f32,
}

/// What a load balancer is to know of a box.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headroom {
    /// The box stops, or has been told to drain.
    pub is_leaving: bool,
    /// No other box has a unit either.
    pub is_last: bool,
    /// The room of each running model, with the number of its units in service.
    pub models: Vec<(CallRoom, usize)>,
}

impl CallRoom {
    /// The share of it that is left, 0..=1.
    pub(super) fn free_share(self) -> f32 {
        let share = self.free_tps / self.whole_tps;
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl Headroom {
    /// The share of its units that is left for calls, 0..=1; `None` if it can take no call at all: no model runs with a unit.
    pub fn share(&self) -> Option<f32> {
        let in_service = |units: usize| units as f32;
        let units: f32 = self.models.iter().map(|(_, units)| in_service(*units)).sum();
        let free: f32 = self.models.iter().map(|(room, units)| room.free_share() * in_service(*units)).sum();
        (units > 0.0).then(|| free / units)
    }

    /// The answer to an agent-check. A box that has no room is left one percent: it hands on what it would refuse, and a weight of
    /// zero would take it out. So is one without a unit if no other has one: somebody must take the call that starts a model. `ready` ends a former `drain`, which `up` alone does not.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 100")]
    pub fn agent_answer(&self) -> String {
        let share = self.share().or(self.is_last.then_some(0.0));
        match share.filter(|_| !self.is_leaving) {
            Some(share) => format!("ready up {}%\n", (share * 100.0).round().max(1.0) as u8),
            None => "drain\n".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(is_leaving: bool, models: &[(f32, f32, usize)]) -> String {
        let room = |(free_tps, whole_tps, units): &(f32, f32, usize)| {
            (CallRoom { whole_tps: *whole_tps, free_tps: *free_tps }, *units)
        };
        Headroom { is_leaving, is_last: false, models: models.iter().map(room).collect() }.agent_answer()
    }

    #[test]
    fn a_box_says_what_share_of_its_units_is_left_and_never_less_than_one_percent() {
        assert_eq!(answer(false, &[(63.0, 100.0, 2)]), "ready up 63%\n");
        assert_eq!(answer(false, &[(0.0, 100.0, 2)]), "ready up 1%\n");
        assert_eq!(answer(false, &[(120.0, 100.0, 2)]), "ready up 100%\n");
        assert_eq!(
            answer(false, &[(100.0, 100.0, 3), (0.0, 5.0, 1)]),
            "ready up 75%\n",
            "units count, not their speed"
        );
    }

    #[test]
    fn a_box_that_leaves_or_can_take_nothing_drains() {
        assert_eq!(answer(true, &[(63.0, 100.0, 2)]), "drain\n");
        assert_eq!(answer(false, &[]), "drain\n");
        let last = |is_leaving| Headroom { is_leaving, is_last: true, models: vec![] }.agent_answer();
        assert_eq!((last(false).as_str(), last(true).as_str()), ("ready up 1%\n", "drain\n"));
        assert_eq!(answer(false, &[(0.0, 0.0, 0)]), "drain\n", "a model without a unit in service");
        assert_eq!(answer(false, &[(0.0, 0.0, 1)]), "ready up 1%\n", "nothing is measured yet");
    }
}
