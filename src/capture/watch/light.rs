//! Takes the light out of a difference: gain, offset, and what is smooth over the picture.
//!
//! A cloud, a lamp, headlights and the camera's gain change many neighbouring cells alike; a thing that moves ends at
//! its edges. What is left for a cell is the least of three explanations: nothing changed around it, light was
//! multiplied around it (shadow, lamp), or light was added around it (haze, glare). A thing of a few cells hardly
//! changes the mean of its neighbourhood, so it stays whole under each; of a larger one the edges stay.

/// Cells to each side of the neighbourhood whose mean is light. Wider ones leave more of a soft beam's middle, narrower
/// ones take away more of a large thing.
const RADIUS: usize = 4;

/// Where luma is black.
const BLACK: f32 = 16.0;

/// Keeps the ratio of two dark means from being noise, in grey levels.
const DARK: f32 = 8.0;

/// Where cells differ from their surroundings by less than this, in grey levels, two pictures cannot be told apart.
const LEAST_DETAIL: f32 = 2.0;

/// Steps of the fit of gain and offset; each weighs what fits badly less.
const FIT_STEPS: usize = 3;

/// What the picture would be if only the light had changed, and how it differs from that.
#[derive(Debug, Default)]
pub(super) struct Lit {
    /// The picture minus what light explains, in grey levels.
    pub(super) residual: Vec<f32>,
    /// How much light alone changed the picture, on average, in grey levels.
    pub(super) shift: f32,
}

/// Compares `now` with `reference`, both cell by cell in grey levels.
pub(super) fn compare(now: &[f32], reference: &[f32], columns: usize) -> Lit {
    let (gain, offset) = gain_and_offset(now, reference);
    let expected: Vec<f32> = reference.iter().map(|level| (gain * level + offset).clamp(0.0, 255.0)).collect();
    // Of the ratios, not the ratio of the means: it is smooth where light is, whatever the greys that it falls on.
    let pairs = || now.iter().zip(&expected);
    let ratios: Vec<f32> = pairs().map(|(now, expected)| lightness(*now) / lightness(*expected)).collect();
    let added: Vec<f32> = pairs().map(|(now, expected)| now - expected).collect();
    let (ratios, added) = (means_around(&ratios, columns, RADIUS), means_around(&added, columns, RADIUS));
    let mut shift = 0.0;
    let mut residual = Vec::with_capacity(now.len());
    for (cell, (level, expected)) in now.iter().zip(&expected).enumerate() {
        let multiplied = (expected + lightness(*expected) * (ratios[cell] - 1.0)).clamp(0.0, 255.0);
        let added = (expected + added[cell]).clamp(0.0, 255.0);
        let left = [level - multiplied, level - added, level - expected];
        let left = left.into_iter().fold(f32::MAX, |least, left| if left.abs() < least.abs() { left } else { least });
        shift += (level - left - reference[cell]).abs();
        residual.push(left);
    }
    Lit { residual, shift: shift / now.len().max(1) as f32 }
}

/// How alike the details of two pictures are in the cells that count, from -1 to 1: the correlation of what is left of
/// both when their smooth parts are taken away. It is 1 where there are hardly any details.
pub(super) fn likeness(now: &[f32], reference: &[f32], columns: usize, counts: &[bool]) -> f32 {
    let (around_now, around_ref) = (means_around(now, columns, RADIUS), means_around(reference, columns, RADIUS));
    let [mut both, mut square_now, mut square_ref, mut count] = [0.0_f32; 4];
    for cell in (0..now.len()).filter(|cell| counts[*cell]) {
        let (now, reference) = (now[cell] - around_now[cell], reference[cell] - around_ref[cell]);
        both += now * reference;
        square_now += now * now;
        square_ref += reference * reference;
        count += 1.0;
    }
    let hardly_any = LEAST_DETAIL * LEAST_DETAIL * count;
    if square_ref <= hardly_any { 1.0 } else { both / (square_now.max(hardly_any) * square_ref).sqrt() }
}

fn lightness(level: f32) -> f32 {
    (level - BLACK).max(0.0) + DARK
}

/// The gain and offset from `reference` to `now` that most cells agree on.
fn gain_and_offset(now: &[f32], reference: &[f32]) -> (f32, f32) {
    let (mut gain, mut offset) = (1.0_f32, 0.0_f32);
    for _ in 0..FIT_STEPS {
        let left = |now: f32, reference: f32| now - gain * reference - offset;
        let spread = now.iter().zip(reference).map(|(now, reference)| left(*now, *reference).abs()).sum::<f32>();
        let spread = (spread / now.len().max(1) as f32).max(1.0);
        let [mut weights, mut sum_now, mut sum_ref, mut sum_both, mut sum_square] = [0.0_f32; 5];
        for (now, reference) in now.iter().zip(reference) {
            let off = left(*now, *reference) / spread;
            let weight = 1.0 / (1.0 + off * off);
            weights += weight;
            sum_now += weight * now;
            sum_ref += weight * reference;
            sum_both += weight * now * reference;
            sum_square += weight * reference * reference;
        }
        let weights = weights.max(1e-6);
        let (mean_now, mean_ref) = (sum_now / weights, sum_ref / weights);
        let (shared, variance) = (sum_both / weights - mean_now * mean_ref, sum_square / weights - mean_ref * mean_ref);
        // Of a flat picture no gain can be told; it is taken as unchanged.
        gain = ((shared + 4.0) / (variance + 4.0)).clamp(0.2, 5.0);
        offset = mean_now - gain * mean_ref;
    }
    (gain, offset)
}

/// The mean of each cell's neighbourhood, cut off at the picture's edges.
pub(super) fn means_around(values: &[f32], columns: usize, radius: usize) -> Vec<f32> {
    let rows = values.len() / columns.max(1);
    let mut along = Vec::with_capacity(values.len());
    for row in values.chunks_exact(columns.max(1)) {
        let mut sum: f32 = row.iter().take(radius).sum();
        for column in 0..columns {
            sum += row.get(column + radius).copied().unwrap_or_default();
            let first = column.saturating_sub(radius);
            let count = (column + radius + 1).min(columns) - first;
            along.push(sum / count as f32);
            if column >= radius {
                sum -= row[column - radius];
            }
        }
    }
    let mut means = Vec::with_capacity(values.len());
    let mut sums = vec![0.0_f32; columns];
    let add = |sums: &mut [f32], row: usize, sign: f32| {
        sums.iter_mut().zip(&along[row * columns..]).for_each(|(sum, value)| *sum += sign * value);
    };
    (0..radius.min(rows)).for_each(|row| add(&mut sums, row, 1.0));
    for row in 0..rows {
        if row + radius < rows {
            add(&mut sums, row + radius, 1.0);
        }
        let count = (row + radius + 1).min(rows) - row.saturating_sub(radius);
        means.extend(sums.iter().map(|sum| sum / count as f32));
        if row >= radius {
            add(&mut sums, row - radius, -1.0);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::{compare, means_around};

    const COLUMNS: usize = 96;

    /// A yard with structure: tiles of several greys.
    fn yard() -> Vec<f32> {
        (0..COLUMNS * 54).map(|cell| 60.0 + ((cell % COLUMNS / 5 * 37 + cell / COLUMNS / 4 * 61) % 90) as f32).collect()
    }

    fn place(cell: usize) -> (f32, f32) {
        ((cell % COLUMNS) as f32, (cell / COLUMNS) as f32)
    }

    fn largest(residual: &[f32]) -> f32 {
        residual.iter().fold(0.0, |most, left| most.max(left.abs()))
    }

    #[test]
    fn means_are_of_what_lies_around() {
        let values: Vec<f32> = (0..35).map(|cell| (cell * cell % 23) as f32).collect();
        for radius in [1, 2, 9] {
            let means = means_around(&values, 7, radius);
            for (cell, mean) in means.iter().enumerate() {
                let near = |other: &usize| {
                    (other % 7).abs_diff(cell % 7) <= radius && (other / 7).abs_diff(cell / 7) <= radius
                };
                let around: Vec<f32> = (0..35).filter(near).map(|other| values[other]).collect();
                let expected = around.iter().sum::<f32>() / around.len() as f32;
                assert!((mean - expected).abs() < 1e-3, "radius {radius}, cell {cell}: {mean}, not {expected}");
            }
        }
    }

    #[test]
    fn gain_and_offset_leave_nothing() {
        let now: Vec<f32> = yard().iter().map(|level| level * 0.6 + 30.0).collect();
        let lit = compare(&now, &yard(), COLUMNS);
        assert!(largest(&lit.residual) < 0.5, "{}", largest(&lit.residual));
        assert!(lit.shift > 3.0);
    }

    #[test]
    fn a_soft_shadow_and_a_soft_beam_leave_little() {
        let shadow = |cell: usize| 1.0 - 0.5 / (1.0 + (-(place(cell).0 - 40.0) / 5.0).exp());
        let beam = |cell: usize| {
            let (x, y) = place(cell);
            1.0 + 0.6 * (-((x - 50.0).powi(2) + (y - 30.0).powi(2)) / 200.0).exp()
        };
        let shaded: Vec<f32> = (0..).zip(yard()).map(|(cell, level)| 16.0 + (level - 16.0) * shadow(cell)).collect();
        let beamed: Vec<f32> = (0..).zip(yard()).map(|(cell, level)| 16.0 + (level - 16.0) * beam(cell)).collect();
        for now in [shaded, beamed] {
            let left = largest(&compare(&now, &yard(), COLUMNS).residual);
            assert!(left < 9.0, "{left}");
        }
    }

    #[test]
    fn a_thing_stays_whether_small_or_large_even_while_the_light_changes() {
        for (width, height) in [(2, 3), (6, 14), (40, 30)] {
            for gain in [0.7, 1.0, 1.3] {
                let mut now: Vec<f32> = yard().iter().map(|level| 16.0 + (level - 16.0) * gain).collect();
                for (cell, level) in now.iter_mut().enumerate() {
                    let (x, y) = place(cell);
                    let is_inside =
                        (30.0..30.0 + width as f32).contains(&x) && (10.0..10.0 + height as f32).contains(&y);
                    *level += if is_inside { 25.0 } else { 0.0 };
                }
                let lit = compare(&now, &yard(), COLUMNS);
                let strong = lit.residual.iter().filter(|left| left.abs() > 11.0).count();
                assert!(strong >= 4, "{width}x{height} at gain {gain}: {strong} cells");
            }
        }
    }
}
