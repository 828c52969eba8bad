//! Data with start codes (H.264 and H.265, annex B), taken apart.

/// What follows the first start code; `None` if there is none.
pub(super) fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    let mut place = 0;
    while place + 3 <= data.len() {
        match (data[place], data[place + 1], data[place + 2]) {
            // No start code can begin at any of the three.
            (_, _, 2..) => place += 3,
            (0, 0, 1) => return data.get(place + 3..),
            _ => place += 1,
        }
    }
    None
}

/// The NAL unit at the beginning of `data`, up to the next start code, and what follows that.
pub(super) fn first_unit(data: &[u8]) -> (&[u8], Option<&[u8]>) {
    let rest = after_start_code(data);
    let end = rest.map_or(data.len(), |rest| data.len() - rest.len() - 3);
    (without_trailing_zeros(&data[..end]), rest)
}

/// The NAL units in `data`, in their order, without start codes and the zeros that may follow a unit.
pub(super) fn nal_units(data: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let mut rest = after_start_code(data);
    while let Some(data) = rest {
        let (unit, next) = first_unit(data);
        if !unit.is_empty() {
            units.push(unit);
        }
        rest = next;
    }
    units
}

/// A NAL unit never ends with a zero: what follows it is padding, or the first byte of a longer start code.
fn without_trailing_zeros(unit: &[u8]) -> &[u8] {
    let end = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &unit[..end]
}

/// The first `most` bytes of a NAL unit as its writer meant them: without the bytes that keep start codes out of it.
pub(super) fn payload_start(unit: &[u8], most: usize) -> Vec<u8> {
    let mut payload: Vec<u8> = Vec::with_capacity(most);
    let mut zeros = 0;
    for byte in unit {
        if payload.len() == most {
            break;
        }
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        payload.push(*byte);
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn start_codes_of_both_lengths_and_padding_are_taken_away() {
        let data = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 0, 1, 0x65, 0, 0, 3, 9, 0, 0];
        let units: [&[u8]; 3] = [&[0x67, 1, 2], &[0x68, 3], &[0x65, 0, 0, 3, 9]];
        assert_eq!(nal_units(&data), units);
        assert!(nal_units(&[]).is_empty() && nal_units(&[0, 0, 1]).is_empty() && nal_units(&[7; 20]).is_empty());
        assert_eq!(payload_start(&[0, 0, 3, 1, 0, 0, 3, 0, 5], 7), [0, 0, 1, 0, 0, 0, 5]);
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart_again(units in prop::collection::vec(prop::collection::vec(1_u8.., 1..40), 0..9)) {
            let mut data = Vec::new();
            for (place, unit) in units.iter().enumerate() {
                data.extend_from_slice(if place % 2 == 0 { &[0, 0, 0, 1] } else { &[0, 0, 1] });
                data.extend_from_slice(unit);
            }
            prop_assert_eq!(nal_units(&data), units);
        }

        #[test]
        fn any_bytes_are_taken(data in prop::collection::vec(0_u8..4, 0..200)) {
            prop_assert!(nal_units(&data).iter().all(|unit| !unit.is_empty()));
        }
    }
}
