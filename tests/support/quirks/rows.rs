//! The table: for each quirk, how the appliance is set, and what it must report.

use super::quirk::Quirk::{self, *};

/// What the appliance must report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// It streams over one connection, and at least this share of the pictures that were sent is decoded.
    Streams(f64),
    /// The camera is lost for a reason of this kind, told in words that contain these.
    Lost(&'static str, &'static str),
}

/// Which login the settings hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credentials {
    None,
    Right,
    Wrong,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub quirk: Quirk,
    pub expected: Expected,
    pub credentials: Credentials,
    /// `transport` of the settings.
    pub transport: &'static str,
    /// How long the stream is watched once the first picture is there.
    pub seconds: u64,
    /// Pictures of this width come, and of no other.
    pub width: Option<u32>,
    /// The most answers with a wrong login.
    pub refused_logins: u32,
    /// The most connections.
    pub connections: u32,
    /// The least requests that keep the session.
    pub keep_alives: u32,
    /// Whether it belongs to the short form.
    pub is_short: bool,
}

/// The quirk of a path.
pub fn quirk_of(path: &str) -> Option<Quirk> {
    let first = path.split(['/', '?']).next().unwrap_or_default();
    rows().into_iter().map(|row| row.quirk).find(|quirk| quirk.path() == first)
}

impl Row {
    fn new(quirk: Quirk, name: &'static str) -> Self {
        Self {
            name,
            quirk,
            expected: Expected::Streams(0.8),
            credentials: if quirk.is_login() { Credentials::Right } else { Credentials::None },
            transport: if quirk.is_udp() { "auto" } else { "tcp" },
            seconds: 8,
            width: None,
            refused_logins: 0,
            connections: 1,
            keep_alives: 0,
            is_short: false,
        }
    }

    fn share(self, share: f64) -> Self {
        Self { expected: Expected::Streams(share), ..self }
    }

    fn lost(self, kind: &'static str, words: &'static str) -> Self {
        Self { expected: Expected::Lost(kind, words), ..self }
    }

    fn wrong_login(self) -> Self {
        Self { credentials: Credentials::Wrong, refused_logins: 1, ..self }
    }

    fn no_login(self) -> Self {
        Self { credentials: Credentials::None, ..self }
    }

    fn tcp(self) -> Self {
        Self { transport: "tcp", ..self }
    }

    fn udp(self) -> Self {
        Self { transport: "udp", ..self }
    }

    fn auto(self) -> Self {
        Self { transport: "auto", ..self }
    }

    fn seconds(self, seconds: u64) -> Self {
        Self { seconds, ..self }
    }

    fn width(self, width: u32) -> Self {
        Self { width: Some(width), ..self }
    }

    fn kept(self) -> Self {
        Self { seconds: 20, keep_alives: 3, ..self }
    }

    fn short(self) -> Self {
        Self { is_short: true, ..self }
    }
}

const LOGIN: &str = "login";
const NOT_RTSP: &str = "not RTSP";
const SILENT: &str = "does not answer";
const NO_VIDEO: &str = "no video";

/// All rows.
pub fn rows() -> Vec<Row> {
    [
        by_the_book(),
        logins(),
        descriptions(),
        headers(),
        packets(),
        tracks(),
        transports(),
        pictures(),
        refusals(),
        strangers(),
    ]
    .concat()
}

fn by_the_book() -> Vec<Row> {
    vec![
        Row::new(PlainH264, "H.264 by the book").share(0.95),
        Row::new(PlainH265, "H.265 by the book").share(0.95).short(),
    ]
}

fn logins() -> Vec<Row> {
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

fn descriptions() -> Vec<Row> {
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

fn headers() -> Vec<Row> {
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

fn packets() -> Vec<Row> {
    vec![
        Row::new(TimeConstant, "RTP time stands still").short(),
        Row::new(TimeZero, "RTP time is zero"),
        Row::new(TimeBack, "RTP time jumps back 30 s"),
        Row::new(TimeForward, "RTP time jumps an hour"),
        Row::new(TimeRandom, "RTP time at random"),
        Row::new(TimeWrap, "RTP time wraps"),
        Row::new(SequenceWrap, "sequence number wraps"),
        Row::new(SequenceJump, "sequence number jumps"),
        Row::new(SsrcOnce, "SSRC changes once"),
        Row::new(SsrcOften, "SSRC changes every 2 s").seconds(20),
        Row::new(SsrcAlone, "SSRC changes and nothing else"),
        Row::new(Duplicates, "each packet twice"),
        Row::new(EmptyPayloads, "packets without a payload"),
        Row::new(NoMarker, "no marker").short(),
        Row::new(MarkerOnAll, "marker on each packet").share(0.3),
        Row::new(EndlessFragments, "fragments without an end").share(0.5),
        Row::new(BadRtcp, "broken RTCP"),
        Row::new(EmptyRtcp, "empty RTCP"),
        Row::new(ShortRtp, "RTP of three bytes"),
        Row::new(Clock1970, "sender reports of 1970, then of today"),
        Row::new(Padding, "padded packets"),
        Row::new(HeaderExtension, "header extensions"),
    ]
}

fn tracks() -> Vec<Row> {
    vec![
        Row::new(MetadataFirst, "metadata and audio first").width(320).short(),
        Row::new(MetadataDead, "metadata and audio first, both answer 404"),
        Row::new(SecondVideoUnreadable, "a second video track in MP4V-ES").width(320).short(),
        Row::new(FirstVideoUnreadable, "a first video track in MP4V-ES").width(320),
        Row::new(SecondVideoReadable, "a second video track in H.264").width(320),
        Row::new(SecondVideoMetadata, "a second video track of metadata"),
        Row::new(Backchannel, "a back channel"),
        Row::new(AudioOnly, "audio only").lost("NoVideo", NO_VIDEO),
        Row::new(NoTracks, "no tracks").lost("NoVideo", NO_VIDEO),
        Row::new(UnknownCodec, "MP4V-ES only").lost("Codec", "MP4V-ES").short(),
        Row::new(MpegTs, "MPEG-TS by its static payload type").lost("Codec", "MP2T"),
    ]
}

fn transports() -> Vec<Row> {
    vec![
        // TCP is tried first.
        Row { connections: 2, ..Row::new(UdpOnly, "UDP only, transport = \"auto\"").short() },
        Row::new(TcpOnly, "TCP only, transport = \"auto\"").auto(),
        Row::new(UdpPlain, "UDP, transport = \"udp\"").udp(),
        Row::new(UdpWithoutPorts, "UDP without server_port").udp(),
        Row::new(UdpOnePort, "UDP with one server_port").udp(),
        Row::new(NoTransport, "SETUP answered without Transport").lost("NotRtsp", "cannot be used"),
        Row::new(KeepGetParameter, "session ends without GET_PARAMETER").kept().short(),
        Row::new(KeepOptions, "session ends without OPTIONS; GET_PARAMETER refused").kept(),
        Row::new(KeepOptionsOnly, "session ends without requests; no Public").kept(),
        Row::new(KeepLogin, "session ends without requests with a login").kept(),
        Row::new(KeepRefused, "keep-alives answered with 401").kept(),
        Row::new(KeepUnknownSession, "keep-alives answered with 454").kept(),
        Row::new(KeepUdp, "session ends without requests, UDP").udp().kept(),
        Row::new(KeepUdpLogin, "session ends without requests with a login, UDP").udp().kept(),
    ]
}

fn pictures() -> Vec<Row> {
    vec![
        // 20 s of 28 cannot be decoded.
        Row::new(LongGroup, "keyframes every 40 s, joined between two").share(0.2),
        Row::new(IntraRefresh, "intra refresh, no keyframe ever").share(0.5).short(),
        Row::new(OneIn15Seconds, "one picture in 15 s").seconds(17),
        Row::new(SizeChange, "the size changes").short(),
        Row::new(ParametersChange, "the parameter sets change"),
        Row::new(NoDelta, "keyframes only"),
        Row::new(AsksOptions, "the camera sends OPTIONS"),
        Row::new(AsksAnnounce, "the camera sends ANNOUNCE with a body"),
        Row::new(Bye, "RTCP BYE after 4 s").lost("Ended", "ended"),
        Row::new(Drops, "the connection ends after 4 s").lost("Ended", "ended").short(),
        Row::new(Resets, "the connection is reset after 4 s").lost("Ended", "ended"),
    ]
}

fn refusals() -> Vec<Row> {
    vec![
        Row::new(NotFound, "404").lost("NotFound", "path").short(),
        Row::new(Busy, "453").lost("Busy", "session"),
        Row::new(Unavailable, "503").lost("Busy", "session"),
        Row::new(Broken, "500").lost("Other", "500"),
        Row::new(RedirectItself, "302 to itself").lost("Redirect", "redirect").short(),
        Row::new(RedirectForeign, "302 to another host").lost("Redirect", "127.9.9.9"),
        Row::new(RedirectWithoutPlace, "302 without a place").lost("Redirect", "redirect"),
    ]
}

fn strangers() -> Vec<Row> {
    vec![
        Row::new(HttpServer, "an HTTP server").lost("NotRtsp", NOT_RTSP),
        Row::new(Garbage, "garbage").lost("NotRtsp", NOT_RTSP),
        Row::new(Silent, "nothing is answered").lost("TimedOut", SILENT).short(),
        Row::new(SilentAfterDescribe, "nothing after DESCRIBE").lost("TimedOut", SILENT),
        Row::new(ClosesAtOnce, "closed at the first request").lost("NotRtsp", "closes"),
        Row::new(ClosesAfterOptions, "closed after OPTIONS").lost("NotRtsp", "closes"),
        Row::new(EndlessHeaders, "headers without end").lost("NotRtsp", NOT_RTSP),
        Row::new(EndlessLine, "a line without end").lost("NotRtsp", NOT_RTSP),
        Row::new(EndlessSdp, "an SDP of two gigabytes").lost("NotRtsp", NOT_RTSP),
        Row::new(HugeBody, "a body of four gigabytes").lost("NotRtsp", NOT_RTSP),
    ]
}
