//! What is done to the small model, and to the detector.

use crate::support::from_setup;
use crate::support::protobuf::field;
use crate::support::small_model::{SIZES, elsewhere, model, weights, whole};

/// Xorshift: the same for a seed everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

/// What kind of harm, and the bytes.
pub fn mutant(seed: u64) -> (&'static str, Vec<u8>) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bytes = whole();
    let length = bytes.len();
    // The whole detector is a hundred thousand times as long, so few of them.
    let is_real = |kind: u64| (seed / 10).is_multiple_of(5) && kind < 2;
    let kind = seed % 10;
    if is_real(kind) {
        bytes = std::fs::read(from_setup("models/coco-ssd/model.onnx")).unwrap();
    }
    let length = if is_real(kind) { bytes.len() } else { length };
    match kind {
        0 => {
            bytes.truncate(dice.below(length));
            ("truncated", bytes)
        }
        1 | 2 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(length);
                bytes[at] ^= 1 << dice.below(8);
            }
            ("bits flipped", bytes)
        }
        3 => {
            let from = dice.below(length - 16);
            (from..from + 16).for_each(|at| bytes[at] = dice.byte());
            ("a part overwritten", bytes)
        }
        4 => {
            let at = dice.below(length);
            let more: Vec<u8> = (0..=dice.below(64)).map(|_| dice.byte()).collect();
            bytes.splice(at..at, more);
            ("bytes put in", bytes)
        }
        5 => {
            let from = dice.below(length - 32);
            bytes.drain(from..from + 1 + dice.below(31));
            ("bytes left out", bytes)
        }
        6 => {
            let places =
                ["../secret", "/etc/passwd", "link", "a/../../secret", "/dev/zero", "", "gone", "/proc/self/mem"];
            ("weights elsewhere", elsewhere(places[dice.below(places.len())]))
        }
        7 => {
            const HUGE: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
            const LARGE: &[u8] = &[0x80, 0x80, 0x80, 0x80, 0x08];
            const NEGATIVE: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
            let mut sizes = SIZES;
            sizes[dice.below(4)] = [HUGE, LARGE, NEGATIVE][dice.below(3)];
            ("impossible sizes", model(&[weights(&sizes), field(9, &[0; 64])].concat()))
        }
        8 => {
            let texts =
                ["<html>404</html>", "version https://git-lfs.github.com/spec/v1\n", "{\"error\": 1}", "PK\x03\x04"];
            ("text", texts[dice.below(texts.len())].repeat(1 + dice.below(40)).into_bytes())
        }
        _ if seed % 20 == 9 => ("empty", Vec::new()),
        _ => ("noise", (0..dice.below(4096)).map(|_| dice.byte()).collect()),
    }
}
