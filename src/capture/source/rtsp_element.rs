//! The element that speaks RTSP, and what it is told of a camera.
//!
//! Elements are made one by one and never from text, so nothing in a URL or a camera's answer is taken for a pipeline.

use crate::capture::decoder_choice::Codec;
use crate::capture::lock::lock;
use crate::capture::source::conversation::{Conversation, NAMELESS};
use crate::capture::source::tracks::{Choice, NoTrack, Track, Tracks};
use crate::ipc::messages::CameraSource;
use crate::os::rtsp_extension;
use gstreamer as gst;
use gstreamer::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Milliseconds for which UDP packets wait for an earlier one, unless the settings say otherwise. Over TCP the order is
/// right and nothing waits.
const REORDER_MS: u32 = 100;

/// Nanoseconds for saying goodbye: a camera that does not hear it keeps the session for a minute.
const TEARDOWN_NS: u64 = 1_000_000_000;

/// The element that connects to the camera. It knows no credentials: the conversation has them.
pub(super) fn build(
    camera: &CameraSource,
    is_udp: bool,
    conversation: Arc<Conversation>,
) -> Result<gst::Element, gst::glib::BoolError> {
    let timeout_us = u64::from(camera.connect_timeout_ms) * 1000;
    let source = rtsp_extension::client(conversation)?;
    source.set_property("location", &camera.url);
    source.set_property("latency", camera.latency_ms.unwrap_or(if is_udp { REORDER_MS } else { 0 }));
    // What is late is decoded late: whether it is dropped, and which part of it, is decided and counted in one place.
    source.set_property("drop-on-latency", false);
    if !is_udp {
        // Over TCP nobody else can send, and a camera that sends each packet twice would never pass the probation.
        source.set_property("probation", 0_u32);
    }
    source.set_property("tcp-timeout", timeout_us);
    source.set_property("timeout", timeout_us);
    source.set_property("teardown-timeout", TEARDOWN_NS);
    source.set_property_from_str("protocols", if is_udp { "udp" } else { "tcp" });
    // Its own goes past the conversation, and over TCP there is none.
    source.set_property("do-rtsp-keep-alive", false);
    source.set_property("user-id", NAMELESS);
    source.set_property("user-pw", NAMELESS);
    Ok(source)
}

/// So many tracks that are not looked at are told. A camera has some; a hostile one describes thousands.
const TOLD_TRACKS: u32 = 8;

/// Has the element set up one track only. Each track is asked about again when a connection is made anew.
pub(super) fn choose_track(source: &gst::Element, camera: &CameraSource) -> Arc<Mutex<Tracks>> {
    let tracks = Arc::new(Mutex::new(Tracks::new(camera.video_track, camera.motion_events)));
    let (chosen, known, name) = (Arc::clone(&tracks), Mutex::new(BTreeMap::new()), camera.name.clone());
    source.connect("select-stream", false, move |arguments| {
        let number = arguments.get(1).and_then(|value| value.get::<u32>().ok())?;
        let caps = arguments.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let mut known = lock(&known);
        let is_taken = *known.entry(number).or_insert_with(|| {
            let track = caps.as_deref().map_or_else(Track::default, track_of);
            let is_readable = Codec::from_encoding_name(&track.encoding).is_some();
            match lock(&chosen).offer(&track, is_readable) {
                Choice::Take | Choice::TakeEvents => true,
                Choice::Leave(what) => {
                    if number < TOLD_TRACKS {
                        tracing::info!(camera = name, "not looked at: {what}");
                    }
                    false
                }
            }
        });
        Some(is_taken.to_value())
    });
    tracks
}

/// What RTP caps say of a track.
pub(super) fn track_of(caps: &gst::CapsRef) -> Track {
    let Some(structure) = caps.structure(0) else { return Track::default() };
    let field = |name: &str| structure.get::<String>(name).ok();
    let payload_type = structure.get::<i32>("payload").unwrap_or(-1);
    let encoding = field("encoding-name").unwrap_or_else(|| static_name(payload_type).to_owned());
    Track { media: field("media").unwrap_or_default(), encoding }
}

/// The name of a video's static payload type (RFC 3551), which needs no `rtpmap`.
fn static_name(payload_type: i32) -> &'static str {
    match payload_type {
        26 => "JPEG",
        31 => "H261",
        32 => "MPV",
        33 => "MP2T",
        34 => "H263",
        _ => "",
    }
}

/// The codec of a track, or why it is none of ours.
pub(super) fn codec_of(track: &Track) -> Result<Codec, String> {
    let unknown = || NoTrack::Unreadable(track.encoding.clone()).to_string();
    Codec::from_encoding_name(&track.encoding).ok_or_else(unknown)
}
