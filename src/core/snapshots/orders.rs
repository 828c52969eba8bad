//! Orders to capture processes: what is ordered, and how each order ends.

use super::{Snapshots, answer, report_end};
use crate::admission::FrameWork;
use crate::control::snapshots::{Snapshot, SnapshotRefusal, SnapshotReply};
use crate::core::effect::Effect;
use crate::core::event::MadePicture;
use crate::core::frame_connection::FrameConnection;
use crate::core::report::{Report, SnapshotResult};
use crate::core::snapshots::ordered::{Ordered, Purpose};
use crate::ipc::snapshot_messages::{MAX_SNAPSHOT_BYTES, MainOrder, SnapshotId, SnapshotOrder};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use crate::vision::picture_source::PictureSource;
use std::time::Duration;

/// How long a capture process may take for a picture. Even in a queue it usually takes 0.1 s.
const ORDER_LIMIT: Duration = Duration::from_secs(4);

/// The quality of a picture for a model, which is not to learn from the faults of a second encoding.
const PLAIN_QUALITY: u8 = 95;

/// Its largest width: that of any frame.
const PLAIN_MAX_WIDTH_PX: u32 = 4096;

impl Snapshots {
    pub(super) fn order(
        &mut self,
        work: &FrameWork,
        connection: Option<&FrameConnection>,
        boxes: Vec<NormalizedBox>,
        purpose: Purpose,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        let (event, waiting) = match purpose {
            Purpose::Event(event) => (Some(event), Vec::new()),
            Purpose::Requests(waiting) => (None, waiting),
        };
        let (camera, frame) = (work.camera.clone(), &work.frame);
        let group = connection.map_or(usize::MAX, |connection| connection.group);
        let is_plain = waiting.iter().any(|one| one.is_plain);
        let main = connection.and_then(|connection| connection.main.clone()).filter(|_| !is_plain);
        let ordered = Ordered {
            camera,
            group,
            frame: work.number,
            captured_at: frame.captured_at,
            event,
            without_main: main.as_ref().and_then(|main| main.as_ref().err().cloned()),
            waiting,
            deadline: now + ORDER_LIMIT,
        };
        let Some(&FrameConnection { index, .. }) = connection else {
            let why = Err("the connection that the frame came over is closed".into());
            return self.end(ordered, why, None, now, effects);
        };
        let id = SnapshotId(self.next);
        self.next += 1;
        self.ordered.insert(id, ordered);
        let order = SnapshotOrder {
            id,
            camera: index,
            slot: frame.slot,
            picture: frame.picture,
            captured_at: frame.captured_at,
            main: main.and_then(Result::ok).map(|camera| MainOrder {
                camera,
                max_width_px: self.settings.main_max_width_px,
                max_offset_ms: milliseconds(self.settings.main_max_offset_seconds),
            }),
            boxes: if self.settings.draw_boxes { boxes } else { Vec::new() },
            max_width_px: if is_plain { PLAIN_MAX_WIDTH_PX } else { self.settings.max_width_px },
            quality: if is_plain { PLAIN_QUALITY } else { self.settings.quality },
            max_bytes: u32::from(self.settings.max_kilobytes) * 1000,
        };
        effects.push(Effect::TakeSnapshot { group, order: Box::new(order) });
    }

    /// A capture process replied to an order. Replies of processes that did not get the order are ignored.
    pub(in crate::core) fn made(
        &mut self,
        group: usize,
        id: SnapshotId,
        made: Result<MadePicture, String>,
        wall_ms: Option<i64>,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        if self.ordered.get(&id).is_none_or(|ordered| ordered.group != group) {
            return;
        }
        if let Some(ordered) = self.ordered.remove(&id) {
            let made = made.and_then(|made| match (1..=MAX_SNAPSHOT_BYTES).contains(&made.jpeg.len()) {
                true => Ok(made),
                false => Err(format!("a picture of {} bytes is not possible", made.jpeg.len())),
            });
            self.end(ordered, made, wall_ms, now, effects);
        }
    }

    /// A capture process has ended: its orders fail.
    pub(in crate::core) fn process_ended(&mut self, group: usize, now: Monotonic, effects: &mut Vec<Effect>) {
        self.end_all(|ordered| ordered.group == group, "the capture process has ended", now, effects);
    }

    pub(super) fn end_all(
        &mut self,
        is_meant: impl Fn(&Ordered) -> bool,
        why: &str,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        let meant: Vec<_> = self.ordered.extract_if(.., |_, ordered| is_meant(ordered)).collect();
        for (id, ordered) in meant {
            effects.push(Effect::ForgetSnapshot(id));
            self.end(ordered, Err(why.to_owned()), None, now, effects);
        }
    }

    /// Replies to the requests of an order. Stores and publishes pictures of events and published requests.
    fn end(
        &mut self,
        ordered: Ordered,
        made: Result<MadePicture, String>,
        wall_ms: Option<i64>,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        let Ordered { camera, frame, captured_at, event, without_main, waiting, .. } = ordered;
        let age_ms = i64::try_from(now.since(captured_at).as_millis()).unwrap_or(0);
        let captured_at_ms = wall_ms.map(|now_ms| now_ms - age_ms);
        let is_plain = waiting.iter().any(|one| one.is_plain);
        let is_for_all = event.is_some() || waiting.iter().any(|one| one.ticket.is_none());
        // Pictures may arrive out of order.
        let is_newest = self.newest.get(&camera).is_none_or(|kept| kept.captured_at <= captured_at);
        let snapshot = made.map(|MadePicture { jpeg, source }| {
            let source = match (source, without_main) {
                (PictureSource::Frame, Some(why)) => PictureSource::FrameInstead { why },
                (source, _) => source,
            };
            Snapshot { jpeg, source, frame, captured_at, captured_at_ms, event }
        });
        let reply = match &snapshot {
            Ok(snapshot) => SnapshotReply::Taken(snapshot.clone()),
            Err(why) => SnapshotReply::Refused(SnapshotRefusal::Failed(why.clone())),
        };
        for one in waiting {
            let kept = self.viewed.get(&camera).filter(|_| one.is_view && snapshot.is_err());
            let reply = kept.map_or_else(|| reply.clone(), |kept| SnapshotReply::Taken(kept.clone()));
            answer(one, &reply, effects);
        }
        match snapshot {
            Ok(snapshot) => {
                let (result, source) = (SnapshotResult::Taken, Some(snapshot.source.clone()));
                let ended = Report::SnapshotEnded { camera: camera.clone(), result, source, why: None };
                effects.push(Effect::Report(ended));
                if !is_plain && self.viewed.get(&camera).is_none_or(|kept| kept.captured_at <= captured_at) {
                    self.viewed.insert(camera.clone(), snapshot.clone());
                }
                if is_for_all && is_newest {
                    self.newest.insert(camera.clone(), snapshot.clone());
                    effects.push(Effect::Report(Report::SnapshotTaken { camera, snapshot }));
                }
            }
            Err(why) => report_end(&camera, SnapshotResult::Failed, Some(why), effects),
        }
    }
}

/// A time of the settings, which are a few seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn milliseconds(seconds: f32) -> u32 {
    (seconds * 1000.0) as u32
}
