//! Whether a camera loses frames before anybody has looked at them, and why: for the operator.

use crate::control::frame_rates::{FrameLoss, FrameRates};

/// From this share on a loss makes the box degraded. A frame now and then is lost on every network.
const SHARE: f64 = 0.1;

/// So many frames or packets in ten seconds are no accident.
const LEAST: f64 = 5.0;

/// What a camera loses, as part of a sentence; `None` while it is little.
pub(super) fn loss(rates: &FrameRates) -> Option<String> {
    if !rates.are_settled() {
        return None;
    }
    let seconds = rates.over.as_secs_f64();
    let is_much = |lost: f64, of: f64| lost * seconds >= LEAST && lost >= SHARE * of;
    let FrameLoss { behind, undecodable } = rates.lost;
    let frames = rates.received;
    if is_much(behind + undecodable, frames) {
        let share = in_tens(behind + undecodable, frames);
        return Some(match behind >= undecodable {
            true => format!("decoding is too slow: about {share} % of its frames are skipped"),
            false => format!("about {share} % of its frames are damaged or cannot be decoded"),
        });
    }
    let packets = rates.packets + rates.packets_lost;
    let share = in_tens(rates.packets_lost, packets);
    is_much(rates.packets_lost, packets).then(|| format!("about {share} % of its packets are lost on the network"))
}

/// A share in per cent, rounded to tens: a text that changed each second would be published each second.
fn in_tens(part: f64, whole: f64) -> u32 {
    // The quotient is at most 10, and NaN becomes 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 10")]
    let tens = (part / whole.max(part) * 10.0).round() as u32;
    tens * 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn rates(behind: f64, undecodable: f64, packets_lost: f64) -> FrameRates {
        FrameRates {
            received: 25.0,
            decoded: 25.0 - behind - undecodable,
            lost: FrameLoss { behind, undecodable },
            packets: 250.0,
            packets_lost,
            over: Duration::from_secs(10),
            ..FrameRates::default()
        }
    }

    #[test]
    fn a_loss_of_a_tenth_is_told_with_its_cause_and_a_smaller_one_is_not() {
        for (rates, expected) in [
            (rates(0.0, 0.0, 0.0), None),
            (rates(2.0, 0.0, 0.0), None),
            (rates(10.4, 0.0, 0.0), Some("decoding is too slow: about 40 % of its frames are skipped")),
            (rates(1.0, 6.5, 100.0), Some("about 30 % of its frames are damaged or cannot be decoded")),
            (rates(0.0, 0.0, 60.0), Some("about 20 % of its packets are lost on the network")),
            (FrameRates { over: Duration::from_secs(5), ..rates(20.0, 0.0, 0.0) }, None),
            (FrameRates::default(), None),
        ] {
            assert_eq!(loss(&rates).as_deref(), expected, "{rates:?}");
        }
        let slow =
            FrameRates { received: 0.1, lost: FrameLoss { behind: 0.1, undecodable: 0.0 }, ..rates(0.0, 0.0, 0.0) };
        assert_eq!(loss(&slow), None, "one frame of a camera that sends one in ten seconds");
    }
}
