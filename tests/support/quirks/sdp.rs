//! The description of a camera's tracks, with its oddities.

use super::footage::{Clip, Codec};
use super::login::base64;
use super::quirk::Quirk::{self, *};

/// The path of the picture's track below the camera's.
pub const VIDEO: &str = "trackID=1";

/// The SDP that a camera gives; `host` is how the client has named it, with the port.
pub fn sdp(quirk: Quirk, clip: &Clip, host: &str) -> Vec<u8> {
    let base = format!("rtsp://{host}/{}", quirk.path());
    let mut text = String::from("v=0\r\n");
    text += if quirk == BadOrigin { "o=- 1 1\r\n" } else { "o=- 1 1 IN IP4 127.0.0.1\r\n" };
    text += "s=a camera\r\nc=IN IP4 0.0.0.0\r\n";
    text += if quirk == BadTime { "t=0\r\n" } else { "t=0 0\r\n" };
    if quirk == BlankLine {
        text += " \r\n";
    }
    match quirk {
        NoSessionControl | ControlNone => {}
        ControlAbsolute => text += &format!("a=control:{base}/\r\n"),
        _ => text += "a=control:*\r\n",
    }
    if matches!(quirk, MetadataFirst | MetadataDead | MotionEvents) {
        text += "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:metadata\r\n";
        text += "m=audio 0 RTP/AVP 0\r\na=control:audio\r\n";
    }
    if quirk == BadMedia {
        text += "m=application 0\r\n";
    }
    if quirk == BadAttributes {
        text += "a=framerate:\r\na=x-dimensions\r\na=\r\nb=AS\r\n";
    }
    text += &tracks(quirk, clip, &base);
    if quirk == EndlessSdp {
        text += &"a=x:y\r\n".repeat(1000);
    }
    let text = if quirk == LfSdp { text.replace("\r\n", "\n") } else { text };
    let mut bytes = text.into_bytes();
    if quirk == LatinSdp {
        bytes.splice(5..5, *b"i=H\xf6f\r\n");
    }
    bytes
}

fn tracks(quirk: Quirk, clip: &Clip, base: &str) -> String {
    let mpeg4 =
        "m=video 0 RTP/AVP 98\r\na=rtpmap:98 MP4V-ES/90000\r\na=fmtp:98 profile-level-id=1\r\na=control:trackID=2\r\n";
    let picture = |payload_type: u8, control: &str| {
        let name = if clip.codec == Codec::H264 { "H264" } else { "H265" };
        let clock = if quirk == NoClockRate { "" } else { "/90000" };
        let format = match format(quirk, clip) {
            Some(format) => format!("a=fmtp:{payload_type} {format}\r\n"),
            None => String::new(),
        };
        let control = if quirk == ControlNone { String::new() } else { format!("a=control:{control}\r\n") };
        format!("m=video 0 RTP/AVP {payload_type}\r\na=rtpmap:{payload_type} {name}{clock}\r\n{format}{control}")
    };
    let control = match quirk {
        ControlAbsolute => format!("{base}/{VIDEO}"),
        ControlForeignHost => format!("rtsp://10.99.99.99:554/{}/{VIDEO}", quirk.path()),
        ControlSlash => format!("/{VIDEO}"),
        ControlQuery => format!("{VIDEO}?x=1"),
        ControlEmpty => String::new(),
        _ => VIDEO.into(),
    };
    let video = picture(96, &control);
    match quirk {
        SecondVideoUnreadable => video + mpeg4,
        FirstVideoUnreadable => mpeg4.to_owned() + &video,
        SecondVideoReadable => video + &picture(97, "trackID=2"),
        SecondVideoMetadata => {
            video + "m=video 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:trackID=2\r\n"
        }
        Backchannel => video + "m=audio 0 RTP/AVP 0\r\na=control:back\r\na=sendonly\r\n",
        AudioOnly => "m=audio 0 RTP/AVP 0\r\na=control:audio\r\n".into(),
        UnknownCodec => mpeg4.to_owned(),
        NoTracks => String::new(),
        MpegTs => "m=video 0 RTP/AVP 33\r\na=control:trackID=1\r\n".into(),
        _ => video,
    }
}

fn format(quirk: Quirk, clip: &Clip) -> Option<String> {
    let sets: Vec<String> = clip.parameter_sets().into_iter().map(|set| base64(set)).collect();
    if clip.codec == Codec::H265 {
        return Some(format!("sprop-vps={};sprop-sps={};sprop-pps={}", sets[0], sets[1], sets[2]));
    }
    let sprop = match quirk {
        NoFmtp => return None,
        NoSprop | NoSpropLate => String::new(),
        EmptySprop => ";sprop-parameter-sets=".into(),
        HalfSprop => format!(";sprop-parameter-sets={},", sets[0]),
        _ => format!(";sprop-parameter-sets={},{}", sets[0], sets[1]),
    };
    Some(format!("packetization-mode=1{sprop}"))
}
