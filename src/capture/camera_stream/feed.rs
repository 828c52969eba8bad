//! What the decoder of a connection is given, and what becomes of its pictures.

use super::Shared;
use crate::capture::access_unit::AccessUnit;
use crate::capture::decode_ledger::Inside;
use crate::capture::decoder::{DecoderUser, Feed};
use crate::capture::decoder_choice::Codec;
use crate::capture::gop_buffer::GopBuffer;
use crate::capture::lock::lock;
use crate::capture::ration::Share;
use crate::capture::source::source_user::SourceUser;
use crate::capture::stream_loss::Loss;
use crate::capture::watch::{self, Verdict, Watch};
use crate::ipc::messages::LossKind;
use crate::os::clock::monotonic_now;
use crate::vision::monotonic::Monotonic;
use gstreamer as gst;
use gstreamer_video as gst_video;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Frames that the parent may have of a camera that does not decode faster than units look: one in a unit, one that waits.
const MOST_OUT: usize = 2;

impl Shared {
    /// The next unit for the decoder, if there is one and it may go on.
    fn take(&self, buffer: &mut GopBuffer<gst::Sample>) -> Option<AccessUnit<gst::Sample>> {
        let is_each_alone = self.is_each_alone();
        let mut watch = self.watch.as_ref().map(lock);
        loop {
            let unit = match watch.as_deref_mut() {
                Some(watch) => self.take_watched(buffer, watch)?,
                None => self.take_share(buffer)?,
            };
            if unit.is_glance || !is_each_alone || self.output.is_due(unit.arrival.at) {
                let AccessUnit { number, arrival, is_again, is_glance, .. } = unit;
                // Before anybody can read the buffer without it.
                lock(&self.ledger).went_in(Inside { number, arrival, is_again, is_glance });
                return Some(unit);
            }
            // One that is decoded again was counted before.
            if !unit.is_again {
                buffer.skip_undue();
            }
        }
    }

    fn take_watched(&self, buffer: &mut GopBuffer<gst::Sample>, watch: &mut Watch) -> Option<AccessUnit<gst::Sample>> {
        let interval = buffer.keyframe_interval();
        if buffer.keyframe_next().is_some_and(|at| watch.attention.may_watch(at, interval)) {
            return buffer.watch().inspect(|unit| watch.attention.glances(unit.arrival.at));
        }
        if watch.attention.is_watching() {
            let next = buffer.glance_next().filter(|_| watch.attention.is_glance_due(monotonic_now()))?;
            if watch.may_pass(next, interval) {
                buffer.pass();
            }
            return buffer.take().inspect(|unit| watch.attention.glances(unit.arrival.at));
        }
        buffer.follow(monotonic_now());
        // What was held is not decoded faster than units can look at it: a newer frame would take its place.
        match buffer.catches_up_from() {
            Some(at) if !watch.attention.is_settled(at) && self.must_wait(at) => None,
            _ => self.take_share(buffer),
        }
    }

    /// The next unit of those that a throttled camera may have decoded.
    fn take_share(&self, buffer: &mut GopBuffer<gst::Sample>) -> Option<AccessUnit<gst::Sample>> {
        let share = self.share(buffer.keyframe_interval());
        buffer.set_rationed(share != Share::All);
        match share {
            Share::All => {}
            Share::Paced if buffer.next_at().is_some_and(|at| self.must_wait(at)) => return None,
            Share::Paced => {}
            Share::Keyframe => buffer.ration(),
        }
        buffer.take()
    }

    /// What is decoded of groups that last for `interval`. Frames are due accordingly from here on.
    pub(super) fn share(&self, interval: Duration) -> Share {
        let is_each_alone = self.is_each_alone();
        let mut ration = lock(&self.ration);
        let share = if is_each_alone { Share::All } else { ration.share(interval) };
        let rate = ration.changed_rate(share);
        drop(ration);
        if let Some(rate) = rate {
            self.output.pace(rate, monotonic_now());
        }
        share
    }

    /// True if the frame that arrived at `at` is due and the parent has all that it can use of this camera.
    fn must_wait(&self, at: Monotonic) -> bool {
        self.output.would_be_due(at) && self.output.lent() >= MOST_OUT
    }

    fn verdict(&self, unit: &Inside, picture: &gst::BufferRef) -> Verdict {
        let at = unit.arrival.at;
        let is_due = || self.is_each_alone() || self.output.is_due(at);
        let Some(watch) = &self.watch else { return if is_due() { Verdict::Look } else { Verdict::Later } };
        if lock(watch).attention.is_settled(at) || !(unit.is_glance || is_due()) {
            return Verdict::Later;
        }
        let info = lock(&self.pictures).clone();
        let cells = info.and_then(|info| watch::cells(picture, &info));
        lock(watch).judge(cells.as_ref(), at, unit.is_glance)
    }
}

impl DecoderUser for Shared {
    fn next(&self) -> Option<Feed> {
        if self.is_to_drain.swap(false, Ordering::Relaxed) {
            return Some(Feed::Drain);
        }
        let unit = self.queue.wait(|buffer| self.take(buffer))?;
        self.is_to_drain.store(unit.is_glance, Ordering::Relaxed);
        Some(Feed::Unit(unit))
    }

    fn size_changed(&self, caps: &gst::CapsRef, decoder: &str) -> Option<(u32, u32)> {
        *lock(&self.pictures) = gst_video::VideoInfo::from_caps(caps).ok();
        self.output.size_changed(caps, self.codec().map_or("", Codec::name), decoder)
    }

    fn is_wanted(&self, number: Option<u64>, picture: &gst::BufferRef) -> bool {
        // A smeared picture shows what is not there.
        let is_damaged = picture.flags().contains(gst::BufferFlags::CORRUPTED);
        let Some(unit) = lock(&self.ledger).came_out(number, is_damaged) else { return false };
        if is_damaged {
            return false;
        }
        self.output.tell_news();
        let verdict = self.verdict(&unit, picture);
        if unit.is_glance && verdict != Verdict::Later {
            self.queue.is_still(unit.number);
        }
        match verdict {
            Verdict::Look => self.output.expect(unit.arrival),
            Verdict::Still => self.output.still(unit.arrival),
            Verdict::Later => {}
        }
        verdict == Verdict::Look
    }

    fn frame(&self, sample: &gst::Sample) {
        if let Err(detail) = self.output.hand_over(sample) {
            self.lost(Loss::new(LossKind::Codec, detail));
        }
    }
}
