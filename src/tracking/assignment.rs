//! Optimal assignment: pairs rows with columns so that the total weight is the largest possible.
//!
//! The Hungarian method with potentials and shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987), O(n² m).
//! Crates that do the same require integer weights, or bring graph types that nothing else here needs.

/// Pairs rows with columns so that the sum of the pairs' weights is as large as possible. Returns the column of each row.
/// `weight(row, column)` must be finite. Pairs with a weight of 0 or less are never made.
///
/// The caller must limit `rows` and `columns`: memory is their product, time that product times the smaller of the two.
pub(super) fn assign(rows: usize, columns: usize, weight: impl Fn(usize, usize) -> f32) -> Vec<Option<usize>> {
    let is_transposed = rows > columns;
    let (few, many) = if is_transposed { (columns, rows) } else { (rows, columns) };
    let mut costs = Vec::with_capacity(few * many);
    for one in 0..few {
        for other in 0..many {
            let weight = if is_transposed { weight(other, one) } else { weight(one, other) };
            // A forbidden pair costs nothing, as much as no pair. Such pairs are removed below.
            costs.push(-f64::from(weight.max(0.0)));
        }
    }
    let mut search = Search::new(few, many, &costs);
    for one in 0..few {
        search.add_row(one);
    }
    let mut column_of = vec![None; rows];
    for other in 0..many {
        if let Some(one) = search.row_of[other].filter(|one| costs[one * many + other] < 0.0) {
            let (row, column) = if is_transposed { (other, one) } else { (one, other) };
            column_of[row] = Some(column);
        }
    }
    column_of
}

/// The cheapest assignment of the rows added so far. Column `columns` is virtual: augmenting paths start there.
struct Search<'a> {
    columns: usize,
    costs: &'a [f64],
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    row_of: Vec<Option<usize>>,
}

impl<'a> Search<'a> {
    fn new(rows: usize, columns: usize, costs: &'a [f64]) -> Self {
        Self {
            columns,
            costs,
            row_potential: vec![0.0; rows],
            column_potential: vec![0.0; columns + 1],
            row_of: vec![None; columns + 1],
        }
    }

    /// Assigns `row` along the cheapest augmenting path, which may move other rows to other columns.
    fn add_row(&mut self, row: usize) {
        let start = self.columns;
        self.row_of[start] = Some(row);
        let mut is_reached = vec![false; self.columns + 1];
        let mut distance = vec![f64::INFINITY; self.columns];
        let mut came_from = vec![start; self.columns];
        let mut at = start;
        while let Some(row) = self.row_of[at] {
            is_reached[at] = true;
            let mut nearest = (f64::INFINITY, at);
            for column in (0..self.columns).filter(|column| !is_reached[*column]) {
                let cost = self.costs[row * self.columns + column];
                let reduced = cost - self.row_potential[row] - self.column_potential[column];
                if reduced < distance[column] {
                    distance[column] = reduced;
                    came_from[column] = at;
                }
                if distance[column] < nearest.0 {
                    nearest = (distance[column], column);
                }
            }
            self.move_potentials(nearest.0, &is_reached, &mut distance);
            at = nearest.1;
        }
        while at != start {
            let before = came_from[at];
            self.row_of[at] = self.row_of[before];
            at = before;
        }
    }

    fn move_potentials(&mut self, step: f64, is_reached: &[bool], distance: &mut [f64]) {
        for (column, is_reached) in is_reached.iter().enumerate() {
            if *is_reached {
                if let Some(row) = self.row_of[column] {
                    self.row_potential[row] += step;
                }
                self.column_potential[column] -= step;
            } else if let Some(distance) = distance.get_mut(column) {
                *distance -= step;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn total(weights: &[Vec<f32>], column_of: &[Option<usize>]) -> f32 {
        column_of.iter().enumerate().filter_map(|(row, column)| Some(weights[row][(*column)?])).sum()
    }

    /// The best sum, found by trying all assignments.
    fn best_by_trial(weights: &[Vec<f32>], row: usize, taken: u32) -> f32 {
        let Some(of_row) = weights.get(row) else { return 0.0 };
        let mut best = best_by_trial(weights, row + 1, taken);
        for (column, weight) in of_row.iter().enumerate() {
            if taken & (1 << column) == 0 {
                best = best.max(weight + best_by_trial(weights, row + 1, taken | (1 << column)));
            }
        }
        best
    }

    #[test]
    fn the_best_for_all_is_not_the_best_for_the_first() {
        let weights = [[0.9, 0.8], [0.8, 0.1]];
        assert_eq!(assign(2, 2, |row, column| weights[row][column]), [Some(1), Some(0)]);
    }

    #[test]
    fn rows_without_a_partner_stay_unassigned() {
        assert_eq!(assign(2, 1, |row, _| [0.3, 0.4][row]), [None, Some(0)]);
        assert_eq!(assign(1, 2, |_, column| [-0.3, 0.0][column]), [None]);
        assert_eq!(assign(0, 3, |_, _| 1.0), []);
        assert_eq!(assign(3, 0, |_, _| 1.0), [None; 3]);
    }

    proptest! {
        #[test]
        fn no_other_assignment_is_better(
            weights in (0usize..6, 0usize..7).prop_flat_map(|(rows, columns)| {
                prop::collection::vec(prop::collection::vec(-0.5f32..1.0, columns), rows)
            })
        ) {
            let columns = weights.first().map_or(0, Vec::len);
            let found = assign(weights.len(), columns, |row, column| weights[row][column]);
            let mut taken: Vec<usize> = found.iter().copied().flatten().collect();
            taken.sort_unstable();
            taken.dedup();
            prop_assert_eq!(taken.len(), found.iter().flatten().count(), "a column has two rows");
            for (row, column) in found.iter().enumerate() {
                prop_assert!(column.is_none_or(|column| weights[row][column] > 0.0));
            }
            let best = best_by_trial(&weights, 0, 0);
            prop_assert!((total(&weights, &found) - best).abs() < 1e-4, "{} instead of {best}", total(&weights, &found));
        }
    }
}
