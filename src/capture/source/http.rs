//! A camera over HTTP: a stream of JPEGs (`multipart/x-mixed-replace`), or a single picture that is asked for again and again.
//!
//! `souphttpsrc ! typefind [! multipartdemux] ! jpegparse ! appsink`. Which of the two a URL is shows in its first bytes.

use crate::capture::decoder_choice::Codec;
use crate::capture::lock::lock;
use crate::capture::source::jpeg_poll::JpegPoll;
use crate::capture::source::source_user::SourceUser;
use crate::capture::source::unit_sink;
use crate::capture::stream_loss::Loss;
use crate::ipc::messages::{CameraSource, LossKind};
use crate::os::clock::monotonic_now;
use gstreamer as gst;
use gstreamer::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Seconds without a byte after which a connection is given up here. The parent does it earlier, unless the camera's
/// `stall_seconds` are longer still.
const SILENCE_SECONDS: u32 = 600;

/// No picture is larger: one without an end would fill the memory.
const MOST_BYTES: usize = 16 << 20;

/// A connection that receives. Dropping it disconnects.
#[derive(Debug)]
pub(in crate::capture) struct HttpSource {
    camera: String,
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    chunks: Arc<AtomicU64>,
    is_picture: Arc<AtomicBool>,
    poll: Mutex<JpegPoll>,
}

impl HttpSource {
    /// Begins to connect.
    ///
    /// # Errors
    /// In a person's words, when an element is missing.
    pub(in crate::capture) fn open(camera: &CameraSource, user: Arc<dyn SourceUser>) -> Result<Self, String> {
        let pipeline = gst::Pipeline::new();
        let (source, finder) = (element(camera)?, make("typefind")?);
        pipeline.add_many([&source, &finder]).map_err(|error| error.to_string())?;
        source.link(&finder).map_err(|error| error.to_string())?;
        let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
        let (chunks, is_picture) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (weak_pipeline, is_built) = (pipeline.downgrade(), AtomicBool::new(false));
        let (counted, found) = (Arc::clone(&chunks), Arc::clone(&is_picture));
        finder.connect("have-type", false, move |arguments| {
            let finder = arguments.first()?.get::<gst::Element>().ok()?;
            let caps = arguments.get(2)?.get::<gst::Caps>().ok()?;
            // Each further picture is found anew.
            if is_built.swap(true, Ordering::Relaxed) {
                return None;
            }
            let pipeline = weak_pipeline.upgrade()?;
            let kind = caps.structure(0).map(|structure| structure.name().to_string()).unwrap_or_default();
            found.store(kind == "image/jpeg", Ordering::Relaxed);
            if let Err(detail) = build_chain(&pipeline, &finder, &kind, &counted, &user) {
                user.lost(Loss::new(LossKind::Codec, detail));
            }
            None
        });
        let poll = Mutex::new(JpegPoll::new(camera.frames_per_second));
        let source = Self { camera: camera.name.clone(), pipeline, bus, chunks, is_picture, poll };
        source.pipeline.set_state(gst::State::Playing).map_err(|error| error.to_string())?;
        Ok(source)
    }

    /// Why the stream has ended, if it has. A single picture is asked for again when the next one is due.
    pub(in crate::capture) fn take_loss(&self) -> Option<Loss> {
        let mut poll = lock(&self.poll);
        if poll.is_due(monotonic_now()) {
            let again =
                self.pipeline.set_state(gst::State::Ready).and_then(|_| self.pipeline.set_state(gst::State::Playing));
            if again.is_err() {
                return Some(Loss::new(LossKind::Unreachable, "the next picture cannot be asked for"));
            }
        }
        let message = self.bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Eos])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(Loss::from_message(error)),
            _ if self.is_picture.load(Ordering::Relaxed) => {
                poll.came(monotonic_now());
                None
            }
            _ => Some(Loss::new(LossKind::Ended, "the stream ended")),
        }
    }

    /// So many frames a second are wanted from now on.
    pub(in crate::capture) fn pace(&self, frames_per_second: f32) {
        lock(&self.poll).change_rate(frames_per_second);
    }

    /// Pieces of the answer received. None can be missing between them.
    pub(in crate::capture) fn chunks(&self) -> u64 {
        self.chunks.load(Ordering::Relaxed)
    }
}

impl Drop for HttpSource {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(camera = self.camera, %error, "a connection does not end cleanly");
        }
    }
}

fn make(name: &str) -> Result<gst::Element, String> {
    gst::ElementFactory::make(name).build().map_err(|error| error.to_string())
}

/// The element that connects. Credentials are properties, as a URL ends up in logs. It follows no redirect: the login is for
/// the host that the settings name.
fn element(camera: &CameraSource) -> Result<gst::Element, String> {
    let source = gst::ElementFactory::make("souphttpsrc")
        .property("location", &camera.url)
        .property("automatic-redirect", false)
        .property("iradio-mode", false)
        .property("is-live", true)
        .property("retries", 0_i32)
        .property("timeout", SILENCE_SECONDS)
        .property("user-agent", concat!("ocelli/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())?;
    if let Some(user) = &camera.user {
        source.set_property("user-id", user);
        source.set_property("user-pw", camera.password.as_deref().unwrap_or_default());
    }
    Ok(source)
}

/// Adds `[multipartdemux !] jpegparse ! appsink` behind `typefind`.
fn build_chain(
    pipeline: &gst::Pipeline,
    finder: &gst::Element,
    kind: &str,
    chunks: &Arc<AtomicU64>,
    user: &Arc<dyn SourceUser>,
) -> Result<(), String> {
    if !["image/jpeg", "multipart/x-mixed-replace"].contains(&kind) {
        return Err(format!("the URL is that of `{kind}`; ocelli reads JPEG pictures and streams of them over HTTP"));
    }
    user.track(Codec::Mjpeg)?;
    let parser = unit_sink::parser(Codec::Mjpeg)?;
    let (unit_user, bytes) = (Arc::clone(user), Arc::new(AtomicUsize::new(0)));
    let come = Arc::clone(&bytes);
    let sink = unit_sink::build(Codec::Mjpeg, move |unit| {
        come.store(0, Ordering::Relaxed);
        unit_user.unit(unit, None);
    });
    let mut elements = vec![parser.clone(), sink];
    pipeline.add_many(&elements).map_err(|error| error.to_string())?;
    gst::Element::link_many(&elements).map_err(|error| error.to_string())?;
    let first = if kind == "image/jpeg" {
        parser
    } else {
        let demuxer = make("multipartdemux")?;
        pipeline.add(&demuxer).map_err(|error| error.to_string())?;
        let failing_user = Arc::clone(user);
        demuxer.connect_pad_added(move |_, pad| {
            let linked = parser.static_pad("sink").filter(|input| !input.is_linked()).map(|input| pad.link(&input));
            if let Some(Err(error)) = linked {
                failing_user.lost(Loss::new(LossKind::Codec, error.to_string()));
            }
        });
        elements.push(demuxer.clone());
        demuxer
    };
    let input = first.static_pad("sink").ok_or("the parser has no input")?;
    let (counter, bounded_user) = (Arc::clone(chunks), Arc::clone(user));
    input.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        counter.fetch_add(1, Ordering::Relaxed);
        let size = info.buffer().map_or(0, |buffer| buffer.size());
        if bytes.fetch_add(size, Ordering::Relaxed) > MOST_BYTES {
            bounded_user.lost(Loss::new(LossKind::Codec, "a picture of the camera has no end"));
            return gst::PadProbeReturn::Drop;
        }
        gst::PadProbeReturn::Ok
    });
    for element in elements.iter().rev() {
        element.sync_state_with_parent().map_err(|error| error.to_string())?;
    }
    finder.link(&first).map_err(|error| error.to_string())
}
