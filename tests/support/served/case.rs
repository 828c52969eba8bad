//! One camera of a server that is not ours: how it is connected, and what must be reported.

use crate::support::capture::source_of;
use ocelli::ipc::camera_source::RtpTransport;
use ocelli::ipc::messages::{CameraSource, StreamInfo};
use ocelli::vision::stream_counts::StreamCounts;

/// What must be reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// So many pictures of this codec and size.
    Pictures { codec: &'static str, size: (u32, u32), least: u64 },
    /// A loss of this kind, told in words that contain these.
    Lost(&'static str, &'static str),
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub server: &'static str,
    pub url: String,
    pub transport: RtpTransport,
    pub wanted: Wanted,
}

/// What was reported of a case.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub info: Option<StreamInfo>,
    pub frames: u64,
    pub counts: StreamCounts,
    /// Reports whose counts had frames without an outcome.
    pub open_reports: u64,
    pub lost: Option<(String, String)>,
}

impl Case {
    pub fn source(&self) -> CameraSource {
        CameraSource {
            name: "served".into(),
            transport: self.transport,
            // Every picture is decoded, and few are handed over: 4K costs much to copy.
            frames_per_second: 2.0,
            ..source_of(&self.url)
        }
    }

    /// True once more would not change what is judged.
    pub fn is_done(&self, seen: &Seen) -> bool {
        let is_enough = match self.wanted {
            Wanted::Pictures { least, .. } => seen.looked_at() >= least && seen.frames > 0,
            Wanted::Lost(..) => false,
        };
        is_enough || seen.lost.is_some()
    }

    /// What is wrong; empty: nothing.
    pub fn faults(&self, seen: &Seen) -> Vec<String> {
        let mut faults = Vec::new();
        match (self.wanted, &seen.lost) {
            (Wanted::Pictures { .. }, Some((kind, detail))) => faults.push(format!("lost: {kind}, {detail}")),
            (Wanted::Pictures { codec, size, least }, None) => {
                let found = seen.info.as_ref().map(|info| (info.codec.as_str(), (info.width, info.height)));
                if found != Some((codec, size)) {
                    faults.push(format!("{found:?}, not {codec} of {size:?}"));
                }
                if seen.looked_at() < least || seen.frames == 0 {
                    faults.push(format!("{} pictures and {} frames, not {least}", seen.looked_at(), seen.frames));
                }
                let (undecodable, missing) = (seen.counts.skipped.undecodable, seen.counts.packets_lost);
                let is_tcp = self.transport == RtpTransport::Tcp;
                if is_tcp && (undecodable, missing) != (0, 0) {
                    faults.push(format!("{undecodable} units undecodable, {missing} packets missing over TCP"));
                }
            }
            (Wanted::Lost(..), None) => faults.push("not lost".into()),
            (Wanted::Lost(kind, words), Some((found, detail))) if found != kind || !detail.contains(words) => {
                faults.push(format!("lost: {found}, {detail:?}; not {kind} with {words:?}"));
            }
            (Wanted::Lost(..), Some(_)) => {}
        }
        if seen.open_reports > 0 {
            faults.push(format!("{} reports with frames without an outcome", seen.open_reports));
        }
        faults
    }

    /// What was reported, for the table.
    pub fn reported(&self, seen: &Seen) -> String {
        match (&seen.lost, &seen.info) {
            (Some((_, detail)), _) => detail.clone(),
            (None, Some(info)) => format!("streams, {} {}x{}", info.codec, info.width, info.height),
            (None, None) => "nothing".into(),
        }
    }
}

impl Seen {
    /// Pictures that were decoded, or that can be decoded on their own and were not due.
    pub fn looked_at(&self) -> u64 {
        self.counts.decoded + self.counts.skipped.not_due
    }
}
