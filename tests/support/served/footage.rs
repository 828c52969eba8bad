//! Footage of every kind, over GStreamer's RTSP server.

use super::case::{Case, Wanted};
use super::clips::{self, Clip};
use crate::support::camera::RtspCamera;
use ocelli::ipc::camera_source::RtpTransport;
use std::path::Path;

/// One kind of footage.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    clip: Clip,
    codec: &'static str,
    size: (u32, u32),
    /// Whether it belongs to the short form.
    is_short: bool,
}

/// Pictures that must be decoded of each clip: a part of it, since a busy box may join late.
const LEAST_SHARE: u32 = 3;

/// Each clip is ten seconds long, but 1080p60, of which six seconds are three hundred and sixty pictures.
const KINDS: [Kind; 15] = [
    kind(
        "H.264, 1920x1080 at 60 fps",
        "fhd60.mkv",
        360,
        "h264",
        (1920, 1080),
        "video/x-raw,format=I420,width=1920,height=1080,framerate=60/1 \
         ! x264enc speed-preset=ultrafast threads=1 key-int-max=60 bframes=0",
    ),
    kind(
        "H.264, 3840x2160",
        "uhd.mkv",
        50,
        "h264",
        (3840, 2160),
        "video/x-raw,format=I420,width=3840,height=2160,framerate=5/1 \
         ! x264enc speed-preset=ultrafast threads=1 key-int-max=10 bframes=0",
    ),
    kind(
        "H.265, 3840x2160",
        "uhd5.mkv",
        30,
        "h265",
        (3840, 2160),
        "video/x-raw,format=I420,width=3840,height=2160,framerate=3/1 \
         ! x265enc speed-preset=ultrafast key-int-max=6",
    ),
    kind(
        "H.265 Main, 8 bits",
        "main.mkv",
        100,
        "h265",
        (640, 480),
        "video/x-raw,format=I420,width=640,height=480,framerate=10/1 \
         ! x265enc speed-preset=ultrafast key-int-max=20",
    ),
    short(
        "H.265 Main 10, 10 bits",
        "main10.mkv",
        100,
        "h265",
        (640, 480),
        "video/x-raw,format=I420_10LE,width=640,height=480,framerate=10/1 \
         ! x265enc speed-preset=ultrafast key-int-max=20",
    ),
    kind(
        "H.264 High 10, 10 bits",
        "high10.mkv",
        100,
        "h264",
        (640, 480),
        "video/x-raw,format=I420_10LE,width=640,height=480,framerate=10/1 \
         ! x264enc speed-preset=ultrafast threads=1 key-int-max=20 bframes=0",
    ),
    short(
        "H.264 with three B-frames in a row",
        "b3.mkv",
        100,
        "h264",
        (640, 480),
        "video/x-raw,format=I420,width=640,height=480,framerate=10/1 \
         ! x264enc speed-preset=veryfast threads=1 key-int-max=20 bframes=3 b-adapt=false b-pyramid=true",
    ),
    kind(
        "H.265 with B-frames",
        "b5.mkv",
        100,
        "h265",
        (640, 480),
        "video/x-raw,format=I420,width=640,height=480,framerate=10/1 \
         ! x265enc speed-preset=ultrafast key-int-max=20 option-string=bframes=3:b-adapt=0",
    ),
    short(
        "H.264 interlaced (MBAFF), 720x576",
        "mbaff.mkv",
        250,
        "h264",
        (720, 576),
        "video/x-raw,format=I420,width=720,height=576,framerate=25/1,interlace-mode=interleaved,\
         field-order=top-field-first \
         ! x264enc speed-preset=ultrafast threads=1 key-int-max=25 bframes=0 interlaced=true",
    ),
    kind(
        "H.264 of 702x574: cropped macroblocks",
        "cropped.mkv",
        100,
        "h264",
        (702, 574),
        "video/x-raw,format=I420,width=702,height=574,framerate=10/1 \
         ! x264enc speed-preset=ultrafast threads=1 key-int-max=20 bframes=0",
    ),
    kind(
        "H.264 High 4:4:4 of 702x575",
        "odd.mkv",
        100,
        "h264",
        (702, 575),
        "video/x-raw,format=Y444,width=702,height=575,framerate=10/1 \
         ! x264enc speed-preset=ultrafast threads=1 key-int-max=20 bframes=0",
    ),
    kind(
        "H.265 4:4:4 of 321x241",
        "odd5.mkv",
        100,
        "h265",
        (321, 241),
        "video/x-raw,format=Y444,width=321,height=241,framerate=10/1 \
         ! x265enc speed-preset=ultrafast key-int-max=20",
    ),
    kind(
        "H.264 with a variable frame rate",
        "vfr.mkv",
        250,
        "h264",
        (640, 480),
        "video/x-raw,format=I420,width=640,height=480,framerate=25/1 ! identity drop-probability=0.5 \
         ! capssetter caps=video/x-raw,framerate=0/1 \
         ! x264enc speed-preset=ultrafast threads=1 key-int-max=25 bframes=0",
    ),
    short(
        "JPEG over RTP, 320x240",
        "jpeg.mkv",
        100,
        "mjpeg",
        (320, 240),
        "video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! jpegenc",
    ),
    // Beyond 2,040 pixels the size is in the SDP only.
    kind(
        "JPEG over RTP, 3840x2160",
        "jpeg4k.mkv",
        30,
        "mjpeg",
        (3840, 2160),
        "video/x-raw,format=I420,width=3840,height=2160,framerate=3/1 ! jpegenc",
    ),
];

#[rustfmt::skip]
const fn kind(
    name: &'static str, file: &'static str, pictures: u32, codec: &'static str, size: (u32, u32), elements: &'static str,
) -> Kind {
    Kind { name, clip: Clip { file, elements, pictures }, codec, size, is_short: false }
}

#[rustfmt::skip]
const fn short(
    name: &'static str, file: &'static str, pictures: u32, codec: &'static str, size: (u32, u32), elements: &'static str,
) -> Kind {
    Kind { is_short: true, ..kind(name, file, pictures, codec, size, elements) }
}

impl Kind {
    /// What GStreamer's server is to do with the clip.
    fn launch(&self, directory: &Path) -> String {
        let path = self.clip.path(directory);
        let payload = match self.codec {
            "h264" => "h264parse ! rtph264pay config-interval=-1",
            "h265" => "h265parse ! rtph265pay config-interval=-1",
            _ => "rtpjpegpay",
        };
        format!("filesrc location=\"{}\" ! matroskademux ! {payload} name=pay0 pt=96", path.display())
    }

    fn case(&self, url: String) -> Case {
        Case {
            name: self.name,
            server: "gst-rtsp-server",
            url,
            transport: RtpTransport::Tcp,
            wanted: Wanted::Pictures {
                codec: self.codec,
                size: self.size,
                least: u64::from(self.clip.pictures / LEAST_SHARE / if self.clip.file == "vfr.mkv" { 2 } else { 1 }),
            },
        }
    }
}

/// Encodes the footage and serves it. The cases stand as long as the server.
pub fn start(directory: &Path, is_long: bool) -> (RtspCamera, Vec<Case>) {
    let kinds: Vec<Kind> = KINDS.into_iter().filter(|kind| is_long || kind.is_short).collect();
    clips::encode(directory, &kinds.iter().map(|kind| kind.clip).collect::<Vec<Clip>>());
    let launches: Vec<String> = kinds.iter().map(|kind| kind.launch(directory)).collect();
    let arguments: Vec<&str> = launches.iter().flat_map(|launch| ["--launch", launch]).collect();
    let server = RtspCamera::start(&arguments);
    let cases = kinds.iter().zip(&server.urls).map(|(kind, url)| kind.case(url.clone())).collect();
    (server, cases)
}
