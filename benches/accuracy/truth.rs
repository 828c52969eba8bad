//! Ground truth of a clip: who is where, from boxes of some frames, between which an object goes evenly.

use ocelli::tracking::track_score::Boxes;
use ocelli::vision::geometry::NormalizedBox;
use std::collections::{BTreeMap, BTreeSet};

/// A clip and who is in it. Files in `truth/` say how they were made.
pub(super) struct Truth {
    objects: Vec<Object>,
    size: [f32; 2],
}

struct Object {
    kind: String,
    number: u64,
    /// Left, top, right and bottom in pixels at some of its frames.
    boxes: BTreeMap<u32, [f32; 4]>,
}

impl Truth {
    /// Reads the text of a file in `truth/`, for pictures of `size` pixels.
    pub(super) fn parse(text: &str, size: [f32; 2]) -> Self {
        let objects = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let mut parts = line.split('|');
            let (kind, number) = parts.next().unwrap().trim().rsplit_once(' ').unwrap();
            let boxes = parts.map(|part| {
                let (frame, sides) = part.trim().split_once(' ').unwrap();
                let sides: Vec<f32> = sides.split(' ').map(|value| value.parse().unwrap()).collect();
                (frame.parse().unwrap(), sides.try_into().unwrap())
            });
            Object { kind: kind.to_owned(), number: number.parse().unwrap(), boxes: boxes.collect() }
        });
        Self { objects: objects.collect(), size }
    }

    /// The kinds of objects in it.
    pub(super) fn kinds(&self) -> BTreeSet<&str> {
        self.objects.iter().map(|object| object.kind.as_str()).collect()
    }

    /// The objects of one kind in a frame, in ratios of the picture.
    pub(super) fn at(&self, frame: u32, kind: &str) -> Boxes {
        let of_kind = self.objects.iter().filter(|object| object.kind == kind);
        of_kind.filter_map(|object| Some((object.number, self.ratios(between(&object.boxes, frame)?)))).collect()
    }

    fn ratios(&self, [left, top, right, bottom]: [f32; 4]) -> NormalizedBox {
        let [width, height] = self.size;
        NormalizedBox::from_corners(left / width, top / height, right / width, bottom / height).unwrap()
    }
}

/// Where an object is in a frame; `None` before its first and after its last.
fn between(boxes: &BTreeMap<u32, [f32; 4]>, frame: u32) -> Option<[f32; 4]> {
    let (&before, from) = boxes.range(..=frame).next_back()?;
    let (&after, to) = boxes.range(frame..).next()?;
    let share = (frame - before) as f32 / (after - before).max(1) as f32;
    Some(std::array::from_fn(|side| from[side] + share * (to[side] - from[side])))
}
