//! The newest waiting frame of each camera, and a fair choice between cameras.
//!
//! Cameras never queue: a newer frame replaces the waiting one. The choice between cameras is stride scheduling: each
//! camera pays `transactions / weight` for a frame, and the camera that has paid least is next. A camera that was silent
//! starts level with the others, so silence earns no burst.

use crate::admission::work::FrameWork;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug)]
struct Camera {
    weight: u32,
    paid: f64,
    waiting: Option<FrameWork>,
}

impl Camera {
    fn price(&self, work: &FrameWork) -> f64 {
        f64::from(work.transactions()) / f64::from(self.weight)
    }
}

/// The waiting frames of all cameras: at most one each.
#[derive(Debug)]
pub struct Controller {
    cameras: BTreeMap<CameraId, Camera>,
    /// Cameras with a waiting frame. Usually there is none, and the units ask after every reply.
    waiting: usize,
    max_frame_age: Duration,
    /// What the camera that was served last had paid before. A silent camera resumes at this value.
    level: f64,
}

impl Controller {
    /// Frames older than `max_frame_age` are dropped instead of analysed.
    pub fn new(max_frame_age: Duration) -> Self {
        Self { cameras: BTreeMap::new(), waiting: 0, max_frame_age, level: 0.0 }
    }

    /// Adds a camera. A `weight` of 0 counts as 1.
    pub fn add_camera(&mut self, camera: CameraId, weight: u32) {
        let replaced = self.cameras.insert(camera, Camera { weight: weight.max(1), paid: self.level, waiting: None });
        self.waiting -= usize::from(replaced.is_some_and(|camera| camera.waiting.is_some()));
    }

    /// Changes the weight of a camera. 0 counts as 1.
    pub(crate) fn set_weight(&mut self, camera: &CameraId, weight: u32) {
        if let Some(camera) = self.cameras.get_mut(camera) {
            camera.weight = weight.max(1);
        }
    }

    /// Removes a camera, and returns its waiting frame.
    pub(crate) fn remove_camera(&mut self, camera: &CameraId) -> Option<FrameWork> {
        let waiting = self.cameras.remove(camera)?.waiting;
        self.waiting -= usize::from(waiting.is_some());
        waiting
    }

    /// Queues a frame and returns the older frame of the camera that it replaces, if one was waiting.
    /// Returns the frame itself if its camera is unknown.
    pub(crate) fn offer(&mut self, work: FrameWork) -> Option<FrameWork> {
        let Some(camera) = self.cameras.get_mut(&work.camera) else { return Some(work) };
        if camera.waiting.is_none() {
            camera.paid = camera.paid.max(self.level);
            self.waiting += 1;
        }
        camera.waiting.replace(work)
    }

    /// Queues a frame again after its unit failed; its camera is not charged twice. Returns the frame if a newer one is
    /// already waiting.
    pub(crate) fn offer_again(&mut self, work: FrameWork) -> Option<FrameWork> {
        let Some(camera) = self.cameras.get_mut(&work.camera) else { return Some(work) };
        if camera.waiting.is_some() {
            return Some(work);
        }
        camera.paid -= camera.price(&work);
        self.waiting += 1;
        camera.waiting.replace(work)
    }

    /// Returns the frame whose turn it is.
    pub(crate) fn next(&self) -> Option<&FrameWork> {
        let waiting = self.cameras.values().filter(|camera| camera.waiting.is_some());
        waiting.min_by(|a, b| a.paid.total_cmp(&b.paid))?.waiting.as_ref()
    }

    /// Takes the frame whose turn it is.
    pub(crate) fn take_next(&mut self) -> Option<FrameWork> {
        let waiting = self.cameras.values_mut().filter(|camera| camera.waiting.is_some());
        let camera = waiting.min_by(|a, b| a.paid.total_cmp(&b.paid))?;
        let work = camera.waiting.take()?;
        self.waiting -= 1;
        self.level = camera.paid;
        camera.paid += camera.price(&work);
        Some(work)
    }

    /// Removes and returns every frame that is older than `max_frame_age` by `now`.
    pub(crate) fn take_stale(&mut self, now: Monotonic) -> Vec<FrameWork> {
        let max_age = self.max_frame_age;
        self.take_if(|work| now.since(work.frame.decoded_at) > max_age)
    }

    /// Removes and returns all frames, for shutdown.
    pub(crate) fn take_all(&mut self) -> Vec<FrameWork> {
        self.take_if(|_| true)
    }

    fn take_if(&mut self, is_taken: impl Fn(&FrameWork) -> bool) -> Vec<FrameWork> {
        if self.waiting == 0 {
            return Vec::new();
        }
        let cameras = self.cameras.values_mut();
        let taken: Vec<FrameWork> =
            cameras.filter_map(|camera| camera.waiting.take_if(|work| is_taken(work))).collect();
        self.waiting -= taken.len();
        taken
    }

    /// The number of waiting frames.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::messages::RegionId;
    use crate::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
    use crate::vision::framing::{Framing, Tiling};

    fn work(camera: &str, number: u64) -> FrameWork {
        let picture = Picture::new(PixelFormat::I420, 64, 64, Colorimetry::default()).unwrap();
        let captured_at = Monotonic::from_nanos(number * 1_000_000);
        let frame = Frame {
            sequence: number,
            captured_at,
            decoded_at: captured_at,
            camera_ms: None,
            media_us: 0,
            slot: 0,
            picture,
        };
        FrameWork {
            camera: CameraId::new(camera).unwrap(),
            number,
            frame,
            region: RegionId(1),
            framing: Framing::default(),
            attempts: 0,
            failed_in: None,
        }
    }

    fn controller(cameras: &[(&str, u32)]) -> Controller {
        let mut controller = Controller::new(Duration::from_secs(1));
        for (camera, weight) in cameras {
            controller.add_camera(CameraId::new(*camera).unwrap(), *weight);
        }
        controller
    }

    /// Lets every camera offer a frame before each of `turns`, and counts the frames taken from each camera.
    fn serve(controller: &mut Controller, cameras: &[&str], turns: u64) -> BTreeMap<String, u64> {
        let mut served = BTreeMap::new();
        for turn in 0..turns {
            for camera in cameras {
                controller.offer(work(camera, turn));
            }
            let next = controller.take_next().unwrap();
            *served.entry(next.camera.to_string()).or_default() += 1;
        }
        served
    }

    #[test]
    fn the_newest_frame_wins_and_the_older_one_is_returned() {
        let mut controller = controller(&[("a", 1)]);
        assert_eq!(controller.offer(work("a", 1)), None);
        assert_eq!(controller.offer(work("a", 2)), Some(work("a", 1)));
        assert_eq!(controller.take_next(), Some(work("a", 2)));
        assert_eq!(controller.take_next(), None);
    }

    #[test]
    fn a_frame_is_retried_unless_a_newer_one_waits() {
        let mut controller = controller(&[("a", 1)]);
        controller.offer(work("a", 1));
        let failed = controller.take_next().unwrap();
        assert_eq!(controller.offer_again(failed), None);
        let failed = controller.take_next().unwrap();
        controller.offer(work("a", 2));
        assert_eq!(controller.offer_again(failed), Some(work("a", 1)));
    }

    #[test]
    fn units_are_shared_by_weight() {
        let mut controller = controller(&[("a", 2), ("b", 1)]);
        let served = serve(&mut controller, &["a", "b"], 300);
        assert_eq!((served["a"], served["b"]), (200, 100));
    }

    #[test]
    fn a_camera_with_tiles_pays_for_each_tile() {
        let mut controller = controller(&[("plain", 1), ("tiled", 1)]);
        let tiling = Tiling { columns: 2, rows: 2, overlap: 0.2, whole: true };
        let framing = Framing { tiling: Some(tiling), ..Framing::default() };
        let mut served = [0, 0];
        for turn in 0..600 {
            controller.offer(work("plain", turn));
            controller.offer(FrameWork { framing, ..work("tiled", turn) });
            served[usize::from(controller.take_next().unwrap().camera.as_str() == "tiled")] += 1;
        }
        assert_eq!(served, [500, 100], "five transactions each");
    }

    #[test]
    fn silence_earns_no_burst() {
        let mut controller = controller(&[("a", 1), ("b", 1)]);
        serve(&mut controller, &["a"], 1000);
        let served = serve(&mut controller, &["a", "b"], 100);
        assert!((49..=51).contains(&served["b"]), "{served:?}");
    }

    #[test]
    fn a_frame_that_waited_too_long_is_removed() {
        let mut controller = controller(&[("a", 1), ("b", 1)]);
        controller.offer(work("a", 1));
        controller.offer(work("b", 900));
        assert_eq!(controller.take_stale(Monotonic::from_nanos(1_500_000_000)), vec![work("a", 1)]);
        assert_eq!(controller.waiting(), 1);
        assert_eq!(controller.take_all(), vec![work("b", 900)]);
    }

    #[test]
    fn the_time_before_a_frame_was_decoded_is_no_waiting() {
        let mut controller = controller(&[("a", 1)]);
        let mut late = work("a", 1);
        late.frame.decoded_at = Monotonic::from_nanos(1_400_000_000);
        controller.offer(late);
        assert!(controller.take_stale(Monotonic::from_nanos(1_500_000_000)).is_empty());
    }

    #[test]
    fn a_frame_of_an_unknown_camera_is_returned() {
        assert_eq!(controller(&[]).offer(work("a", 1)), Some(work("a", 1)));
    }
}
