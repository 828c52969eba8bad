//! Which cells an operator's masks hide.

/// A part of the picture in which nothing is looked for: the corners of a polygon in ratios 0..=1 of the picture.
pub(in crate::capture) type Mask = Vec<[f32; 2]>;

/// For each cell of a grid whether a mask covers its middle or one of its corners: what moves in a mask must not show
/// in the cells that it only touches.
pub(super) fn hidden_cells(masks: &[Mask], columns: usize, rows: usize) -> Vec<bool> {
    let is_hidden = |cell: usize| {
        let at = |right: f32, down: f32| {
            [((cell % columns) as f32 + right) / columns as f32, ((cell / columns) as f32 + down) / rows as f32]
        };
        let points = [at(0.5, 0.5), at(0.02, 0.02), at(0.98, 0.02), at(0.02, 0.98), at(0.98, 0.98)];
        masks.iter().any(|mask| points.iter().any(|point| is_inside(mask, *point)))
    };
    (0..columns * rows).map(is_hidden).collect()
}

/// Whether a line from the point to the right crosses the polygon's sides an odd number of times.
fn is_inside(mask: &[[f32; 2]], [x, y]: [f32; 2]) -> bool {
    let sides = mask.iter().zip(mask.iter().cycle().skip(1));
    let crossed = sides.filter(|([from_x, from_y], [to_x, to_y])| {
        (*from_y > y) != (*to_y > y) && x < (to_x - from_x) * (y - from_y) / (to_y - from_y) + from_x
    });
    crossed.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::hidden_cells;

    #[test]
    fn a_cell_is_hidden_that_a_mask_touches_with_its_middle_or_a_corner() {
        let triangle = vec![[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]];
        let hidden = hidden_cells(&[triangle], 4, 4);
        let row = |row: usize| hidden[row * 4..row * 4 + 4].to_vec();
        assert_eq!(row(0), [true, true, false, false]);
        assert_eq!(row(1), [true, false, false, false]);
        assert_eq!(row(2), [false; 4]);
        assert!(hidden_cells(&[], 4, 4).iter().all(|hidden| !hidden));
        assert!(hidden_cells(&[vec![[0.5, 0.5]], vec![]], 4, 4).iter().all(|hidden| !hidden));
    }
}
