//! One attempt to receive a camera over one transport: the pipeline, what is said to the camera, and why it ended.

use crate::capture::lock::lock;
use crate::capture::source::conversation::{Conversation, Rules, authority_of};
use crate::capture::source::failure::{self, Failure};
use crate::capture::source::login::Credentials;
use crate::capture::source::reach::{self, Diagnosis};
use crate::capture::source::rtsp_element;
use crate::capture::source::tls::{self, Distrust};
use crate::capture::source::tracks::Tracks;
use crate::capture::stream_loss::Loss;
use crate::ipc::messages::{CameraSource, LossKind};
use gstreamer as gst;
use gstreamer::prelude::*;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What GStreamer's request for a keep-alive asks for; the conversation takes it out again.
const NO_PARAMETER: &str = "ping";

/// A pipeline that connects or receives. Dropping it disconnects.
#[derive(Debug)]
pub(super) struct Attempt {
    camera: String,
    authority: String,
    is_udp: bool,
    connect_timeout: Duration,
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    client: gst::Element,
    conversation: Arc<Conversation>,
    tracks: Arc<Mutex<Tracks>>,
    distrust: Distrust,
    diagnosis: Option<Diagnosis>,
}

impl Attempt {
    /// Makes the pipeline with its client in it. It connects with [`Self::start`].
    pub(super) fn new(camera: &CameraSource, is_udp: bool) -> Result<Self, gst::glib::BoolError> {
        let user = camera.user.clone();
        let connect_timeout = Duration::from_millis(u64::from(camera.connect_timeout_ms));
        let password = camera.password.clone().unwrap_or_default();
        let authority = authority_of(&camera.url).to_owned();
        let conversation = Arc::new(Conversation::new(Rules {
            credentials: user.map(|user| Credentials { user, password }),
            authority: authority.clone(),
            allows_basic: camera.basic_auth || camera.is_tls(),
            follows_redirects: camera.follow_redirects,
            is_tls: camera.is_tls(),
            // The client's own limit is for silence.
            answer_limit: connect_timeout * 2 + Duration::from_secs(1),
        }));
        let client = rtsp_element::build(camera, is_udp, Arc::clone(&conversation))?;
        let (tracks, distrust) = (
            rtsp_element::choose_track(&client, camera),
            tls::trust(&client, &reach::host_and_port(&authority).0, camera.tls.clone()),
        );
        let pipeline = gst::Pipeline::new();
        pipeline.add(&client)?;
        let bus = pipeline.bus().ok_or_else(|| gst::glib::bool_error!("the pipeline has no bus"))?;
        Ok(Self {
            camera: camera.name.clone(),
            authority,
            is_udp,
            connect_timeout,
            pipeline,
            bus,
            client,
            conversation,
            tracks,
            distrust,
            diagnosis: None,
        })
    }

    /// The element whose pads are the tracks.
    pub(super) fn client(&self) -> &gst::Element {
        &self.client
    }

    pub(super) fn pipeline(&self) -> &gst::Pipeline {
        &self.pipeline
    }

    /// Begins to connect. Only what GStreamer itself lacks fails here; why a camera cannot be reached is said later.
    pub(super) fn start(&self) -> Result<(), gst::StateChangeError> {
        self.pipeline.set_state(gst::State::Playing).map(|_| ())
    }

    /// True if what comes instead of an answer fills the memory.
    pub(super) fn is_flooded(&self, is_alone: bool) -> bool {
        // Once it has failed, no answer is awaited any more.
        self.diagnosis.is_none() && self.conversation.is_flooded(is_alone, Instant::now())
    }

    /// Asks the camera to keep the session, when that is due.
    pub(super) fn keep_session(&self) {
        if self.conversation.is_keep_alive_due(Instant::now()) {
            let answer = gst::Promise::new();
            let is_sent = self.client.emit_by_name::<bool>("get-parameter", &[&NO_PARAMETER, &None::<&str>, &answer]);
            tracing::debug!(camera = self.camera, is_sent, "the session is kept");
        }
    }

    /// True if it failed because the camera refuses the transport.
    pub(super) fn is_transport_refused(&self) -> bool {
        self.conversation.is_transport_refused() && !self.conversation.is_playing()
    }

    /// Why the attempt has ended, once that is known.
    pub(super) fn take_loss(&mut self) -> Option<Loss> {
        if let Some(diagnosis) = &self.diagnosis {
            return diagnosis.poll();
        }
        let message = self.bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Eos])?;
        let is_playing = self.conversation.is_playing();
        let gst::MessageView::Error(error) = message.view() else {
            return Some(self.known_loss().unwrap_or_else(|| Loss::of(LossKind::Ended)));
        };
        let failure = failure::of_message(error, is_playing);
        if let Some(known) = self.known_loss() {
            return Some(known);
        }
        match failure {
            Failure::Lost(loss) => Some(loss),
            Failure::NotConnected => {
                self.diagnosis = Some(Diagnosis::begin(&self.authority, self.connect_timeout));
                None
            }
        }
    }

    /// The reason, where the client's own would say less.
    fn known_loss(&self) -> Option<Loss> {
        if let Some(loss) = self.conversation.loss() {
            return Some(loss);
        }
        if let Some(detail) = lock(&self.distrust).clone() {
            return Some(Loss::new(LossKind::Certificate, detail));
        }
        if self.conversation.is_playing() {
            return None;
        }
        if self.is_transport_refused() {
            let (refused, other) = if self.is_udp { ("UDP", "tcp") } else { ("TCP", "udp") };
            let detail = format!(
                "the camera refuses RTP over {refused} (RTSP status 461): set `transport = \"{other}\"` or \"auto\""
            );
            return Some(Loss::new(LossKind::Transport, detail));
        }
        if !self.conversation.is_described() {
            return None;
        }
        let missing = lock(&self.tracks).missing()?;
        let kind = missing.kind();
        Some(Loss::new(kind, missing.to_string()))
    }
}

impl Attempt {
    /// Disconnects, which dropping it does too.
    pub(super) fn stop(&self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(camera = self.camera, %error, "a connection does not end cleanly");
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.stop();
    }
}
