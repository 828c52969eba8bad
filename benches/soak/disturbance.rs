//! What happens to the box at the beginning of each minute, in turn.

use crate::site::{CAMERAS, Site, Wanted};
use crate::support::link::Line;
use crate::support::signal;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::Duration;

/// How long a fault lasts.
const LASTS: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Disturbance {
    /// None: what the box does by itself.
    Quiet,
    UnitKilled,
    /// A capture process.
    CaptureKilled,
    CameraKilled,
    /// SIGSTOP: connected, and sends nothing.
    CameraFrozen,
    /// It has kept nothing.
    BrokerKilled,
    LineCut,
    /// Connections stay, and nothing passes.
    LineSilent,
    /// A camera less, and later one more.
    CameraRemoved,
    /// Another rate of frames.
    RateChanged,
    /// Another package under the model's name, while cameras use it.
    ModelSwapped,
}

impl Disturbance {
    const ALL: [Self; 11] = [
        Self::Quiet,
        Self::UnitKilled,
        Self::CameraKilled,
        Self::ModelSwapped,
        Self::BrokerKilled,
        Self::RateChanged,
        Self::CaptureKilled,
        Self::LineCut,
        Self::CameraRemoved,
        Self::CameraFrozen,
        Self::LineSilent,
    ];

    pub(crate) fn of_minute(number: usize) -> Self {
        Self::ALL[number % Self::ALL.len()]
    }

    /// Does it, lets it last and ends it: the seconds from its end until the box is well again, or none if it is not.
    pub(crate) fn run(self, site: &mut Site) -> Option<f64> {
        match self {
            Self::Quiet => {}
            Self::UnitKilled => signal(site.daemon.units()[0], Signal::KILL),
            Self::CaptureKilled => signal(site.daemon.captures()[0], Signal::KILL),
            Self::CameraKilled => site.camera_is_away(0, LASTS),
            Self::CameraFrozen => {
                signal(site.cameras[1].pid(), Signal::STOP);
                sleep(LASTS);
                signal(site.cameras[1].pid(), Signal::CONT);
            }
            Self::BrokerKilled => {
                site.broker.kill();
                sleep(LASTS);
                site.broker.restart();
            }
            Self::LineCut => line_is(site, Line::Cut),
            Self::LineSilent => line_is(site, Line::Silent),
            Self::CameraRemoved => {
                let all = site.wanted;
                site.reload(Wanted { cameras: CAMERAS - 1, ..all });
                sleep(LASTS);
                site.reload(all);
            }
            Self::RateChanged => {
                let fps = if site.wanted.fps == 2 { 3 } else { 2 };
                site.reload(Wanted { fps, ..site.wanted });
            }
            Self::ModelSwapped => site.swap(),
        }
        site.seconds_until_well()
    }
}

fn line_is(site: &Site, line: Line) {
    site.link.set(line);
    sleep(LASTS);
    site.link.set(Line::Open);
}
