//! What the well-behaved parts of hostile streams consist of.

use crate::support::clip::encode;

/// Clips of 320x240, 30 pictures each, one slice a picture.
pub struct Clips {
    /// NAL units.
    pub h264: Vec<Vec<u8>>,
    pub h265: Vec<Vec<u8>>,
    /// Whole pictures.
    pub jpegs: Vec<Vec<u8>>,
}

impl Clips {
    pub fn make() -> Self {
        let home = tempfile::tempdir().unwrap();
        let bytes = |chain: &str| {
            let file = home.path().join("clip");
            encode(chain, &file);
            std::fs::read(file).unwrap()
        };
        let h264 = "x264enc tune=zerolatency threads=1 key-int-max=10 ! video/x-h264,stream-format=byte-stream";
        let h265 = "x265enc tune=zerolatency key-int-max=10 ! video/x-h265,stream-format=byte-stream";
        Self {
            h264: pieces(&bytes(h264), &[0, 0, 1], 3),
            h265: pieces(&bytes(h265), &[0, 0, 1], 3),
            jpegs: pieces(&bytes("jpegenc"), &[0xff, 0xd8, 0xff], 0),
        }
    }
}

/// Cuts at each `code`, of which so many bytes belong to no piece. Zeros at an end belong to the next code.
fn pieces(bytes: &[u8], code: &[u8], skipped: usize) -> Vec<Vec<u8>> {
    let starts: Vec<usize> =
        bytes.windows(code.len()).enumerate().filter(|(_, window)| *window == code).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let pieces = starts.iter().zip(ends).map(|(start, end)| {
        let piece = &bytes[start + skipped..end];
        piece[..piece.len() - piece.iter().rev().take_while(|byte| **byte == 0).count()].to_vec()
    });
    pieces.filter(|piece| !piece.is_empty()).collect()
}

/// True if a NAL unit ends a picture.
pub fn is_slice(is_h265: bool, nal: &[u8]) -> bool {
    if is_h265 { (nal[0] >> 1) & 63 < 32 } else { matches!(nal[0] & 31, 1 | 5) }
}
