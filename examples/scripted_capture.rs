//! A capture process without a camera: it hands over grey frames, and answers orders for snapshots as it is told.
//!
//! Started by the tests in place of `ocelli capture`, over the same channel. The user of the camera's URL is the script:
//! what becomes of the first order, the second and so on, one letter each.

#![allow(clippy::unwrap_used, reason = "a test double that cannot go on ends, which is a fault as well")]

use ocelli::ipc::channel::{Channel, ChannelError};
use ocelli::ipc::frame_slots::SlotWriter;
use ocelli::ipc::heartbeat::HEARTBEAT;
use ocelli::ipc::messages::{CameraIndex, FromCapture, StreamInfo, ToCapture};
use ocelli::ipc::snapshot_messages::{SnapshotAnswer, SnapshotMade, SnapshotOrder};
use ocelli::os::clock::monotonic_now;
use ocelli::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
use ocelli::vision::picture_source::PictureSource;
use ocelli::vision::stream_counts::StreamCounts;
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const FRAME_PERIOD: Duration = Duration::from_millis(100);

fn main() {
    let channel = Channel::from_stdin().unwrap();
    channel.send(&FromCapture::Hello { pid: std::process::id() }, None).unwrap();
    channel.send(&FromCapture::Initialized, None).unwrap();
    let mut alive_at = Instant::now() + HEARTBEAT;
    let mut camera = None;
    loop {
        if Instant::now() >= alive_at {
            alive_at = Instant::now() + HEARTBEAT;
            channel.send(&FromCapture::Alive, None).unwrap();
        }
        match channel.receive_within::<ToCapture>(FRAME_PERIOD) {
            Ok((ToCapture::Open { camera: index, source, slots }, descriptor)) => {
                let info = StreamInfo {
                    codec: "h264".into(),
                    decoder: "scripted".into(),
                    width: 64,
                    height: 48,
                    frame_rate_milli: 0,
                };
                channel.send(&FromCapture::Streaming { camera: index, info }, None).unwrap();
                let writer = SlotWriter::new(&descriptor.unwrap(), slots).unwrap();
                let script = source.user.unwrap_or_default().chars().rev().collect();
                camera = Some(Camera { index, _writer: writer, free: (0..slots).collect(), sequence: 0, script });
            }
            Ok((ToCapture::Release { slot, .. }, _)) => {
                if let Some(camera) = &mut camera {
                    camera.free.insert(slot);
                }
            }
            Ok((ToCapture::Snapshot(order), descriptor)) => {
                camera.as_mut().unwrap().obey(&channel, &order, &descriptor.unwrap());
            }
            Ok((ToCapture::Stop, _)) | Err(ChannelError::Closed) => return,
            Ok(_) => {}
            Err(ChannelError::Empty) => {
                if let Some(camera) = &mut camera {
                    camera.hand_over(&channel);
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

struct Camera {
    index: CameraIndex,
    _writer: SlotWriter,
    free: BTreeSet<u16>,
    sequence: u64,
    /// What comes last is done first.
    script: Vec<char>,
}

impl Camera {
    fn hand_over(&mut self, channel: &Channel) {
        let picture = Picture::new(PixelFormat::I420, 64, 48, Colorimetry::default()).unwrap();
        self.sequence += 1;
        let Some(slot) = self.free.pop_first() else { return };
        let frame = Frame {
            sequence: self.sequence,
            captured_at: monotonic_now(),
            decoded_at: monotonic_now(),
            camera_ms: None,
            media_us: 0,
            slot,
            picture,
        };
        channel.send(&FromCapture::Frame { camera: self.index, frame }, None).unwrap();
        let (packets, received, decoded) = (self.sequence, self.sequence, self.sequence);
        let counts = StreamCounts { packets, received, decoded, ..StreamCounts::default() };
        channel.send(&FromCapture::Progress { camera: self.index, counts }, None).unwrap();
    }

    fn obey(&mut self, channel: &Channel, order: &SnapshotOrder, region: &OwnedFd) {
        assert!(!self.free.contains(&order.slot), "an order comes before its slot is given back");
        let jpeg = b"a picture";
        SlotWriter::new(region, 1).unwrap().bytes_mut()[..jpeg.len()].copy_from_slice(jpeg);
        let made = |bytes| Ok(SnapshotMade { bytes, source: PictureSource::Frame });
        let result = match self.script.pop() {
            Some('n') => return,
            Some('d') => std::process::abort(),
            Some('l') => made(u32::MAX),
            Some('f') => Err("as it was told".to_owned()),
            _ => made(u32::try_from(jpeg.len()).unwrap()),
        };
        channel.send(&FromCapture::Snapshot(SnapshotAnswer { id: order.id, result }), None).unwrap();
    }
}
