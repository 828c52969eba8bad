//! What comes once the camera plays: packets, tracks, transports, pictures.

use super::super::quirk::Quirk::*;
use super::Row;

const NO_VIDEO: &str = "no video";

pub fn by_the_book() -> Vec<Row> {
    vec![
        Row::new(PlainH264, "H.264 by the book").share(0.95),
        Row::new(PlainH265, "H.265 by the book").share(0.95).short(),
    ]
}

pub fn packets() -> Vec<Row> {
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
        Row::new(SsrcEach, "SSRC changes with each picture").lost("Other", "a new SSRC each time").short(),
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

pub fn tracks() -> Vec<Row> {
    vec![
        Row::new(MetadataFirst, "metadata and audio first").width(320).short(),
        Row::new(MetadataDead, "metadata and audio first, both answer 404"),
        Row::new(MotionEvents, "motion events in the metadata track").width(320).motion_events(3).short(),
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

pub fn transports() -> Vec<Row> {
    vec![
        // TCP is tried first.
        Row { connections: 2, ..Row::new(UdpOnly, "UDP only, transport = \"auto\"").short() },
        Row::new(TcpOnly, "TCP only, transport = \"auto\"").auto(),
        Row::new(UdpSilent, "UDP is accepted and nothing comes, transport = \"tcp\""),
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

pub fn pictures() -> Vec<Row> {
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
