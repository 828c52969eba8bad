//! How much more a viewer receives than the camera sends as video.

use crate::report::Figure;
use crate::support::camera::RtspCamera;
use crate::viewers::Viewers;
use crate::{busy_clip, pause, seconds, watching};
use std::sync::atomic::Ordering;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = busy_clip::full_hd();
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "25"]);
    let daemon = watching(&server.urls[..1], 5, "");
    let viewers = Viewers::start(&daemon, "cam0", 1);
    pause(20.0);
    let received = &viewers.received;
    let [frames, bytes, video, texts] = [&received.frames, &received.bytes, &received.video, &received.texts]
        .map(|count| count.load(Ordering::Relaxed) as f64);
    let method = "1080p25, 2 Mbit/s, 5 frames a second analysed, over 20 s; without TCP's and TLS's own";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    push("bytes over the video's own", 100.0 * (bytes - video) / video, "%", Some(3.0));
    push("  with what is seen in it", 100.0 * (bytes + texts - video) / video, "%", None);
    push("  a frame's wrapping", (bytes - video) / frames, "B", None);
    push("  video", video * 8.0 / 1000.0 / seconds(20.0), "kbit/s", None);
}
