//! What is done to the daemon, its broker and the line between them.

use crate::event_daemon::EventDaemon;
use crate::support::broker::Broker;
use crate::support::link::{Line, Link};
use crate::support::signal;
use crate::witness::Witness;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::Duration;

/// How the line may be just before a fault: as ever, when next to nothing is on its way; silent, so that a window of
/// events has left and not arrived; unanswered, so that it has arrived and nobody knows.
pub(crate) const BEFORE: [Line; 3] = [Line::Open, Line::Silent, Line::Unanswered];

/// In this time more than a window of events happens.
const UNTIL_MANY: Duration = Duration::from_millis(700);

/// The parts, all running.
pub(crate) struct Scene {
    pub(crate) broker: Broker,
    pub(crate) link: Link,
    pub(crate) witness: Witness,
    pub(crate) daemon: EventDaemon,
}

/// See the module.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    /// SIGKILL; it has kept nothing.
    BrokerKilled,
    /// SIGSTOP: connected, and answers nothing.
    BrokerFrozen,
    LineCut,
    LineSilent,
    /// SIGKILL.
    DaemonKilled,
    /// SIGKILL while the broker is away.
    BothKilled,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::BrokerKilled, Self::BrokerFrozen, Self::LineCut, Self::LineSilent, Self::DaemonKilled, Self::BothKilled];

    /// Does it, lets it last, and ends it. `before` is how the line is just before anything is killed or cut.
    pub(crate) fn run(self, scene: &mut Scene, before: Line, lasts: Duration) {
        if !matches!(self, Self::BrokerFrozen | Self::LineSilent) {
            scene.link.set(before);
            sleep(UNTIL_MANY);
        }
        match self {
            Self::BrokerKilled => {
                scene.broker.kill();
                sleep(lasts);
                scene.restart_broker();
            }
            Self::BrokerFrozen => {
                signal(scene.broker.pid(), Signal::STOP);
                sleep(lasts);
                signal(scene.broker.pid(), Signal::CONT);
            }
            Self::LineCut => scene.line_is(Line::Cut, lasts),
            Self::LineSilent => scene.line_is(Line::Silent, lasts),
            Self::DaemonKilled => {
                scene.daemon.kill();
                scene.link.set(Line::Open);
                scene.daemon.start();
            }
            Self::BothKilled => {
                scene.broker.kill();
                sleep(lasts / 2);
                scene.daemon.kill();
                scene.daemon.start();
                sleep(lasts / 2);
                scene.restart_broker();
            }
        }
    }
}

impl Scene {
    fn line_is(&self, line: Line, lasts: Duration) {
        self.link.set(line);
        sleep(lasts);
        self.link.set(Line::Open);
    }

    /// A new broker knows nobody: the daemon reaches it when the witness has subscribed, as it would not see what the
    /// broker had taken before.
    fn restart_broker(&mut self) {
        self.link.set(Line::Cut);
        self.broker.restart();
        self.witness.wait_there();
        self.link.set(Line::Open);
    }
}
