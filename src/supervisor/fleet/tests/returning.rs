//! Refused callers who come back when they were told to.

use super::*;

/// How long a unit takes for an image, in milliseconds.
const LOOK_MS: u64 = 100;

/// The calls of a caller, as often as SDKs make them.
const ATTEMPTS: u32 = 3;

/// A box with one unit whose throughput is known.
fn measured() -> TestBox {
    let mut test_box = TestBox::ready(1);
    for _ in 0..60 {
        test_box.offer_image();
        test_box.wait(LOOK_MS);
        test_box.answer_all();
    }
    test_box
}

/// Lets so many callers call at once, each of whom obeys exactly, and returns how many were refused three times.
fn refused_for_good(test_box: &mut TestBox, callers: u32) -> usize {
    let began = test_box.now;
    // When each calls next, and which of its calls that is.
    let mut calls: Vec<(Monotonic, u32)> = vec![(began, 1); callers as usize];
    let (mut answered_at, mut failed) = (began, 0);
    while !calls.is_empty() {
        let (due, later): (Vec<_>, Vec<_>) = calls.into_iter().partition(|(at, _)| *at <= test_box.now);
        calls = later;
        for (_, attempt) in due {
            let before = test_box.images.len();
            test_box.offer_image();
            let is_refused = test_box.images[before..].iter().any(|(_, outcome)| matches!(outcome, Outcome::Shed(_)));
            match (is_refused, attempt < ATTEMPTS) {
                (true, true) => calls.push((test_box.now + test_box.retry_after, attempt + 1)),
                (true, false) => failed += 1,
                (false, _) => {}
            }
        }
        test_box.wait(10);
        if test_box.now.since(answered_at) >= Duration::from_millis(LOOK_MS) {
            answered_at = test_box.now;
            test_box.answer_all();
        }
    }
    failed
}

#[test]
fn of_thirty_callers_at_once_at_most_one_is_refused_three_times() {
    let mut test_box = measured();
    let failed = refused_for_good(&mut test_box, 30);
    assert!(failed <= 1, "{failed} of 30");
    test_box.assert_ledger_closes();
}

#[test]
fn callers_at_a_quota_are_told_of_places_one_after_the_other() {
    let mut test_box = TestBox::with_quota(fixed(1), &["only"], Some(TpsQuota::Fixed(2.0)));
    test_box.bring_up();
    let told: Vec<Duration> = (0..5)
        .map(|_| {
            test_box.offer_image();
            test_box.retry_after
        })
        .collect();
    // The bucket begins with two.
    assert_eq!(told[2..], [500, 1000, 1500].map(Duration::from_millis));
}
