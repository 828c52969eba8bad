//! The way of live video to the parent: a pipe, and a bounded backlog for what the pipe has no room for.
//!
//! Whoever puts something in writes it at once if there is room, which saves the change to another thread for each frame, and never
//! waits: when the parent does not read, frames are left out up to the next keyframe and counted. A thread writes what is
//! left as soon as there is room again. It ends when the parent closes the pipe, or when it has written what was there at the
//! end of the stream.

use crate::capture::lock::lock;
use crate::ipc::live_backlog::LiveBacklog;
use crate::ipc::live_packets::LivePacket;
use crate::os::pipe_end::PipeEnd;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The most that waits for the parent: the newest group, and as much again.
const MOST_BYTES: usize = 4 << 20;
const MOST_PACKETS: usize = 600;

/// The same for a clip: what is kept before its event, and as much again.
const MOST_BYTES_OF_CLIP: usize = 16 << 20;
const MOST_PACKETS_OF_CLIP: usize = 4000;

/// The thread writes and does nothing else.
const STACK_BYTES: usize = 128 << 10;

/// The writing end of a pipe. Dropping it ends what is written.
#[derive(Debug)]
pub(super) struct LivePipe(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pipe: PipeEnd,
    inner: Mutex<Inner>,
    has_changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    backlog: LiveBacklog,
    /// The packet that is being written.
    begun: Option<Begun>,
    /// The pipe has no room: the thread writes what waits, and nobody else.
    is_full: bool,
    /// The stream has ended: what waits is written, and nothing follows.
    has_ended: bool,
    /// Nobody reads.
    is_closed: bool,
}

/// A packet of which some bytes have been written.
#[derive(Debug)]
struct Begun {
    front: Vec<u8>,
    packet: LivePacket,
    written: usize,
}

impl LivePipe {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn start(pipe: OwnedFd) -> std::io::Result<Self> {
        Self::start_with(pipe, LiveBacklog::new(MOST_BYTES, MOST_PACKETS))
    }

    /// [`Self::start`] with room for what a clip has before its event.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn start_for_clip(pipe: OwnedFd) -> std::io::Result<Self> {
        Self::start_with(pipe, LiveBacklog::new(MOST_BYTES_OF_CLIP, MOST_PACKETS_OF_CLIP))
    }

    fn start_with(pipe: OwnedFd, backlog: LiveBacklog) -> std::io::Result<Self> {
        let inner = Inner { backlog, begun: None, is_full: false, has_ended: false, is_closed: false };
        let (pipe, inner) = (PipeEnd::new(pipe)?, Mutex::new(inner));
        let shared = Arc::new(Shared { pipe, inner, has_changed: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("live".into()).stack_size(STACK_BYTES);
        thread.spawn(move || of_thread.write_what_waits())?;
        Ok(Self(shared))
    }

    /// Writes a packet, or leaves it to the thread.
    pub(super) fn push(&self, packet: LivePacket) {
        let mut inner = lock(&self.0.inner);
        inner.backlog.push(packet, true);
        if !inner.is_full {
            inner.write(&self.0.pipe);
            if inner.is_full || inner.is_closed {
                self.0.has_changed.notify_one();
            }
        }
    }

    /// True once nobody reads the pipe.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.0.inner).is_closed
    }
}

impl Drop for LivePipe {
    fn drop(&mut self) {
        lock(&self.0.inner).has_ended = true;
        self.0.has_changed.notify_one();
    }
}

impl Shared {
    fn write_what_waits(&self) {
        let mut inner = lock(&self.inner);
        while !inner.is_closed {
            if inner.is_full {
                drop(inner);
                let waited = self.pipe.wait_for_room();
                inner = lock(&self.inner);
                inner.is_closed = waited.is_err();
                inner.write(&self.pipe);
            } else if inner.has_ended {
                return;
            } else {
                inner = self.has_changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Inner {
    /// Writes what waits, as far as there is room.
    fn write(&mut self, pipe: &PipeEnd) {
        self.is_full = false;
        while let Some(mut begun) = self.begun.take().or_else(|| self.backlog.pop().map(Begun::new)) {
            match pipe.write_now(&begun.rest()) {
                Ok(bytes) => begun.written += bytes,
                // Nobody watches any more.
                Err(_) => {
                    self.is_closed = true;
                    return;
                }
            }
            if begun.written < begun.front.len() + begun.packet.body.len() {
                self.begun = Some(begun);
                self.is_full = true;
                return;
            }
        }
    }
}

impl Begun {
    fn new(packet: LivePacket) -> Self {
        Self { front: packet.front(), packet, written: 0 }
    }

    /// What is to be written yet.
    fn rest(&self) -> [IoSlice<'_>; 2] {
        let front = self.front.get(self.written..).unwrap_or_default();
        let body = self.packet.body.get(self.written.saturating_sub(self.front.len())..).unwrap_or_default();
        [IoSlice::new(front), IoSlice::new(body)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::live_backlog::fragment;
    use crate::ipc::live_packets::{LiveHead, PREFIX_BYTES, lengths, read_head};
    use std::io::Read;
    use std::time::{Duration, Instant};

    fn read(from: &mut impl Read) -> LiveHead {
        let mut prefix = [0; PREFIX_BYTES];
        from.read_exact(&mut prefix).unwrap();
        let (head, body) = lengths(prefix).unwrap();
        let mut bytes = vec![0; head + body];
        from.read_exact(&mut bytes).unwrap();
        read_head(&bytes[..head]).unwrap()
    }

    #[test]
    fn a_parent_that_does_not_read_costs_frames_and_no_time() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let pipe = LivePipe::start(writer.into()).unwrap();
        for frame in 0..200 {
            pipe.push(fragment(frame % 50 == 0, vec![7; 100_000]));
        }
        let mut heads = Vec::new();
        drop(pipe);
        while heads.len() < 20 {
            heads.push(read(&mut reader));
        }
        let late = heads.iter().find(|head| matches!(head, LiveHead::Fragment { dropped: 1.., .. })).unwrap();
        assert!(matches!(late, LiveHead::Fragment { is_keyframe: true, .. }), "{late:?}");
    }

    #[test]
    fn it_is_closed_when_the_parent_goes() {
        let (reader, writer) = std::io::pipe().unwrap();
        let pipe = LivePipe::start(writer.into()).unwrap();
        drop(reader);
        let until = Instant::now() + Duration::from_secs(20);
        while !pipe.is_closed() && Instant::now() < until {
            pipe.push(fragment(true, [1, 2, 3]));
            std::thread::yield_now();
        }
        assert!(pipe.is_closed());
    }
}
