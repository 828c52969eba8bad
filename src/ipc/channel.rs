//! Messages over a `SOCK_SEQPACKET` pair, one per packet, with file descriptors if needed.
//!
//! A packet is the protocol version (two bytes, little endian) and the message in postcard's encoding. The kernel
//! preserves packet boundaries, so a message is never read in part.

use crate::ipc::messages::PROTOCOL_VERSION;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, send, sendmsg, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest packet. 500 detections take about 12 kB.
pub const MAX_PACKET_BYTES: usize = 64 * 1024;

/// Why a message could not be sent or received.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer has closed its end, or its process has ended.
    #[error("the other side closed the channel")]
    Closed,
    /// The socket's send buffer is full. Only on a non-blocking channel.
    #[error("the channel is full: the other side does not read")]
    Full,
    /// No message is waiting. Only on a non-blocking channel, or after a time limit.
    #[error("no message is waiting")]
    Empty,
    /// The packet has a different version, is truncated, or cannot be decoded.
    #[error("the other side broke the protocol: {0}")]
    Protocol(String),
    /// Another error of the system call.
    #[error("the channel failed")]
    Io(#[source] std::io::Error),
}

/// One end of a channel. Calls block unless [`Self::set_nonblocking`] was called.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    /// Receive buffer, reused: clearing 64 kB for each packet would take longer than the system call.
    packet: Mutex<Vec<u8>>,
}

impl Channel {
    fn new(socket: OwnedFd) -> Self {
        Self { socket, packet: Mutex::default() }
    }

    /// Creates two connected ends, both close-on-exec.
    ///
    /// # Errors
    /// When no file descriptor is free.
    pub fn pair() -> std::io::Result<(Self, Self)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self::new(ours), Self::new(theirs)))
    }

    /// Opens the child's end, which the parent passed as standard input.
    ///
    /// # Errors
    /// When standard input is closed, or no file descriptor is free.
    pub fn from_stdin() -> std::io::Result<Self> {
        Ok(Self::new(std::io::stdin().as_fd().try_clone_to_owned()?))
    }

    /// Returns the socket, to pass it on or to watch it.
    pub fn into_socket(self) -> OwnedFd {
        self.socket
    }

    /// Creates a second handle on the same end.
    ///
    /// # Errors
    /// When no file descriptor is free.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self::new(self.socket.try_clone()?))
    }

    /// Makes [`Self::send`] and [`Self::receive`] return `Full` and `Empty` instead of waiting.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn set_nonblocking(&self) -> std::io::Result<()> {
        Ok(rustix::io::ioctl_fionbio(&self.socket, true)?)
    }

    /// Sends one message, with a file descriptor if one is given.
    ///
    /// # Errors
    /// [`ChannelError::Closed`], [`ChannelError::Full`], or `Protocol` when the message exceeds [`MAX_PACKET_BYTES`].
    pub fn send<T: Serialize>(&self, message: &T, descriptor: Option<BorrowedFd<'_>>) -> Result<(), ChannelError> {
        let packet = postcard::to_extend(message, PROTOCOL_VERSION.to_le_bytes().to_vec())
            .map_err(|error| ChannelError::Protocol(error.to_string()))?;
        if packet.len() > MAX_PACKET_BYTES {
            return Err(ChannelError::Protocol(format!("a message of {} bytes is too long", packet.len())));
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = descriptor.as_slice();
        if !descriptors.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        loop {
            // Without a descriptor by the plain call: a child's filter lets it through, because it can name no address.
            let sent = match descriptors {
                [] => send(&self.socket, &packet, SendFlags::NOSIGNAL),
                _ => sendmsg(&self.socket, &[IoSlice::new(&packet)], &mut control, SendFlags::NOSIGNAL),
            };
            match sent {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Err(ChannelError::Full),
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(ChannelError::Closed),
                Err(error) => return Err(ChannelError::Io(error.into())),
            }
        }
    }

    /// Receives one message and its file descriptor, if it has one.
    ///
    /// # Errors
    /// [`ChannelError::Closed`], [`ChannelError::Empty`], or `Protocol` for an invalid packet.
    pub fn receive<T: DeserializeOwned>(&self) -> Result<(T, Option<OwnedFd>), ChannelError> {
        // A poisoned lock is harmless: the buffer is overwritten.
        let mut packet = self.packet.lock().unwrap_or_else(PoisonError::into_inner);
        packet.resize(MAX_PACKET_BYTES, 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            match recvmsg(&self.socket, &mut [IoSliceMut::new(&mut packet)], &mut control, RecvFlags::CMSG_CLOEXEC) {
                // A peer that ended with unread messages causes one `CONNRESET`. Its own last messages follow, then the
                // end.
                Err(Errno::INTR | Errno::CONNRESET) => {}
                Err(Errno::AGAIN) => return Err(ChannelError::Empty),
                Err(error) => return Err(ChannelError::Io(error.into())),
                Ok(received) => break received,
            }
        };
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        if received.bytes == 0 {
            return Err(ChannelError::Closed);
        }
        if received.flags.contains(ReturnFlags::TRUNC) {
            return Err(ChannelError::Protocol("a packet was too long".into()));
        }
        Ok((decode(&packet[..received.bytes])?, descriptor))
    }

    /// Like [`Self::receive`], but returns [`ChannelError::Empty`] after `limit`.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub fn receive_within<T: DeserializeOwned>(&self, limit: Duration) -> Result<(T, Option<OwnedFd>), ChannelError> {
        let limit = Timespec::try_from(limit).map_err(|error| ChannelError::Protocol(error.to_string()))?;
        let mut watched = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut watched, Some(&limit)) {
            Ok(0) | Err(Errno::INTR) => Err(ChannelError::Empty),
            Ok(_) => self.receive(),
            Err(error) => Err(ChannelError::Io(error.into())),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Checks a packet's version and decodes its message.
///
/// # Errors
/// [`ChannelError::Protocol`] for a different version or a body that cannot be decoded.
pub fn decode<T: DeserializeOwned>(packet: &[u8]) -> Result<T, ChannelError> {
    let Some((version, body)) = packet.split_first_chunk::<2>() else {
        return Err(ChannelError::Protocol("a packet has no version".into()));
    };
    let version = u16::from_le_bytes(*version);
    if version != PROTOCOL_VERSION {
        return Err(ChannelError::Protocol(format!("version {version} instead of {PROTOCOL_VERSION}")));
    }
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(ChannelError::Protocol(format!("{} bytes follow the message", rest.len()))),
        Err(error) => Err(ChannelError::Protocol(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::messages::{FromCapture, FromUnit, RegionId, RequestId, ToUnit};
    use proptest::prelude::*;

    #[test]
    fn a_message_and_its_descriptor_arrive_together() {
        let (ours, theirs) = Channel::pair().unwrap();
        let fd = crate::os::memfd::create_sealed("test", 4096).unwrap();
        let message = ToUnit::AttachRegion { region: RegionId(7), slots: 1 };
        ours.send(&message, Some(fd.as_fd())).unwrap();
        ours.send(&ToUnit::Stop, None).unwrap();
        let (received, descriptor) = theirs.receive::<ToUnit>().unwrap();
        assert_eq!(received, message);
        assert!(descriptor.is_some());
        let (received, descriptor) = theirs.receive::<ToUnit>().unwrap();
        assert!(received == ToUnit::Stop && descriptor.is_none());
    }

    #[test]
    fn a_channel_whose_other_side_does_not_read_becomes_full() {
        let (ours, _theirs) = Channel::pair().unwrap();
        ours.set_nonblocking().unwrap();
        let error = (0..1_000_000).find_map(|_| ours.send(&ToUnit::Stop, None).err());
        assert!(matches!(error, Some(ChannelError::Full)));
    }

    #[test]
    fn an_end_whose_peer_is_closed_is_closed() {
        let (ours, theirs) = Channel::pair().unwrap();
        drop(theirs);
        assert!(matches!(ours.receive::<ToUnit>(), Err(ChannelError::Closed)));
        assert!(matches!(ours.send(&ToUnit::Stop, None), Err(ChannelError::Closed)));
    }

    #[test]
    fn the_last_message_of_a_peer_that_ended_with_unread_messages_is_received() {
        let (ours, theirs) = Channel::pair().unwrap();
        ours.send(&ToUnit::Stop, None).unwrap();
        let last = FromUnit::LoadFailed { reason: "no memory".into() };
        theirs.send(&last, None).unwrap();
        drop(theirs);
        assert_eq!(ours.receive::<FromUnit>().unwrap().0, last);
        assert!(matches!(ours.receive::<FromUnit>(), Err(ChannelError::Closed)));
    }

    #[test]
    fn another_version_is_refused() {
        let mut packet =
            postcard::to_extend(&FromUnit::Pong { request: RequestId(1), first_byte: 0 }, vec![9, 9]).unwrap();
        assert!(matches!(decode::<FromUnit>(&packet), Err(ChannelError::Protocol(_))));
        packet[..2].copy_from_slice(&PROTOCOL_VERSION.to_le_bytes());
        assert!(decode::<FromUnit>(&packet).is_ok());
    }

    proptest! {
        #[test]
        fn no_packet_makes_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut packet = PROTOCOL_VERSION.to_le_bytes().to_vec();
            packet.extend(&bytes);
            drop((decode::<FromUnit>(&packet), decode::<FromCapture>(&packet), decode::<FromCapture>(&bytes)));
        }
    }
}
