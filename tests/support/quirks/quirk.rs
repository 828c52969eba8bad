//! The quirks: one for each path of the server.

use Quirk::*;

/// One way in which a camera differs from the book, or from the other cameras.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[rustfmt::skip]
pub enum Quirk {
    // By the book.
    PlainH264, PlainH265,

    // Logins.
    DigestMd5, DigestMd5Quoted, DigestOpaque, DigestSha256, DigestSha512, DigestSha256First, DigestMd5First, DigestQop,
    DigestSha256Qop,
    /// Each nonce is good for three requests.
    DigestStale,
    /// Each answer has a new nonce, and the old one is refused as stale.
    DigestNonceOnce,
    BasicOnly, BasicAndDigest,
    /// 401 for everything for 4 s, as cameras answer while they boot.
    Booting,
    /// 403 for a login that is right: the user may not see the stream.
    Forbidden,
    /// A login that nobody knows.
    UnknownScheme,
    /// 401 without a challenge.
    NoChallenge,

    // SDP.
    NoSprop, NoSpropLate, EmptySprop, HalfSprop, ParametersInSdpOnly, ControlAbsolute, ControlForeignHost, ControlSlash,
    ControlQuery, ControlNone, ControlEmpty, NoSessionControl, BadAttributes, BadOrigin, BadTime, BadMedia, BlankLine,
    NoClockRate, LatinSdp, LfSdp, NoFmtp,

    // Headers of the DESCRIBE answer.
    NoContentBase, ForeignContentBase, RelativeContentBase, SlashlessContentBase, EmptyContentBase, NoContentType,
    ContentTypeCharset, ContentTypeCase, ContentTypeTwice,

    // Answers in general.
    LfLineEnds, NoReasonPhrase, EmptyHeader, HeaderWithoutColon, FoldedHeader, LatinHeader, LateAnswers, OptionsRefused,

    // The Session header.
    TimeoutZero, TimeoutExtra, TimeoutSpaces, TimeoutFraction, TimeoutNegative, TimeoutEmpty, SessionBare, NoSession,

    // The Transport header.
    TransportCase, ChannelsApart, ChannelsSame, SourceName, TransportSsrc, OtherChannels,

    // RTP-Info.
    RtpInfoBad, RtpInfoNoUrl, RtpInfoNoValue, RtpInfoEmpty,

    // RTP and RTCP.
    TimeConstant, TimeZero, TimeBack, TimeForward, TimeRandom, TimeWrap, SequenceWrap, SequenceJump, SsrcOnce, SsrcOften,
    SsrcAlone, SsrcEach, Duplicates, EmptyPayloads, NoMarker, MarkerOnAll, EndlessFragments, BadRtcp, EmptyRtcp, ShortRtp,
    Clock1970, Padding, HeaderExtension,

    // Tracks.
    MetadataFirst, MetadataDead, MotionEvents, SecondVideoUnreadable, SecondVideoReadable, SecondVideoMetadata, FirstVideoUnreadable,
    Backchannel, AudioOnly, UnknownCodec, NoTracks, MpegTs,

    // Transports.
    UdpOnly, TcpOnly, UdpSilent, UdpPlain, UdpWithoutPorts, UdpOnePort, NoTransport,

    // Keep-alive.
    KeepGetParameter, KeepOptions, KeepOptionsOnly, KeepLogin, KeepRefused, KeepUnknownSession, KeepUdp, KeepUdpLogin,

    // Pictures.
    LongGroup, IntraRefresh, OneIn15Seconds, SizeChange, ParametersChange, NoDelta,

    // Requests from the camera.
    AsksOptions, AsksAnnounce,

    // The end.
    Bye, Drops, Resets,

    // Refusals.
    NotFound, Busy, Unavailable, Broken, RedirectItself, RedirectForeign, RedirectWithoutPlace,

    // Not cameras at all, or hostile ones.
    HttpServer, Garbage, Silent, SilentAfterDescribe, ClosesAtOnce, ClosesAfterOptions, EndlessHeaders, EndlessLine,
    EndlessSdp, HugeBody,
}

impl Quirk {
    /// Its path on the server.
    pub fn path(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Whether the camera demands a login for all but OPTIONS.
    pub fn is_login(self) -> bool {
        matches!(
            self,
            DigestMd5
                | DigestMd5Quoted
                | DigestOpaque
                | DigestSha256
                | DigestSha512
                | DigestSha256First
                | DigestMd5First
                | DigestQop
                | DigestSha256Qop
                | DigestStale
                | DigestNonceOnce
                | BasicOnly
                | BasicAndDigest
                | Booting
                | Forbidden
                | UnknownScheme
                | NoChallenge
                | KeepLogin
                | KeepUdpLogin
        )
    }

    /// Seconds without a request after which the session ends; packets of RTP and RTCP do not count.
    pub fn session_seconds(self) -> Option<u64> {
        let keeps = matches!(
            self,
            KeepGetParameter
                | KeepOptions
                | KeepOptionsOnly
                | KeepLogin
                | KeepRefused
                | KeepUnknownSession
                | KeepUdp
                | KeepUdpLogin
        );
        keeps.then_some(6)
    }

    /// True where packets go over UDP.
    pub fn is_udp(self) -> bool {
        matches!(self, KeepUdp | KeepUdpLogin | UdpOnePort | UdpOnly | UdpPlain | UdpWithoutPorts)
    }
}
