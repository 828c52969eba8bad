//! What is said before the first packet: logins, the description, headers.

use super::super::quirk::Quirk::*;
use super::Row;

const LOGIN: &str = "login";
const NOT_RTSP: &str = "not RTSP";

pub fn logins() -> Vec<Row> {
    let refused = |row: Row| row.lost("AuthFailed", LOGIN);
    vec![
        Row::new(DigestMd5, "digest MD5"),
        Row::new(DigestMd5Quoted, "digest, algorithm=\"MD5\" in quotes"),
        Row::new(DigestOpaque, "digest with opaque"),
        Row::new(DigestSha256, "digest SHA-256 only").short(),
        Row::new(DigestSha512, "digest SHA-512-256 only"),
        Row::new(DigestSha256First, "digest SHA-256 and MD5 offered"),
        Row::new(DigestMd5First, "digest MD5 and SHA-256 offered"),
        Row::new(DigestQop, "digest MD5 with qop=auth"),
        Row::new(DigestSha256Qop, "digest SHA-256 with qop=auth,auth-int"),
        Row::new(DigestStale, "digest, a nonce is good for three requests"),
        Row::new(DigestNonceOnce, "digest, a nonce is good for one request"),
        Row::new(BasicOnly, "basic only"),
        Row::new(BasicAndDigest, "basic and digest offered"),
        refused(Row::new(Booting, "401 to everything while it boots")).wrong_login(),
        refused(Row::new(Forbidden, "403 to a login that is right")),
        refused(Row::new(UnknownScheme, "a scheme of login that nobody knows")),
        refused(Row::new(NoChallenge, "401 without a challenge")),
    ]
}

/// Further rows of quirks that have one already: the same camera, other settings.
pub fn other_settings() -> Vec<Row> {
    vec![
        Row::new(DigestMd5, "digest MD5, wrong password").wrong_login().lost("AuthFailed", LOGIN).short(),
        Row::new(DigestSha256Qop, "digest SHA-256 with qop, wrong password").wrong_login().lost("AuthFailed", LOGIN),
        Row::new(BasicOnly, "basic only, wrong password").wrong_login().lost("AuthFailed", LOGIN),
        Row::new(DigestMd5, "digest MD5, no login in the settings").no_login().lost("AuthFailed", LOGIN),
        Row::new(UdpOnly, "UDP only, transport = \"tcp\"").tcp().lost("Transport", "transport"),
        Row::new(TcpOnly, "TCP only, transport = \"udp\"").udp().lost("Transport", "transport"),
    ]
}

pub fn descriptions() -> Vec<Row> {
    vec![
        Row::new(NoSprop, "SDP without parameter sets"),
        // The first five of its eight seconds cannot be decoded.
        Row::new(NoSpropLate, "parameter sets come after five seconds").share(0.3),
        Row::new(EmptySprop, "SDP with empty parameter sets"),
        Row::new(HalfSprop, "SDP with one of two parameter sets"),
        Row::new(ParametersInSdpOnly, "parameter sets in the SDP only"),
        Row::new(NoFmtp, "SDP without fmtp"),
        Row::new(ControlAbsolute, "control: absolute URLs"),
        Row::new(ControlForeignHost, "control: a host that is not there").short(),
        Row::new(ControlSlash, "control: a leading slash"),
        Row::new(ControlQuery, "control: a query"),
        Row::new(ControlNone, "no control at all"),
        Row::new(ControlEmpty, "control: empty"),
        Row::new(NoSessionControl, "no control for the session"),
        Row::new(BadAttributes, "broken attributes"),
        Row::new(BadOrigin, "broken o= line"),
        Row::new(BadTime, "broken t= line"),
        Row::new(BadMedia, "a broken m= line before the video"),
        Row::new(BlankLine, "a line of one blank"),
        Row::new(NoClockRate, "rtpmap without a clock rate"),
        Row::new(LatinSdp, "Latin-1 in the SDP"),
        Row::new(LfSdp, "SDP with LF line ends"),
    ]
}

pub fn headers() -> Vec<Row> {
    vec![
        Row::new(NoContentBase, "no Content-Base"),
        Row::new(ForeignContentBase, "Content-Base: a host that is not there"),
        Row::new(RelativeContentBase, "Content-Base: relative"),
        Row::new(SlashlessContentBase, "Content-Base without a slash"),
        Row::new(EmptyContentBase, "Content-Base: empty"),
        Row::new(NoContentType, "no Content-Type"),
        Row::new(ContentTypeCharset, "Content-Type with a charset"),
        Row::new(ContentTypeCase, "Content-Type: Application/SDP"),
        Row::new(ContentTypeTwice, "Content-Type twice"),
        Row::new(LfLineEnds, "LF line ends"),
        Row::new(NoReasonPhrase, "no reason phrase"),
        Row::new(EmptyHeader, "a header without a value"),
        Row::new(HeaderWithoutColon, "a header without a colon").lost("NotRtsp", NOT_RTSP),
        Row::new(FoldedHeader, "a folded header"),
        Row::new(LatinHeader, "Latin-1 in a header"),
        Row::new(LateAnswers, "each answer 0.7 s late"),
        Row::new(OptionsRefused, "OPTIONS refused with 501"),
        Row::new(TimeoutZero, "Session timeout=0"),
        Row::new(TimeoutExtra, "Session with a parameter more").short(),
        Row::new(TimeoutSpaces, "Session with blanks"),
        Row::new(TimeoutFraction, "Session timeout=60.0"),
        Row::new(TimeoutNegative, "Session timeout=-1"),
        Row::new(TimeoutEmpty, "Session timeout= without a value"),
        Row::new(SessionBare, "Session with a bare semicolon"),
        Row::new(NoSession, "no Session"),
        Row::new(TransportCase, "Transport: Interleaved="),
        Row::new(ChannelsApart, "Transport: interleaved=0-2"),
        Row::new(ChannelsSame, "Transport: interleaved=0-0"),
        Row::new(SourceName, "Transport: source= a name"),
        Row::new(TransportSsrc, "Transport: another ssrc"),
        Row::new(OtherChannels, "Transport: other channels than asked for"),
        Row::new(RtpInfoBad, "RTP-Info: seq=x"),
        Row::new(RtpInfoNoUrl, "RTP-Info without a URL"),
        Row::new(RtpInfoNoValue, "RTP-Info: a parameter without a value"),
        Row::new(RtpInfoEmpty, "RTP-Info: empty"),
    ]
}
