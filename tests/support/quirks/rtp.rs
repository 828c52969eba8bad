//! Packets of RTP: headers (RFC 3550), and NAL units in them (RFC 6184, RFC 7798).

use super::footage::{Codec, Nal};

/// The largest payload, as cameras choose it for Ethernet.
const MAX_PAYLOAD: usize = 1400;

/// The numbers in the headers of one stream.
#[derive(Clone, Debug)]
pub struct Header {
    pub payload_type: u8,
    pub sequence: u16,
    pub time: u32,
    pub ssrc: u32,
}

impl Header {
    /// The next packet.
    pub fn packet(&mut self, marker: bool, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, u8::from(marker) << 7 | self.payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.time.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }
}

/// What the fragments of a NAL unit are like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fragments {
    Proper,
    /// None of them says that it is the last one.
    Endless,
}

/// The payloads that carry one NAL unit.
pub fn payloads(codec: Codec, nal: &Nal, fragments: Fragments) -> Vec<Vec<u8>> {
    // Small units are cut as well where the end of fragments matters: else nothing would show it.
    if nal.len() <= if fragments == Fragments::Endless { 40 } else { MAX_PAYLOAD } {
        return vec![nal.clone()];
    }
    let header_bytes = if codec == Codec::H264 { 1 } else { 2 };
    let pieces: Vec<&[u8]> = nal[header_bytes..].chunks((MAX_PAYLOAD - 3).min(nal.len() / 2)).collect();
    let last = pieces.len() - 1;
    let payload = |(index, piece): (usize, &&[u8])| {
        let start = u8::from(index == 0) << 7;
        let end = u8::from(index == last && fragments == Fragments::Proper) << 6;
        let mut payload = match codec {
            Codec::H264 => vec![nal[0] & 0xe0 | 28, start | end | nal[0] & 31],
            Codec::H265 => vec![nal[0] & 0x81 | 49 << 1, nal[1], start | end | (nal[0] >> 1) & 63],
        };
        payload.extend(*piece);
        payload
    };
    pieces.iter().enumerate().map(payload).collect()
}

/// A sender report of RTCP.
pub fn sender_report(ssrc: u32, ntp_seconds: u32, time: u32) -> Vec<u8> {
    let mut report = vec![0x80, 200, 0, 6];
    for word in [ssrc, ntp_seconds, 0, time, 100, 100_000] {
        report.extend(word.to_be_bytes());
    }
    report
}

/// The goodbye of RTCP.
pub fn bye(ssrc: u32) -> Vec<u8> {
    let mut bye = vec![0x81, 203, 0, 1];
    bye.extend(ssrc.to_be_bytes());
    bye
}
