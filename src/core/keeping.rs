//! Commands that wait for the disk.
//!
//! A change is in force at once. Its command gets the reply when the change is on the disk. If the disk refuses or is
//! slow, the reply has a warning and the shell retries the write, so that an operator can always switch off a camera.

use crate::control::Accepted;
use crate::core::effect::Effect;
use crate::core::event::CommandTicket;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a command waits for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// The commands that wait for the disk, with their deadlines.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    waiting: BTreeMap<CommandTicket, Monotonic>,
}

impl Keeping {
    /// Lets a command wait until its change is on the disk.
    pub(super) fn wait(&mut self, ticket: CommandTicket, now: Monotonic) {
        self.waiting.insert(ticket, now + PATIENCE);
    }

    /// A file with the changes of these commands was written, or the disk refused it.
    pub(super) fn kept(&mut self, tickets: &[CommandTicket], result: Result<(), String>, effects: &mut Vec<Effect>) {
        let not_kept = result.err();
        for ticket in tickets.iter().filter(|ticket| self.waiting.remove(ticket).is_some()) {
            let warning = not_kept.as_ref().map(|why| format!("a restart would forget it: the disk refuses it: {why}"));
            effects.push(Effect::AnswerCommand { ticket: *ticket, result: Ok(Accepted { warning }) });
        }
    }

    /// True if no command waits.
    pub(super) fn is_at_rest(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Extends the deadlines by the `gap` for which the daemon was suspended.
    pub(super) fn paused(&mut self, gap: Duration) {
        self.waiting.values_mut().for_each(|deadline| *deadline = *deadline + gap);
    }

    /// Replies to commands whose deadline has passed.
    pub(super) fn tick(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        for (ticket, _) in self.waiting.extract_if(.., |_, deadline| now >= *deadline) {
            let warning = Some("the disk is slow and does not hold it yet; a restart now would forget it".into());
            effects.push(Effect::AnswerCommand { ticket, result: Ok(Accepted { warning }) });
        }
    }
}
