//! The largest size of a picture that fits a slot.

use crate::vision::frame::{SLOT_BYTES, bytes_420};

/// The size that a picture of `width` x `height` is scaled to: its own if it fits a slot, else the largest
/// even one with its aspect that does.
pub(super) fn fit_slot(width: u32, height: u32) -> (u32, u32) {
    let limit = SLOT_BYTES as u64;
    if bytes_420(width, height) <= limit {
        return (width, height);
    }
    // 4:2:0 takes one and a half bytes a pixel.
    let pixels = f64::from(width) * f64::from(height);
    let scale = (SLOT_BYTES as f64 / 1.5 / pixels).sqrt();
    let mut size = (even(f64::from(width) * scale), even(f64::from(height) * scale));
    // A side of the smallest size cannot shrink any more; the other one gives way.
    while bytes_420(size.0, size.1) > limit {
        let longer = if size.0 >= size.1 { &mut size.0 } else { &mut size.1 };
        *longer -= 2;
    }
    size
}

/// Rounded down to even, at least 2.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number below a u32's")]
fn even(side: f64) -> u32 {
    ((side / 2.0).floor() as u32 * 2).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn full_hd_stays_and_4k_is_scaled() {
        assert_eq!(fit_slot(1920, 1080), (1920, 1080));
        assert_eq!(fit_slot(3840, 2160), (2228, 1254));
        assert_eq!(fit_slot(8192, 1), (8192, 1));
    }

    proptest! {
        #[test]
        fn every_size_up_to_8k_fits_with_its_aspect_and_is_not_needlessly_small(
            width in 1u32..8193, height in 1u32..8193
        ) {
            let (fit_width, fit_height) = fit_slot(width, height);
            prop_assert!(fit_width > 0 && fit_height > 0);
            prop_assert!(bytes_420(fit_width, fit_height) <= SLOT_BYTES as u64);
            if (fit_width, fit_height) != (width, height) {
                prop_assert!(bytes_420(width, height) > SLOT_BYTES as u64);
                prop_assert!(fit_width <= width && fit_height <= height);
                let scale = f64::from(fit_width) / f64::from(width);
                let wanted_height = f64::from(height) * scale;
                prop_assert!((wanted_height - f64::from(fit_height)).abs() <= 2.0 + 2.0 * f64::from(height) / f64::from(width));
                prop_assert!(bytes_420(fit_width + 4, fit_height + 4) > SLOT_BYTES as u64);
            }
        }
    }
}
