//! A clip in a file as a camera, for tests and demos: at its own pace, again and again.
//!
//! The parent has opened the file: this process may open none.

use crate::capture::source::clip_clock::ClipClock;
use crate::capture::source::clip_round::{ClipRound, Next, codec_of, times_of};
use crate::capture::source::source_user::SourceUser;
use crate::capture::source::whole_units::WholeUnits;
use crate::capture::stream_loss::Loss;
use crate::ipc::clip_format::ClipFormat;
use crate::ipc::messages::{CameraSource, LossKind};
use crate::os::clock::monotonic_now;
use crate::vision::monotonic::Monotonic;
use gstreamer as gst;
use std::fs::File;
use std::io::Seek as _;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A process that was stopped for longer goes on where it was: it does not send all at once what it has missed.
const LATE: Duration = Duration::from_secs(1);

/// A clip that is played. Dropping it ends the thread.
#[derive(Debug)]
pub(in crate::capture) struct FileSource {
    /// Dropped first: the thread ends when it is gone.
    wanted: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    units: Arc<AtomicU64>,
}

impl FileSource {
    /// Begins to play.
    ///
    /// # Errors
    /// In a person's words, when there is no thread.
    pub(in crate::capture) fn open(
        camera: &CameraSource,
        file: OwnedFd,
        user: Arc<dyn SourceUser>,
    ) -> Result<Self, String> {
        let format = ClipFormat::of_name(&camera.url).ok_or_else(|| {
            let ends = ClipFormat::ENDS;
            format!("nothing is known of files with such a name; they end in {ends}")
        })?;
        let (wanted, unwanted) = sync_channel(1);
        let units = Arc::new(AtomicU64::new(0));
        let track = camera.video_track;
        let file = File::from(file);
        let player = Player { format, file, track, user, units: Arc::clone(&units), codec: None, begun: None };
        let thread = std::thread::Builder::new().name("clip".into()).spawn(move || player.play(&unwanted));
        let thread = thread.map_err(|error| format!("no thread for the file: {error}"))?;
        Ok(Self { wanted: Some(wanted), thread: Some(thread), units })
    }

    /// Units that were read. None can be missing between them.
    pub(in crate::capture) fn units(&self) -> u64 {
        self.units.load(Ordering::Relaxed)
    }
}

impl Drop for FileSource {
    fn drop(&mut self) {
        drop(self.wanted.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::warn!("the thread of a clip has panicked");
        }
    }
}

/// What the thread has.
struct Player {
    format: ClipFormat,
    file: File,
    track: Option<u16>,
    user: Arc<dyn SourceUser>,
    units: Arc<AtomicU64>,
    /// The user knows of it, with what makes its units whole.
    codec: Option<WholeUnits>,
    /// When the first unit was handed over.
    begun: Option<Monotonic>,
}

impl Player {
    fn play(mut self, unwanted: &Receiver<()>) {
        let mut clock = ClipClock::default();
        loop {
            clock.begin_round();
            match self.play_once(&mut clock, unwanted) {
                Ok(true) => {}
                Ok(false) => return,
                Err(loss) => return self.user.lost(loss),
            }
        }
    }

    /// Plays to the end; false once the clip is not wanted any more.
    fn play_once(&mut self, clock: &mut ClipClock, unwanted: &Receiver<()>) -> Result<bool, Loss> {
        let failed = |detail: String| Loss::new(LossKind::Other, detail);
        (&self.file).rewind().map_err(|error| failed(format!("the file cannot be read: {error}")))?;
        let round = ClipRound::start(self.format, self.file.as_fd(), self.track).map_err(failed)?;
        let mut is_empty = true;
        loop {
            let wait = match round.next() {
                Next::End if is_empty => return Err(round.why_empty(None)),
                Next::End => return Ok(true),
                Next::Lost(loss) if is_empty => return Err(round.why_empty(Some(&loss))),
                Next::Lost(loss) => return Err(loss),
                Next::Nothing => Duration::ZERO,
                Next::Unit(unit) => {
                    is_empty = false;
                    for unit in self.take_in(unit)?.into_iter().flatten() {
                        let due = clock.due(times_of(&unit));
                        if !is_wanted(unwanted, self.until(due)) {
                            return Ok(false);
                        }
                        self.units.fetch_add(1, Ordering::Relaxed);
                        self.user.unit(stamped(&unit, due), None);
                    }
                    continue;
                }
            };
            if !is_wanted(unwanted, wait) {
                return Ok(false);
            }
        }
    }

    /// The frames that are complete with this unit; tells the user of the codec with the first one.
    fn take_in(&mut self, unit: gst::Sample) -> Result<[Option<gst::Sample>; 2], Loss> {
        if self.codec.is_none() {
            let lost = |detail: String| Loss::new(LossKind::Codec, detail);
            let codec = codec_of(&unit).ok_or_else(|| lost("the file is in an unknown codec".into()))?;
            self.user.track(codec).map_err(lost)?;
            self.codec = Some(WholeUnits::new(codec));
        }
        Ok(self.codec.as_mut().map(|units| units.take_in(unit)).unwrap_or_default())
    }

    /// How long until that time since the first unit.
    fn until(&mut self, due: Duration) -> Duration {
        let now = monotonic_now();
        let begun = *self.begun.get_or_insert(now);
        let elapsed = now.since(begun);
        if elapsed > due + LATE {
            self.begun = Some(begun + (elapsed - due));
        }
        due.saturating_sub(elapsed)
    }
}

/// Waits; false if the clip is not wanted any more.
fn is_wanted(unwanted: &Receiver<()>, wait: Duration) -> bool {
    unwanted.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
}

/// The unit at this time since the first one. What lies between its decoding and its display stays.
fn stamped(unit: &gst::Sample, due: Duration) -> gst::Sample {
    let (Some(mut buffer), Some(caps)) = (unit.buffer_owned(), unit.caps_owned()) else { return unit.clone() };
    let due = gst::ClockTime::try_from(due).unwrap_or(gst::ClockTime::ZERO);
    let delay = buffer.pts().zip(buffer.dts()).map_or(gst::ClockTime::ZERO, |(pts, dts)| pts.saturating_sub(dts));
    let times = buffer.make_mut();
    times.set_dts(due);
    times.set_pts(due + delay);
    gst::Sample::builder().buffer(&buffer).caps(&caps).build()
}

#[cfg(test)]
mod tests;
