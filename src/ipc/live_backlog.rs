//! Packets of live video that wait to be written: in a capture process for the pipe, in the daemon for a viewer.
//!
//! It is bounded. When it is full, frames are left out up to the next keyframe, which takes the place of everything that
//! waits: a viewer that is behind wants the newest picture, not all of them late.

use crate::ipc::live_packets::{LiveHead, LivePacket};
use std::collections::VecDeque;
#[cfg(test)]
use std::sync::Arc;

/// Packets between a stream and a slow reader.
#[derive(Debug)]
pub struct LiveBacklog {
    waiting: VecDeque<LivePacket>,
    bytes: usize,
    most_bytes: usize,
    most_packets: usize,
    awaits_keyframe: bool,
    /// Frames left out since the last fragment that was taken in.
    left_out: u32,
    dropped: u64,
}

impl LiveBacklog {
    /// An empty one. A keyframe that is larger than `most_bytes` is taken when nothing else waits.
    pub fn new(most_bytes: usize, most_packets: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            most_bytes,
            most_packets,
            awaits_keyframe: false,
            left_out: 0,
            dropped: 0,
        }
    }

    /// Takes in the next packet of the stream, or leaves it out. `may_pass`: the reader has not used up what it may have.
    pub fn push(&mut self, mut packet: LivePacket, may_pass: bool) {
        if let LiveHead::Fragment { is_keyframe, dropped } = &mut packet.head {
            self.left_out = self.left_out.saturating_add(std::mem::take(dropped));
            if *is_keyframe && self.awaits_keyframe && may_pass {
                self.leave_out_waiting();
                self.awaits_keyframe = false;
            }
            let is_room = self.waiting.len() < self.most_packets && self.bytes + packet.body.len() <= self.most_bytes;
            let fits = is_room || (*is_keyframe && self.bytes == 0);
            if self.awaits_keyframe || !fits || !may_pass {
                self.awaits_keyframe = true;
                self.left_out = self.left_out.saturating_add(1);
                self.dropped += 1;
                return;
            }
            *dropped = std::mem::take(&mut self.left_out);
        } else if self.waiting.len() >= self.most_packets || self.bytes + packet.body.len() > self.most_bytes {
            // What describes the stream is never left out; what it replaces is of no use.
            self.leave_out_waiting();
            self.waiting.clear();
            self.bytes = 0;
            self.awaits_keyframe = true;
        }
        self.bytes += packet.body.len();
        self.waiting.push_back(packet);
    }

    /// The next packet to write.
    pub fn pop(&mut self) -> Option<LivePacket> {
        let packet = self.waiting.pop_front()?;
        self.bytes -= packet.body.len();
        Some(packet)
    }

    /// Frames that were left out here, in all.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Leaves out all fragments that wait, and takes over what was left out before them.
    fn leave_out_waiting(&mut self) {
        for packet in &self.waiting {
            if let LiveHead::Fragment { dropped, .. } = packet.head {
                self.left_out = self.left_out.saturating_add(dropped).saturating_add(1);
                self.dropped += 1;
            }
        }
        self.waiting.retain(|packet| !matches!(packet.head, LiveHead::Fragment { .. }));
        self.bytes = self.waiting.iter().map(|packet| packet.body.len()).sum();
    }
}

/// A packet with a fragment.
#[cfg(test)]
pub(crate) fn fragment(is_keyframe: bool, body: impl Into<Arc<[u8]>>) -> LivePacket {
    LivePacket { head: LiveHead::Fragment { is_keyframe, dropped: 0 }, body: body.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init() -> LivePacket {
        let head = LiveHead::Init { codec: "avc3.4d001e".into(), width: 640, height: 480 };
        LivePacket { head, body: Arc::from([0; 10]) }
    }

    /// What waits: `i`, `k` or `f`, with the count of what was left out before.
    fn taken(backlog: &mut LiveBacklog) -> String {
        let mut text = String::new();
        while let Some(packet) = backlog.pop() {
            let (letter, dropped) = match packet.head {
                LiveHead::Init { .. } => ('i', 0),
                LiveHead::Fragment { is_keyframe, dropped } => (if is_keyframe { 'k' } else { 'f' }, dropped),
                LiveHead::Unplayable { .. } | LiveHead::Begins { .. } => ('u', 0),
            };
            text.push(letter);
            if dropped > 0 {
                text.push_str(&dropped.to_string());
            }
        }
        text
    }

    fn push(backlog: &mut LiveBacklog, frames: &str) {
        for frame in frames.chars() {
            match frame {
                'i' => backlog.push(init(), true),
                '-' => backlog.push(fragment(false, [0; 10]), false),
                _ => backlog.push(fragment(frame == 'k', [0; 10]), true),
            }
        }
    }

    #[test]
    fn a_reader_that_is_behind_goes_on_at_the_newest_keyframe_and_is_told_what_it_missed() {
        let mut backlog = LiveBacklog::new(50, 100);
        push(&mut backlog, "ikfffffff");
        assert_eq!(backlog.dropped(), 4);
        push(&mut backlog, "kf");
        assert_eq!(taken(&mut backlog), "ik8f");
        assert_eq!(backlog.dropped(), 8);
        push(&mut backlog, "ff");
        assert_eq!(taken(&mut backlog), "ff");
    }

    #[test]
    fn what_exceeds_the_budget_is_left_out_up_to_a_keyframe_within_it() {
        let mut backlog = LiveBacklog::new(500, 100);
        push(&mut backlog, "ikf-ffk");
        assert_eq!(taken(&mut backlog), "ik5");
        push(&mut backlog, "-fk-k");
        assert_eq!(taken(&mut backlog), "k4");
    }

    #[test]
    fn packets_are_bounded_too_and_a_large_keyframe_passes_alone() {
        let mut backlog = LiveBacklog::new(500, 3);
        push(&mut backlog, "ikff");
        assert_eq!(taken(&mut backlog), "ikf");
        push(&mut backlog, "iiiiiik");
        assert!(taken(&mut backlog).len() <= 5);
        // A process that was taken over describes its stream again and again.
        let mut described = LiveBacklog::new(50, 100);
        push(&mut described, "iiiiiiiiiiii");
        assert!(described.bytes <= 50);
        let mut small = LiveBacklog::new(5, 3);
        push(&mut small, "kf");
        assert_eq!(taken(&mut small), "k");
    }

    #[test]
    fn what_was_left_out_before_is_counted_for_the_reader_and_not_as_left_out_here() {
        let mut backlog = LiveBacklog::new(500, 100);
        let mut late = fragment(true, [0; 10]);
        late.head = LiveHead::Fragment { is_keyframe: true, dropped: 7 };
        backlog.push(late, true);
        assert_eq!((backlog.dropped(), taken(&mut backlog)), (0, "k7".into()));
    }
}
