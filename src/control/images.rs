//! Images from clients: slots for their bytes, and the queue to the appliance.
//!
//! A client first gets a slot or is refused, so the queue never holds more images than there are slots. The slot
//! travels with the image until that has its outcome, even if the client has disconnected by then: a unit may still be reading
//! it. It comes back with the outcome, so that another box can have what this one refused.

use crate::ipc::frame_slots::{MAX_SLOTS, Region, SlotWriter};
use crate::model::package::Package;
use crate::os::clock::monotonic_now;
use crate::supervisor::Answer;
use crate::vision::frame::SLOT_BYTES;
use crate::vision::look_options::LookOptions;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, ShedReason};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Queue capacity. Every queued image has a slot, so the queue is never full.
const OFFER_QUEUE: usize = MAX_SLOTS as usize;

/// Images longer than a slot that may exist at a time. Each takes up to 16 MiB.
const LARGE_IMAGES: usize = 2;

/// An image for the appliance.
#[derive(Debug)]
pub struct OfferedImage {
    /// The name of the model that is to analyse it.
    pub(crate) model: String,
    /// The slot with its bytes.
    pub(crate) slot: ImageSlot,
    /// When its last byte arrived.
    pub(crate) arrived_at: Monotonic,
    /// When its client stops waiting.
    pub(crate) deadline: Monotonic,
    /// How the model is to analyse it.
    pub(crate) options: LookOptions,
    /// Its client says that it was not refused before.
    pub(crate) is_first_try: bool,
    /// Takes the reply, and the slot.
    pub(crate) reply: oneshot::Sender<(ImageReply, ImageSlot)>,
}

/// How a client waits for an image.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// For so long at most.
    pub patience: Duration,
    /// It says that it was not refused before.
    pub is_first_try: bool,
}

/// The outcome of an image.
#[derive(Clone, Debug, PartialEq)]
pub enum ImageReply {
    /// The result of a unit, which ran this package.
    Detected(Answer, Arc<Package>),
    /// No unit analysed it. Retry after this time.
    Shed(ShedReason, Duration),
    /// A unit tried it without giving a result.
    Failed(FailureCause),
    /// There is no such model.
    NoModel,
}

/// The image does not fit its slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the image is larger than 4 MiB")]
pub struct ImageTooLarge;

/// A slot of the shared region with its own writer: no lock is held while bytes are copied.
#[derive(Debug)]
struct PoolSlot {
    number: u16,
    writer: SlotWriter,
}

/// Free slots. The slot that was used last is used next, so that few pages of the region are ever touched.
type FreeSlots = Mutex<Vec<PoolSlot>>;

/// The slot of one image. An image longer than a slot has a region of its own.
#[derive(Debug)]
pub struct ImageSlot {
    place: Place,
    bytes: usize,
}

#[derive(Debug)]
enum Place {
    Pooled(PoolLease),
    Own { region: Region, writer: SlotWriter, _permit: OwnedSemaphorePermit },
}

/// Returns its slot to the free ones when it is dropped.
#[derive(Debug)]
struct PoolLease {
    /// Present until the drop.
    slot: Option<PoolSlot>,
    free: Arc<FreeSlots>,
}

impl Drop for PoolLease {
    fn drop(&mut self) {
        lock(&self.free).extend(self.slot.take());
    }
}

impl ImageSlot {
    /// Appends to the image.
    ///
    /// # Errors
    /// [`ImageTooLarge`] when the image does not fit its slot.
    pub fn write(&mut self, chunk: &[u8]) -> Result<(), ImageTooLarge> {
        self.next_mut(chunk.len())?.copy_from_slice(chunk);
        self.bytes += chunk.len();
        Ok(())
    }

    /// Appends so many bytes, which `make` writes where they are to be: 4 MB need not be written twice.
    ///
    /// # Errors
    /// [`ImageTooLarge`], and what `make` returns. The image is as it was then.
    pub(crate) fn write_with<E: From<ImageTooLarge>>(
        &mut self,
        bytes: usize,
        make: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        make(self.next_mut(bytes)?)?;
        self.bytes += bytes;
        Ok(())
    }

    /// The place of the next so many bytes.
    fn next_mut(&mut self, bytes: usize) -> Result<&mut [u8], ImageTooLarge> {
        let end = self.bytes.checked_add(bytes).ok_or(ImageTooLarge)?;
        let writer = match &mut self.place {
            Place::Pooled(lease) => lease.slot.as_mut().map(|slot| &mut slot.writer),
            Place::Own { writer, .. } => Some(writer),
        };
        writer.and_then(|writer| writer.bytes_mut().get_mut(self.bytes..end)).ok_or(ImageTooLarge)
    }

    /// The image so far.
    pub(crate) fn content(&mut self) -> &[u8] {
        let writer = match &mut self.place {
            Place::Pooled(lease) => lease.slot.as_mut().map(|slot| &mut slot.writer),
            Place::Own { writer, .. } => Some(writer),
        };
        writer.and_then(|writer| writer.bytes_mut().get(..self.bytes)).unwrap_or_default()
    }

    /// The number of the slot in its region.
    pub(crate) fn number(&self) -> u16 {
        match &self.place {
            Place::Pooled(lease) => lease.slot.as_ref().map_or(0, |slot| slot.number),
            Place::Own { .. } => 0,
        }
    }

    /// The region of an image longer than a slot.
    pub(crate) fn own_region(&self) -> Option<&Region> {
        match &self.place {
            Place::Pooled(_) => None,
            Place::Own { region, .. } => Some(region),
        }
    }

    /// The length of the image so far.
    pub(crate) fn bytes(&self) -> u32 {
        u32::try_from(self.bytes).unwrap_or(u32::MAX)
    }
}

fn lock(free: &FreeSlots) -> MutexGuard<'_, Vec<PoolSlot>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The clients' end. Clones share the slots and the queue.
#[derive(Clone, Debug)]
pub struct ImageIntake {
    free: Arc<FreeSlots>,
    large: Arc<Semaphore>,
    offers: mpsc::Sender<OfferedImage>,
}

impl ImageIntake {
    /// Returns the clients' end, the region that units read, and the appliance's end of the queue.
    ///
    /// # Errors
    /// When shared memory cannot be created.
    pub fn new() -> io::Result<(Self, Region, mpsc::Receiver<OfferedImage>)> {
        let region = Region::create("ocelli-images", MAX_SLOTS)?;
        let writers = SlotWriter::one_for_each_slot(region.writable(), MAX_SLOTS)?;
        let slots = (0..).zip(writers).map(|(number, writer)| PoolSlot { number, writer });
        let mut free: Vec<PoolSlot> = slots.collect();
        free.reverse();
        let (offers, queue) = mpsc::channel(OFFER_QUEUE);
        let large = Arc::new(Semaphore::new(LARGE_IMAGES));
        Ok((Self { free: Arc::new(Mutex::new(free)), large, offers }, region, queue))
    }

    /// Takes a free slot; `None` if all are in use.
    pub fn reserve(&self) -> Option<ImageSlot> {
        let slot = Some(lock(&self.free).pop()?);
        let place = Place::Pooled(PoolLease { slot, free: Arc::clone(&self.free) });
        Some(ImageSlot { place, bytes: 0 })
    }

    /// Takes a slot for an image of `bytes`, or creates a region for an image above 4 MiB; `None` if all are in use.
    pub(crate) fn reserve_for(&self, bytes: usize) -> Option<ImageSlot> {
        if bytes <= SLOT_BYTES {
            return self.reserve();
        }
        let permit = Arc::clone(&self.large).try_acquire_owned().ok()?;
        let region = u16::try_from(bytes.div_ceil(SLOT_BYTES)).ok().map(|slots| Region::create("ocelli-image", slots));
        let region = region?.inspect_err(|error| tracing::warn!(%error, "no shared memory for an image")).ok()?;
        let writer = SlotWriter::new(region.writable(), region.slots()).ok()?;
        Some(ImageSlot { place: Place::Own { region, writer, _permit: permit }, bytes: 0 })
    }

    /// Sends the image to a model and waits for its outcome. The slot comes back but from a daemon that stops.
    pub(super) async fn detect(
        &self,
        model: String,
        slot: ImageSlot,
        waiting: Waiting,
        options: LookOptions,
    ) -> (ImageReply, Option<ImageSlot>) {
        let (reply, replied) = oneshot::channel();
        let Waiting { patience, is_first_try } = waiting;
        let arrived_at = monotonic_now();
        let deadline = arrived_at + patience;
        let offer = OfferedImage { model, slot, arrived_at, deadline, options, is_first_try, reply };
        let stopping = ImageReply::Shed(ShedReason::Draining, Duration::from_secs(1));
        if let Err(refused) = self.offers.send(offer).await {
            return (stopping, Some(refused.0.slot));
        }
        replied.await.map_or((stopping, None), |(reply, slot)| (reply, Some(slot)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::frame_slots::SlotReader;

    #[test]
    fn a_slot_has_one_owner_and_is_returned() {
        let (intake, _region, _queue) = ImageIntake::new().unwrap();
        let mut taken: Vec<ImageSlot> = std::iter::from_fn(|| intake.reserve()).collect();
        assert_eq!(taken.len(), usize::from(MAX_SLOTS));
        let last = taken.pop().unwrap().number();
        assert_eq!(intake.reserve().unwrap().number(), last);
    }

    #[test]
    fn an_image_is_written_while_others_take_and_return_slots() {
        let (intake, region, _queue) = ImageIntake::new().unwrap();
        let mut slot = intake.reserve().unwrap();
        let (done, written) = std::sync::mpsc::sync_channel(1);
        let held = lock(&intake.free);
        std::thread::spawn(move || {
            slot.write(&vec![7; SLOT_BYTES]).unwrap();
            done.send(slot).unwrap();
        });
        let slot = written.recv_timeout(Duration::from_secs(10)).expect("writing needs no lock that others take");
        drop(held);
        let reader = SlotReader::new(region.read_only(), MAX_SLOTS).unwrap();
        assert!(reader.slot(slot.number()).unwrap().iter().all(|byte| *byte == 7));
    }

    #[test]
    fn an_image_may_fill_a_slot_but_not_exceed_it() {
        let (intake, _region, _queue) = ImageIntake::new().unwrap();
        let mut slot = intake.reserve().unwrap();
        slot.write(&vec![7; SLOT_BYTES - 1]).unwrap();
        slot.write(&[7]).unwrap();
        assert_eq!(slot.write(&[7]), Err(ImageTooLarge));
        assert_eq!(slot.bytes() as usize, SLOT_BYTES);
    }

    #[test]
    fn a_few_images_longer_than_a_slot_have_regions_of_their_own() {
        let (intake, _region, _queue) = ImageIntake::new().unwrap();
        let mut large = intake.reserve_for(SLOT_BYTES + 1).unwrap();
        large.write(&vec![7; SLOT_BYTES + 1]).unwrap();
        let reader = SlotReader::new(large.own_region().unwrap().read_only(), 2).unwrap();
        assert_eq!(reader.from_slot(0).unwrap()[SLOT_BYTES], 7);
        let others: Vec<ImageSlot> = std::iter::from_fn(|| intake.reserve_for(15 << 20)).collect();
        assert_eq!(others.len(), LARGE_IMAGES - 1);
        drop(large);
        assert!(intake.reserve_for(15 << 20).is_some() && intake.reserve_for(1).is_some());
    }
}
