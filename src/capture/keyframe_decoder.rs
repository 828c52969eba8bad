//! Decodes one keyframe: a pipeline that lives for one picture, `appsrc ! decoder ! convert ! appsink`.

use crate::capture::decoder_choice::Codec;
use crate::capture::frame_copy;
use crate::vision::frame::{PictureLayout, bytes_420};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use std::time::{Duration, Instant};

/// The slowest box needs half a second for 4K. Behind it the frame itself must still become a snapshot in time.
const LIMIT: Duration = Duration::from_secs(2);

/// Between two looks for an error.
const STEP: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// The largest picture, of 8K, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// The picture of a keyframe, packed tightly, in its own size.
///
/// # Errors
/// In a person's words.
pub(super) fn decode(codec: Codec, unit: &gst::Sample) -> Result<(PictureLayout, Vec<u8>), String> {
    let make = |name: &str| gst::ElementFactory::make(name).build().map_err(|error| error.to_string());
    // The processor first: hardware takes longer to be set up than to decode one picture, and has few places.
    let decoder = codec.decoder(false).or_else(|_| codec.decoder(true))?;
    if decoder.has_property("max-threads") {
        // More of them hold back as many pictures.
        decoder.set_property("max-threads", 1_i32);
    }
    let source = gst_app::AppSrc::builder().format(gst::Format::Time).build();
    let caps = gst::Caps::builder("video/x-raw").field("format", gst::List::new(["I420", "NV12"])).build();
    let sink = gst_app::AppSink::builder().caps(&caps).sync(false).build();
    let elements = [source.clone().upcast(), decoder, make("videoconvert")?, sink.clone().upcast()];
    let pipeline = Pipeline(gst::Pipeline::new());
    pipeline.0.add_many(&elements).map_err(|error| error.to_string())?;
    gst::Element::link_many(&elements).map_err(|error| error.to_string())?;
    pipeline.0.set_state(gst::State::Playing).map_err(|error| error.to_string())?;
    // The end makes the decoder give what it holds back.
    let pushed = source.push_sample(unit).and_then(|_| source.end_of_stream());
    pushed.map_err(|error| format!("the decoder does not take its keyframe: {error}"))?;
    let picture = pipeline.wait_for(&sink)?;
    pack(&picture)
}

/// Stops with the value.
struct Pipeline(gst::Pipeline);

impl Pipeline {
    fn wait_for(&self, sink: &gst_app::AppSink) -> Result<gst::Sample, String> {
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            if let Some(sample) = sink.try_pull_sample(STEP) {
                return Ok(sample);
            }
            let message = self.0.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
            if let Some(gst::MessageView::Error(error)) = message.as_ref().map(|message| message.view()) {
                return Err(format!("its keyframe cannot be decoded: {}", error.error().message()));
            }
            if sink.is_eos() {
                return Err("its keyframe gives no picture".to_owned());
            }
        }
        Err(format!("its keyframe was not decoded within {} s", LIMIT.as_secs()))
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if let Err(error) = self.0.set_state(gst::State::Null) {
            tracing::warn!(%error, "a decoder does not stop cleanly");
        }
    }
}

fn pack(sample: &gst::Sample) -> Result<(PictureLayout, Vec<u8>), String> {
    let buffer = sample.buffer().ok_or("its keyframe gives no picture")?;
    // A smeared picture shows what is not there.
    if buffer.flags().contains(gst::BufferFlags::CORRUPTED) {
        return Err("its keyframe is damaged".to_owned());
    }
    let caps = sample.caps().ok_or("its picture has no caps")?;
    let info = gst_video::VideoInfo::from_caps(caps).map_err(|error| error.to_string())?;
    if bytes_420(info.width(), info.height()) > MOST_BYTES {
        return Err(format!("a picture of {} x {} is too large", info.width(), info.height()));
    }
    let picture = frame_copy::layout_of(&info).map_err(|error| error.to_string())?;
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info);
    let mut samples = vec![0; picture.bytes()];
    frame_copy::copy(&frame.map_err(|error| error.to_string())?, picture, &mut samples)
        .map_err(|error| error.to_string())?;
    Ok((picture, samples))
}
