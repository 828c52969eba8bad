//! Commands that wait for the disk, and files that the disk refuses.
//!
//! A change is in force at once and its command is answered when the disk holds it. A disk that refuses, or is slow, does
//! not keep an operator from switching off a camera: the command is answered with a warning, the state says what a restart
//! would forget, and the shell goes on trying.

use crate::control::Accepted;
use crate::core::effect::Effect;
use crate::core::event::{CommandTicket, KeptFile};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a command waits for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// What waits for the disk.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    waiting: BTreeMap<CommandTicket, Monotonic>,
    refused: BTreeMap<KeptFile, String>,
}

impl Keeping {
    /// A command is answered when its change is on the disk.
    pub(super) fn wait(&mut self, ticket: CommandTicket, now: Monotonic) {
        self.waiting.insert(ticket, now + PATIENCE);
    }

    /// A file was written, or the disk refused.
    pub(super) fn kept(
        &mut self,
        file: KeptFile,
        tickets: &[CommandTicket],
        result: Result<(), String>,
        effects: &mut Vec<Effect>,
    ) {
        let not_kept = result.err();
        for ticket in tickets.iter().filter(|ticket| self.waiting.remove(ticket).is_some()) {
            let warning = not_kept.as_ref().map(|why| format!("a restart would forget it: the disk refuses it: {why}"));
            effects.push(Effect::AnswerCommand { ticket: *ticket, result: Ok(Accepted { warning }) });
        }
        match not_kept {
            Some(why) => drop(self.refused.insert(file, why)),
            None => drop(self.refused.remove(&file)),
        }
    }

    /// Answers commands that have waited too long.
    pub(super) fn tick(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        for (ticket, _) in self.waiting.extract_if(.., |_, deadline| now >= *deadline) {
            let warning = Some("the disk is slow and does not hold it yet; a restart now would forget it".into());
            effects.push(Effect::AnswerCommand { ticket, result: Ok(Accepted { warning }) });
        }
    }

    /// Files that cannot be written, for the operator.
    pub(super) fn degraded(&self) -> impl Iterator<Item = String> + '_ {
        self.refused.iter().map(|(file, why)| {
            format!("{} cannot be written, a restart would forget the last commands: {why}", file.name())
        })
    }
}
