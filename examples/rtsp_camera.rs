//! An RTSP camera on loopback.

fn main() {}
