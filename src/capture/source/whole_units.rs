//! Some cameras mark parameter sets as if they were a frame, so they come in a unit of their own. They belong to the frame that
//! follows: counted by themselves they would be frames that never make a picture.

use crate::capture::decoder_choice::Codec;
use gstreamer as gst;

/// Puts such units in front of the next one.
#[derive(Debug)]
pub(super) struct WholeUnits {
    codec: Codec,
    held: Vec<gst::Memory>,
}

/// Parameter sets are some hundred bytes. What never comes to a frame must not be kept.
const MOST_HELD_BYTES: usize = 64 << 10;

impl WholeUnits {
    pub(super) fn new(codec: Codec) -> Self {
        Self { codec, held: Vec::new() }
    }

    /// Takes in a unit with start codes; returns the whole one, once there is a picture in it.
    pub(super) fn whole(&mut self, unit: gst::Sample) -> Option<gst::Sample> {
        let buffer = unit.buffer()?;
        if !has_picture(self.codec, &buffer.map_readable().ok()?) {
            let held: usize = self.held.iter().map(|memory| memory.size()).sum();
            if held + buffer.size() <= MOST_HELD_BYTES {
                self.held.extend(buffer.iter_memories_owned());
            }
            return None;
        }
        if self.held.is_empty() {
            return Some(unit);
        }
        let times = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS | gst::BufferCopyFlags::META;
        let mut whole = buffer.copy_region(times, ..).ok()?;
        for memory in self.held.drain(..).chain(buffer.iter_memories_owned()) {
            whole.make_mut().append_memory(memory);
        }
        let caps = unit.caps_owned()?;
        Some(gst::Sample::builder().buffer(&whole).caps(&caps).build())
    }
}

/// True if one of the NAL units is a slice of a picture (H.264: table 7-1; H.265: table 7-1, below 32). The first one comes
/// after a few parameter sets at most.
fn has_picture(codec: Codec, data: &[u8]) -> bool {
    let mut starts = data.windows(4).filter(|window| window.starts_with(&[0, 0, 1])).map(|window| window[3]);
    match codec {
        Codec::H264 => starts.any(|header| (1..=5).contains(&(header & 0x1f))),
        Codec::H265 => starts.any(|header| (header >> 1 & 0x3f) < 32),
        Codec::Mjpeg => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit of NAL units with these headers, and two bytes each.
    fn unit(headers: &[u8], flags: gst::BufferFlags) -> gst::Sample {
        let data: Vec<u8> = headers.iter().flat_map(|header| [0, 0, 0, 1, *header, 0xaa]).collect();
        let mut buffer = gst::Buffer::from_mut_slice(data);
        buffer.make_mut().set_flags(flags);
        let caps = gst::Caps::new_empty_simple("video/x-h264");
        gst::Sample::builder().buffer(&buffer).caps(&caps).build()
    }

    #[test]
    fn parameter_sets_of_their_own_go_in_front_of_their_frame() {
        gst::init().unwrap();
        let mut units = WholeUnits::new(Codec::H264);
        assert!(units.whole(unit(&[0x67, 0x68], gst::BufferFlags::HEADER)).is_none());
        assert!(units.whole(unit(&[0x06], gst::BufferFlags::empty())).is_none());
        let whole = units.whole(unit(&[0x65], gst::BufferFlags::MARKER)).unwrap();
        let buffer = whole.buffer().unwrap();
        assert_eq!((buffer.size(), buffer.flags().contains(gst::BufferFlags::MARKER)), (24, true));
        assert_eq!(buffer.map_readable().unwrap()[4], 0x67);
        let next = units.whole(unit(&[0x41], gst::BufferFlags::DELTA_UNIT)).unwrap();
        assert_eq!(next.buffer().unwrap().size(), 6, "nothing is left of the frame before");
    }

    #[test]
    fn a_slice_is_known_in_both_codecs() {
        for (codec, header, expected) in [
            (Codec::H264, 0x65, true),
            (Codec::H264, 0x41, true),
            (Codec::H264, 0x09, false),
            (Codec::H265, 0x26, true),
            (Codec::H265, 0x02, true),
            (Codec::H265, 0x40, false),
            (Codec::H265, 0x4e, false),
        ] {
            assert_eq!(has_picture(codec, &[0, 0, 1, header, 0]), expected, "{codec:?} {header:#x}");
        }
    }
}
