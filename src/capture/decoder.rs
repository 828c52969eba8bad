//! The pipeline that decodes one camera: `appsrc ! decoder ! scale ! convert ! size filter ! appsink`.
//!
//! The thread of `appsrc` waits for the next access unit itself, so that none waits anywhere but in the
//! [`UnitQueue`], where it is counted. Scaler and converter pass everything through that fits as it is.

use crate::capture::access_unit::AccessUnit;
use crate::capture::decoder_choice::Codec;
use crate::capture::unit_queue::UnitQueue;
use crate::ipc::messages::CameraSource;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use std::sync::Arc;

/// Names the number of a unit on its way through the decoder: timestamps of cameras repeat and jump.
const NUMBER_CAPS: &str = "timestamp/x-ocelli-unit";

/// What the decoder asks and tells. All calls come from its one streaming thread.
pub(super) trait DecoderUser: Send + Sync + 'static {
    /// Waits for the next unit; `None` ends decoding.
    fn next(&self) -> Option<Feed>;
    /// Frames have this size from here on. Returns the size to scale them to.
    fn size_changed(&self, caps: &gst::CapsRef, decoder: &str) -> Option<(u32, u32)>;
    /// A unit has become a picture. Returns true if it is to go on to [`Self::frame`].
    fn is_wanted(&self, number: Option<u64>, picture: &gst::BufferRef) -> bool;
    /// A picture has come through to the end.
    fn frame(&self, sample: &gst::Sample);
}

/// What a decoder is given next.
pub(super) enum Feed {
    /// A unit.
    Unit(AccessUnit<gst::Sample>),
    /// No unit for now: the decoder gives out the pictures that it holds back to bring them into order.
    Drain,
}

/// A running decoder. Dropping it ends its thread.
#[derive(Debug)]
pub(super) struct Decoder {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    queue: Arc<UnitQueue>,
}

impl Decoder {
    /// Builds and starts the pipeline.
    ///
    /// # Errors
    /// In a person's words, when an element is missing or does not fit.
    pub(super) fn start(
        codec: Codec,
        camera: &CameraSource,
        queue: Arc<UnitQueue>,
        user: Arc<dyn DecoderUser>,
    ) -> Result<Self, String> {
        let make = |name: &str| gst::ElementFactory::make(name).build().map_err(|error| error.to_string());
        let decoder = codec.decoder(camera.hardware_decoders)?;
        // Measured: one thread costs least per frame, and other cameras use the other cores.
        set_if_there(&decoder, "max-threads", 1_i32);
        set_if_there(&decoder, "output-corrupt", false);
        let scaler = make("videoscale")?;
        set_if_there(&scaler, "add-borders", false);
        let size_filter = make("capsfilter")?;
        watch(&decoder, &size_filter, Arc::clone(&user))?;

        let source = source(Arc::clone(&user));
        let elements = [source, decoder, scaler, make("videoconvert")?, size_filter, sink(user)];
        let pipeline = gst::Pipeline::new();
        pipeline.add_many(&elements).map_err(|error| error.to_string())?;
        gst::Element::link_many(&elements).map_err(|error| error.to_string())?;
        let bus = pipeline.bus().ok_or("the decoder's pipeline has no bus")?;
        let started = Self { pipeline, bus, queue };
        started.pipeline.set_state(gst::State::Playing).map_err(|error| error.to_string())?;
        Ok(started)
    }

    /// Why it has ended, if it has.
    pub(super) fn failure(&self) -> Option<String> {
        let message = self.bus.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(error.error().message().to_owned()),
            _ => None,
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // First of all: the thread of `appsrc` may wait there.
        self.queue.close();
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "a decoder does not stop cleanly");
        }
    }
}

/// Hooks `user` in behind the decoder, in front of all work that an unwanted picture would cost.
fn watch(decoder: &gst::Element, size_filter: &gst::Element, user: Arc<dyn DecoderUser>) -> Result<(), String> {
    let name = decoder.factory().map(|factory| factory.name().to_string()).unwrap_or_default();
    let number_caps = number_caps();
    let size_filter = size_filter.clone();
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    let output = decoder.static_pad("src").ok_or("the decoder has no output")?;
    output.add_probe(kinds, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Event(event)) => {
                if let gst::EventView::Caps(caps) = event.view() {
                    scale_to(&size_filter, user.size_changed(caps.caps(), &name));
                }
            }
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let meta = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
                let mut own = meta.filter(|meta| meta.reference() == number_caps.as_ref());
                if !user.is_wanted(own.next().map(|meta| meta.timestamp().nseconds()), buffer) {
                    return gst::PadProbeReturn::Drop;
                }
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

fn scale_to(size_filter: &gst::Element, size: Option<(u32, u32)>) {
    let side = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let mut fitting = gst::Caps::builder("video/x-raw");
    if let Some((width, height)) = size {
        fitting = fitting.field("width", side(width)).field("height", side(height));
    }
    size_filter.set_property("caps", fitting.build());
}

fn set_if_there(element: &gst::Element, property: &str, value: impl Into<gst::glib::Value>) {
    if element.has_property(property) {
        element.set_property_from_value(property, &value.into());
    }
}

fn number_caps() -> gst::Caps {
    gst::Caps::new_empty_simple(NUMBER_CAPS)
}

fn source(user: Arc<dyn DecoderUser>) -> gst::Element {
    let number_caps = number_caps();
    // Called when there is nothing in `appsrc`: it never holds more than the one unit that is pushed here.
    let callbacks = gst_app::AppSrcCallbacks::builder()
        .need_data(move |source, _| {
            let pushed = loop {
                match user.next() {
                    Some(Feed::Unit(unit)) => break numbered(&unit, &number_caps).map(|it| source.push_sample(&it)),
                    Some(Feed::Drain) => drain(source),
                    None => break Some(source.end_of_stream()),
                }
            };
            if let Some(Err(error)) = pushed {
                tracing::debug!(%error, "the decoder takes no more");
            }
        })
        .build();
    let source = gst_app::AppSrc::builder().format(gst::Format::Time).max_buffers(1).callbacks(callbacks).build();
    source.upcast()
}

/// Where a stream starts a decoder gives out what it holds of the one before (`GstVideoDecoder`); a gap does that in key unit
/// mode only. In the thread of `appsrc` the event comes behind all that was pushed.
fn drain(source: &gst_app::AppSrc) {
    if let Some(output) = source.static_pad("src") {
        output.push_event(gst::event::StreamStart::new("units"));
    }
}

/// The unit with its number, which comes out of the decoder with the picture.
fn numbered(unit: &AccessUnit<gst::Sample>, number_caps: &gst::CapsRef) -> Option<gst::Sample> {
    let mut buffer = unit.data.buffer_owned()?;
    let number = gst::ClockTime::from_nseconds(unit.number);
    gst::ReferenceTimestampMeta::add(buffer.make_mut(), &number_caps.to_owned(), number, gst::ClockTime::NONE);
    let caps = unit.data.caps_owned()?;
    Some(gst::Sample::builder().buffer(&buffer).caps(&caps).build())
}

fn sink(user: Arc<dyn DecoderUser>) -> gst::Element {
    let caps = gst::Caps::builder("video/x-raw").field("format", gst::List::new(["I420", "NV12"])).build();
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            user.frame(&sample);
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    // Each picture is taken in the same call, so none waits.
    let sink = gst_app::AppSink::builder().caps(&caps).sync(false).max_buffers(1).callbacks(callbacks).build();
    if let Some(input) = sink.static_pad("sink") {
        input.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, |_, info| take_padded_rows(info));
    }
    sink.upcast()
}

/// Answers that pictures may have padded rows, as the decoder makes them. Otherwise it copies every picture, wanted or not,
/// into one without: 3.1 MB a frame of 1080p.
fn take_padded_rows(info: &mut gst::PadProbeInfo<'_>) -> gst::PadProbeReturn {
    let Some(query) = info.query_mut() else { return gst::PadProbeReturn::Ok };
    let gst::QueryViewMut::Allocation(allocation) = query.view_mut() else { return gst::PadProbeReturn::Ok };
    allocation.add_allocation_meta::<gst_video::VideoMeta>(None);
    gst::PadProbeReturn::Handled
}
