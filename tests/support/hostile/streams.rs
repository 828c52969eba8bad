//! What cameras that mean harm send once they play, as fast as it is read or at ten pictures a second.

use super::bits;
use super::clips::is_slice;
use super::mutation::{Dice, mutate};
use super::server::Shared;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const BETWEEN_PICTURES: Duration = Duration::from_millis(100);

/// The numbers in the headers of RTP.
struct Rtp {
    sequence: u16,
    time: u32,
    ssrc: u32,
}

impl Rtp {
    fn packet(&mut self, marker: bool, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, u8::from(marker) << 7 | 96];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.time.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }

    /// A NAL unit in fragments, each in its frame of the connection.
    fn nal(&mut self, nal: &[u8], is_last: bool, is_h265: bool) -> Vec<u8> {
        if nal.len() <= 1300 {
            let packet = self.packet(is_last, nal);
            return interleaved(0, &packet);
        }
        let header = if is_h265 { 2 } else { 1 };
        let (mut bytes, pieces) = (Vec::new(), nal[header..].chunks(1300).count());
        for (index, piece) in nal[header..].chunks(1300).enumerate() {
            let (start, end) = (u8::from(index == 0) << 7, u8::from(index + 1 == pieces) << 6);
            let head = match is_h265 {
                true => vec![nal[0] & 0x81 | 49 << 1, nal[1], start | end | (nal[0] >> 1) & 63],
                false => vec![nal[0] & 0xe0 | 28, start | end | nal[0] & 31],
            };
            let payload = [&head, piece].concat();
            let packet = self.packet(is_last && index + 1 == pieces, &payload);
            bytes.extend(interleaved(0, &packet));
        }
        bytes
    }
}

fn interleaved(channel: u8, packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
    [&[b'$', channel, length[0], length[1]], packet].concat()
}

/// Sends until the client goes.
pub fn send(mode: &str, shared: &Shared, out: &mut TcpStream) -> Option<()> {
    let mut rtp = Rtp { sequence: 1, time: 1, ssrc: 7 };
    // Each connection goes on with something new.
    let mut dice = Dice::new(shared.sent.load(Ordering::Relaxed) + 1);
    let mut due = Instant::now();
    for round in 0_u32.. {
        match mode {
            "sources" => {
                rtp.ssrc = rtp.ssrc.wrapping_add(0x0101_0101);
                let packet = rtp.packet(true, &[0x61; 100]);
                out.write_all(&interleaved(0, &packet)).ok()?;
            }
            "rtcp-flood" => {
                let mut report = vec![0x80, 200, 0, 6];
                for word in [round, round, 0, round, 100, 100_000] {
                    report.extend(word.to_be_bytes());
                }
                out.write_all(&interleaved(1, &report).repeat(100)).ok()?;
            }
            "lying-lengths" => {
                let length = u16::try_from(dice.throw(65_536)).unwrap().to_be_bytes();
                let bytes = vec![dice.byte(); dice.throw(3_000)];
                out.write_all(&[b'$', u8::try_from(dice.throw(4)).unwrap(), length[0], length[1]]).ok()?;
                out.write_all(&bytes).ok()?;
            }
            "huge-picture" => {
                let [sps, pps] = bits::parameter_sets(16_384, 16_384);
                let picture = bits::grey_keyframe(16_384, 16_384, round);
                picture_of(&mut rtp, &[&sps, &pps, &picture], out)?;
            }
            "large-picture" => {
                let [sps, pps] = bits::parameter_sets(8_192, 4_320);
                let picture = bits::grey_keyframe(8_192, 4_320, round);
                picture_of(&mut rtp, &[&sps, &pps, &picture], out)?;
            }
            "new-sets" => {
                let size = 16 * (10 + round % 100);
                let [sps, pps] = bits::parameter_sets(size, size);
                picture_of(&mut rtp, &[&sps, &pps, &bits::grey_keyframe(size, size, round)], out)?;
            }
            "endless-fragment" => {
                let start = if round == 0 { 0x85 } else { 0x05 };
                let packet = rtp.packet(false, &[&[0x7c, start][..], &[b'x'; 60_000]].concat());
                out.write_all(&interleaved(0, &packet)).ok()?;
            }
            "flood" => {
                let packet = rtp.packet(false, &vec![0x41; 60_000]);
                out.write_all(&interleaved(0, &packet)).ok()?;
            }
            "junk" => {
                let bytes: Vec<u8> = (0..dice.throw(1_500)).map(|_| dice.byte()).collect();
                out.write_all(&interleaved([0, 0, 1, 7, 255][dice.throw(5)], &bytes)).ok()?;
            }
            _ => {
                let Shared { clips, pace, sent } = shared;
                let is_h265 = mode.ends_with("h265");
                let clip = if is_h265 { &clips.h265 } else { &clips.h264 };
                let nal = &clip[round as usize % clip.len()];
                let is_last = is_slice(is_h265, nal);
                let bytes = rtp.nal(&mutate(nal, &mut dice), is_last, is_h265);
                out.write_all(&bytes).ok()?;
                if is_last {
                    sent.fetch_add(1, Ordering::Relaxed);
                    rtp.time = rtp.time.wrapping_add(u32::try_from(pace.as_micros()).unwrap() * 9 / 100);
                    wait(&mut due, *pace);
                }
            }
        }
    }
    Some(())
}

fn picture_of(rtp: &mut Rtp, nals: &[&[u8]], out: &mut TcpStream) -> Option<()> {
    for (index, nal) in nals.iter().enumerate() {
        let bytes = rtp.nal(nal, index + 1 == nals.len(), false);
        out.write_all(&bytes).ok()?;
    }
    rtp.time = rtp.time.wrapping_add(9_000);
    std::thread::sleep(BETWEEN_PICTURES);
    Some(())
}

/// JPEGs over HTTP, until the client goes.
pub fn send_jpegs(shared: &Shared, out: &mut TcpStream) -> Option<bool> {
    let Shared { clips, pace, sent } = shared;
    let (mut dice, mut due) = (Dice::new(sent.load(Ordering::Relaxed) + 1), Instant::now());
    out.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n").ok()?;
    for jpeg in clips.jpegs.iter().cycle() {
        let jpeg = mutate(jpeg, &mut dice);
        let head = format!("--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
        out.write_all(&[head.as_bytes(), &jpeg, b"\r\n"].concat()).ok()?;
        sent.fetch_add(1, Ordering::Relaxed);
        wait(&mut due, *pace);
    }
    Some(true)
}

fn wait(due: &mut Instant, pace: Duration) {
    // A client that was slow gets no heap of pictures afterwards.
    *due = (*due + pace).max(Instant::now().checked_sub(pace).unwrap_or(*due));
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}
