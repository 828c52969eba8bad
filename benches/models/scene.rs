//! A crowded picture as detectors see it: a hundred objects, each found several times over.

use crate::random::Random;

/// Objects lie ten by ten and touch nobody.
pub(crate) const OBJECTS: usize = 100;

/// COCO's.
pub(crate) const CLASSES: usize = 80;

/// One find, in ratios of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) class: usize,
    pub(crate) score: f32,
    pub(crate) center: (f32, f32),
    pub(crate) size: (f32, f32),
}

impl Candidate {
    /// Left, top, right, bottom.
    pub(crate) fn corners(&self) -> [f32; 4] {
        let ((x, y), (width, height)) = (self.center, self.size);
        [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
    }
}

/// Evenly in 0..1.
pub(crate) fn ratio(random: &mut Random) -> f32 {
    random.below(1 << 20) as f32 / (1 << 20) as f32
}

/// So many finds of each object, one object after the other; the first of each is the surest. All reach 0.3, and those
/// of one object overlap by far more than a half.
pub(crate) fn candidates(of_each: usize) -> Vec<Candidate> {
    let mut random = Random(7);
    let mut found = Vec::new();
    for object in 0..OBJECTS {
        let middle = |position: usize| (position as f32 + 0.5) / 10.0;
        let (x, y) = (middle(object % 10), middle(object / 10));
        for index in 0..of_each {
            let mut near = |value: f32, by: f32| value + (ratio(&mut random) - 0.5) * by;
            let score = if index == 0 { near(0.93, 0.06) } else { near(0.55, 0.4) };
            let (center, size) = ((near(x, 0.006), near(y, 0.006)), (near(0.08, 0.004), near(0.08, 0.004)));
            found.push(Candidate { class: object % CLASSES, score, center, size });
        }
    }
    found
}

/// Low scores, as of places that show nothing.
pub(crate) fn noise(length: usize) -> Vec<f32> {
    let mut random = Random(11);
    (0..length).map(|_| ratio(&mut random) * 0.1).collect()
}
