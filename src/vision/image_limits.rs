//! Which pictures from outside are looked at, by their size.

use crate::vision::outcome::FailureCause;
use serde::{Deserialize, Serialize};

/// The most pixels of a picture: three bytes each must fit 64 MiB beside whatever the decoder takes.
pub const MAX_PIXELS: u64 = (64 << 20) / 3;

/// Bounds of width and height in pixels.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ImageLimits {
    /// The shortest side at least.
    pub min_side: u32,
    /// The longest side at most.
    pub max_side: u32,
    /// The longest side over the shortest at most.
    pub max_aspect: u32,
}

impl Default for ImageLimits {
    /// What a decoder can be trusted with.
    fn default() -> Self {
        Self { min_side: 1, max_side: 8192, max_aspect: u32::MAX }
    }
}

impl ImageLimits {
    /// Checks what a header says.
    ///
    /// # Errors
    /// `ImageTooSmall`, also for a picture that is too narrow, and `ImageTooLarge`.
    pub fn check(&self, width: u32, height: u32) -> Result<(), FailureCause> {
        let (short, long) = (width.min(height), width.max(height));
        if long > self.max_side || u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(FailureCause::ImageTooLarge);
        }
        if short < self.min_side.max(1) || u64::from(long) > u64::from(short) * u64::from(self.max_aspect) {
            return Err(FailureCause::ImageTooSmall);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_itself_allowed() {
        let limits = ImageLimits { min_side: 64, max_side: 4096, max_aspect: 20 };
        for (width, height) in [(64, 64), (4096, 4096), (64, 1280), (4096, 205)] {
            assert_eq!(limits.check(width, height), Ok(()), "{width} x {height}");
        }
        for (width, height) in [(63, 64), (64, 63), (0, 100), (64, 1281), (4096, 204)] {
            assert_eq!(limits.check(width, height), Err(FailureCause::ImageTooSmall), "{width} x {height}");
        }
        for (width, height) in [(4097, 4096), (300, 5000), (u32::MAX, u32::MAX)] {
            assert_eq!(limits.check(width, height), Err(FailureCause::ImageTooLarge), "{width} x {height}");
        }
        assert_eq!(ImageLimits::default().check(8000, 8000), Err(FailureCause::ImageTooLarge), "too many pixels");
    }
}
