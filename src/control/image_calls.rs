//! Images of calls: at this box, or at another that takes what this one refuses for want of room.
//!
//! Without a cluster nobody hands images on, and a refusal is the answer.

use crate::control::images::{ImageIntake, ImageReply, ImageSlot, Waiting};
use crate::control::shared_models::AllBoxes;
use crate::ipc::frame_slots::MAX_SLOTS;
use crate::os::clock::monotonic_now;
use crate::supervisor::ModelState;
use crate::vision::look_options::LookOptions;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::ShedReason;
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, oneshot};

/// Queue capacity. Each image still has its slot, or one of the few regions of large images, so that the queue is never full.
const QUEUE: usize = 2 * MAX_SLOTS as usize;

/// An image that was refused, with its bytes.
#[derive(Debug)]
pub(crate) struct RefusedImage {
    /// The name of the model that is to analyse it.
    pub(crate) model: String,
    /// The bytes as the caller has sent them.
    pub(crate) slot: ImageSlot,
    /// How the model is to analyse it.
    pub(crate) options: LookOptions,
    /// When its client stops waiting.
    pub(crate) deadline: Monotonic,
    /// Its client says that it was not refused before.
    pub(crate) is_first_try: bool,
    /// The answer if no other box has a better one.
    pub(crate) refusal: ImageReply,
    /// Takes the answer.
    pub(crate) reply: oneshot::Sender<ImageReply>,
}

/// The clients' end. Clones share it.
#[derive(Clone, Debug)]
pub struct ImageCalls {
    intake: ImageIntake,
    handing_on: Arc<OnceLock<mpsc::Sender<RefusedImage>>>,
    all_boxes: AllBoxes,
}

impl ImageCalls {
    /// Calls of a box on its own, until somebody hands them on. `all_boxes` knows what runs elsewhere.
    pub(super) fn new(intake: ImageIntake, all_boxes: AllBoxes) -> Self {
        Self { intake, handing_on: Arc::default(), all_boxes }
    }

    /// Takes a free slot; `None` if all are in use.
    pub fn reserve(&self) -> Option<ImageSlot> {
        self.intake.reserve()
    }

    /// Takes a slot for an image of `bytes`, or creates a region for an image above 4 MiB; `None` if all are in use.
    pub(crate) fn reserve_for(&self, bytes: usize) -> Option<ImageSlot> {
        self.intake.reserve_for(bytes)
    }

    /// From now on images that are refused for want of room come out of the queue that is returned; `None` if somebody has it
    /// already.
    pub(crate) fn hand_on(&self) -> Option<mpsc::Receiver<RefusedImage>> {
        let (sender, queue) = mpsc::channel(QUEUE);
        self.handing_on.set(sender).ok().map(|()| queue)
    }

    /// Sends the image to a model and waits for its outcome, which may be that at another box.
    pub async fn detect(&self, model: String, slot: ImageSlot, waiting: Waiting, options: LookOptions) -> ImageReply {
        let deadline = monotonic_now() + waiting.patience;
        let (refusal, slot) = self.intake.detect(model.clone(), slot, waiting, options).await;
        let (Some(queue), Some(slot)) =
            (self.handing_on.get().filter(|_| self.another_may_take(&model, &refusal)), slot)
        else {
            return refusal;
        };
        let (reply, replied) = oneshot::channel();
        let (is_first_try, own) = (waiting.is_first_try, refusal.clone());
        let refused = RefusedImage { model, slot, options, deadline, is_first_try, refusal, reply };
        match queue.try_send(refused) {
            Ok(()) => replied.await.unwrap_or(own),
            Err(_) => own,
        }
    }

    /// The same at this box alone.
    pub(crate) async fn detect_here(
        &self,
        model: String,
        slot: ImageSlot,
        waiting: Waiting,
        options: LookOptions,
    ) -> ImageReply {
        self.intake.detect(model, slot, waiting, options).await.0
    }

    /// True for a refusal for want of room. A stopped model is one that the operator wants so, unless its units are at other boxes; an
    /// image whose time is up is of no use elsewhere either.
    fn another_may_take(&self, model: &str, reply: &ImageReply) -> bool {
        match reply {
            ImageReply::Shed(ShedReason::Throttled | ShedReason::NoUnits | ShedReason::Draining, _) => true,
            ImageReply::Shed(ShedReason::ModelStopped, _) => {
                self.all_boxes.model(model).is_some_and(|shared| shared.state == ModelState::Running)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn what_is_refused_here_goes_on_with_its_bytes_once_somebody_hands_it_on() {
        let (intake, _region, mut offers) = ImageIntake::new().unwrap();
        let calls = ImageCalls::new(intake, AllBoxes::default());
        let shed = |reason| ImageReply::Shed(reason, Duration::from_secs(1));
        let waiting = Waiting { patience: Duration::from_secs(5), is_first_try: true };
        let ask = |calls: ImageCalls| async move {
            let mut slot = calls.reserve().unwrap();
            slot.write(b"picture").unwrap();
            calls.detect("coco-ssd".into(), slot, waiting, LookOptions::default()).await
        };
        let refuse = |offer: crate::control::images::OfferedImage, reason| {
            drop(offer.reply.send((shed(reason), offer.slot)));
        };
        let asked = tokio::spawn(ask(calls.clone()));
        refuse(offers.recv().await.unwrap(), ShedReason::Throttled);
        assert_eq!(asked.await.unwrap(), shed(ShedReason::Throttled), "nobody hands it on");

        let mut queue = calls.hand_on().unwrap();
        assert!(calls.hand_on().is_none());
        let asked = tokio::spawn(ask(calls.clone()));
        refuse(offers.recv().await.unwrap(), ShedReason::Throttled);
        let mut refused = queue.recv().await.unwrap();
        assert_eq!((refused.slot.content(), refused.is_first_try), (&b"picture"[..], true));
        refused.reply.send(ImageReply::NoModel).unwrap();
        assert_eq!(asked.await.unwrap(), ImageReply::NoModel);

        for reason in [ShedReason::ModelStopped, ShedReason::Expired] {
            let asked = tokio::spawn(ask(calls.clone()));
            refuse(offers.recv().await.unwrap(), reason);
            assert_eq!(asked.await.unwrap(), shed(reason));
        }
        assert!(queue.try_recv().is_err());
    }
}
