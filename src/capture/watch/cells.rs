//! A picture as coarse cells: what is left of 1080p is 96 x 54 numbers.
//!
//! Averages take the sensor's noise down by the root of a cell's pixels, and make the comparison of two pictures
//! cheaper than copying one of them.

/// More columns would let noise through, fewer would lose a person of 2 % of the picture's width.
const MOST_COLUMNS: usize = 96;

/// The least side of a cell; tiny pictures get fewer cells.
const LEAST_SIDE: usize = 4;

/// Rows that are read per cell: enough for its mean, and it bounds the cost for 4K.
const ROWS_READ: usize = 16;

/// Pixels from the middle one of three to the others. Neighbours differ by noise more than by detail.
const TEXTURE_STEP: usize = 2;

/// How many units of [`Cells::means`] are one grey level.
const UNITS_PER_LEVEL: u16 = 64;

/// The mean luma and the fine texture of each cell of a grid over the picture, row by row from the top left.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::capture) struct Cells {
    columns: usize,
    rows: usize,
    means: Vec<u16>,
    textures: Vec<u16>,
}

impl Cells {
    /// Averages the luma plane of a picture of `width` x `height` pixels, whose rows begin `stride` bytes apart.
    ///
    /// `None` when the plane is shorter than that, or the picture smaller than four cells.
    pub(in crate::capture) fn of(luma: &[u8], stride: usize, width: usize, height: usize) -> Option<Self> {
        let needed = stride.checked_mul(height.checked_sub(1)?)?.checked_add(width)?;
        if luma.len() < needed || stride < width || width.min(height) < 2 * LEAST_SIDE {
            return None;
        }
        let side = width.div_ceil(MOST_COLUMNS).max(LEAST_SIDE);
        // The last cell of a row or column takes the rest, so it is half to one and a half times as large.
        let (columns, rows) = (((width + side / 2) / side).max(1), ((height + side / 2) / side).max(1));
        let mut cells = Self { columns, rows, means: Vec::new(), textures: Vec::new() };
        cells.means.reserve_exact(columns * rows);
        cells.textures.reserve_exact(columns * rows);
        let step = side.div_ceil(ROWS_READ);
        let (mut sums, mut differences) = (vec![0_u16; width], vec![0_u16; width]);
        for row in 0..rows {
            let last = if row + 1 == rows { height } else { (row + 1) * side };
            sums.fill(0);
            differences.fill(0);
            let mut count = 0_u32;
            for line in (row * side..last).step_by(step) {
                let pixels = &luma[line * stride..line * stride + width];
                add_row(pixels, &mut sums, &mut differences);
                count += 1;
            }
            cells.add(&sums, &differences, side, count);
        }
        Some(cells)
    }

    /// One row of cells from the sums of the `count` rows of pixels in it.
    fn add(&mut self, sums: &[u16], differences: &[u16], side: usize, count: u32) {
        for column in 0..self.columns {
            let end = if column + 1 == self.columns { sums.len() } else { (column + 1) * side };
            let pixels = column * side..end;
            let counted = count * u32::try_from(pixels.len()).unwrap_or(u32::MAX);
            self.means.push(mean(&sums[pixels.clone()], counted));
            self.textures.push(mean(&differences[pixels], counted));
        }
    }

    /// Cells of these grey levels, without texture.
    #[cfg(test)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "grey levels are 0..=255")]
    pub(in crate::capture) fn of_levels(levels: &[f32], columns: usize) -> Self {
        let means: Vec<u16> = levels.iter().map(|level| (level * f32::from(UNITS_PER_LEVEL)) as u16).collect();
        Self { columns, rows: levels.len() / columns, textures: vec![0; means.len()], means }
    }

    /// Cells per row.
    pub(in crate::capture) fn columns(&self) -> usize {
        self.columns
    }

    /// Rows of cells.
    pub(in crate::capture) fn rows(&self) -> usize {
        self.rows
    }

    /// The mean of each cell in grey levels.
    pub(in crate::capture) fn levels(&self) -> impl Iterator<Item = f32> + '_ {
        self.means.iter().map(|mean| f32::from(*mean) / f32::from(UNITS_PER_LEVEL))
    }

    /// How much pixels differ from the line between those two to their left and right, on average over each cell, in grey
    /// levels. Unlike plain differences, that falls when edges are blurred.
    pub(in crate::capture) fn textures(&self) -> impl Iterator<Item = f32> + '_ {
        self.textures.iter().map(|texture| f32::from(*texture) / f32::from(UNITS_PER_LEVEL))
    }
}

/// Sums of whole rows, column by column: the compiler makes vector instructions of both loops.
fn add_row(pixels: &[u8], sums: &mut [u16], differences: &mut [u16]) {
    for (sum, pixel) in sums.iter_mut().zip(pixels) {
        *sum += u16::from(*pixel);
    }
    let triples = pixels.iter().zip(&pixels[TEXTURE_STEP..]).zip(&pixels[2 * TEXTURE_STEP..]);
    for (sum, ((left, middle), right)) in differences.iter_mut().zip(triples) {
        *sum += (u16::from(*left) + u16::from(*right)).abs_diff(2 * u16::from(*middle)) / 2;
    }
}

fn mean(sums: &[u16], counted: u32) -> u16 {
    let total: u64 = sums.iter().map(|sum| u64::from(*sum)).sum();
    u16::try_from(total * u64::from(UNITS_PER_LEVEL) / u64::from(counted.max(1))).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::Cells;

    #[test]
    fn a_cell_is_the_mean_of_its_pixels_and_padding_is_not_looked_at() {
        let (stride, width, height) = (2048, 1920, 1080);
        let mut luma = vec![255_u8; stride * height];
        for row in luma.chunks_exact_mut(stride) {
            for (x, pixel) in row[..width].iter_mut().enumerate() {
                *pixel = if (x / 20) % 2 == 0 { 40 } else { 90 };
            }
        }
        let cells = Cells::of(&luma, stride, width, height).unwrap();
        assert_eq!((cells.columns(), cells.rows()), (96, 54));
        let levels: Vec<f32> = cells.levels().collect();
        assert!(levels.iter().enumerate().all(|(at, level)| *level == if at % 2 == 0 { 40.0 } else { 90.0 }));
        // Four of a cell's twenty columns look over its right edge, and differ by half of 50.
        assert_eq!(cells.textures().next().unwrap(), 5.0);
    }

    #[test]
    fn the_cells_of_any_size_cover_the_picture_and_are_about_square() {
        for (width, height) in [(64, 48), (352, 288), (640, 360), (641, 359), (1280, 720), (3840, 2160), (720, 1280)] {
            let cells = Cells::of(&vec![77; width * height], width, width, height).unwrap();
            assert!(cells.columns() <= 96, "{width}x{height}: {}", cells.columns());
            assert_eq!(cells.levels().count(), cells.columns() * cells.rows());
            assert!(cells.levels().all(|level| level == 77.0), "{width}x{height}");
            let side = (width as f32 / cells.columns() as f32) / (height as f32 / cells.rows() as f32);
            assert!((0.9..1.1).contains(&side), "{width}x{height}: {side}");
        }
    }

    #[test]
    fn a_short_plane_or_a_tiny_picture_has_no_cells() {
        assert!(Cells::of(&[0; 99], 10, 10, 10).is_none());
        assert!(Cells::of(&[0; 100], 9, 10, 10).is_none());
        assert!(Cells::of(&[0; 100], 10, 10, 10).is_some());
        assert!(Cells::of(&[], 0, 0, 0).is_none());
        assert!(Cells::of(&[0; 49], 7, 7, 7).is_none());
        assert!(Cells::of(&[0; 9], usize::MAX, 3, 3).is_none());
    }

    #[test]
    fn even_white_cells_of_the_largest_size_do_not_overflow() {
        let (width, height) = (8192, 1024);
        let cells = Cells::of(&vec![255; width * height], width, width, height).unwrap();
        assert!(cells.levels().all(|level| level == 255.0));
    }
}
