//! The relay between capture processes and viewers.

use crate::ipc::live_packets::{LiveHead, LivePacket};
use crate::live::reader::{ReadError, read_packet};
use crate::live::state::{LiveLimits, LiveState, NotShown, StreamId, ViewerId};
use crate::live::viewer_queue::Outgoing;
use crate::os::clock::monotonic_now;
use crate::telemetry::metrics::Metrics;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::unix::pipe;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

/// Cameras whose first viewer has come and that are not read yet. When it is full, viewers are refused.
const ORDERS: usize = 64;

/// Passes live video on. Clones are the same relay.
#[derive(Clone, Debug)]
pub struct Relay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    /// All viewers: while there are none, a frame costs one look at it.
    viewers: AtomicUsize,
    orders: mpsc::Sender<CameraId>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Inner {
    state: LiveState,
    wakers: BTreeMap<ViewerId, Arc<Notify>>,
    /// The tasks that read pipes. Aborting one closes its pipe, which ends what the capture process does for it.
    readers: BTreeMap<CameraId, AbortHandle>,
}

/// A viewer's place. Dropping it gives it up.
#[derive(Debug)]
pub struct Viewer {
    relay: Relay,
    camera: CameraId,
    id: ViewerId,
    wake: Arc<Notify>,
}

impl Relay {
    /// Without viewers. The queue has the cameras that are to be read: they are handed over with [`Self::connect`], each time
    /// that they stream.
    pub fn new(limits: LiveLimits, metrics: Arc<Metrics>) -> (Self, mpsc::Receiver<CameraId>) {
        let (orders, queue) = mpsc::channel(ORDERS);
        let inner = Inner { state: LiveState::new(limits), wakers: BTreeMap::new(), readers: BTreeMap::new() };
        (Self(Arc::new(Shared { inner: Mutex::new(inner), viewers: AtomicUsize::new(0), orders, metrics })), queue)
    }

    /// One that nobody brings cameras to, for tests of others.
    #[cfg(test)]
    pub(crate) fn without_cameras() -> Self {
        Self::new(LiveLimits { viewers: 2, bytes_per_second: 1_000_000 }, Arc::default()).0
    }

    /// Takes in a viewer.
    ///
    /// # Errors
    /// [`NotShown`].
    pub fn join(&self, camera: &CameraId) -> Result<Viewer, NotShown> {
        let wake = Arc::new(Notify::new());
        let mut inner = self.lock();
        let (id, is_first) = inner.state.join(camera)?;
        if is_first && self.0.orders.try_send(camera.clone()).is_err() {
            inner.state.leave(camera, id);
            return Err(NotShown::Busy);
        }
        inner.wakers.insert(id, Arc::clone(&wake));
        self.count(&inner);
        wake.notify_one();
        Ok(Viewer { relay: self.clone(), camera: camera.clone(), id, wake })
    }

    /// These cameras are shown to nobody from now on.
    pub fn set_private(&self, cameras: BTreeMap<CameraId, NotShown>) {
        let mut inner = self.lock();
        for camera in cameras.keys() {
            inner.wake(camera);
            if let Some(reader) = inner.readers.remove(camera) {
                reader.abort();
            }
        }
        inner.state.set_private(cameras);
        self.count(&inner);
    }

    /// Why the camera is shown to nobody, if it is not.
    pub fn why_private(&self, camera: &CameraId) -> Option<NotShown> {
        self.lock().state.why_private(camera)
    }

    /// True while somebody watches the camera.
    pub fn is_watched(&self, camera: &CameraId) -> bool {
        self.0.viewers.load(Ordering::Relaxed) > 0 && self.lock().state.is_watched(camera)
    }

    /// Reads this pipe from here on, into which the camera's capture process writes. Without a viewer it is closed.
    ///
    /// # Errors
    /// When it is no pipe, or the daemon has no more descriptors.
    pub fn connect(&self, camera: &CameraId, pipe: OwnedFd) -> std::io::Result<()> {
        let mut pipe = pipe::Receiver::from_owned_fd(pipe)?;
        let mut inner = self.lock();
        let Some(stream) = inner.state.begin(camera) else { return Ok(()) };
        let (relay, of_task) = (self.clone(), camera.clone());
        let task = tokio::spawn(async move {
            let error = loop {
                match read_packet(&mut pipe).await {
                    Ok(packet) if relay.pass(&of_task, stream, &packet) => {}
                    Ok(_) => return,
                    Err(error) => break error,
                }
            };
            if matches!(error, ReadError::Form(_)) {
                tracing::warn!(camera = %of_task, %error, "live video is not read any more");
            }
            relay.lock().state.end(&of_task, stream);
        });
        if let Some(before) = inner.readers.insert(camera.clone(), task.abort_handle()) {
            before.abort();
        }
        Ok(())
    }

    /// Tells the viewers of a camera something, in JSON.
    pub fn tell(&self, camera: &CameraId, text: &Arc<str>) {
        let mut inner = self.lock();
        inner.state.tell(camera, text);
        inner.wake(camera);
    }

    /// Passes a packet on. False if nobody wants it.
    fn pass(&self, camera: &CameraId, stream: StreamId, packet: &LivePacket) -> bool {
        let mut inner = self.lock();
        let Some(passed) = inner.state.packet(camera, stream, packet, monotonic_now()) else { return false };
        inner.wake(camera);
        drop(inner);
        let metrics = self.0.metrics.live();
        metrics.sent(passed.bytes);
        metrics.dropped_for_viewer(passed.dropped);
        if let LiveHead::Fragment { dropped, .. } = packet.head {
            metrics.dropped_in_capture(dropped.into());
        }
        true
    }

    fn leave(&self, camera: &CameraId, viewer: ViewerId) {
        let mut inner = self.lock();
        inner.wakers.remove(&viewer);
        if inner.state.leave(camera, viewer)
            && let Some(reader) = inner.readers.remove(camera)
        {
            reader.abort();
        }
        self.count(&inner);
    }

    fn count(&self, inner: &Inner) {
        let viewers = inner.state.viewers();
        self.0.viewers.store(viewers, Ordering::Relaxed);
        self.0.metrics.live().viewers(viewers as u64);
    }

    /// The state is whole after each step, also after a panic elsewhere.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn wake(&self, camera: &CameraId) {
        for viewer in self.state.viewers_of(camera) {
            if let Some(wake) = self.wakers.get(&viewer) {
                wake.notify_one();
            }
        }
    }
}

impl Viewer {
    /// Waits for the next thing to send. May be dropped and called again: nothing is lost. `None`: the camera is shown to
    /// nobody, or was meanwhile: then this viewer has lost its place, and gets nothing of what is shown to others again.
    pub async fn next(&self) -> Option<Outgoing> {
        loop {
            let next = self.relay.lock().state.pop(&self.camera, self.id)?;
            match next {
                Some(next) => return Some(next),
                None => self.wake.notified().await,
            }
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.relay.leave(&self.camera, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::live_backlog::fragment;
    use std::io::Write;

    #[tokio::test]
    async fn the_first_viewer_orders_the_video_and_the_last_one_closes_the_pipe() {
        let (relay, mut orders) = Relay::new(LiveLimits { viewers: 2, bytes_per_second: 1_000_000 }, Arc::default());
        let yard = CameraId::new("yard").unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        relay.connect(&yard, reader.into()).unwrap();
        assert!((&writer).write_all(b"x").is_err(), "nobody watches");

        let (first, second) = (relay.join(&yard).unwrap(), relay.join(&yard).unwrap());
        assert!(relay.join(&yard).is_err() && relay.is_watched(&yard));
        assert_eq!(orders.recv().await.unwrap(), yard);
        assert!(orders.try_recv().is_err());
        let (reader, writer) = std::io::pipe().unwrap();
        relay.connect(&yard, reader.into()).unwrap();
        let packet = fragment(true, [1, 2, 3]);
        (&writer).write_all(&[packet.front(), packet.body.to_vec()].concat()).unwrap();
        for viewer in [&first, &second] {
            assert_eq!(viewer.next().await, Some(Outgoing::Packet(packet.clone())));
        }
        relay.tell(&yard, &"boxes".into());
        assert_eq!(first.next().await, Some(Outgoing::Text("boxes".into())));
        drop(first);
        tokio::task::yield_now().await;
        assert!((&writer).write_all(&packet.front()).is_ok());
        drop(second);
        while (&writer).write_all(&packet.front()).is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!relay.is_watched(&yard));
    }

    #[tokio::test]
    async fn a_camera_that_becomes_private_is_shown_to_nobody_any_more() {
        let (relay, _orders) = Relay::new(LiveLimits { viewers: 2, bytes_per_second: 1_000_000 }, Arc::default());
        let yard = CameraId::new("yard").unwrap();
        let viewer = relay.join(&yard).unwrap();
        relay.set_private(BTreeMap::from([(yard.clone(), NotShown::Private)]));
        assert_eq!(viewer.next().await, None);
        assert!(!relay.is_watched(&yard) && relay.why_private(&yard) == Some(NotShown::Private));
        assert_eq!(relay.join(&yard).unwrap_err(), NotShown::Private);
        relay.set_private(BTreeMap::from([(yard.clone(), NotShown::BlackedOut)]));
        assert!(relay.join(&yard).unwrap_err().to_string().contains("blackout"));
        relay.set_private(BTreeMap::new());
        assert!(relay.join(&yard).is_ok());
    }

    #[tokio::test]
    async fn a_viewer_of_before_gets_nothing_of_a_camera_that_is_shown_again() {
        let (relay, mut orders) = Relay::new(LiveLimits { viewers: 3, bytes_per_second: 1_000_000 }, Arc::default());
        let yard = CameraId::new("yard").unwrap();
        let before = relay.join(&yard).unwrap();
        // It waits, and does not run before the camera is shown again.
        let waiting = tokio::spawn(async move {
            let got = before.next().await;
            (before, got)
        });
        tokio::task::yield_now().await;
        relay.set_private(BTreeMap::from([(yard.clone(), NotShown::Private)]));
        relay.set_private(BTreeMap::new());
        let after = relay.join(&yard).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        relay.connect(&yard, reader.into()).unwrap();
        let packet = fragment(true, [1, 2, 3]);
        (&writer).write_all(&[packet.front(), packet.body.to_vec()].concat()).unwrap();
        assert_eq!(after.next().await, Some(Outgoing::Packet(packet)));
        let (before, got) = tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await.unwrap().unwrap();
        assert_eq!((got, before.next().await), (None, None));
        // Its going takes nobody else's place.
        drop(before);
        assert!(relay.is_watched(&yard));
        orders.recv().await.unwrap();
    }
}
