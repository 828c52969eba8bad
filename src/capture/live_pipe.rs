//! The way of live video to the parent: a bounded backlog, and a thread that writes it into a pipe.
//!
//! Whoever puts something in never waits: when the parent does not read, frames are left out up to the next keyframe and counted.
//! The thread alone waits for the pipe. It ends when the parent closes it, or when it has written what was there at the end of the
//! stream.

use crate::capture::lock::lock;
use crate::ipc::live_backlog::LiveBacklog;
use crate::ipc::live_packets::LivePacket;
use std::fs::File;
use std::io::Write;
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
    inner: Mutex<Inner>,
    has_changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    backlog: LiveBacklog,
    /// The stream has ended, or nobody reads.
    is_over: bool,
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
        let inner = Inner { backlog, is_over: false };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), has_changed: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("live".into()).stack_size(STACK_BYTES);
        thread.spawn(move || of_thread.write(File::from(pipe)))?;
        Ok(Self(shared))
    }

    /// Leaves a packet to the thread.
    pub(super) fn push(&self, packet: LivePacket) {
        lock(&self.0.inner).backlog.push(packet, true);
        self.0.has_changed.notify_one();
    }

    /// True once nobody reads the pipe.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.0.inner).is_over
    }
}

impl Drop for LivePipe {
    fn drop(&mut self) {
        lock(&self.0.inner).is_over = true;
        self.0.has_changed.notify_one();
    }
}

impl Shared {
    fn write(&self, mut pipe: File) {
        while let Some(packet) = self.next() {
            let written = pipe.write_all(&packet.front()).and_then(|()| pipe.write_all(&packet.body));
            if written.is_err() {
                // Nobody watches any more.
                break;
            }
        }
        lock(&self.inner).is_over = true;
    }

    /// Waits for the next packet; `None` at the end.
    fn next(&self) -> Option<LivePacket> {
        let mut inner = lock(&self.inner);
        loop {
            if let Some(packet) = inner.backlog.pop() {
                return Some(packet);
            }
            if inner.is_over {
                return None;
            }
            inner = self.has_changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
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
