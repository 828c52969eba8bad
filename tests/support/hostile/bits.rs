//! Parameter sets of H.264 of any size, and pictures of one colour for them.

/// Writes numbers of some bits, and those of Exp-Golomb codes.
#[derive(Default)]
struct BitWriter(Vec<bool>);

impl BitWriter {
    fn bits(&mut self, count: u32, value: u32) {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn golomb(&mut self, values: &[u32]) {
        for value in values {
            let length = (value + 1).ilog2() + 1;
            self.bits(length - 1, 0);
            self.bits(length, value + 1);
        }
    }

    /// With the stop bit, and without three bytes that look like a start code.
    fn nal(mut self, header: u8) -> Vec<u8> {
        self.0.push(true);
        self.0.resize(self.0.len().next_multiple_of(8), false);
        let (mut nal, mut zeros) = (vec![header], 0);
        for bits in self.0.chunks(8) {
            let byte = bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
            if zeros >= 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        nal
    }
}

/// SPS and PPS of pictures of this size in pixels, a multiple of 16.
pub fn parameter_sets(width: u32, height: u32) -> [Vec<u8>; 2] {
    let mut sps = BitWriter::default();
    for byte in [66, 0, 62] {
        sps.bits(8, byte);
    }
    sps.golomb(&[0, 0, 2, 16]);
    sps.bits(1, 0);
    sps.golomb(&[width / 16 - 1, height / 16 - 1]);
    sps.bits(4, 0b1100);
    let mut pps = BitWriter::default();
    pps.golomb(&[0, 0]);
    pps.bits(2, 0);
    pps.golomb(&[0, 0, 0]);
    pps.bits(3, 0);
    pps.golomb(&[0, 0, 0]);
    pps.bits(3, 0b110);
    [sps.nal(0x67), pps.nal(0x68)]
}

/// A keyframe of one colour: few bytes for many pixels.
pub fn grey_keyframe(width: u32, height: u32, number: u32) -> Vec<u8> {
    let mut slice = BitWriter::default();
    slice.golomb(&[0, 7, 0]);
    slice.bits(4, 0);
    slice.golomb(&[number % 16]);
    slice.bits(2, 0);
    slice.golomb(&[0, 1]);
    for _ in 0..(width / 16) * (height / 16) {
        slice.golomb(&[3, 0, 0]);
        slice.bits(1, 1);
    }
    slice.nal(0x65)
}
