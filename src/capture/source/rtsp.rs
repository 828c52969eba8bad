//! A camera over RTSP: `rtspsrc ! depay ! parse ! appsink`.

use crate::capture::decoder_choice::Codec;
use crate::capture::source::rtsp_attempt::Attempt;
use crate::capture::source::rtsp_element;
use crate::capture::source::rtsp_packets::Packets;
use crate::capture::source::source_user::SourceUser;
use crate::capture::stream_loss::Loss;
use crate::ipc::camera_source::RtpTransport;
use crate::ipc::messages::{CameraSource, LossKind};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A connection that receives. Dropping it disconnects.
pub(in crate::capture) struct RtspSource {
    camera: CameraSource,
    user: Arc<dyn SourceUser>,
    packets: Packets,
    attempt: Mutex<Attempt>,
    /// The camera may yet be asked for another transport.
    may_change_transport: AtomicBool,
}

/// The one video track that is received.
#[derive(Debug)]
struct Track {
    /// The part of the pads' names that all synchronisation sources of the track share.
    session: String,
    input: gst::Pad,
}

impl RtspSource {
    /// Begins to connect.
    ///
    /// # Errors
    /// In a person's words, when an element is missing.
    pub(in crate::capture) fn open(camera: &CameraSource, user: Arc<dyn SourceUser>) -> Result<Self, String> {
        let packets = Packets::default();
        let attempt = attempt(camera, camera.transport == RtpTransport::Udp, &packets, &user)?;
        let may_change_transport = AtomicBool::new(camera.transport == RtpTransport::Auto);
        Ok(Self { camera: camera.clone(), user, packets, attempt: Mutex::new(attempt), may_change_transport })
    }

    /// Called often: keeps the session, and returns why the stream has ended, if it has.
    pub(in crate::capture) fn take_loss(&self) -> Option<Loss> {
        let mut attempt = self.attempt.lock().unwrap_or_else(PoisonError::into_inner);
        attempt.keep_session();
        let loss = attempt.take_loss()?;
        if !attempt.is_transport_refused() || !self.may_change_transport.swap(false, Ordering::Relaxed) {
            return Some(loss);
        }
        tracing::info!(camera = self.camera.name, "the camera refuses RTP over TCP and is asked for UDP");
        match self::attempt(&self.camera, true, &self.packets, &self.user) {
            Ok(over_udp) => {
                *attempt = over_udp;
                None
            }
            Err(detail) => Some(Loss::new(LossKind::Other, detail)),
        }
    }

    /// True if what comes instead of an answer fills the memory. It cannot be closed then.
    pub(in crate::capture) fn is_flooded(&self) -> bool {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner).is_flooded()
    }

    /// RTP packets received, and those that are missing between them.
    pub(in crate::capture) fn packets(&self) -> (u64, u64) {
        (self.packets.received(), self.packets.lost())
    }
}

impl std::fmt::Debug for RtspSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RtspSource").field("camera", &self.camera).finish_non_exhaustive()
    }
}

/// Begins to connect over one transport.
fn attempt(
    camera: &CameraSource,
    is_udp: bool,
    packets: &Packets,
    user: &Arc<dyn SourceUser>,
) -> Result<Attempt, String> {
    let attempt = Attempt::new(camera, is_udp).map_err(|error| error.to_string())?;
    packets.watch(attempt.client());
    let weak_pipeline = attempt.pipeline().downgrade();
    let (counted, user, track) = (packets.clone(), Arc::clone(user), Mutex::new(None));
    attempt.client().connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak_pipeline.upgrade() else { return };
        let mut track = track.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(detail) = connect(&mut track, &pipeline, pad, &counted, &user) {
            user.lost(Loss::new(LossKind::Codec, detail));
        }
    });
    attempt.start().map_err(|error| error.to_string())?;
    Ok(attempt)
}

/// Receives from a new pad, if it is the first video track or its successor.
fn connect(
    track: &mut Option<Track>,
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    packets: &Packets,
    user: &Arc<dyn SourceUser>,
) -> Result<(), String> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let offered = rtsp_element::track_of(&caps);
    if offered.media != "video" {
        return Ok(());
    }
    let session = session_of(&pad.name());
    if let Some(Track { session: first, input }) = track {
        // Another track stays unlinked. The same track with a new synchronisation source takes the place of the old one.
        if *first == session {
            input.peer().map(|old| old.unlink(input)).transpose().map_err(|error| error.to_string())?;
            pad.link(input).map_err(|error| error.to_string())?;
        }
        return Ok(());
    }
    let codec = rtsp_element::codec_of(&offered)?;
    user.track(codec)?;
    let input = build_chain(pipeline, codec, packets.clone(), Arc::clone(user))?;
    packets.count_at(&input);
    pad.link(&input).map_err(|error| error.to_string())?;
    *track = Some(Track { session, input });
    Ok(())
}

/// `recv_rtp_src_0` of `recv_rtp_src_0_3735928559_96`: a pad is named after session, synchronisation source and payload type.
fn session_of(pad: &str) -> String {
    pad.rsplitn(3, '_').nth(2).unwrap_or(pad).to_owned()
}

/// Adds `depay ! parse ! appsink` and returns its input.
fn build_chain(
    pipeline: &gst::Pipeline,
    codec: Codec,
    packets: Packets,
    user: Arc<dyn SourceUser>,
) -> Result<gst::Pad, String> {
    let make = |name: &str| gst::ElementFactory::make(name).build().map_err(|error| error.to_string());
    // It passes on what comes before the first keyframe: a stream with intra refresh has none, and its recovery points,
    // at which decoding can begin as well, are found by the parser.
    let depayloader = make(codec.depayloader())?;
    let parser = make(codec.parser())?;
    if parser.has_property("config-interval") {
        // Parameter sets before every keyframe: decoding may begin at each.
        parser.set_property("config-interval", -1_i32);
    }
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            // The newest packet is the last one of this unit: it has come through in the same call.
            user.unit(sink.pull_sample().map_err(|_| gst::FlowError::Eos)?, packets.camera_ms());
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    // Each unit is taken in the same call, so none waits.
    let caps = codec.unit_caps();
    let sink = gst_app::AppSink::builder().caps(&caps).sync(false).max_buffers(1).callbacks(callbacks).build();
    let elements = [depayloader, parser, sink.upcast()];
    pipeline.add_many(&elements).map_err(|error| error.to_string())?;
    gst::Element::link_many(&elements).map_err(|error| error.to_string())?;
    for element in &elements {
        element.sync_state_with_parent().map_err(|error| error.to_string())?;
    }
    elements[0].static_pad("sink").ok_or_else(|| "the depayloader has no input".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_in_the_name_of_a_pad() {
        assert_eq!(session_of("recv_rtp_src_0_3735928559_96"), "recv_rtp_src_0");
        assert_eq!(session_of("stream_0"), "stream_0");
    }
}
