//! Two boxes, one camera, and an etcd that is a map.

use super::*;
use crate::cluster::records::{CameraRecord, OwnerRecord, PlanRecord};
use crate::cluster::view::Kept;

const ALONE: Duration = Duration::from_secs(60);

fn yard() -> CameraId {
    CameraId::new("yard").unwrap()
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos(seconds * 1_000_000_000)
}

/// etcd with one camera.
fn etcd(planned: &str, owner: Option<(&str, i64)>) -> View {
    let mut view = View::default();
    view.cameras.insert(yard(), Kept { value: CameraRecord::default(), revision: 1 });
    let plan = PlanRecord { box_id: planned.to_owned(), ..PlanRecord::default() };
    view.plan.insert(yard(), Kept { value: plan, revision: 2 });
    if let Some((name, revision)) = owner {
        let value = OwnerRecord { box_id: name.to_owned(), run: format!("{name}-1"), at_ms: 0 };
        view.owners.insert(yard(), Kept { value, revision });
    }
    view
}

struct Box1 {
    member: Member,
    heard: BTreeMap<CameraId, u64>,
    streaming: BTreeSet<CameraId>,
    impossible: BTreeSet<CameraId>,
}

impl Box1 {
    fn new() -> Self {
        let member = Member::new("a", "a-1", ALONE);
        Self { member, heard: BTreeMap::new(), streaming: BTreeSet::new(), impossible: BTreeSet::new() }
    }

    fn sees(&mut self, view: Option<&View>, now: Monotonic) -> Vec<Request> {
        let Self { member, heard, streaming, impossible } = self;
        member.decide(Situation { view, heard, streaming, impossible }, now)
    }

    fn has(&self) -> Option<Standing> {
        self.member.cameras().get(&yard()).copied()
    }
}

#[test]
fn a_camera_is_claimed_first_and_had_once_etcd_says_so() {
    let mut a = Box1::new();
    assert_eq!(a.sees(Some(&etcd("a", None)), at(0)), [Request::Claim(yard())]);
    assert_eq!(a.has(), None);
    assert_eq!(a.sees(Some(&etcd("a", Some(("a", 9)))), at(0)), []);
    assert_eq!(a.has(), Some(Standing::Owner { epoch: 9, since_ms: 0 }));
    assert_eq!(a.sees(Some(&etcd("b", None)), at(0)), [], "the plan is another box's");
}

#[test]
fn a_camera_of_another_box_is_taken_over_once_it_streams_here_and_the_former_owner_stops_then() {
    let mut a = Box1::new();
    let of_b = etcd("a", Some(("b", 5)));
    assert_eq!(a.sees(Some(&of_b), at(0)), []);
    assert_eq!(a.has(), Some(Standing::Ready));
    a.streaming.insert(yard());
    assert_eq!(a.sees(Some(&of_b), at(1)), [Request::TakeOver { camera: yard(), epoch: 5 }]);
    assert_eq!(a.sees(Some(&etcd("a", Some(("a", 7)))), at(1)), []);
    assert_eq!(a.has(), Some(Standing::Owner { epoch: 7, since_ms: 0 }));
    // And the other way round.
    assert_eq!(a.sees(Some(&etcd("b", Some(("a", 7)))), at(2)), [], "the other one is not ready yet");
    assert_eq!(a.has(), Some(Standing::Owner { epoch: 7, since_ms: 0 }));
    assert_eq!(a.sees(Some(&etcd("b", Some(("b", 8)))), at(3)), []);
    assert_eq!(a.has(), None);
}

#[test]
fn an_owner_without_etcd_goes_on_until_it_hears_of_a_higher_epoch_or_its_time_is_up() {
    for hears in [true, false] {
        let mut a = Box1::new();
        drop(a.sees(Some(&etcd("a", Some(("a", 7)))), at(0)));
        drop(a.sees(None, at(1)));
        a.heard.insert(yard(), 7);
        drop(a.sees(None, at(60)));
        assert_eq!(a.has(), Some(Standing::Owner { epoch: 7, since_ms: 0 }));
        if hears {
            a.heard.insert(yard(), 8);
        }
        drop(a.sees(None, at(if hears { 60 } else { 61 })));
        assert_eq!(a.has(), None);
    }
}

#[test]
fn an_owner_that_lost_its_lease_claims_anew_without_a_gap_if_nobody_else_did() {
    let mut a = Box1::new();
    drop(a.sees(Some(&etcd("a", Some(("a", 7)))), at(0)));
    drop(a.sees(None, at(1)));
    assert_eq!(a.sees(Some(&etcd("a", None)), at(9)), [Request::Claim(yard())]);
    assert_eq!(a.has(), Some(Standing::Owner { epoch: 7, since_ms: 0 }), "it goes on meanwhile");
    drop(a.sees(Some(&etcd("a", Some(("a", 12)))), at(9)));
    assert_eq!(a.has(), Some(Standing::Owner { epoch: 12, since_ms: 0 }));
    // Planned elsewhere meanwhile, and not claimed there yet.
    drop(a.sees(Some(&etcd("b", None)), at(10)));
    assert_eq!(a.has(), Some(Standing::Owner { epoch: 12, since_ms: 0 }));
}

#[test]
fn a_claim_of_the_former_run_of_the_box_is_not_its_own() {
    let mut a = Box1::new();
    let mut view = etcd("a", Some(("a", 3)));
    view.owners.get_mut(&yard()).unwrap().value.run = "a-0".into();
    assert_eq!(a.sees(Some(&view), at(0)), []);
    assert_eq!(a.has(), Some(Standing::Ready));
}

#[test]
fn a_removed_camera_is_given_up_and_an_impossible_one_not_taken() {
    let mut a = Box1::new();
    let mut view = etcd("a", Some(("a", 3)));
    drop(a.sees(Some(&view), at(0)));
    view.cameras.clear();
    assert_eq!(a.sees(Some(&view), at(1)), [Request::Release { camera: yard(), epoch: 3 }]);
    assert_eq!(a.has(), None);
    a.impossible.insert(yard());
    assert_eq!(a.sees(Some(&etcd("a", None)), at(2)), []);
    let release = Request::Release { camera: yard(), epoch: 4 };
    assert_eq!(a.sees(Some(&etcd("a", Some(("a", 4)))), at(3)), [release]);
    assert_eq!(a.has(), None);
}
