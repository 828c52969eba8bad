//! Makes the status of the box: that of the core, with what only the shell knows.

use crate::admission::Ledger;
use crate::appliance::meter::Meter;
use crate::appliance::performer::Performer;
use crate::control::ApplianceStatus;
use crate::control::frame_rates::RateMeter;
use crate::control::judge;
use crate::control::trouble_watch::TroubleWatch;
use crate::core::Core;
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::vision::camera_status::CameraStatus;

/// Makes one status after another, and remembers what needs more than one: rates, and the last trouble.
#[derive(Debug, Default)]
pub(super) struct StatusMaker {
    rates: RateMeter,
    main_rates: RateMeter,
    troubles: TroubleWatch,
    sandbox: String,
}

impl StatusMaker {
    /// `sandbox` says what confines children.
    pub(super) fn new(sandbox: String) -> Self {
        Self { sandbox, ..Self::default() }
    }

    /// The status now.
    pub(super) fn make(&mut self, core: &Core, performer: &Performer, meter: &Meter) -> ApplianceStatus {
        let (mut status, now) = (core.status(), monotonic_now());
        let reporter = &performer.reporter;
        for (id, camera) in &mut status.cameras {
            camera.seen = reporter.seen_now(id);
            match camera.state.state {
                CameraStatus::Streaming => {
                    camera.rates = self.rates.count(id, &camera.counts, &camera.ledger, now);
                }
                _ => self.rates.forget(id),
            }
            if let Some(main) = &mut camera.main {
                match main.state.state {
                    CameraStatus::Streaming => {
                        main.rates = self.main_rates.count(id, &main.counts, &Ledger::default(), now);
                    }
                    _ => self.main_rates.forget(id),
                }
            }
        }
        self.main_rates.keep(|id| status.cameras.get(id).is_some_and(|camera| camera.main.is_some()));
        self.rates.keep(|id| status.cameras.contains_key(id));
        status.box_id = reporter.box_id().to_owned();
        status.boot_id = reporter.boot_id().to_owned();
        status.sandbox.clone_from(&self.sandbox);
        (status.made_at, status.made_at_ms) = (Some(now), wall_now_ms());
        status.clock_synced = reporter.is_clock_synced();
        status.inference_hours = meter.totals();
        status.hours_month = meter.complete_month();
        status.unstored_hours = meter.unstored();
        status.labels_seen = reporter.labels_seen();
        status.published = reporter.published();
        status.broker = reporter.broker();
        status.outbox = reporter.outbox();
        status.unwritten = performer.files.degraded();
        status.troubles = reporter.troubles();
        status.unit_pids = performer.units.pids().into_values().collect();
        let processes = performer.captures.pids();
        status.capture_processes = processes.map(|(group, pid)| (pid, core.cameras_of(group))).collect();
        status.last_trouble = self.troubles.look(&judge::reasons(&status, now), now);
        status
    }
}
