//! Which element decodes a stream: what the box has, hardware first.
//!
//! The plugins for hardware are installed everywhere and register elements only where there is a
//! device, so asking for the element is asking for the device.

use gstreamer as gst;

/// A codec that a camera may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Codec {
    H264,
    H265,
    Mjpeg,
}

impl Codec {
    /// By the encoding name of RTP (RFC 6184, RFC 7798, RFC 2435).
    pub(super) fn from_encoding_name(name: &str) -> Option<Self> {
        match name {
            "H264" => Some(Self::H264),
            "H265" => Some(Self::H265),
            "JPEG" => Some(Self::Mjpeg),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
            Self::Mjpeg => "mjpeg",
        }
    }

    pub(super) fn depayloader(self) -> &'static str {
        match self {
            Self::H264 => "rtph264depay",
            Self::H265 => "rtph265depay",
            Self::Mjpeg => "rtpjpegdepay",
        }
    }

    pub(super) fn parser(self) -> &'static str {
        match self {
            Self::H264 => "h264parse",
            Self::H265 => "h265parse",
            Self::Mjpeg => "jpegparse",
        }
    }

    /// One whole frame in each buffer, in the form that every decoder takes (for H.264 and H.265 with start codes).
    pub(super) fn unit_caps(self) -> gst::Caps {
        let with_start_codes =
            |name| gst::Caps::builder(name).field("stream-format", "byte-stream").field("alignment", "au").build();
        match self {
            Self::H264 => with_start_codes("video/x-h264"),
            Self::H265 => with_start_codes("video/x-h265"),
            Self::Mjpeg => gst::Caps::new_empty_simple("image/jpeg"),
        }
    }

    fn hardware_decoders(self) -> &'static [&'static str] {
        match self {
            Self::H264 => &["vah264dec", "v4l2slh264dec", "v4l2h264dec", "nvh264dec"],
            Self::H265 => &["vah265dec", "v4l2slh265dec", "v4l2h265dec", "nvh265dec"],
            Self::Mjpeg => &["vajpegdec", "v4l2jpegdec", "nvjpegdec"],
        }
    }

    fn software_decoders(self) -> &'static [&'static str] {
        match self {
            Self::H264 => &["avdec_h264", "openh264dec"],
            Self::H265 => &["avdec_h265", "libde265dec"],
            Self::Mjpeg => &["jpegdec", "avdec_mjpeg"],
        }
    }

    /// The decoder of this box, or the Debian packages that have one.
    pub(super) fn decoder(self, hardware_first: bool) -> Result<gst::Element, String> {
        let hardware = if hardware_first { self.hardware_decoders() } else { &[] };
        let names = hardware.iter().chain(self.software_decoders());
        let factory = names.filter_map(|name| gst::ElementFactory::find(name)).next();
        let missing = || format!("this box has no decoder for {}: install gstreamer1.0-libav", self.name());
        factory.ok_or_else(missing)?.create().build().map_err(|error| error.to_string())
    }
}
