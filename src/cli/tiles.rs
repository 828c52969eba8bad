//! `--tiles 2x2`: how pictures are cut.

use crate::vision::framing::{Framing, MAX_TILES, Tiling};

/// Columns and rows. Overlap and whole have the defaults of the settings.
pub(super) fn parse_tiles(text: &str) -> Result<Tiling, String> {
    let parsed = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    let is_right = |(columns, rows): &(u8, u8)| (1..=MAX_TILES).contains(columns) && (1..=MAX_TILES).contains(rows);
    let tiling = |(columns, rows)| Tiling { columns, rows, ..Tiling::default() };
    parsed.filter(is_right).map(tiling).ok_or_else(|| format!("write it as 2x2, with 1 to {MAX_TILES} each way"))
}

/// The whole picture, in these tiles if there are some.
pub(super) fn framing(tiles: Option<Tiling>) -> Framing {
    Framing { tiling: tiles, ..Framing::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_columns_by_rows() {
        assert_eq!(parse_tiles("3x2"), Ok(Tiling { columns: 3, rows: 2, overlap: 0.2, whole: true }));
        assert!(["3", "0x1", "9x1", "x", "3x2x1"].iter().all(|text| parse_tiles(text).is_err()));
    }
}
