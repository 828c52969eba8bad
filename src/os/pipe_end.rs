//! The writing end of a pipe, which takes what there is room for and never makes its writer wait unasked.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, writev};
use std::io::IoSlice;
use std::os::fd::OwnedFd;

/// A pipe's writing end.
#[derive(Debug)]
pub struct PipeEnd(OwnedFd);

impl PipeEnd {
    /// Takes over a descriptor. The other end is not changed by that.
    ///
    /// # Errors
    /// What `fcntl` returns.
    pub fn new(pipe: OwnedFd) -> std::io::Result<Self> {
        fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
        Ok(Self(pipe))
    }

    /// Writes as much of these bytes, one after the other, as there is room for, and returns how many that were.
    ///
    /// # Errors
    /// Above all `EPIPE`: nobody reads any more.
    pub fn write_now(&self, parts: &[IoSlice<'_>]) -> std::io::Result<usize> {
        loop {
            match writev(&self.0, parts) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(0),
                written => return Ok(written?),
            }
        }
    }

    /// Waits until there is room, or nobody reads any more.
    ///
    /// # Errors
    /// What `poll` returns.
    pub fn wait_for_room(&self) -> std::io::Result<()> {
        match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_full_pipe_takes_what_there_is_room_for_and_then_nothing() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let end = PipeEnd::new(writer.into()).unwrap();
        let bytes = vec![7; 1 << 20];
        let (half, rest) = bytes.split_at(1000);
        let taken = end.write_now(&[IoSlice::new(half), IoSlice::new(rest)]).unwrap();
        assert!(taken > half.len() && taken < bytes.len(), "{taken}");
        assert_eq!(end.write_now(&[IoSlice::new(&bytes)]).unwrap(), 0);
        let mut read = vec![0; taken];
        reader.read_exact(&mut read).unwrap();
        end.wait_for_room().unwrap();
        assert!(end.write_now(&[IoSlice::new(b"more")]).unwrap() == 4);
        drop(reader);
        end.wait_for_room().unwrap();
        assert!(end.write_now(&[IoSlice::new(b"nobody")]).is_err());
    }
}
