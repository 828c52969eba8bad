//! What of a picture is looked at: the whole, a part, or tiles of it for a model whose input is much smaller.

use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// The most tiles each way.
pub const MAX_TILES: u8 = 8;

/// A grid of equal tiles that overlap, so that what lies on a border is whole in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tiling {
    /// Tiles beside each other, 1..=8.
    pub columns: u8,
    /// Tiles above each other, 1..=8.
    pub rows: u8,
    /// The share of a tile that lies in its neighbour too, 0..=0.5.
    pub overlap: f32,
    /// The whole is looked at as well, for objects larger than a tile.
    pub whole: bool,
}

impl Default for Tiling {
    fn default() -> Self {
        Self { columns: 2, rows: 2, overlap: 0.2, whole: true }
    }
}

/// What of a picture is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Framing {
    /// The part that matters, in ratios of the picture; none: all of it.
    pub region: Option<NormalizedBox>,
    /// Its tiles; none: one look.
    pub tiling: Option<Tiling>,
}

impl Framing {
    /// The parts of the picture that are looked at one by one, in ratios of the picture. Never empty.
    pub fn views(&self) -> Vec<NormalizedBox> {
        let region = self.region.unwrap_or(NormalizedBox::WHOLE);
        let Some(tiling) = self.tiling else { return vec![region] };
        let (columns, rows) = (along(tiling.columns, tiling.overlap), along(tiling.rows, tiling.overlap));
        let tile = |&(left, width): &(f32, f32), &(top, height): &(f32, f32)| NormalizedBox {
            left: region.left + left * region.width,
            top: region.top + top * region.height,
            width: width * region.width,
            height: height * region.height,
        };
        let tiles = rows.iter().flat_map(|row| columns.iter().map(move |column| tile(column, row)));
        let is_one = columns.len() * rows.len() == 1;
        let whole = Some(region).filter(|_| tiling.whole && !is_one);
        whole.into_iter().chain(tiles).collect()
    }

    /// How many transactions one look costs.
    pub fn transactions(&self) -> u32 {
        self.tiling.map_or(1, |tiling| {
            let tiles = u32::from(tiling.columns.max(1)) * u32::from(tiling.rows.max(1));
            tiles + u32::from(tiling.whole && tiles > 1)
        })
    }
}

/// Start and length of `count` equal parts of 0..=1 that share `overlap` of their length with the next.
fn along(count: u8, overlap: f32) -> Vec<(f32, f32)> {
    let count = count.max(1);
    let length = 1.0 / (f32::from(count) - f32::from(count - 1) * overlap);
    (0..count).map(|index| (f32::from(index) * length * (1.0 - overlap), length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_tiles_there_is_one_view() {
        assert_eq!(Framing::default().views(), [NormalizedBox::WHOLE]);
        let region = NormalizedBox { left: 0.1, top: 0.2, width: 0.5, height: 0.5 };
        assert_eq!(Framing { region: Some(region), tiling: None }.views(), [region]);
    }

    proptest! {
        #[test]
        fn tiles_cover_their_region_and_are_as_many_as_are_counted(
            columns in 1u8..=8, rows in 1u8..=8, overlap in 0.0f32..=0.5, whole in any::<bool>(),
            x in 0.0f32..1.0, y in 0.0f32..1.0,
        ) {
            let region = NormalizedBox { left: 0.25, top: 0.125, width: 0.5, height: 0.75 };
            let framing = Framing { region: Some(region), tiling: Some(Tiling { columns, rows, overlap, whole }) };
            let views = framing.views();
            prop_assert_eq!(views.len(), framing.transactions() as usize);
            let (x, y) = (region.left + x * region.width, region.top + y * region.height);
            let holds = |view: &NormalizedBox| {
                (view.left - 1e-5..=view.right() + 1e-5).contains(&x) && (view.top - 1e-5..=view.bottom() + 1e-5).contains(&y)
            };
            prop_assert!(views.iter().any(holds));
            for view in &views {
                prop_assert!(view.left >= region.left - 1e-5 && view.right() <= region.right() + 1e-5);
                prop_assert!(view.top >= region.top - 1e-5 && view.bottom() <= region.bottom() + 1e-5);
            }
        }
    }
}
