//! One unit for each frame, also where a camera sends it in parts: parameter sets that are marked as if they were a frame, a
//! later slice behind parameter sets of its own, and the second field of a frame. Counted by themselves they would be frames
//! that never make a picture.

use crate::capture::decoder_choice::Codec;
use crate::capture::source::slice_header::{Begins, Field, SliceRules};
use gstreamer as gst;

/// Puts parts together. A frame of one part passes at once. Whether a part follows cannot be seen in a frame, so a camera
/// that sends later slices by themselves is known after its first frame: from then on a frame passes with its last part.
#[derive(Debug)]
pub(super) struct WholeUnits {
    codec: Codec,
    rules: SliceRules,
    /// Parameter sets that belong to what comes next.
    sets: Vec<gst::Memory>,
    /// A frame that is not complete yet.
    open: Option<Open>,
    /// How many later slices a frame of this camera has in units of their own.
    expected: usize,
    /// How many the newest one that has passed has had.
    passed: usize,
}

/// Parameter sets are some hundred bytes. What never comes to a frame must not be kept.
const MOST_HELD_BYTES: usize = 64 << 10;

/// No frame is larger.
const MOST_FRAME_BYTES: usize = 8 << 20;

/// No camera sends a frame in more units.
const MOST_SLICES: usize = 64;

#[derive(Debug)]
struct Open {
    first: gst::Sample,
    before: Vec<gst::Memory>,
    after: Vec<gst::Memory>,
    /// Later slices in it, of this field or frame.
    slices: usize,
    /// `frame_num`.
    number: Option<u32>,
    /// A first field, which waits for the second one.
    field: Option<Field>,
}

impl WholeUnits {
    pub(super) fn new(codec: Codec) -> Self {
        Self { codec, rules: SliceRules::default(), sets: Vec::new(), open: None, expected: 0, passed: 0 }
    }

    /// Takes in a unit with start codes; returns the frames that are complete with it: one that was open, and its own.
    pub(super) fn take_in(&mut self, unit: gst::Sample) -> [Option<gst::Sample>; 2] {
        let Some(data) = unit.buffer().and_then(|buffer| buffer.map_readable().ok()) else { return [None, None] };
        let (begins, bytes) = (self.rules.read(self.codec, &data), data.size());
        drop(data);
        match begins {
            None => {
                self.hold(&unit, bytes);
                [None, None]
            }
            Some((Begins::LaterSlice(number), slice_at)) => [self.later_slice(unit, bytes, number, slice_at), None],
            Some((Begins::Picture(_, field), _)) if self.completes(field, bytes) => [self.second_field(&unit), None],
            Some((Begins::Picture(number, field), _)) => {
                let before = self.close();
                self.open = Some(Open { number, field, ..Open::new(unit, &mut self.sets) });
                [before, self.pass_if_complete()]
            }
        }
    }

    fn hold(&mut self, unit: &gst::Sample, bytes: usize) {
        let held: usize = self.sets.iter().map(|memory| memory.size()).sum();
        if held + bytes <= MOST_HELD_BYTES {
            self.sets.extend(unit.buffer().into_iter().flat_map(gst::BufferRef::iter_memories_owned));
        }
    }

    fn completes(&self, field: Option<Field>, bytes: usize) -> bool {
        let open = self.open.as_ref().filter(|open| open.has_room(bytes));
        open.and_then(|open| open.field).zip(field).is_some_and(|(first, second)| second.completes(first))
    }

    /// The frame before is complete, for another one begins.
    fn close(&mut self) -> Option<gst::Sample> {
        let open = self.open.take()?;
        if open.field.is_none() {
            self.expected = open.slices;
        }
        self.passed = open.slices;
        open.whole()
    }

    fn later_slice(
        &mut self,
        unit: gst::Sample,
        bytes: usize,
        number: Option<u32>,
        slice_at: usize,
    ) -> Option<gst::Sample> {
        // What is of another frame has lost its own first slice.
        if let Some(open) = self.open.as_mut().filter(|open| open.has_room(bytes) && open.number == number) {
            open.append_slice(&unit, &mut self.sets, slice_at);
            open.slices += 1;
            return self.pass_if_complete();
        }
        // Its frame has passed already: from now on it is waited for.
        self.passed = (self.passed + 1).min(MOST_SLICES);
        self.expected = self.passed;
        Open::new(unit, &mut self.sets).whole()
    }

    fn second_field(&mut self, unit: &gst::Sample) -> Option<gst::Sample> {
        let open = self.open.as_mut()?;
        open.append(unit, &mut self.sets);
        (open.field, open.slices) = (None, 0);
        self.pass_if_complete()
    }

    fn pass_if_complete(&mut self) -> Option<gst::Sample> {
        let open = self.open.take_if(|open| open.field.is_none() && open.slices >= self.expected)?;
        self.passed = open.slices;
        open.whole()
    }
}

impl Open {
    /// A frame that begins with `first`, and the parameter sets before it.
    fn new(first: gst::Sample, sets: &mut Vec<gst::Memory>) -> Self {
        Self { first, before: std::mem::take(sets), after: Vec::new(), slices: 0, number: None, field: None }
    }

    fn has_room(&self, bytes: usize) -> bool {
        let parts = self.before.iter().chain(&self.after).map(|memory| memory.size());
        self.first.buffer().map_or(0, gst::BufferRef::size) + parts.sum::<usize>() + bytes <= MOST_FRAME_BYTES
    }

    /// Puts a slice behind what is there, and the parameter sets before it in front of it all: within a picture there may be
    /// none (H.264, clause 7.4.1.2.3; H.265, clause 7.4.2.4.4).
    fn append_slice(&mut self, unit: &gst::Sample, sets: &mut Vec<gst::Memory>, slice_at: usize) {
        let Some(buffer) = unit.buffer() else { return };
        let part = |range| buffer.copy_region(gst::BufferCopyFlags::MEMORY, range).ok();
        let (before, slice) = (part(0..slice_at), part(slice_at..buffer.size()));
        self.before.append(sets);
        self.before.extend(before.iter().flat_map(|part| part.iter_memories_owned()));
        self.after.extend(slice.iter().flat_map(|part| part.iter_memories_owned()));
    }

    /// Puts a field, with the parameter sets before it, behind what is there.
    fn append(&mut self, unit: &gst::Sample, sets: &mut Vec<gst::Memory>) {
        self.after.append(sets);
        self.after.extend(unit.buffer().into_iter().flat_map(gst::BufferRef::iter_memories_owned));
    }

    /// All parts, with the times and flags of the first one.
    fn whole(self) -> Option<gst::Sample> {
        if self.before.is_empty() && self.after.is_empty() {
            return Some(self.first);
        }
        let buffer = self.first.buffer()?;
        let times = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS | gst::BufferCopyFlags::META;
        let mut whole = buffer.copy_region(times, ..).ok()?;
        for memory in self.before.into_iter().chain(buffer.iter_memories_owned()).chain(self.after) {
            whole.make_mut().append_memory(memory);
        }
        let caps = self.first.caps_owned()?;
        Some(gst::Sample::builder().buffer(&whole).caps(&caps).build())
    }
}

#[cfg(test)]
mod tests;
