//! What the quirky cameras send: access units of clips that GStreamer's encoders make once per test run.

use std::path::Path;
use std::process::{Child, Command};

/// A codec, as the SDP names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Codec {
    H264,
    H265,
}

/// One NAL unit without its start code.
pub type Nal = Vec<u8>;

/// One encoded stream.
pub struct Clip {
    pub codec: Codec,
    /// NAL units of each picture, without access unit delimiters, which cameras do not send.
    pub units: Vec<Vec<Nal>>,
}

/// All clips. 10 frames a second each.
pub struct Footage {
    /// 320x240, a keyframe every 2 s.
    pub plain: Clip,
    /// 640x360, a keyframe every 2 s.
    pub wide: Clip,
    pub h265: Clip,
    /// A keyframe every 40 s, as smart codecs send them.
    pub long_group: Clip,
    /// Intra refresh: after the first picture no keyframe ever, but each second a recovery point.
    pub refresh: Clip,
}

const H264: &str = "x264enc speed-preset=ultrafast tune=zerolatency threads=1 bitrate=300";

impl Footage {
    /// Encodes all clips into `home`.
    pub fn make(home: &Path) -> Self {
        let clips = [
            ("plain", 200, "320,height=240", format!("{H264} key-int-max=20")),
            ("wide", 200, "640,height=360", format!("{H264} key-int-max=20")),
            (
                "h265",
                100,
                "320,height=240",
                "x265enc speed-preset=ultrafast tune=zerolatency key-int-max=20 option-string=aud=1".into(),
            ),
            ("long", 400, "320,height=240", format!("{H264} key-int-max=400")),
            ("refresh", 400, "320,height=240", format!("{H264} key-int-max=10 intra-refresh=true")),
        ];
        let encoders: Vec<Child> =
            clips.iter().map(|(name, pictures, size, encoder)| encode(home, name, *pictures, size, encoder)).collect();
        for mut encoder in encoders {
            assert!(encoder.wait().unwrap().success(), "a clip cannot be encoded");
        }
        let read = |name: &str, codec| Clip::read(&home.join(name), codec);
        Self {
            plain: read("plain", Codec::H264),
            wide: read("wide", Codec::H264),
            h265: read("h265", Codec::H265),
            long_group: read("long", Codec::H264),
            refresh: read("refresh", Codec::H264),
        }
    }
}

fn encode(home: &Path, name: &str, pictures: u32, size: &str, encoder: &str) -> Child {
    let codec = if name == "h265" { "h265" } else { "h264" };
    let pipeline = format!(
        "videotestsrc num-buffers={pictures} pattern=ball ! video/x-raw,format=I420,width={size},framerate=10/1 \
         ! {encoder} ! video/x-{codec},stream-format=byte-stream,alignment=au ! filesink"
    );
    Command::new("gst-launch-1.0")
        .arg("-q")
        .args(pipeline.split_whitespace())
        .arg(format!("location={}", home.join(name).display()))
        .spawn()
        .expect("gst-launch-1.0 is missing: run `make setup`")
}

impl Clip {
    fn read(path: &Path, codec: Codec) -> Self {
        let mut units: Vec<Vec<Nal>> = vec![Vec::new()];
        for nal in nal_units(&std::fs::read(path).unwrap()) {
            let last = units.last_mut().expect("there is one from the beginning");
            if !codec.is_delimiter(&nal) {
                last.push(nal);
            } else if last.iter().any(|nal| codec.is_slice(nal)) {
                // Parameter sets in front of the first delimiter belong to the first picture.
                units.push(Vec::new());
            }
        }
        Self { codec, units }
    }

    /// The parameter sets of the first picture: SPS and PPS, and VPS before them for H.265.
    pub fn parameter_sets(&self) -> Vec<&Nal> {
        self.units[0].iter().filter(|nal| self.codec.is_parameter_set(nal)).collect()
    }
}

impl Codec {
    fn nal_type(self, nal: &[u8]) -> u8 {
        match self {
            Self::H264 => nal[0] & 31,
            Self::H265 => (nal[0] >> 1) & 63,
        }
    }

    fn is_delimiter(self, nal: &[u8]) -> bool {
        self.nal_type(nal) == if self == Self::H264 { 9 } else { 35 }
    }

    fn is_slice(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => matches!(self.nal_type(nal), 1 | 5),
            Self::H265 => self.nal_type(nal) < 32,
        }
    }

    pub fn is_parameter_set(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => matches!(self.nal_type(nal), 7 | 8),
            Self::H265 => matches!(self.nal_type(nal), 32..=34),
        }
    }
}

/// Cuts a byte stream at its start codes.
fn nal_units(bytes: &[u8]) -> Vec<Nal> {
    let starts: Vec<usize> =
        bytes.windows(3).enumerate().filter(|(_, code)| code == &[0, 0, 1]).map(|(at, _)| at).collect();
    let mut units = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(bytes.len());
        let mut nal = bytes[start + 3..end].to_vec();
        // The zeros before the next start code.
        while nal.last() == Some(&0) {
            nal.pop();
        }
        if !nal.is_empty() {
            units.push(nal);
        }
    }
    units
}
