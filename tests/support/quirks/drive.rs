//! Opens the quirky cameras in one `ocelli capture`, as the daemon does, and judges what it reports of them.

use super::login::{PASSWORD, USER};
use super::rows::{Credentials, Expected, Row};
use super::server::Server;
use crate::support::capture::{self, source_of};
use ocelli::ipc::camera_source::RtpTransport;
use ocelli::ipc::channel::ChannelError;
use ocelli::ipc::frame_slots::Region;
use ocelli::ipc::messages::{CameraIndex, CameraSource, FromCapture, ToCapture};
use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a slow box may take to look at all plugins.
const START_LIMIT: Duration = Duration::from_secs(100);
/// The longest wait for the first picture, or for the loss.
const FIRST_PICTURE_LIMIT: Duration = Duration::from_secs(40);
const CONNECT_TIMEOUT_MS: u32 = 5_000;

/// What came of one row.
#[derive(Debug)]
pub struct Outcome {
    pub row: Row,
    /// Decoded pictures of those that were sent.
    pub share: f64,
    /// What is wrong; empty: nothing.
    pub faults: Vec<String>,
    /// What was reported, for the table.
    pub reported: String,
}

/// A camera while it is watched.
struct Watched {
    row: Row,
    opened: Instant,
    /// When the first picture was decoded.
    first: Option<Instant>,
    share: f64,
    motion_events: u64,
    widths: BTreeSet<u32>,
    lost: Option<(String, String)>,
    _region: Region,
}

impl Watched {
    fn is_done(&self) -> bool {
        let watched_for = |first: Instant| first.elapsed() >= Duration::from_secs(self.row.seconds);
        self.lost.is_some()
            || self.opened.elapsed() >= FIRST_PICTURE_LIMIT + Duration::from_secs(self.row.seconds)
            || match self.row.expected {
                Expected::Streams(_) => self.first.is_some_and(watched_for),
                Expected::Lost(..) => self.opened.elapsed() >= FIRST_PICTURE_LIMIT,
            }
    }

    fn outcome(self, server: &Server) -> Outcome {
        let (row, seen) = (self.row, server.seen(self.row.quirk));
        let mut faults = Vec::new();
        match (row.expected, &self.lost) {
            (Expected::Streams(_), Some((kind, detail))) => faults.push(format!("lost: {kind}, {detail}")),
            (Expected::Streams(share), None) if self.share < share => {
                faults.push(format!("{:.2} of the pictures were decoded, not {share}", self.share));
            }
            (Expected::Lost(..), None) => faults.push("not lost".into()),
            (Expected::Lost(kind, words), Some((found, detail))) if found != kind || !detail.contains(words) => {
                faults.push(format!("lost: {found}, {detail:?}; not {kind} with {words:?}"));
            }
            _ => {}
        }
        if row.width.is_some_and(|width| self.widths != BTreeSet::from([width])) {
            faults.push(format!("pictures are {:?} wide", self.widths));
        }
        if seen.refused_logins > row.refused_logins {
            faults.push(format!("{} refused logins, not {}", seen.refused_logins, row.refused_logins));
        }
        if seen.keep_alives < row.keep_alives {
            faults.push(format!("{} keep-alives, not {}", seen.keep_alives, row.keep_alives));
        }
        if row.motion_events.is_some_and(|least| !(least..=seen.movements).contains(&self.motion_events)) {
            faults.push(format!("{} motion events of {} that were sent", self.motion_events, seen.movements));
        }
        if self.lost.is_none() && seen.connections > row.connections {
            faults.push(format!("{} connections", seen.connections));
        }
        let reported = match self.lost {
            Some((_, detail)) => detail,
            None => "streams".into(),
        };
        Outcome { row, share: self.share, faults, reported }
    }
}

/// A capture process that cameras may end.
pub struct Capture(capture::Capture);

impl Capture {
    /// Starts one whose GStreamer keeps its registry below `cache`.
    pub fn start(cache: &Path) -> Self {
        let capture = capture::Capture::start(cache);
        capture.expect_started();
        Self(capture)
    }

    /// Its next message, if one comes within `limit`.
    pub fn next(&self, limit: Duration) -> Option<FromCapture> {
        match self.0.channel.receive_within(limit) {
            Ok((message, _)) => Some(message),
            Err(ChannelError::Empty) => None,
            // It has ended, or is about to: what it said before counts.
            Err(_) => {
                std::thread::sleep(limit.min(Duration::from_millis(20)));
                None
            }
        }
    }

    /// Tells it something. A process that a hostile camera has ended is not told.
    pub fn send(&self, message: &ToCapture, descriptor: Option<BorrowedFd<'_>>) {
        drop(self.0.channel.send(message, descriptor));
    }

    /// Its threads now.
    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.0.process.id())).map_or(0, Iterator::count)
    }

    /// Resident memory in kB, and threads.
    pub fn memory_and_threads(&self) -> (i64, i64) {
        self.0.memory_and_threads()
    }

    /// The most memory that it has had, in MiB.
    pub fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
    }

    /// Opens all cameras at once and watches them until each has shown what it does.
    pub fn watch(&self, server: &Server, rows: &[Row]) -> Vec<Outcome> {
        self.watch_sources(server, rows.iter().map(|row| (*row, source(server, *row))).collect())
    }

    /// [`Self::watch`] with sources that are not as their rows say.
    pub fn watch_sources(&self, server: &Server, sources: Vec<(Row, CameraSource)>) -> Vec<Outcome> {
        let open = |(index, (row, source))| self.open(index, row, source);
        let mut watched: Vec<Watched> = (0..).zip(sources).map(open).collect();
        while !watched.iter().all(Watched::is_done) {
            if let Some(message) = self.next(Duration::from_millis(100)) {
                self.hear(server, &mut watched, message);
            }
        }
        for (index, _) in (0..).zip(&watched) {
            self.send(&ToCapture::Close { camera: CameraIndex(index) }, None);
        }
        watched.into_iter().map(|camera| camera.outcome(server)).collect()
    }

    fn open(&self, index: u64, row: Row, source: CameraSource) -> Watched {
        let region = Region::create("camera", 6).unwrap();
        let open = ToCapture::Open { camera: CameraIndex(index), source: Box::new(source), slots: region.slots() };
        self.0.channel.send(&open, Some(region.writable().as_fd())).unwrap();
        let opened = Instant::now();
        Watched {
            row,
            opened,
            first: None,
            share: 0.0,
            motion_events: 0,
            widths: BTreeSet::new(),
            lost: None,
            _region: region,
        }
    }

    fn hear(&self, server: &Server, watched: &mut [Watched], message: FromCapture) {
        let at = |camera: CameraIndex| usize::try_from(camera.0).unwrap();
        match message {
            FromCapture::Streaming { camera, .. } => {
                watched[at(camera)].first.get_or_insert_with(Instant::now);
            }
            FromCapture::Frame { camera, frame } => {
                let one = &mut watched[at(camera)];
                one.first.get_or_insert_with(Instant::now);
                one.widths.insert(frame.picture.width());
                self.0.channel.send(&ToCapture::Release { camera, slot: frame.slot }, None).unwrap();
            }
            FromCapture::Progress { camera, counts } => {
                let one = &mut watched[at(camera)];
                one.motion_events = counts.motion_events;
                let sent = server.seen(one.row.quirk).pictures;
                if sent > 0 {
                    one.share = counts.decoded as f64 / sent as f64;
                }
            }
            FromCapture::Lost { camera, kind, detail } => {
                watched[at(camera)].lost.get_or_insert((format!("{kind:?}"), detail));
            }
            _ => {}
        }
    }
}

/// How the settings of a row reach the capture process.
pub fn source(server: &Server, row: Row) -> CameraSource {
    let (user, password) = match row.credentials {
        Credentials::None => (None, None),
        Credentials::Right => (Some(USER.to_owned()), Some(PASSWORD.to_owned())),
        Credentials::Wrong => (Some(USER.to_owned()), Some("secret".to_owned())),
    };
    CameraSource {
        name: row.quirk.path(),
        user,
        password,
        transport: match row.transport {
            "tcp" => RtpTransport::Tcp,
            "udp" => RtpTransport::Udp,
            _ => RtpTransport::Auto,
        },
        motion_events: row.motion_events.is_some(),
        connect_timeout_ms: CONNECT_TIMEOUT_MS,
        ..source_of(&server.url(row.quirk))
    }
}
