//! What the camera answers, oddities included.

use super::quirk::Quirk::{self, *};
use super::request::Request;

/// An answer, before the oddities of its form.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self::new(status, String::new())
    }

    pub fn new(status: u16, headers: String) -> Self {
        Self { status, headers, body: Vec::new() }
    }

    /// The answer as it goes over the wire.
    pub fn bytes(&self, quirk: Quirk, cseq: &str) -> Vec<u8> {
        let Self { status, headers, body } = self;
        let phrase = match status {
            200 => "OK",
            302 => "Moved Temporarily",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            453 => "Not Enough Bandwidth",
            454 => "Session Not Found",
            461 => "Unsupported Transport",
            _ => "No",
        };
        let first =
            if quirk == NoReasonPhrase { format!("RTSP/1.0 {status}") } else { format!("RTSP/1.0 {status} {phrase}") };
        let mut head = format!("{first}\r\nCSeq: {cseq}\r\n");
        head += match quirk {
            EmptyHeader => "Date:\r\n",
            HeaderWithoutColon => "x-garbage\r\n",
            FoldedHeader => "X-Note: one\r\n two\r\n",
            LatinHeader => "Server: H\u{f6}f\r\n",
            _ => "",
        };
        head += headers;
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        if quirk == LfLineEnds {
            head = head.replace("\r\n", "\n");
        }
        // One byte a character: what is beyond ASCII is Latin-1.
        let mut bytes: Vec<u8> = head.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect();
        bytes.extend(body);
        bytes
    }
}

pub fn options(quirk: Quirk) -> Answer {
    let public = |more: &str| Answer::new(200, format!("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN{more}\r\n"));
    match quirk {
        OptionsRefused => Answer::status(501),
        KeepOptionsOnly => Answer::status(200),
        KeepOptions | KeepUnknownSession => public(""),
        _ => public(", GET_PARAMETER"),
    }
}

pub fn describe(quirk: Quirk, host: &str, body: Vec<u8>) -> Answer {
    let base = format!("rtsp://{host}/{}", quirk.path());
    match quirk {
        NotFound => return Answer::status(404),
        Busy => return Answer::status(453),
        Unavailable => return Answer::status(503),
        Broken => return Answer::status(500),
        RedirectItself => return Answer::new(302, format!("Location: {base}\r\n")),
        RedirectForeign => return Answer::new(302, "Location: rtsp://127.9.9.9:9/x\r\n".into()),
        RedirectWithoutPlace => return Answer::status(302),
        _ => {}
    }
    let content_base = match quirk {
        NoContentBase => String::new(),
        ForeignContentBase => format!("Content-Base: rtsp://10.88.88.88:554/{}/\r\n", quirk.path()),
        RelativeContentBase => format!("Content-Base: /{}/\r\n", quirk.path()),
        SlashlessContentBase => format!("Content-Base: {base}\r\n"),
        EmptyContentBase => "Content-Base:\r\n".into(),
        _ => format!("Content-Base: {base}/\r\n"),
    };
    let content_type = match quirk {
        NoContentType => "",
        ContentTypeCharset => "Content-type: application/sdp; charset=utf-8\r\n",
        ContentTypeCase => "Content-Type: Application/SDP\r\n",
        ContentTypeTwice => "Content-Type: application/sdp\r\nContent-Type: application/sdp\r\n",
        _ => "Content-Type: application/sdp\r\n",
    };
    Answer { status: 200, headers: content_base + content_type, body }
}

/// The channel for RTCP beside that for RTP.
pub fn rtcp_channel(quirk: Quirk, rtp: u8) -> u8 {
    rtp + match quirk {
        ChannelsSame => 0,
        ChannelsApart => 2,
        _ => 1,
    }
}

fn session(quirk: Quirk) -> String {
    let session = match quirk {
        TimeoutZero => "12345678;timeout=0",
        TimeoutExtra => "12345678;timeout=60;x=1",
        TimeoutSpaces => "12345678 ; timeout = 60",
        TimeoutFraction => "12345678;timeout=60.0",
        TimeoutNegative => "12345678;timeout=-1",
        TimeoutEmpty => "12345678;timeout=",
        SessionBare => "12345678;",
        NoSession => return String::new(),
        _ if quirk.session_seconds().is_some() => "12345678;timeout=6",
        _ => "12345678;timeout=60",
    };
    format!("Session: {session}\r\n")
}

pub fn set_up_tcp(quirk: Quirk, channel: u8) -> Answer {
    let rtcp = rtcp_channel(quirk, channel);
    let channels = match quirk {
        TransportCase => format!("Interleaved={channel}-{rtcp}"),
        _ => format!("interleaved={channel}-{rtcp}"),
    };
    let more = match quirk {
        SourceName => ";source=camera.local",
        TransportSsrc => ";ssrc=0BADCAFE",
        _ => "",
    };
    let transport = match quirk {
        NoTransport => String::new(),
        _ => format!("Transport: RTP/AVP/TCP;unicast;{channels}{more}\r\n"),
    };
    Answer::new(200, session(quirk) + &transport)
}

pub fn set_up_udp(quirk: Quirk, client: u16, [rtp, rtcp]: [u16; 2]) -> Answer {
    let server = match quirk {
        UdpWithoutPorts => String::new(),
        UdpOnePort => format!(";server_port={rtp}"),
        _ => format!(";server_port={rtp}-{rtcp}"),
    };
    let transport = format!("Transport: RTP/AVP;unicast;client_port={client}-{}{server}\r\n", client + 1);
    Answer::new(200, session(quirk) + &transport)
}

pub fn play(quirk: Quirk, request: &Request) -> Answer {
    let url = &request.uri;
    let info = match quirk {
        RtpInfoBad => format!("RTP-Info: url={url};seq=x;rtptime=\r\n"),
        RtpInfoNoUrl => "RTP-Info: seq=1;rtptime=1\r\n".into(),
        RtpInfoNoValue => format!("RTP-Info: url={url};seq\r\n"),
        RtpInfoEmpty => "RTP-Info:\r\n".into(),
        _ => String::new(),
    };
    Answer::new(200, session(quirk) + "Range: npt=0.000-\r\n" + &info)
}

pub fn parameter(quirk: Quirk) -> Answer {
    match quirk {
        KeepOptions | KeepOptionsOnly => Answer::status(501),
        KeepUnknownSession => Answer::status(454),
        KeepRefused => Answer::new(401, "WWW-Authenticate: Digest realm=\"IP Cam\", nonce=\"x\"\r\n".into()),
        _ => Answer::new(200, session(quirk)),
    }
}
