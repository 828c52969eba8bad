//! Divides the units of one model between camera frames and images. Each side has a guaranteed share; unused share goes to
//! the other side (work-conserving).

use crate::admission::controller::Controller;
use crate::admission::image_queue::ImageQueue;
use crate::admission::work::Work;
use crate::vision::monotonic::Monotonic;

/// The work that waits for the units of one model.
#[derive(Debug)]
pub struct Gate {
    /// The waiting frames, at most one of each camera.
    pub(crate) cameras: Controller,
    /// The waiting images, in order of arrival.
    pub(crate) images: ImageQueue,
    /// The images' share of the units while both sides have work waiting, 0..=1.
    image_share: f64,
    /// What cameras and images have paid for their turns, as in the stride scheduling between cameras.
    paid: [f64; 2],
    was_waiting: [bool; 2],
}

impl Gate {
    /// `image_share` is 0..=1 and is kept just inside, so that neither side can be starved.
    pub fn new(cameras: Controller, images: ImageQueue, image_share: f64) -> Self {
        Self { cameras, images, image_share: image_share.clamp(0.01, 0.99), paid: [0.0; 2], was_waiting: [false; 2] }
    }

    /// True if it is the turn of images, false if of cameras, `None` when nothing waits.
    fn is_images_turn(&mut self) -> Option<bool> {
        let is_waiting = [self.cameras.waiting() > 0, self.images.waiting() > 0];
        // A side that had nothing waiting gets no credit for that time.
        for (one, other) in [(0, 1), (1, 0)] {
            if is_waiting[one] && !self.was_waiting[one] {
                self.paid[one] = self.paid[one].max(self.paid[other]);
            }
        }
        self.was_waiting = is_waiting;
        match is_waiting {
            [false, false] => None,
            [true, true] => Some(self.paid[1] < self.paid[0]),
            [_, has_images] => Some(has_images),
        }
    }

    /// The images' share of the units while cameras use all of theirs.
    pub(crate) fn image_share(&self) -> f64 {
        self.image_share
    }

    /// Changes the images' share; it is kept just inside 0..=1.
    pub(crate) fn set_image_share(&mut self, image_share: f64) {
        self.image_share = image_share.clamp(0.01, 0.99);
    }

    /// Takes the work whose turn it is.
    pub(crate) fn take_next(&mut self) -> Option<Work> {
        if self.is_images_turn()? {
            let work = self.images.take_next()?;
            self.paid[1] += f64::from(work.transactions()) / self.image_share;
            return Some(Work::Image(work));
        }
        let work = self.cameras.take_next()?;
        self.paid[0] += f64::from(work.transactions()) / (1.0 - self.image_share);
        Some(Work::Frame(work))
    }

    /// Takes the work whose turn it is, unless it is a retry.
    pub(crate) fn take_fresh(&mut self) -> Option<Work> {
        let attempts = match self.is_images_turn()? {
            true => self.images.next().map(|image| image.attempts),
            false => self.cameras.next().map(|frame| frame.attempts),
        };
        attempts.filter(|attempts| *attempts == 0).and_then(|_| self.take_next())
    }

    /// The share of the units that images get now: all of it while no frame waits.
    pub(crate) fn share_of_images(&self) -> f64 {
        if self.cameras.waiting() > 0 { self.image_share } else { 1.0 }
    }

    /// Queues work again after its unit failed. Returns the frame if a newer one is already waiting.
    pub(crate) fn offer_again(&mut self, work: Work) -> Option<Work> {
        match work {
            Work::Frame(frame) => self.cameras.offer_again(frame).map(Work::Frame),
            Work::Image(image) => {
                self.images.offer_again(image);
                None
            }
        }
    }

    /// Removes and returns stale frames and images whose deadline has passed.
    pub(crate) fn take_stale(&mut self, now: Monotonic) -> Vec<Work> {
        let frames = self.cameras.take_stale(now).into_iter().map(Work::Frame);
        frames.chain(self.images.take_expired(now).into_iter().map(Work::Image)).collect()
    }

    /// Removes and returns everything.
    pub(crate) fn take_all(&mut self) -> Vec<Work> {
        let frames = self.cameras.take_all().into_iter().map(Work::Frame);
        frames.chain(self.images.take_all().into_iter().map(Work::Image)).collect()
    }

    /// The number of waiting frames and images.
    pub(crate) fn waiting(&self) -> usize {
        self.cameras.waiting() + self.images.waiting()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::work::{FrameWork, ImageId, ImageWork};
    use crate::ipc::messages::RegionId;
    use crate::vision::camera_id::CameraId;
    use crate::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
    use crate::vision::framing::Framing;
    use crate::vision::look_options::LookOptions;
    use std::time::Duration;

    fn gate(image_share: f64) -> Gate {
        let mut cameras = Controller::new(Duration::from_secs(1));
        cameras.add_camera(CameraId::new("a").unwrap(), 1);
        Gate::new(cameras, ImageQueue::new(Duration::from_secs(1)), image_share)
    }

    fn offer_frame(gate: &mut Gate) {
        let picture = Picture::new(PixelFormat::I420, 64, 64, Colorimetry::default()).unwrap();
        let frame = Frame {
            sequence: 0,
            captured_at: Monotonic::default(),
            decoded_at: Monotonic::default(),
            camera_ms: None,
            media_us: 0,
            slot: 0,
            picture,
        };
        let (camera, framing) = (CameraId::new("a").unwrap(), Framing::default());
        let (region, attempts, failed_in) = (RegionId(0), 0, None);
        gate.cameras.offer(FrameWork { camera, number: 0, frame, region, framing, attempts, failed_in });
    }

    fn offer_image(gate: &mut Gate) {
        let now = Monotonic::default();
        let (id, region, deadline) = (ImageId(0), RegionId(0), now + Duration::from_secs(9));
        let work = ImageWork {
            id,
            region,
            slot: 0,
            bytes: 1,
            arrived_at: now,
            deadline,
            options: LookOptions::default(),
            is_first_try: false,
            attempts: 0,
            failed_in: None,
        };
        drop(gate.images.offer(work, 0.0, 100.0, now));
    }

    fn images_of(gate: &mut Gate, turns: usize, with_frames: bool) -> usize {
        let mut images = 0;
        for _ in 0..turns {
            offer_image(gate);
            if with_frames {
                offer_frame(gate);
            }
            images += usize::from(matches!(gate.take_next(), Some(Work::Image(_))));
        }
        images
    }

    #[test]
    fn a_flood_of_images_leaves_cameras_their_share_and_unused_share_goes_to_images() {
        let mut gate = gate(0.25);
        assert_eq!(images_of(&mut gate, 100, false), 100, "no camera wants anything");
        let images = images_of(&mut gate, 400, true);
        assert!((99..=101).contains(&images), "{images} of 400 turns");
        offer_frame(&mut gate);
        assert!((gate.share_of_images() - 0.25).abs() < 1e-9);
    }
}
