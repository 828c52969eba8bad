//! Cameras that do not play, and whatever else answers at their address.

use super::super::quirk::Quirk::*;
use super::Row;

const NOT_RTSP: &str = "not RTSP";
const SILENT: &str = "does not answer";

pub fn refusals() -> Vec<Row> {
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

pub fn strangers() -> Vec<Row> {
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
