//! Takes the shaking of the camera out of a difference.
//!
//! A shift by one or two pixels is a fraction of a cell. It changes a cell in proportion to the edges in it, the same
//! fraction everywhere. What a shift of the whole picture explains is taken away; what it explains badly, because edges
//! inside cells are not known, raises the tolerance at edges, for this picture only.

/// Below this difference of neighbouring cells, in grey levels, an edge says nothing about a shift.
const LEAST_EDGE: f32 = 12.0;

/// The picture is divided into so many parts across and down, and a part with so many edges is asked whether they are
/// off. Shaking moves the edges of all parts; a thing that moves, those of one or two, which may be most of the edges
/// that a bare yard has.
const PARTS: usize = 5;
const LEAST_EDGES: usize = 8;

/// The least number of such parts from which shaking is told.
const LEAST_PARTS: usize = 6;

/// The largest shift that is taken as shaking, in cells.
const LARGEST_SHIFT: f32 = 0.5;

/// How far the residuals of edges go at most in proportion to the edge. More is no shaking.
const LARGEST_SLACK: f32 = 0.4;

/// What shaking explains of a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Jitter {
    /// The shift of the picture, in cells.
    pub(super) shift: f32,
    /// Tolerance per grey level of edge.
    pub(super) slack: f32,
}

/// The slopes of a picture of cells.
#[derive(Debug, Default)]
pub(super) struct Slopes {
    columns: usize,
    across: Vec<f32>,
    down: Vec<f32>,
    /// The largest difference to a direct neighbour, in grey levels.
    pub(super) edges: Vec<f32>,
}

impl Slopes {
    /// Of `levels`, row by row.
    pub(super) fn of(levels: &[f32], columns: usize) -> Self {
        let rows = levels.len() / columns.max(1);
        let mut slopes = Self { columns, ..Self::default() };
        for (cell, level) in levels.iter().enumerate() {
            let (column, row) = (cell % columns, cell / columns);
            let left = if column > 0 { levels[cell - 1] } else { *level };
            let right = if column + 1 < columns { levels[cell + 1] } else { *level };
            let above = if row > 0 { levels[cell - columns] } else { *level };
            let below = if row + 1 < rows { levels[cell + columns] } else { *level };
            slopes.across.push((right - left) / 2.0);
            slopes.down.push((below - above) / 2.0);
            let most = [left, right, above, below].iter().fold(0.0_f32, |most, near| most.max((near - level).abs()));
            slopes.edges.push(most);
        }
        slopes
    }

    /// The cells that are edges, for each part of the picture with enough of them.
    fn parts_with_edges(&self) -> Vec<Vec<usize>> {
        let rows = self.edges.len() / self.columns.max(1);
        let mut parts = vec![Vec::new(); PARTS * PARTS];
        for (cell, _) in self.edges.iter().enumerate().filter(|(_, edge)| **edge >= LEAST_EDGE) {
            let (column, row) = (cell % self.columns, cell / self.columns);
            parts[row * PARTS / rows * PARTS + column * PARTS / self.columns].push(cell);
        }
        parts.retain(|part| part.len() >= LEAST_EDGES);
        parts
    }
}

/// Takes what a shift explains out of `residual`. `quiet` says up to where a residual of a cell is noise.
pub(super) fn take_out(residual: &mut [f32], slopes: &Slopes, quiet: &[f32]) -> Jitter {
    let parts = slopes.parts_with_edges();
    if parts.len() < LEAST_PARTS {
        return Jitter::default();
    }
    let (across, down) = shift(residual, slopes, &parts.concat());
    let moved = |cell: usize, left: f32| left - across * slopes.across[cell] - down * slopes.down[cell];
    let is_better = |part: &&Vec<usize>| {
        let within = |cell: usize, left: f32| left.abs().min(slopes.edges[cell]);
        let before: f32 = part.iter().map(|cell| within(*cell, residual[*cell])).sum();
        let after: f32 = part.iter().map(|cell| within(*cell, moved(*cell, residual[*cell]))).sum();
        after < 0.9 * before
    };
    let mut jitter = Jitter::default();
    if parts.iter().filter(is_better).count() * 3 >= parts.len() * 2 {
        jitter.shift = across.hypot(down);
        for (cell, left) in residual.iter_mut().enumerate() {
            // A thing that moves is not better explained by a shift, but an edge beside it is.
            let shifted = moved(cell, *left);
            *left = if shifted.abs() < left.abs() { shifted } else { *left };
        }
    }
    let over = |cell: &usize| ((residual[*cell].abs() - quiet[*cell]) / slopes.edges[*cell]).max(0.0);
    let slacks: Vec<f32> = parts.iter().map(|part| quantile(part.iter().map(over).collect(), 0.8)).collect();
    jitter.slack = quantile(slacks, 0.4).min(LARGEST_SLACK);
    jitter
}

/// The value that the given share of `values`, which are some, do not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the values")]
fn quantile(mut values: Vec<f32>, share: f32) -> f32 {
    let at = ((values.len() as f32 - 1.0) * share).round().max(0.0) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

/// The shift in cells, across and down, that explains most of the residual at edges.
fn shift(residual: &[f32], slopes: &Slopes, edges: &[usize]) -> (f32, f32) {
    let (mut across, mut down) = (0.0_f32, 0.0_f32);
    for _ in 0..3 {
        let [mut xx, mut xy, mut yy, mut rx, mut ry] = [0.0_f32; 5];
        for cell in edges {
            let (x, y, left) = (slopes.across[*cell], slopes.down[*cell], residual[*cell]);
            let off = (left - across * x - down * y) / (0.15 * slopes.edges[*cell]);
            let weight = 1.0 / (1.0 + off * off);
            (xx, xy, yy) = (xx + weight * x * x, xy + weight * x * y, yy + weight * y * y);
            (rx, ry) = (rx + weight * left * x, ry + weight * left * y);
        }
        // A little of the slopes keeps a picture with edges of one direction from giving any shift along them.
        let steady = 0.01 * (xx + yy) + 1.0;
        let (xx, yy) = (xx + steady, yy + steady);
        let determinant = (xx * yy - xy * xy).max(1e-6);
        across = ((rx * yy - ry * xy) / determinant).clamp(-LARGEST_SHIFT, LARGEST_SHIFT);
        down = ((ry * xx - rx * xy) / determinant).clamp(-LARGEST_SHIFT, LARGEST_SHIFT);
    }
    (across, down)
}

#[cfg(test)]
mod tests {
    use super::{Slopes, take_out};

    const COLUMNS: usize = 96;

    /// A hilly picture, seen from a camera that is turned by a fraction of a cell.
    fn hills(right: f32) -> Vec<f32> {
        let level = |cell: usize| {
            let (x, y) = ((cell % COLUMNS) as f32 + right, (cell / COLUMNS) as f32);
            110.0 + 60.0 * (x * 0.7).sin() * (y * 0.5).cos()
        };
        (0..COLUMNS * 54).map(level).collect()
    }

    fn difference(now: &[f32], before: &[f32]) -> Vec<f32> {
        now.iter().zip(before).map(|(now, before)| now - before).collect()
    }

    #[test]
    fn a_shift_of_a_fifth_of_a_cell_is_taken_out() {
        let slopes = Slopes::of(&hills(0.0), COLUMNS);
        let mut residual = difference(&hills(0.2), &hills(0.0));
        let most = |residual: &[f32]| residual.iter().fold(0.0_f32, |most, left| most.max(left.abs()));
        assert!(most(&residual) > 7.0, "{}", most(&residual));
        let jitter = take_out(&mut residual, &slopes, &vec![1.0; COLUMNS * 54]);
        assert!((0.15..0.3).contains(&jitter.shift), "{jitter:?}");
        let over =
            residual.iter().zip(&slopes.edges).filter(|(left, edge)| left.abs() > 2.0 + 3.0 * jitter.slack * *edge);
        assert!(over.count() <= 108, "only the left and right edges may stay: {jitter:?}");
    }

    #[test]
    fn a_thing_that_moves_is_no_shaking() {
        let mut now = hills(0.0);
        for row in 10..24 {
            now[row * COLUMNS + 30..row * COLUMNS + 36].iter_mut().for_each(|level| *level += 30.0);
        }
        let slopes = Slopes::of(&hills(0.0), COLUMNS);
        let mut residual = difference(&now, &hills(0.0));
        let jitter = take_out(&mut residual, &slopes, &vec![1.0; COLUMNS * 54]);
        assert!(jitter.shift < 0.02 && jitter.slack == 0.0, "{jitter:?}");
        assert!(residual.iter().filter(|left| left.abs() > 25.0).count() > 70);
    }
}
