//! One track on its way to the client: access units at ten a second, with the quirks of RTP and RTCP.

use super::connection::Out;
use super::footage::{Clip, Codec, Footage, Nal};
use super::quirk::Quirk::{self, *};
use super::rtp::{self, Fragments, Header};
use super::server::Shared;
use std::io::Write as _;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const BETWEEN_PICTURES: Duration = Duration::from_millis(100);
/// 90,000 a second.
const TIME_STEP: u32 = 9_000;

/// Where the packets of a track go.
pub enum Sink {
    Tcp { out: Out, rtp: u8, rtcp: u8 },
    Udp { rtp: UdpSocket, rtcp: UdpSocket },
}

impl Sink {
    fn send(&self, is_rtcp: bool, packet: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tcp { out, rtp, rtcp } => {
                let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
                let mut bytes = vec![b'$', if is_rtcp { *rtcp } else { *rtp }, length[0], length[1]];
                bytes.extend(packet);
                out.lock().unwrap().write_all(&bytes)
            }
            // A client that has not opened its port yet refuses: the next packet may come through.
            Self::Udp { rtp, rtcp } => {
                drop((if is_rtcp { rtcp } else { rtp }).send(packet));
                Ok(())
            }
        }
    }
}

pub struct Stream {
    pub quirk: Quirk,
    /// 1: the picture; 2: the second video track; 0: another.
    pub track: u8,
    pub sink: Sink,
    pub out: Out,
    pub shared: Arc<Shared>,
    pub is_open: Arc<AtomicBool>,
}

impl Stream {
    /// Sends until the conversation ends.
    pub fn run(self) {
        let is_unreadable = matches!(
            (self.quirk, self.track),
            (SecondVideoUnreadable | FirstVideoUnreadable, 2)
                | (UnknownCodec, _)
                | (MpegTs, _)
                | (SecondVideoMetadata, 2)
        );
        let result = match self.track {
            0 if self.quirk == MotionEvents => self.send_motion_events(),
            0 => self.send_noise(if self.quirk == Backchannel { 0 } else { 107 }),
            _ if is_unreadable => self.send_noise(if self.quirk == MpegTs { 33 } else { 98 }),
            _ => self.send_pictures(),
        };
        if result.is_err() {
            self.is_open.store(false, Ordering::Relaxed);
        }
    }

    fn send_noise(&self, payload_type: u8) -> std::io::Result<()> {
        let mut header = Header { payload_type, sequence: 1, time: 1, ssrc: 7 };
        while self.is_open.load(Ordering::Relaxed) {
            self.sink.send(false, &header.packet(true, &[0x47; 188]))?;
            header.time = header.time.wrapping_add(TIME_STEP);
            std::thread::sleep(BETWEEN_PICTURES);
        }
        Ok(())
    }

    /// A document in two packets, each second: in turn that something moves, and that nothing does.
    fn send_motion_events(&self) -> std::io::Result<()> {
        let mut header = Header { payload_type: 107, sequence: 1, time: 1, ssrc: 7 };
        for is_moving in [true, false].into_iter().cycle() {
            let document = format!(
                "<tt:MetadataStream xmlns:tt=\"http://www.onvif.org/ver10/schema\"><tt:Event><wsnt:NotificationMessage>\
                 <wsnt:Topic>tns1:RuleEngine/CellMotionDetector/Motion</wsnt:Topic><wsnt:Message><tt:Message><tt:Data>\
                 <tt:SimpleItem Name=\"IsMotion\" Value=\"{is_moving}\"/></tt:Data></tt:Message></wsnt:Message>\
                 </wsnt:NotificationMessage></tt:Event></tt:MetadataStream>"
            );
            let (first, last) = document.as_bytes().split_at(document.len() / 2);
            self.sink.send(false, &header.packet(false, first))?;
            if is_moving {
                self.shared.note(self.quirk, |seen| seen.movements += 1);
            }
            self.sink.send(false, &header.packet(true, last))?;
            header.time = header.time.wrapping_add(90_000);
            for _ in 0..10 {
                if !self.is_open.load(Ordering::Relaxed) {
                    return Ok(());
                }
                std::thread::sleep(BETWEEN_PICTURES);
            }
        }
        Ok(())
    }

    fn send_pictures(&self) -> std::io::Result<()> {
        let mut header = self.first_header();
        let start = Instant::now();
        let between = match self.quirk {
            OneIn15Seconds => Duration::from_secs(15),
            _ => BETWEEN_PICTURES,
        };
        let mut due = start;
        for index in 0.. {
            if !self.is_open.load(Ordering::Relaxed) || self.ends_before(index, &header)? {
                return Ok(());
            }
            self.change(index, &mut header);
            let (codec, unit) = self.unit(index);
            let unit = self.without_sets(codec, unit, start.elapsed());
            self.send_unit(index, codec, &unit, &mut header)?;
            if self.track == 1 {
                self.shared.note(self.quirk, |seen| seen.pictures += 1);
            }
            header.time = match self.quirk {
                TimeConstant | TimeZero => header.time,
                OneIn15Seconds => header.time.wrapping_add(150 * TIME_STEP),
                _ => header.time.wrapping_add(TIME_STEP),
            };
            due += between;
            // In steps: the conversation may end meanwhile.
            while self.is_open.load(Ordering::Relaxed) && Instant::now() < due {
                std::thread::sleep((due - Instant::now()).min(BETWEEN_PICTURES));
            }
        }
        Ok(())
    }

    fn first_header(&self) -> Header {
        let payload_type = if self.track == 2 && self.quirk == SecondVideoReadable { 97 } else { 96 };
        let (sequence, time) = match self.quirk {
            SequenceWrap => (65_500, 77_000),
            TimeWrap => (1_000, u32::MAX - 20 * TIME_STEP),
            TimeZero => (1_000, 0),
            _ => (1_000, 77_000),
        };
        Header { payload_type, sequence, time, ssrc: 0x5eed_0000 + u32::from(self.track) }
    }

    /// The picture at `index`, of the clip that the quirk asks for.
    fn unit(&self, index: usize) -> (Codec, &[Nal]) {
        let Footage { plain, wide, h265, long_group, refresh } = &*self.shared.footage;
        let at = |clip: &'_ Clip, index: usize| index % clip.units.len();
        let (clip, at): (&Clip, usize) = match self.quirk {
            PlainH265 => (h265, at(h265, index)),
            SecondVideoReadable if self.track == 2 => (wide, at(wide, index)),
            // Joined where the camera is now, 20 s before its next keyframe.
            LongGroup => (long_group, at(long_group, index + 200)),
            // Never its only IDR picture.
            IntraRefresh => (refresh, 35 + index % (refresh.units.len() - 35)),
            OneIn15Seconds | NoDelta => (plain, at(plain, index * 20)),
            SizeChange if index / 40 % 2 == 1 => (wide, at(wide, index)),
            ParametersChange if index / 40 % 2 == 1 => (refresh, index % 40),
            _ => (plain, at(plain, index)),
        };
        (clip.codec, &clip.units[at])
    }

    fn without_sets(&self, codec: Codec, unit: &[Nal], elapsed: Duration) -> Vec<Nal> {
        let strips = match self.quirk {
            ParametersInSdpOnly => true,
            NoSpropLate => elapsed < Duration::from_secs(5),
            _ => false,
        };
        unit.iter().filter(|nal| !(strips && codec.is_parameter_set(nal))).cloned().collect()
    }

    /// Changes the numbers in front of a picture.
    fn change(&self, index: usize, header: &mut Header) {
        let is_each = |pictures: usize| index > 0 && index.is_multiple_of(pictures);
        match self.quirk {
            TimeBack if is_each(40) => header.time = header.time.wrapping_sub(30 * 90_000),
            TimeForward if is_each(40) => header.time = header.time.wrapping_add(3_600 * 90_000),
            TimeRandom => header.time = header.time.wrapping_mul(1_664_525).wrapping_add(1_013_904_223),
            SequenceJump if is_each(40) => header.sequence = header.sequence.wrapping_add(20_000),
            SsrcOnce if index == 40 => {
                (header.ssrc, header.sequence, header.time) = (0x0b0b_0001, 40_000, header.time.wrapping_add(1 << 30));
            }
            SsrcOften if is_each(20) => {
                (header.ssrc, header.sequence) = (header.ssrc + 1, header.sequence.wrapping_add(30_000));
                header.time = header.time.wrapping_add(1 << 30);
            }
            SsrcAlone if index == 40 => header.ssrc += 1,
            SsrcEach => header.ssrc += 1,
            _ => {}
        }
    }

    fn send_unit(&self, index: usize, codec: Codec, unit: &[Nal], header: &mut Header) -> std::io::Result<()> {
        self.send_beside(index, header)?;
        let fragments = if self.quirk == EndlessFragments { Fragments::Endless } else { Fragments::Proper };
        let payloads: Vec<Vec<u8>> = unit.iter().flat_map(|nal| rtp::payloads(codec, nal, fragments)).collect();
        for (number, payload) in payloads.iter().enumerate() {
            let is_last = number + 1 == payloads.len();
            let marker = match self.quirk {
                NoMarker => false,
                MarkerOnAll => true,
                _ => is_last,
            };
            let mut packet = header.packet(marker, payload);
            match self.quirk {
                Padding => {
                    packet[0] |= 0x20;
                    packet.extend([0, 0, 0, 4]);
                }
                HeaderExtension => {
                    packet[0] |= 0x10;
                    packet.splice(12..12, [0xab, 0xac, 0, 1, 1, 2, 3, 4]);
                }
                _ => {}
            }
            self.sink.send(false, &packet)?;
            if self.quirk == Duplicates {
                self.sink.send(false, &packet)?;
            }
        }
        Ok(())
    }

    /// What some cameras send in front of some pictures.
    fn send_beside(&self, index: usize, header: &mut Header) -> std::io::Result<()> {
        if index % 10 != 5 {
            return Ok(());
        }
        match self.quirk {
            EmptyPayloads => self.sink.send(false, &header.packet(false, &[])),
            BadRtcp => self.sink.send(true, &[0x80, 200, 0xff, 0xff, 1, 2, 3]),
            EmptyRtcp => self.sink.send(true, &[]),
            ShortRtp => self.sink.send(false, &[0x80, 96, 0]),
            Clock1970 => {
                // The camera's clock is set by NTP after a while.
                let seconds = if index < 50 { 2_208_988_800 } else { 3_990_000_000 };
                self.sink.send(true, &rtp::sender_report(header.ssrc, seconds, header.time))
            }
            AsksOptions => self.ask("OPTIONS", ""),
            AsksAnnounce => self.ask("ANNOUNCE", "Content-Length: 5\r\nContent-Type: text/x\r\n"),
            _ => Ok(()),
        }
    }

    fn ask(&self, method: &str, headers: &str) -> std::io::Result<()> {
        let body = if headers.is_empty() { "" } else { "a=b\r\n" };
        let request = format!("{method} rtsp://127.0.0.1/x RTSP/1.0\r\nCSeq: 7\r\n{headers}\r\n{body}");
        self.out.lock().unwrap().write_all(request.as_bytes())
    }

    /// True if the camera ends the stream in front of this picture.
    fn ends_before(&self, index: usize, header: &Header) -> std::io::Result<bool> {
        if index < 40 {
            return Ok(false);
        }
        match self.quirk {
            Bye => self.sink.send(true, &rtp::bye(header.ssrc))?,
            Drops => drop(self.out.lock().unwrap().shutdown(std::net::Shutdown::Both)),
            Resets => {
                let out = self.out.lock().unwrap();
                // A reset goes out when the last descriptor is closed, and the conversation holds another one.
                rustix::net::sockopt::set_socket_linger(&*out, Some(Duration::ZERO))?;
                self.is_open.store(false, Ordering::Relaxed);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
