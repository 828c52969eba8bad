//! The open requests of clients: reply channels by ticket, and the memory of images.

use crate::admission::ImageId;
use crate::control::images::{ImageReply, OfferedImage};
use crate::control::snapshots::{SnapshotReply, SnapshotRequest};
use crate::control::{Accepted, CommandRequest, ControlError};
use crate::core::Event;
use crate::core::change::BoxChange;
use crate::core::event::{CommandTicket, SnapshotTicket};
use crate::ipc::frame_slots::Region;
use crate::os::clock::monotonic_now;
use crate::vision::line_limit::LineLimit;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

type CommandReply = oneshot::Sender<Result<Accepted, ControlError>>;

/// The requests that wait for a reply.
#[derive(Debug, Default)]
pub(super) struct Requests {
    next: u64,
    commands: BTreeMap<CommandTicket, CommandReply>,
    /// Replies to commands that wait for [`Requests::send_replies`].
    replies: Vec<(CommandReply, Result<Accepted, ControlError>)>,
    snapshots: BTreeMap<SnapshotTicket, oneshot::Sender<SnapshotReply>>,
    images: BTreeMap<ImageId, OfferedImage>,
    /// Of the lines about commands: whoever may send them may send a million.
    lines: LineLimit,
}

impl Requests {
    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Registers a command, and returns its event.
    pub(super) fn command(&mut self, (command, reply): CommandRequest) -> Event {
        if let Some(left_out) = self.lines.admit(monotonic_now()) {
            tracing::info!(?command, left_out = left_out.count(), "a command{left_out}");
        }
        let ticket = CommandTicket(self.next());
        self.commands.insert(ticket, reply);
        Event::Command { ticket, command }
    }

    /// Registers a change of the settings, and returns its event.
    pub(super) fn change(&mut self, change: BoxChange, reply: CommandReply) -> Event {
        let ticket = CommandTicket(self.next());
        self.commands.insert(ticket, reply);
        Event::Changed { ticket, change: Box::new(change) }
    }

    /// Registers a snapshot request, and returns its event.
    pub(super) fn snapshot(&mut self, asked: SnapshotRequest) -> Event {
        let ticket = SnapshotTicket(self.next());
        self.snapshots.insert(ticket, asked.reply);
        Event::SnapshotRequested { ticket, camera: asked.camera, freshness: asked.freshness }
    }

    /// Registers an image, and returns its event.
    pub(super) fn image(&mut self, offer: OfferedImage) -> Event {
        let id = ImageId(self.next());
        let (model, work) = (offer.model.clone(), crate::appliance::inbox::image_work(id, &offer));
        self.images.insert(id, offer);
        Event::Image { model, work }
    }

    /// The region of a large image, which has one of its own.
    pub(super) fn image_region(&self, id: ImageId) -> Option<&Region> {
        self.images.get(&id)?.slot.own_region()
    }

    /// Keeps the reply to a command until [`Requests::send_replies`].
    pub(super) fn answer_command(&mut self, ticket: CommandTicket, result: Result<Accepted, ControlError>) {
        self.replies.extend(self.commands.remove(&ticket).map(|reply| (reply, result)));
    }

    /// True if a command has its reply, which was not sent yet.
    pub(super) const fn has_replies(&self) -> bool {
        !self.replies.is_empty()
    }

    /// Sends the replies to commands to those clients that are still connected. The status that they may read next has to
    /// show the effect of their commands by then.
    pub(super) fn send_replies(&mut self) {
        for (reply, result) in self.replies.drain(..) {
            drop(reply.send(result));
        }
    }

    /// Replies to a snapshot request, if its client is still connected.
    pub(super) fn answer_snapshot(&mut self, ticket: SnapshotTicket, reply: SnapshotReply) {
        if let Some(waiting) = self.snapshots.remove(&ticket) {
            drop(waiting.send(reply));
        }
    }

    /// Removes an image that has its outcome: no unit reads its slot any more.
    pub(super) fn take_image(&mut self, id: ImageId) -> Option<OfferedImage> {
        self.images.remove(&id)
    }

    /// Replies with the slot of an image, which is free if its client has disconnected.
    pub(super) fn answer_image(offer: OfferedImage, reply: ImageReply) {
        let OfferedImage { slot, reply: waiting, .. } = offer;
        drop(waiting.send((reply, slot)));
    }
}
