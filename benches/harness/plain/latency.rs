//! How long after a picture was made it is decoded.

use gstreamer as gst;
use gstreamer::prelude::*;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Seconds from 1900, where NTP begins, to 1970.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// Packets are remembered until their picture is decoded.
const PACKETS: usize = 2_000;

/// Milliseconds from each picture at the camera, by its sender reports, to the decoded one at the pad of `last`.
pub(super) fn collect(pipeline: &gst::Element, latencies: Arc<Mutex<Vec<f64>>>) {
    let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
    tell_camera_time(&bin.by_name("source").unwrap());
    let times = Arc::new(Mutex::new(VecDeque::new()));
    let ntp = gst::Caps::new_empty_simple("timestamp/x-ntp");
    let noted = Arc::clone(&times);
    let probed = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    bin.by_name("depay").unwrap().static_pad("sink").unwrap().add_probe(probed, move |_, info| {
        let packet = match &info.data {
            Some(gst::PadProbeData::BufferList(list)) => list.iter().last(),
            Some(gst::PadProbeData::Buffer(buffer)) => Some(&**buffer),
            _ => None,
        };
        let Some(packet) = packet else { return gst::PadProbeReturn::Ok };
        let time = packet.iter_meta::<gst::ReferenceTimestampMeta>().find(|time| time.reference() == ntp.as_ref());
        if let (Some(time), Some(pts)) = (time, packet.pts()) {
            let mut noted = noted.lock().unwrap();
            noted.push_back((pts, time.timestamp()));
            if noted.len() > PACKETS {
                noted.pop_front();
            }
        }
        gst::PadProbeReturn::Ok
    });
    bin.by_name("last").unwrap().static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let pts = info.buffer().and_then(|picture| picture.pts());
        let made = times.lock().unwrap().iter().find(|(packet, _)| Some(*packet) == pts).map(|(_, made)| *made);
        if let Some(made) = made {
            let made = Duration::from_nanos(made.nseconds()).saturating_sub(Duration::from_secs(NTP_TO_UNIX));
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            latencies.lock().unwrap().push((now.as_secs_f64() - made.as_secs_f64()) * 1000.0);
        }
        gst::PadProbeReturn::Ok
    });
}

fn tell_camera_time(source: &gst::Element) {
    source.connect("new-manager", false, |arguments| {
        let manager = arguments.get(1)?.get::<gst::Element>().ok()?;
        manager.connect("new-jitterbuffer", false, |arguments| {
            arguments.get(1)?.get::<gst::Element>().ok()?.set_property("add-reference-timestamp-meta", true);
            None
        });
        None
    });
}
