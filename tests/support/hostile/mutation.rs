//! Bytes that are almost right.

/// Numbers that are the same in each run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn throw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % below.max(1)
    }

    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.throw(256)).unwrap()
    }
}

/// Changes some bytes, mostly near the beginning where headers are, cuts, repeats or inserts.
pub fn mutate(piece: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = piece.to_vec();
    let near = [64, bytes.len()][dice.throw(2)].min(bytes.len());
    match dice.throw(10) {
        0..=2 => {}
        3..=6 => {
            for _ in 0..[1, 2, 5, 40][dice.throw(4)] {
                let at = dice.throw(near);
                bytes[at] = dice.byte();
            }
        }
        7 => bytes.truncate(1 + dice.throw(bytes.len())),
        8 => {
            let (at, more) = (dice.throw(near), dice.throw(400));
            let inserted: Vec<u8> = (0..more).map(|_| dice.byte()).collect();
            bytes.splice(at..at, inserted);
        }
        _ => {
            let (from, at) = (dice.throw(bytes.len()), dice.throw(near));
            let repeated: Vec<u8> = bytes[from..].iter().take(300).copied().collect();
            bytes.splice(at..at, repeated);
        }
    }
    bytes
}
