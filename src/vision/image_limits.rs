//! Size limits of pictures from API callers.

use crate::vision::outcome::FailureCause;
use serde::{Deserialize, Serialize};

/// The maximum number of pixels: decoded at three bytes each, they must fit 64 MiB.
pub const MAX_PIXELS: u64 = (64 << 20) / 3;

/// Limits of width and height in pixels, all inclusive.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ImageLimits {
    /// Minimum of the shorter side.
    pub min_side: u32,
    /// Maximum of the longer side.
    pub max_side: u32,
    /// Maximum of the longer side over the shorter.
    pub max_aspect: u32,
}

impl Default for ImageLimits {
    /// The limits of the decoder: no minimum, any aspect ratio.
    fn default() -> Self {
        Self { min_side: 1, max_side: 8192, max_aspect: u32::MAX }
    }
}

impl ImageLimits {
    /// Checks the size in an image header, in pixels.
    ///
    /// # Errors
    /// `ImageTooLarge` above [`MAX_PIXELS`] or `max_side`; `ImageTooSmall` below `min_side` or beyond `max_aspect`.
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
