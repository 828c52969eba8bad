//! The queue of images. It is bounded in time: an image that could not be analysed soon is refused at once.

use crate::admission::work::ImageWork;
use crate::vision::monotonic::Monotonic;
use std::collections::VecDeque;
use std::time::Duration;

/// The shortest `retry_after`. A caller that retries sooner would only be refused again.
const SHORTEST_RETRY: Duration = Duration::from_millis(100);

/// An image that was not queued, and when a retry makes sense.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    /// The image itself.
    pub(crate) work: ImageWork,
    /// The time to wait before a retry, from now.
    pub(crate) retry_after: Duration,
}

/// Waiting images, in order of arrival.
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

    /// The number of transactions that may be queued at this throughput; at least one, so that a slow model works too.
    pub(crate) fn capacity(&self, tps: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
        let capacity = (tps.clamp(0.0, 1e6) * self.longest_wait.as_secs_f64()) as usize;
        capacity.max(1)
    }

    /// Queues an image at a throughput of `tps` transactions a second. Only the work ahead of it counts, not its own cost. Who
    /// comes for the first time leaves the places of those who are `awaited`, in transactions, but has half of the queue in any
    /// case: units do not wait for who does not come.
    ///
    /// # Errors
    /// [`Refused`] when the queue is full, or when the deadline would pass before the image's turn.
    pub(crate) fn offer(&mut self, work: ImageWork, awaited: f64, tps: f64, now: Monotonic) -> Result<(), Refused> {
        let ahead = self.transactions();
        let wait = Duration::from_secs_f64((f64::from(ahead) / tps.max(1e-3)).min(1e6));
        let capacity = self.capacity(tps);
        let left = if work.is_first_try { awaited.min((capacity / 2) as f64) } else { 0.0 };
        if f64::from(ahead) + left < capacity as f64 && now + wait < work.deadline {
            self.waiting.push_back(work);
            return Ok(());
        }
        let retry_after = wait.saturating_sub(self.longest_wait).max(SHORTEST_RETRY);
        Err(Refused { work, retry_after })
    }

    /// Puts an image whose unit failed at the front, because it has waited already.
    pub(crate) fn offer_again(&mut self, work: ImageWork) {
        self.waiting.push_front(work);
    }

    /// Returns the image whose turn it is.
    pub(crate) fn next(&self) -> Option<&ImageWork> {
        self.waiting.front()
    }

    /// Takes the image whose turn it is.
    pub(crate) fn take_next(&mut self) -> Option<ImageWork> {
        self.waiting.pop_front()
    }

    /// Removes and returns every image whose deadline has passed.
    pub(crate) fn take_expired(&mut self, now: Monotonic) -> Vec<ImageWork> {
        if !self.waiting.iter().any(|work| now >= work.deadline) {
            return Vec::new();
        }
        let (expired, waiting) = self.waiting.drain(..).partition(|work| now >= work.deadline);
        self.waiting = waiting;
        Vec::from_iter::<VecDeque<ImageWork>>(expired)
    }

    /// Removes and returns all images.
    pub(crate) fn take_all(&mut self) -> Vec<ImageWork> {
        self.waiting.drain(..).collect()
    }

    /// The number of waiting images.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How full it is at a throughput of `tps` transactions a second: 0.0 is empty, 1.0 takes no more.
    pub(crate) fn fill(&self, tps: f64) -> f64 {
        f64::from(self.transactions()) / self.capacity(tps) as f64
    }

    /// The transactions of all waiting images together.
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
            is_first_try: false,
            failed_in: None,
        }
    }

    #[test]
    fn as_many_images_wait_as_can_be_analysed_in_the_longest_wait() {
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        let accepted = (0..100).filter(|id| queue.offer(image(*id, 5_000), 0.0, 20.0, at(0)).is_ok()).count();
        assert_eq!(accepted, 20);
        let refused = queue.offer(image(100, 5_000), 0.0, 20.0, at(0)).unwrap_err();
        assert_eq!(refused.retry_after, SHORTEST_RETRY);
        assert_eq!(queue.take_next().map(|work| work.id), Some(ImageId(0)));
    }

    #[test]
    fn who_comes_first_leaves_the_places_of_those_who_come_back_but_half_of_all() {
        let first = |id| ImageWork { is_first_try: true, ..image(id, 5_000) };
        for (awaited, accepted) in [(0.0, 20), (5.0, 15), (60.0, 10)] {
            let mut queue = ImageQueue::new(Duration::from_secs(1));
            let taken = (0..100).filter(|id| queue.offer(first(*id), awaited, 20.0, at(0)).is_ok()).count();
            assert_eq!(taken, accepted, "{awaited} are awaited");
            let again = (0..100).filter(|id| queue.offer(image(*id, 5_000), awaited, 20.0, at(0)).is_ok()).count();
            assert_eq!(taken + again, 20);
        }
    }

    #[test]
    fn tiles_fill_the_queue_and_lengthen_the_wait() {
        let tiling = Tiling { columns: 2, rows: 2, overlap: 0.0, whole: true };
        let framing = Framing { tiling: Some(tiling), ..Framing::default() };
        let tiled = |id| ImageWork { options: LookOptions { framing, ..LookOptions::default() }, ..image(id, 5_000) };
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        let accepted = (0..100).filter(|id| queue.offer(tiled(*id), 0.0, 20.0, at(0)).is_ok()).count();
        assert_eq!(accepted, 4, "five transactions each");
        let refused = queue.offer(tiled(100), 0.0, 10.0, at(0)).unwrap_err();
        assert_eq!(
            refused.retry_after,
            Duration::from_secs(1),
            "twenty transactions take two seconds, and one second may be waited"
        );
    }

    #[test]
    fn an_image_that_would_be_late_is_refused_and_a_late_one_is_removed() {
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        queue.offer(image(0, 150), 0.0, 10.0, at(0)).unwrap();
        queue.offer(image(1, 150), 0.0, 10.0, at(0)).unwrap();
        assert!(queue.offer(image(2, 150), 0.0, 10.0, at(0)).is_err(), "its turn would come after 200 ms");
        assert_eq!(queue.take_expired(at(150)).len(), 2);
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn a_slow_model_queues_one_image() {
        let mut queue = ImageQueue::new(Duration::from_secs(1));
        assert!(queue.offer(image(0, 60_000), 0.0, 0.1, at(0)).is_ok());
        let refused = queue.offer(image(1, 60_000), 0.0, 0.1, at(0)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(9));
    }
}
