//! The element that speaks RTSP, and what it is told of a camera.
//!
//! Elements are made one by one and never from text, so nothing in a URL or a camera's answer is taken for a pipeline.

use crate::capture::decoder_choice::Codec;
use crate::ipc::messages::CameraSource;
use gstreamer as gst;
use gstreamer::prelude::*;

/// Milliseconds for which UDP packets wait for an earlier one, unless the settings say otherwise. Over TCP the order is
/// right and nothing waits.
const REORDER_MS: u32 = 100;

/// Nanoseconds for saying goodbye: a camera that does not hear it keeps the session for a minute.
const TEARDOWN_NS: u64 = 1_000_000_000;

/// The element that connects to the camera. Credentials are properties: a URL ends up in logs.
pub(super) fn build(camera: &CameraSource) -> Result<gst::Element, gst::glib::BoolError> {
    let timeout_us = u64::from(camera.connect_timeout_ms) * 1000;
    let source = gst::ElementFactory::make("rtspsrc")
        .property("location", &camera.url)
        .property("latency", camera.latency_ms.unwrap_or(if camera.udp { REORDER_MS } else { 0 }))
        // What is late is decoded late: whether it is dropped, and which part of it, is decided and counted in one place.
        .property("drop-on-latency", false)
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
