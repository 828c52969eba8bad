//! The checker of `make cluster`, on traces with mistakes that were planted.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "../benches/cluster/trace.rs"]
mod trace;

use trace::{Claim, Seen, Trace};

fn seen(box_id: &str, epoch: u64, at: i64) -> Seen {
    let (kind, camera) = ("detections".to_owned(), "yard".to_owned());
    Seen { arrived: at + 50, kind, camera, box_id: box_id.into(), epoch, at, is_uncertain: false }
}

fn claim(box_id: &str, epoch: u64, since: i64) -> Claim {
    Claim { camera: "yard".into(), box_id: box_id.into(), epoch, since }
}

/// `a` looks from 0 to 5 s and is lost, `b` from 8 s on.
fn good() -> Trace {
    let of_a = (0..5).map(|second| seen("a", 7, second * 1000));
    let of_b = (8..12).map(|second| seen("b", 9, second * 1000));
    Trace { seen: of_a.chain(of_b).collect(), claims: vec![claim("a", 7, 0), claim("b", 9, 7_900)], ..Trace::default() }
}

#[test]
fn a_good_trace_has_no_mistake_and_its_gap_is_measured() {
    let trace = good();
    assert!(trace.unmarked_doubles(500).is_empty() && trace.shared_epochs().is_empty());
    assert_eq!(trace.takeovers("a", 4_500), [("yard".to_owned(), Some(3_550))]);
    assert_eq!(trace.needless_moves("a", 4_500, 12_000), 0);
    assert_eq!(trace.owners(12_000)["yard"], "b");
}

#[test]
fn planted_mistakes_are_found() {
    let mut double = good();
    double.seen.push(seen("a", 7, 9_000));
    assert_eq!(double.unmarked_doubles(500).len(), 1);
    double.seen.last_mut().unwrap().is_uncertain = true;
    assert!(double.unmarked_doubles(500).is_empty(), "it is marked");
    let mut shared = good();
    shared.seen.push(seen("a", 9, 9_000));
    assert_eq!(shared.shared_epochs(), [("yard".to_owned(), 9)]);
    let mut blind = good();
    blind.seen.retain(|seen| seen.box_id == "a");
    assert_eq!(blind.takeovers("a", 4_500), [("yard".to_owned(), None)]);
    let mut gap = good();
    gap.events.insert("run".to_owned(), [1, 2, 4].into());
    assert_eq!(gap.missing_events(), 1);
    let mut needless = good();
    needless.claims.push(claim("c", 11, 9_000));
    assert_eq!(needless.needless_moves("a", 8_500, 10_000), 1);
}

#[test]
fn messages_are_read_as_they_are_published() {
    let (mut trace, time) = (Trace::default(), |text: &str| text.parse().ok());
    let detection = r#"{"camera":"yard","box":"a","epoch":7,"captured_at":"5","owner_uncertain":true}"#;
    trace.take(9, "ocelli/hall/cameras/yard/detections", detection, time);
    let event = r#"{"camera":"yard","box_id":"a","box":{},"epoch":7,"at":"6","dropped":2,"id":"9b1f-3","seq":3}"#;
    trace.take(9, "ocelli/hall/cameras/yard/events", event, time);
    let owner = r#"{"camera":"yard","box":"a","epoch":7,"since":"1"}"#;
    trace.take(9, "ocelli/hall/owner/yard", owner, time);
    trace.take(9, "ocelli/hall/owner/yard", owner, time);
    trace.take(9, "ocelli/hall/cameras/yard/labels/person", "3", time);
    assert_eq!((trace.seen.len(), trace.claims.len(), trace.dropped), (2, 1, 2));
    assert_eq!((trace.events["9b1f"].len(), trace.missing_events()), (1, 2));
    assert!(trace.seen[0].is_uncertain && trace.seen[1].box_id == "a" && trace.seen[1].at == 6);
}
