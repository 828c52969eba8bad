//! Which parts of a picture are analysed: all of it, a region, or tiles for a model whose input is much smaller.

use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// The maximum number of columns and of rows of tiles.
pub const MAX_TILES: u8 = 8;

/// A grid of equal tiles. They overlap, so that a small object on a border is complete in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tiling {
    /// Number of columns, 1..=8.
    pub columns: u8,
    /// Number of rows, 1..=8.
    pub rows: u8,
    /// The share of a tile's width and height that it has in common with the next tile, 0..=0.5.
    pub overlap: f32,
    /// Also analyse the whole region, for objects larger than a tile.
    pub whole: bool,
}

impl Default for Tiling {
    fn default() -> Self {
        Self { columns: 2, rows: 2, overlap: 0.2, whole: true }
    }
}

/// Which parts of a picture are analysed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Framing {
    /// The region of interest. `None`: the whole picture.
    pub region: Option<NormalizedBox>,
    /// The tiles of the region. `None`: one inference over the whole region.
    pub tiling: Option<Tiling>,
}

impl Framing {
    /// The parts of the picture, each of which takes one inference. Never empty.
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

    /// How many transactions one picture costs; equals the number of [`views`](Self::views).
    pub fn transactions(&self) -> u32 {
        self.tiling.map_or(1, |tiling| {
            let tiles = u32::from(tiling.columns.max(1)) * u32::from(tiling.rows.max(1));
            tiles + u32::from(tiling.whole && tiles > 1)
        })
    }
}

/// Start and length of `count` equal parts of 0..=1. Each shares `overlap` of its length with the next.
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
