//! The end of a source's pipeline, where access units come out.

use crate::capture::decoder_choice::Codec;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

/// Hands each unit to `take`, in the call that brings it: none waits here.
pub(super) fn build(codec: Codec, mut take: impl FnMut(gst::Sample) + Send + 'static) -> gst::Element {
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            take(sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    let caps = codec.unit_caps();
    gst_app::AppSink::builder().caps(&caps).sync(false).max_buffers(1).callbacks(callbacks).build().upcast()
}

/// The parser of a codec, which puts parameter sets before every keyframe: decoding may begin at each.
pub(super) fn parser(codec: Codec) -> Result<gst::Element, String> {
    let parser = gst::ElementFactory::make(codec.parser()).build().map_err(|error| error.to_string())?;
    if parser.has_property("config-interval") {
        parser.set_property("config-interval", -1_i32);
    }
    Ok(parser)
}
