//! Builds the elements of one camera:
//! `rtspsrc ! depay ! parse [! keyframes only] ! decoder ! scale ! convert ! size filter ! appsink`.
//!
//! Elements are made one by one and never from text, so nothing in a URL or a camera's answer is
//! taken for a pipeline. Scaler and converter pass everything through that fits as it is.

use crate::capture::decoder_choice::Codec;
use crate::ipc::messages::CameraSource;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use std::sync::Arc;

/// Milliseconds of RTP that wait for reordering.
const JITTER_MS: u32 = 100;

/// Nanoseconds for saying goodbye: a camera that does not hear it keeps the session for a minute.
const TEARDOWN_NS: u64 = 1_000_000_000;

/// The element that connects to the camera. Credentials are properties: a URL ends up in logs.
pub(super) fn source(camera: &CameraSource) -> Result<gst::Element, gst::glib::BoolError> {
    let timeout_us = u64::from(camera.connect_timeout_ms) * 1000;
    let source = gst::ElementFactory::make("rtspsrc")
        .property("location", &camera.url)
        .property("latency", JITTER_MS)
        .property("drop-on-latency", true)
        .property("tcp-timeout", timeout_us)
        .property("timeout", timeout_us)
        .property("teardown-timeout", TEARDOWN_NS)
        .property_from_str("protocols", if camera.udp { "udp" } else { "tcp" })
        .build()?;
    if let Some(user) = &camera.user {
        source.set_property("user-id", user);
        source.set_property("user-pw", camera.password.as_deref().unwrap_or_default());
    }
    source.connect("select-stream", false, |arguments| {
        let caps = arguments.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let is_video = caps.is_some_and(|caps| media_of(&caps).as_deref() == Some("video"));
        Some(is_video.to_value())
    });
    Ok(source)
}

/// `video`, `audio`, ... of RTP caps.
pub(super) fn media_of(caps: &gst::CapsRef) -> Option<String> {
    caps.structure(0)?.get::<String>("media").ok()
}

/// The codec of RTP caps, or why it is none of ours.
pub(super) fn codec_of(caps: &gst::CapsRef) -> Result<Codec, String> {
    let name = caps.structure(0).and_then(|structure| structure.get::<String>("encoding-name").ok());
    let name = name.unwrap_or_default();
    let unknown = || format!("the camera sends `{name}`; ocelli reads H264, H265 and JPEG");
    Codec::from_encoding_name(&name).ok_or_else(unknown)
}

/// The part behind the source, for the codec that the camera turned out to send.
#[derive(Debug)]
pub(super) struct Chain {
    /// Where the source's pad goes.
    pub(super) first: gst::Element,
    /// Decoded frames leave it.
    pub(super) decoder: gst::Element,
    /// Holds the size that fits a slot.
    pub(super) size_filter: gst::Element,
}

/// What happens to frames; the stream's side of the chain.
pub(super) trait FrameHandler: Send + Sync + 'static {
    /// A frame has come through to the end.
    fn frame(&self, sample: &gst::Sample);
}

impl Chain {
    /// Builds, adds and links the part behind the source.
    ///
    /// # Errors
    /// In a person's words, when an element is missing or does not fit.
    pub(super) fn build(
        pipeline: &gst::Pipeline,
        codec: Codec,
        camera: &CameraSource,
        handler: Arc<dyn FrameHandler>,
    ) -> Result<Self, String> {
        let make = |name: &str| gst::ElementFactory::make(name).build().map_err(|error| error.to_string());
        let depayloader = make(codec.depayloader())?;
        set_if_there(&depayloader, "wait-for-keyframe", true);
        let parser = make(codec.parser())?;
        let decoder = codec.decoder(camera.hardware_decoders)?;
        // Measured: one thread costs least per frame, and other cameras use the other cores.
        set_if_there(&decoder, "max-threads", 1_i32);
        set_if_there(&decoder, "output-corrupt", false);
        let scaler = make("videoscale")?;
        set_if_there(&scaler, "add-borders", false);
        let size_filter = make("capsfilter")?;

        let mut elements = vec![depayloader, parser];
        if camera.keyframes_only {
            // Before the decoder, which then does a tenth of the work; its own skipping saves nothing (measured).
            let identity = make("identity")?;
            identity.set_property_from_str("drop-buffer-flags", "delta-unit");
            elements.push(identity);
        }
        elements.extend([decoder.clone(), scaler, make("videoconvert")?, size_filter.clone(), sink(handler)]);
        pipeline.add_many(&elements).map_err(|error| error.to_string())?;
        gst::Element::link_many(&elements).map_err(|error| error.to_string())?;
        for element in &elements {
            element.sync_state_with_parent().map_err(|error| error.to_string())?;
        }
        let first = elements.swap_remove(0);
        Ok(Self { first, decoder, size_filter })
    }
}

fn set_if_there(element: &gst::Element, property: &str, value: impl Into<gst::glib::Value>) {
    if element.has_property(property) {
        element.set_property_from_value(property, &value.into());
    }
}

fn sink(handler: Arc<dyn FrameHandler>) -> gst::Element {
    let caps = gst::Caps::builder("video/x-raw").field("format", gst::List::new(["I420", "NV12"])).build();
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            handler.frame(&sample);
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    // The handler never waits, so one buffer is enough, and the newest one wins.
    let sink = gst_app::AppSink::builder().caps(&caps).sync(false).max_buffers(1).drop(true).callbacks(callbacks);
    sink.build().upcast()
}
