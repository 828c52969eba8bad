//! Frames in parts: as bytes by hand, and as x264 and x265 make them.

use super::*;
use crate::capture::source::unit_sink;
use gstreamer::prelude::*;

/// A unit of NAL units with these bytes.
fn unit(nals: &[&[u8]], flags: gst::BufferFlags) -> gst::Sample {
    let data: Vec<u8> = nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect();
    let mut buffer = gst::Buffer::from_mut_slice(data);
    buffer.make_mut().set_flags(flags);
    let caps = gst::Caps::new_empty_simple("video/x-h264");
    gst::Sample::builder().buffer(&buffer).caps(&caps).build()
}

/// The sizes of the frames that pass, one list for each unit.
fn pass(units: &mut WholeUnits, parts: &[&[&[u8]]]) -> Vec<Vec<usize>> {
    gst::init().unwrap();
    let sizes =
        |samples: [Option<gst::Sample>; 2]| samples.iter().flatten().map(|it| it.buffer().unwrap().size()).collect();
    parts.iter().map(|nals| sizes(units.take_in(unit(nals, gst::BufferFlags::empty())))).collect()
}

const SETS: [&[u8]; 2] = [&[0x67, 77, 0, 30, 0xaa], &[0x68, 0xaa]];
const NONE: Vec<usize> = Vec::new();
const FIRST: &[u8] = &[0x65, 0xb8];
const LATER: &[u8] = &[0x65, 0x2e];

#[test]
fn parameter_sets_of_their_own_go_in_front_of_their_frame() {
    gst::init().unwrap();
    let mut units = WholeUnits::new(Codec::H264);
    assert_eq!(pass(&mut units, &[&SETS, &[&[0x06, 1]]]), [NONE, NONE]);
    let [none, whole] = units.take_in(unit(&[FIRST], gst::BufferFlags::MARKER));
    let whole = whole.filter(|_| none.is_none()).unwrap();
    let buffer = whole.buffer().unwrap();
    assert_eq!((buffer.size(), buffer.flags().contains(gst::BufferFlags::MARKER)), (9 + 6 + 6 + 6, true));
    assert_eq!(buffer.map_readable().unwrap()[4], 0x67);
    assert_eq!(pass(&mut units, &[&[&[0x41, 0x9a]]]), [[6]], "nothing is left of the frame before");
}

#[test]
fn later_slices_join_their_frame_from_the_second_frame_on_and_a_frame_of_one_part_never_waits_for_long() {
    let mut units = WholeUnits::new(Codec::H264);
    let first: &[&[u8]] = &[FIRST];
    let later: &[&[u8]] = &[SETS[0], SETS[1], LATER];
    let passed = pass(&mut units, &[first, later, later, first, later, later, first, later, later]);
    assert_eq!(passed[..3], [[6], [21], [21]], "the first frame says nothing of its parts");
    assert_eq!(passed[3..], [NONE, NONE, vec![48], NONE, NONE, vec![48]]);
    // The camera changes: the first whole frame waits for the next one, and then none does.
    assert_eq!(pass(&mut units, &[first, first, first]), [NONE, vec![6, 6], vec![6]]);
}

#[test]
fn what_never_comes_to_a_frame_is_bounded() {
    let mut units = WholeUnits::new(Codec::H264);
    let large = [vec![0x06_u8], vec![0xaa; 10_000]].concat();
    pass(&mut units, &vec![&[large.as_slice()][..]; 100]);
    assert_eq!(pass(&mut units, &[&[FIRST]]), [[6 * 10_005 + 6]]);
    // One frame of 30 parts of a MiB makes the next one wait for as many.
    let part = [LATER, &vec![0xaa; 1 << 20]].concat();
    let part: &[&[u8]] = &[&part];
    pass(&mut units, &vec![part; 30]);
    pass(&mut units, &[&[FIRST]]);
    pass(&mut units, &vec![part; 30]);
    let held = pass(&mut units, &[&[FIRST]]).concat()[0];
    assert!((7 << 20..=MOST_FRAME_BYTES).contains(&held), "{held} bytes");
}

/// Bits of a NAL unit.
#[derive(Default)]
struct Bits(Vec<u8>, u32);

impl Bits {
    fn put(mut self, count: u32, value: u32) -> Self {
        for at in (0..count).rev() {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            *self.0.last_mut().unwrap() |= u8::try_from(value >> at & 1).unwrap() << (7 - self.1 % 8);
            self.1 += 1;
        }
        self
    }

    fn numbers(self, values: &[u32]) -> Self {
        values.iter().fold(self, |bits, value| {
            let length = (value + 1).ilog2();
            bits.put(length, 0).put(length + 1, value + 1)
        })
    }

    fn aligned(self) -> Self {
        let rest = (8 - self.1 % 8) % 8;
        self.put(rest, 0)
    }

    /// The NAL unit with its start code. Nothing in it looks like one: samples are never 0.
    fn nal(self, header: u8) -> Vec<u8> {
        [&[0, 0, 0, 1, header][..], &self.put(1, 1).0].concat()
    }
}

const WIDE: u32 = 8;

/// 128 x 128 in main profile, frames and fields.
fn sets() -> Vec<u8> {
    let sequence = Bits::default().put(24, 77 << 16 | 30).numbers(&[0, 0, 0, 0, 1]).put(1, 0).numbers(&[WIDE - 1, 3]);
    let picture = Bits::default().numbers(&[0, 0]).put(2, 0).numbers(&[0, 0, 0]).put(3, 0).numbers(&[0, 0, 0]);
    // Frames and fields, no adaptive macroblocks, direct inference, no cropping, nothing more.
    [sequence.put(5, 0b00100).nal(0x67), picture.put(3, 0).nal(0x68)].concat()
}

/// A slice of macroblocks without prediction (`I_PCM`), all of one grey: a frame, or a field if `bottom` is given.
fn slice(number: u32, bottom: Option<u32>, grey: u32) -> Vec<u8> {
    let is_idr = number == 0 && bottom != Some(1);
    let (macroblocks, order) = bottom.map_or((8 * WIDE, 0), |bottom| (4 * WIDE, bottom));
    let head = Bits::default().numbers(&[0, 2, 0]).put(4, number).put(1, bottom.is_some().into());
    let head = if let Some(bottom) = bottom { head.put(1, bottom) } else { head };
    let head = if is_idr { head.numbers(&[0]) } else { head };
    let head = head.put(4, 2 * number + order).put(if is_idr { 2 } else { 1 }, 0).numbers(&[0]);
    let bits = (0..macroblocks).fold(head, |bits, _| {
        let bits = bits.numbers(&[25]).aligned();
        (0..384).fold(bits, |bits, _| bits.put(8, grey))
    });
    bits.nal(if is_idr { 0x65 } else { 0x61 })
}

/// What the parser of a source makes of a byte stream, and the frames of that.
fn frames_of(codec: Codec, stream: Vec<u8>) -> (usize, Vec<gst::Sample>) {
    let (sender, units) = std::sync::mpsc::sync_channel(1000);
    let source = gstreamer_app::AppSrc::builder().format(gst::Format::Bytes).build();
    let name = if codec == Codec::H264 { "video/x-h264" } else { "video/x-h265" };
    source.set_caps(Some(&gst::Caps::builder(name).field("stream-format", "byte-stream").build()));
    let parser = unit_sink::parser(codec).unwrap();
    let sink = unit_sink::build(codec, move |unit| sender.send(unit).unwrap());
    let pipeline = gst::Pipeline::new();
    let elements = [source.clone().upcast(), parser, sink];
    pipeline.add_many(&elements).unwrap();
    gst::Element::link_many(&elements).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    source.push_buffer(gst::Buffer::from_mut_slice(stream)).unwrap();
    source.end_of_stream().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds).unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    let units: Vec<gst::Sample> = units.try_iter().collect();
    let mut whole = WholeUnits::new(codec);
    let count = units.len();
    (count, units.into_iter().flat_map(|unit| whole.take_in(unit).into_iter().flatten()).collect())
}

/// Pictures that the decoder makes of frames.
fn decoded(codec: Codec, frames: &[gst::Sample]) -> usize {
    let (sender, pictures) = std::sync::mpsc::sync_channel(1000);
    let source = gstreamer_app::AppSrc::builder().format(gst::Format::Time).build();
    source.set_caps(frames[0].caps_owned().as_ref());
    let decoder = codec.decoder(false).unwrap();
    let callbacks = gstreamer_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let picture = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let is_damaged = picture.buffer().unwrap().flags().contains(gst::BufferFlags::CORRUPTED);
            sender.send(is_damaged).unwrap();
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    let sink = gstreamer_app::AppSink::builder().sync(false).callbacks(callbacks).build();
    let pipeline = gst::Pipeline::new();
    let elements = [source.clone().upcast(), decoder, sink.upcast()];
    pipeline.add_many(&elements).unwrap();
    gst::Element::link_many(&elements).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for frame in frames {
        source.push_sample(frame).unwrap();
    }
    source.end_of_stream().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds).unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    pictures.try_iter().filter(|is_damaged| !is_damaged).count()
}

#[test]
fn two_fields_are_one_frame_also_among_frames_that_are_coded_whole() {
    gst::init().unwrap();
    let mut stream = Vec::new();
    for number in 0..12 {
        if number % 6 == 0 {
            stream.extend(sets());
        }
        match number % 3 {
            2 => stream.extend(slice(number % 6, None, 40 + number)),
            _ => stream
                .extend([slice(number % 6, Some(0), 40 + number), slice(number % 6, Some(1), 60 + number)].concat()),
        }
    }
    let (units, frames) = frames_of(Codec::H264, stream);
    assert_eq!((units, frames.len()), (20, 12), "eight frames come as two units");
    assert_eq!(decoded(Codec::H264, &frames), 12);
}

/// An encoded stream of 20 frames, and its NAL units.
fn encoded(encoder: &str) -> Vec<Vec<u8>> {
    gst::init().unwrap();
    let text = format!(
        "videotestsrc num-buffers=20 pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! {encoder} \
         ! appsink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&text).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<gstreamer_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut stream = Vec::new();
    while let Ok(unit) = sink.pull_sample() {
        stream.extend_from_slice(&unit.buffer().unwrap().map_readable().unwrap());
    }
    pipeline.set_state(gst::State::Null).unwrap();
    let starts: Vec<usize> = (3..stream.len()).filter(|at| stream[at - 3..*at] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).map(|next| next - 3).chain([stream.len()]);
    starts.iter().zip(ends).map(|(start, end)| stream[*start..end].to_vec()).collect()
}

/// The stream again, with the parameter sets in front of each slice.
fn with_sets_before_each_slice(
    nals: &[Vec<u8>],
    is_set: impl Fn(u8) -> bool,
    is_slice: impl Fn(u8) -> bool,
) -> Vec<u8> {
    let mut sets: Vec<&Vec<u8>> = Vec::new();
    for set in nals.iter().filter(|nal| is_set(nal[0])) {
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    let slices = nals.iter().filter(|nal| is_slice(nal[0]));
    let all = slices.flat_map(|slice| sets.iter().copied().chain([slice]));
    all.flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect()
}

#[test]
fn slices_behind_parameter_sets_of_their_own_are_one_frame_in_both_codecs() {
    let h264 = encoded(
        "x264enc sliced-threads=true threads=4 key-int-max=5 bframes=0 ! video/x-h264,stream-format=byte-stream",
    );
    let h264 = with_sets_before_each_slice(
        &h264,
        |header| [7, 8].contains(&(header & 31)),
        |header| (1..=5).contains(&(header & 31)),
    );
    let h265 =
        encoded("x265enc key-int-max=5 option-string=slices=4:bframes=0 ! video/x-h265,stream-format=byte-stream");
    let h265 =
        with_sets_before_each_slice(&h265, |header| (32..=34).contains(&(header >> 1)), |header| header >> 1 < 32);
    for (codec, stream) in [(Codec::H264, h264), (Codec::H265, h265)] {
        let (units, frames) = frames_of(codec, stream);
        assert!(units >= 40, "{codec:?}: the parser takes parameter sets for the beginning of a frame: {units} units");
        // The first one comes in its parts.
        let in_parts = frames.len() - 19;
        assert!((2..=8).contains(&in_parts) && in_parts * 20 == units, "{codec:?}: {} of {units}", frames.len());
        assert!(decoded(codec, &frames[in_parts..]) >= 15, "{codec:?}: from the second keyframe on");
    }
}

#[test]
fn interlaced_frames_that_are_coded_whole_stay_as_they_are() {
    let nals = encoded("x264enc interlaced=true key-int-max=5 ! video/x-h264,stream-format=byte-stream");
    let stream = nals.iter().flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect();
    let (units, frames) = frames_of(Codec::H264, stream);
    assert_eq!((units, frames.len(), decoded(Codec::H264, &frames)), (20, 20, 20));
}
