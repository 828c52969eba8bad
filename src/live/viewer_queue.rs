//! What waits for one viewer.

use crate::ipc::live_backlog::LiveBacklog;
use crate::ipc::live_packets::LivePacket;
use std::collections::VecDeque;
use std::sync::Arc;

/// The most video that waits for a viewer: four seconds at 8 Mbit/s.
pub(super) const MOST_BYTES: usize = 4 << 20;
const MOST_PACKETS: usize = 600;

/// The most texts that wait. A viewer who does not read loses the oldest, and with them boxes of frames that it has not seen.
const MOST_TEXTS: usize = 64;

/// What a viewer is sent next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outgoing {
    /// JSON.
    Text(Arc<str>),
    /// Video.
    Packet(LivePacket),
}

/// The queue of one viewer.
#[derive(Debug)]
pub(super) struct ViewerQueue {
    video: LiveBacklog,
    texts: VecDeque<Arc<str>>,
}

impl ViewerQueue {
    pub(super) fn new() -> Self {
        Self { video: LiveBacklog::new(MOST_BYTES, MOST_PACKETS), texts: VecDeque::new() }
    }

    /// Takes in a packet; `may_pass`: there is budget for it. Returns how many frames are left out for it.
    pub(super) fn push(&mut self, packet: LivePacket, may_pass: bool) -> u64 {
        let before = self.video.dropped();
        self.video.push(packet, may_pass);
        self.video.dropped() - before
    }

    /// Takes in a text.
    pub(super) fn tell(&mut self, text: Arc<str>) {
        if self.texts.len() >= MOST_TEXTS {
            self.texts.pop_front();
        }
        self.texts.push_back(text);
    }

    /// The next thing to send: texts first, for the video in front of them may be long.
    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        let text = self.texts.pop_front().map(Outgoing::Text);
        text.or_else(|| self.video.pop().map(Outgoing::Packet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_texts_the_oldest_are_lost() {
        let mut queue = ViewerQueue::new();
        (0..70).for_each(|number| queue.tell(number.to_string().into()));
        assert_eq!(queue.pop(), Some(Outgoing::Text("6".into())));
    }
}
