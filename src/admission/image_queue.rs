//! Images wait in a queue that is bounded in time: what could not be looked at soon is refused at once.

use crate::admission::work::ImageWork;
use crate::vision::monotonic::Monotonic;
use std::collections::VecDeque;
use std::time::Duration;

/// A refused caller is not asked to come back sooner: it would only be refused again.
const SHORTEST_RETRY: Duration = Duration::from_millis(100);

/// An image that was not taken, and when it makes sense to try again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    /// It comes back.
    pub(crate) work: ImageWork,
    /// From now.
    pub(crate) retry_after: Duration,
}

/// Images in the order in which they came.
#[derive(Debug)]
pub struct ImageQueue {
    waiting: VecDeque<ImageWork>,
    longest_wait: Duration,
}

impl ImageQueue {
    /// No image waits longer than `longest_wait` for a unit.
    pub fn new(longest_wait: Duration) -> Self {
        Self { waiting: VecDeque::new(), longest_wait }
    }

    /// How many transactions may be queued at this throughput; at least one, so that a slow model works too.
    pub(crate) fn capacity(&self, tps: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
        let capacity = (tps.clamp(0.0, 1e6) * self.longest_wait.as_secs_f64()) as usize;
        capacity.max(1)
    }

    /// Takes an image in where `tps` transactions a second are done. What lies before it decides, not its own cost.
    ///
    /// # Errors
    /// [`Refused`] when the queue is full, or its deadline would pass before its turn came.
    pub(crate) fn offer(&mut self, work: ImageWork, tps: f64, now: Monotonic) -> Result<(), Refused> {
        let ahead = self.transactions();
        let wait = Duration::from_secs_f64((f64::from(ahead) / tps.max(1e-3)).min(1e6));
        if (ahead as usize) < self.capacity(tps) && now + wait < work.deadline {
            self.waiting.push_back(work);
            return Ok(());
        }
        let retry_after = wait.saturating_sub(self.longest_wait).max(SHORTEST_RETRY);
        Err(Refused { work, retry_after })
    }

    /// Puts an image whose unit failed to the front: it has waited already.
    pub(crate) fn offer_again(&mut self, work: ImageWork) {
        self.waiting.push_front(work);
    }

    /// The image whose turn it is.
    pub(crate) fn next(&self) -> Option<&ImageWork> {
        self.waiting.front()
    }

    /// Takes the image whose turn it is.
    pub(crate) fn take_next(&mut self) -> Option<ImageWork> {
        self.waiting.pop_front()
    }

    /// Takes out every image whose deadline has passed.
    pub(crate) fn take_expired(&mut self, now: Monotonic) -> Vec<ImageWork> {
        let (expired, waiting) = self.waiting.drain(..).partition(|work| now >= work.deadline);
        self.waiting = waiting;
        Vec::from_iter::<VecDeque<ImageWork>>(expired)
    }

    /// Takes out everything.
    pub(crate) fn take_all(&mut self) -> Vec<ImageWork> {
        self.waiting.drain(..).collect()
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What they cost together.
    fn transactions(&self) -> u32 {
        self.waiting.iter().map(ImageWork::transactions).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::work::ImageId;
    use crate::ipc::messages::RegionId;
    use crate::vision::framing::{Framing, Tiling};
    use crate::vision::look_options::LookOptions;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    fn image(id: u64, deadline: u64) -> ImageWork {
        let (slot, bytes, attempts) = (0, 1, 0);
        let (id, region) = (ImageId(id), RegionId(0));
        ImageWork {
            id,
            region,
            slot,
            bytes,
            arrived_at: at(0),
            deadline: at(deadline),
            attempts,
            options: LookOptions::default(),
            failed_in: None,
        }
    }

    #[test]
    fn as_many_wait_as_can_be_looked_at_in_the_longest_wait() {
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        let accepted = (0..100).filter(|id| queue.offer(image(*id, 5_000), 20.0, at(0)).is_ok()).count();
        assert_eq!(accepted, 20);
        let refused = queue.offer(image(100, 5_000), 20.0, at(0)).unwrap_err();
        assert_eq!(refused.retry_after, SHORTEST_RETRY);
        assert_eq!(queue.take_next().map(|work| work.id), Some(ImageId(0)));
    }

    #[test]
    fn tiles_fill_the_queue_and_lengthen_the_wait() {
        let tiling = Tiling { columns: 2, rows: 2, overlap: 0.0, whole: true };
        let framing = Framing { tiling: Some(tiling), ..Framing::default() };
        let tiled = |id| ImageWork { options: LookOptions { framing, ..LookOptions::default() }, ..image(id, 5_000) };
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        let accepted = (0..100).filter(|id| queue.offer(tiled(*id), 20.0, at(0)).is_ok()).count();
        assert_eq!(accepted, 4, "five looks each");
        let refused = queue.offer(tiled(100), 10.0, at(0)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(1), "twenty looks take two seconds, and one may be waited");
    }

    #[test]
    fn what_would_come_too_late_is_refused_and_what_is_late_is_taken_out() {
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        queue.offer(image(0, 150), 10.0, at(0)).unwrap();
        queue.offer(image(1, 150), 10.0, at(0)).unwrap();
        assert!(queue.offer(image(2, 150), 10.0, at(0)).is_err(), "its turn would come after 200 ms");
        assert_eq!(queue.take_expired(at(150)).len(), 2);
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn a_slow_model_takes_one() {
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        assert!(queue.offer(image(0, 60_000), 0.1, at(0)).is_ok());
        let refused = queue.offer(image(1, 60_000), 0.1, at(0)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(9));
    }
}
