//! `tiles` of a camera and `image_tiles` of a model.

use crate::settings::check::findings::Findings;
use crate::vision::framing::{MAX_TILES, Tiling};

pub(super) fn check_tiles(name: &str, tiles: &Tiling, findings: &mut Findings) {
    findings.range(format!("{name}.columns"), f64::from(tiles.columns), 1.0, f64::from(MAX_TILES));
    findings.range(format!("{name}.rows"), f64::from(tiles.rows), 1.0, f64::from(MAX_TILES));
    findings.range(format!("{name}.overlap"), f64::from(tiles.overlap), 0.0, 0.5);
}
