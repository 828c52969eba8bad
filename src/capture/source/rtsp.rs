//! A camera over RTSP: `rtspsrc ! depay ! parse ! appsink`.

use crate::capture::decoder_choice::Codec;
use crate::capture::lock::lock;
use crate::capture::source::motion_events::MotionEvents;
use crate::capture::source::rtsp_attempt::Attempt;
use crate::capture::source::rtsp_element;
use crate::capture::source::rtsp_packets::Packets;
use crate::capture::source::source_user::SourceUser;
use crate::capture::source::unit_sink;
use crate::capture::source::whole_units::WholeUnits;
use crate::capture::stream_loss::Loss;
use crate::ipc::camera_source::RtpTransport;
use crate::ipc::messages::{CameraSource, LossKind};
use gstreamer as gst;
use gstreamer::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

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
    name: PadName,
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
        let mut attempt = lock(&self.attempt);
        attempt.keep_session();
        self.packets.forget_old_sources();
        if let Some(loss) = self.packets.loss() {
            return Some(loss);
        }
        let loss = attempt.take_loss()?;
        if !attempt.is_transport_refused() || !self.may_change_transport.swap(false, Ordering::Relaxed) {
            return Some(loss);
        }
        tracing::info!(camera = self.camera.name, "the camera refuses RTP over TCP and is asked for UDP");
        // First of all: the camera may have one session only.
        attempt.stop();
        match self::attempt(&self.camera, true, &self.packets, &self.user) {
            Ok(over_udp) => {
                *attempt = over_udp;
                None
            }
            Err(detail) => Some(Loss::new(LossKind::Other, detail)),
        }
    }

    /// True if what comes instead of an answer fills the memory. It cannot be closed then.
    pub(in crate::capture) fn is_flooded(&self, is_alone: bool) -> bool {
        lock(&self.attempt).is_flooded(is_alone)
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
        let mut track = lock(&track);
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
    if offered.is_metadata() {
        if let Err(error) = listen(pipeline, pad, user) {
            tracing::warn!(%error, "the camera's motion events cannot be read");
        }
        return Ok(());
    }
    if offered.media != "video" {
        return Ok(());
    }
    let name = PadName::of(&pad.name());
    if let Some(track) = track {
        // Another track stays unlinked. The same track with a new synchronisation source takes the place of the old one.
        if track.name.session == name.session {
            let input = &track.input;
            input.peer().map(|old| old.unlink(input)).transpose().map_err(|error| error.to_string())?;
            pad.link(input).map_err(|error| error.to_string())?;
            packets.forget_later(std::mem::replace(&mut track.name, name).ssrc);
        }
        return Ok(());
    }
    let codec = rtsp_element::codec_of(&offered)?;
    user.track(codec)?;
    let input = build_chain(pipeline, codec, packets.clone(), Arc::clone(user))?;
    packets.count_at(&input);
    pad.link(&input).map_err(|error| error.to_string())?;
    *track = Some(Track { name, input });
    Ok(())
}

/// Reads the camera's motion events from a pad of its metadata track.
fn listen(pipeline: &gst::Pipeline, pad: &gst::Pad, user: &Arc<dyn SourceUser>) -> Result<(), gst::glib::BoolError> {
    let sink = gst::ElementFactory::make("fakesink").property("sync", false).property("async", false).build()?;
    pipeline.add(&sink)?;
    sink.sync_state_with_parent()?;
    let input = sink.static_pad("sink").ok_or_else(|| gst::glib::bool_error!("a sink has no input"))?;
    let (events, user) = (Mutex::new(MotionEvents::default()), Arc::clone(user));
    let tell = move |packet: &gst::BufferRef| {
        if packet.map_readable().is_ok_and(|packet| lock(&events).take_in(&packet)) {
            user.motion_event();
        }
    };
    input.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(&tell),
            Some(gst::PadProbeData::Buffer(buffer)) => tell(buffer),
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    pad.link(&input).map(drop).map_err(|_| gst::glib::bool_error!("the metadata track cannot be read"))
}

/// What a pad is named after: `recv_rtp_src_0_3735928559_96` after session, synchronisation source and payload type.
#[derive(Debug, Eq, PartialEq)]
struct PadName {
    /// Shared by all synchronisation sources of a track.
    session: String,
    ssrc: Option<u32>,
}

impl PadName {
    fn of(name: &str) -> Self {
        let mut parts = name.rsplitn(3, '_').skip(1);
        let ssrc = parts.next().and_then(|part| part.parse().ok());
        Self { session: parts.next().unwrap_or(name).to_owned(), ssrc }
    }
}

/// Adds `depay ! parse ! appsink` and returns its input.
fn build_chain(
    pipeline: &gst::Pipeline,
    codec: Codec,
    packets: Packets,
    user: Arc<dyn SourceUser>,
) -> Result<gst::Pad, String> {
    // It passes on what comes before the first keyframe: a stream with intra refresh has none, and its recovery points,
    // at which decoding can begin as well, are found by the parser.
    let depayloader = gst::ElementFactory::make(codec.depayloader()).build().map_err(|error| error.to_string())?;
    let parser = unit_sink::parser(codec)?;
    let mut units = WholeUnits::new(codec);
    let sink = unit_sink::build(codec, move |unit| {
        for unit in units.take_in(unit).into_iter().flatten() {
            // The newest packet is the last one of this unit: it has come through in the same call.
            user.unit(unit, packets.camera_ms());
        }
    });
    let elements = [depayloader, parser, sink];
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
    fn session_and_source_are_found_in_the_name_of_a_pad() {
        let name = |session: &str, ssrc| PadName { session: session.to_owned(), ssrc };
        let found = PadName::of("recv_rtp_src_0_3735928559_96");
        assert_eq!(found, name("recv_rtp_src_0", Some(3_735_928_559)));
        assert_eq!(PadName::of("stream_0"), name("stream_0", None));
    }
}
