//! Commands that wait for the disk.
//!
//! A change is in force at once and its command is answered when the disk holds it. A disk that refuses, or is slow, does
//! not keep an operator from switching off a camera: the command is answered with a warning, and the shell goes on trying.

use crate::control::Accepted;
use crate::core::effect::Effect;
use crate::core::event::CommandTicket;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a command waits for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// What waits for the disk.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    waiting: BTreeMap<CommandTicket, Monotonic>,
}

impl Keeping {
    /// A command is answered when its change is on the disk.
    pub(super) fn wait(&mut self, ticket: CommandTicket, now: Monotonic) {
        self.waiting.insert(ticket, now + PATIENCE);
    }

    /// A file was written that holds the changes of these commands, or the disk refused it.
    pub(super) fn kept(&mut self, tickets: &[CommandTicket], result: Result<(), String>, effects: &mut Vec<Effect>) {
        let not_kept = result.err();
        for ticket in tickets.iter().filter(|ticket| self.waiting.remove(ticket).is_some()) {
            let warning = not_kept.as_ref().map(|why| format!("a restart would forget it: the disk refuses it: {why}"));
            effects.push(Effect::AnswerCommand { ticket: *ticket, result: Ok(Accepted { warning }) });
        }
    }

    /// The daemon was suspended for `gap`: the disk may have answered meanwhile.
    pub(super) fn paused(&mut self, gap: Duration) {
        self.waiting.values_mut().for_each(|deadline| *deadline = *deadline + gap);
    }

    /// Answers commands that have waited too long.
    pub(super) fn tick(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        for (ticket, _) in self.waiting.extract_if(.., |_, deadline| now >= *deadline) {
            let warning = Some("the disk is slow and does not hold it yet; a restart now would forget it".into());
            effects.push(Effect::AnswerCommand { ticket, result: Ok(Accepted { warning }) });
        }
    }
}
