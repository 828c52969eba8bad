//! Windows of two by two cells that changed together.
//!
//! A window is as large as the least person that must be found, however he stands between the cells: it keeps most of
//! his contrast, and half or less of that of a raindrop or of noise. Noise exceeds a window's tolerance now and then, a
//! thing does so in several side by side, or in one by far. A window is named by its upper left cell.

use crate::vision::geometry::NormalizedBox;

/// The sum over neighbouring windows of how many times each exceeds its tolerance.
const TOGETHER: f32 = 2.4;

/// One window alone may be weaker than several by this factor: noise seldom goes so far.
const ALONE: f32 = 0.75;

/// Windows that changed together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blob {
    /// The windows.
    pub(super) windows: Vec<usize>,
    /// The sum over them of how many times each exceeds its tolerance.
    pub(super) strength: f32,
}

impl Blob {
    /// The box around it.
    pub(super) fn place(&self, columns: usize, rows: usize) -> Option<NormalizedBox> {
        let (mut left, mut top, mut right, mut bottom) = (columns, rows, 0, 0);
        for window in &self.windows {
            let (column, row) = (window % columns, window / columns);
            (left, top) = (left.min(column), top.min(row));
            (right, bottom) = (right.max((column + 2).min(columns)), bottom.max((row + 2).min(rows)));
        }
        let across = |column: usize| column as f32 / columns as f32;
        let down = |row: usize| row as f32 / rows as f32;
        NormalizedBox::from_corners(across(left), down(top), across(right), down(bottom))
    }
}

/// The mean of each window; at the right and lower edges windows are cut off.
pub(super) fn windows(values: &[f32], columns: usize) -> Vec<f32> {
    let rows = values.len() / columns.max(1);
    let mean = |window: usize| {
        let right = usize::from(window % columns + 1 < columns);
        let below = if window / columns + 1 < rows { columns } else { 0 };
        (values[window] + values[window + right] + values[window + below] + values[window + below + right]) / 4.0
    };
    (0..values.len()).map(mean).collect()
}

/// Finds what changed, strongest first, from how many times each window exceeds its tolerance.
pub(super) fn find(strengths: &[f32], columns: usize) -> Vec<Blob> {
    let rows = strengths.len() / columns.max(1);
    let mut open: Vec<bool> = strengths.iter().map(|strength| *strength >= 1.0).collect();
    let mut blobs = Vec::new();
    for start in 0..strengths.len() {
        if !std::mem::take(&mut open[start]) {
            continue;
        }
        let (mut windows, mut next) = (vec![start], 0);
        while next < windows.len() {
            for near in square(windows[next], 1, 1, columns, rows) {
                if std::mem::take(&mut open[near]) {
                    windows.push(near);
                }
            }
            next += 1;
        }
        let strength: f32 = windows.iter().map(|window| strengths[*window]).sum();
        if strength >= TOGETHER || (windows.len() == 1 && strength >= ALONE * TOGETHER) {
            blobs.push(Blob { windows, strength });
        }
    }
    blobs.sort_by(|one, other| other.strength.total_cmp(&one.strength));
    blobs
}

/// The cells from `before` to the left and above `cell` up to `after` to the right and below, with itself.
pub(super) fn square(
    cell: usize,
    before: usize,
    after: usize,
    columns: usize,
    rows: usize,
) -> impl Iterator<Item = usize> {
    let (column, row) = (cell % columns, cell / columns);
    let across = column.saturating_sub(before)..(column + after + 1).min(columns);
    let down = row.saturating_sub(before)..(row + after + 1).min(rows);
    down.flat_map(move |row| across.clone().map(move |column| row * columns + column))
}

#[cfg(test)]
mod tests {
    use super::{find, windows};

    #[test]
    fn neighbours_add_up_and_lone_weak_windows_are_noise() {
        #[rustfmt::skip]
        let strengths = [
            1.3, 0.9, 0.0, 0.0, 1.2,
            0.0, 1.3, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 2.5, 0.0,
        ];
        let blobs = find(&strengths, 5);
        let windows: Vec<_> = blobs.iter().map(|blob| blob.windows.clone()).collect();
        assert_eq!(windows, [vec![0, 6], vec![13]]);
        let place = blobs[0].place(5, 3).unwrap();
        assert_eq!((place.left, place.top, place.right()), (0.0, 0.0, 0.6));
    }

    #[test]
    fn the_end_of_a_row_is_no_neighbour_of_the_next() {
        assert_eq!(find(&[0.0, 0.0, 1.5, 1.5, 0.0, 0.0], 3).len(), 0);
        assert_eq!(find(&[0.0, 1.5, 0.0, 0.0, 1.5, 0.0], 3).len(), 1);
    }

    #[test]
    fn a_window_is_the_mean_of_four_cells_or_of_those_that_there_are() {
        assert_eq!(windows(&[1.0, 3.0, 5.0, 7.0], 2), [4.0, 5.0, 6.0, 7.0]);
    }
}
