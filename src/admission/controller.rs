//! One place a camera, the freshest frame in it, and a fair choice between the places.
//!
//! Cameras never queue: a newer frame takes the place of the one that waits. Between cameras the
//! choice is stride scheduling: each pays `transactions / weight` for a frame, and the one that has paid
//! least is next. A camera that was silent starts level with the others, so silence earns no burst.

use crate::admission::work::FrameWork;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug)]
struct Place {
    weight: u32,
    paid: f64,
    waiting: Option<FrameWork>,
}

impl Place {
    fn price(&self, work: &FrameWork) -> f64 {
        f64::from(work.transactions()) / f64::from(self.weight)
    }
}

/// The places of all cameras.
#[derive(Debug)]
pub struct Controller {
    places: BTreeMap<CameraId, Place>,
    max_frame_age: Duration,
    /// What the camera that was served last had paid before: where a silent one starts again.
    level: f64,
}

impl Controller {
    /// Frames older than `max_frame_age` when a unit is free are not worth looking at.
    pub fn new(max_frame_age: Duration) -> Self {
        Self { places: BTreeMap::new(), max_frame_age, level: 0.0 }
    }

    /// Gives a camera a place. `weight` is at least 1.
    pub fn add_camera(&mut self, camera: CameraId, weight: u32) {
        self.places.insert(camera, Place { weight: weight.max(1), paid: self.level, waiting: None });
    }

    /// Puts a frame in its camera's place and returns the older one that waited there.
    /// A frame of an unknown camera comes straight back.
    pub(crate) fn offer(&mut self, work: FrameWork) -> Option<FrameWork> {
        let Some(place) = self.places.get_mut(&work.camera) else { return Some(work) };
        if place.waiting.is_none() {
            place.paid = place.paid.max(self.level);
        }
        place.waiting.replace(work)
    }

    /// Puts a frame whose unit failed back into its camera's place, which has paid for it already. It comes back
    /// when a fresher one waits there.
    pub(crate) fn offer_again(&mut self, work: FrameWork) -> Option<FrameWork> {
        let Some(place) = self.places.get_mut(&work.camera) else { return Some(work) };
        if place.waiting.is_some() {
            return Some(work);
        }
        place.paid -= place.price(&work);
        place.waiting.replace(work)
    }

    /// The frame whose turn it is.
    pub(crate) fn next(&self) -> Option<&FrameWork> {
        let waiting = self.places.values().filter(|place| place.waiting.is_some());
        waiting.min_by(|a, b| a.paid.total_cmp(&b.paid))?.waiting.as_ref()
    }

    /// Takes the frame whose turn it is.
    pub(crate) fn take_next(&mut self) -> Option<FrameWork> {
        let waiting = self.places.values_mut().filter(|place| place.waiting.is_some());
        let place = waiting.min_by(|a, b| a.paid.total_cmp(&b.paid))?;
        let work = place.waiting.take()?;
        self.level = place.paid;
        place.paid += place.price(&work);
        Some(work)
    }

    /// Takes out every frame that has waited too long by `now`.
    pub(crate) fn take_stale(&mut self, now: Monotonic) -> Vec<FrameWork> {
        let max_age = self.max_frame_age;
        let is_stale = |work: &mut FrameWork| now.since(work.frame.captured_at) > max_age;
        self.places.values_mut().filter_map(|place| place.waiting.take_if(is_stale)).collect()
    }

    /// Takes out everything, for shutting down.
    pub(crate) fn take_all(&mut self) -> Vec<FrameWork> {
        self.places.values_mut().filter_map(|place| place.waiting.take()).collect()
    }

    /// How many frames wait.
    pub(crate) fn waiting(&self) -> usize {
        self.places.values().filter(|place| place.waiting.is_some()).count()
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
        let frame = Frame { sequence: number, captured_at, slot: 0, picture };
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

    /// Lets every camera offer a frame before each of `turns` and counts who was served.
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
    fn the_freshest_frame_wins_and_the_older_one_comes_back() {
        let mut controller = controller(&[("a", 1)]);
        assert_eq!(controller.offer(work("a", 1)), None);
        assert_eq!(controller.offer(work("a", 2)), Some(work("a", 1)));
        assert_eq!(controller.take_next(), Some(work("a", 2)));
        assert_eq!(controller.take_next(), None);
    }

    #[test]
    fn a_frame_is_tried_again_unless_a_fresher_one_waits() {
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
    fn a_camera_with_tiles_pays_for_each_look() {
        let mut controller = controller(&[("plain", 1), ("tiled", 1)]);
        let tiling = Tiling { columns: 2, rows: 2, overlap: 0.2, whole: true };
        let framing = Framing { tiling: Some(tiling), ..Framing::default() };
        let mut served = [0, 0];
        for turn in 0..600 {
            controller.offer(work("plain", turn));
            controller.offer(FrameWork { framing, ..work("tiled", turn) });
            served[usize::from(controller.take_next().unwrap().camera.as_str() == "tiled")] += 1;
        }
        assert_eq!(served, [500, 100], "five looks each");
    }

    #[test]
    fn silence_earns_no_burst() {
        let mut controller = controller(&[("a", 1), ("b", 1)]);
        serve(&mut controller, &["a"], 1000);
        let served = serve(&mut controller, &["a", "b"], 100);
        assert!((49..=51).contains(&served["b"]), "{served:?}");
    }

    #[test]
    fn a_frame_that_waited_too_long_is_taken_out() {
        let mut controller = controller(&[("a", 1), ("b", 1)]);
        controller.offer(work("a", 1));
        controller.offer(work("b", 900));
        assert_eq!(controller.take_stale(Monotonic::from_nanos(1_500_000_000)), vec![work("a", 1)]);
        assert_eq!(controller.waiting(), 1);
        assert_eq!(controller.take_all(), vec![work("b", 900)]);
    }

    #[test]
    fn a_frame_of_an_unknown_camera_comes_back() {
        assert_eq!(controller(&[]).offer(work("a", 1)), Some(work("a", 1)));
    }
}
