//! Fills the history of the box from the status that the event loop makes anyway.

use crate::appliance::zone_placement::core_count;
use crate::control::ApplianceStatus;
use crate::control::history::{BoxUse, HistoryBook, STEP_SECONDS};
use crate::os::clock::monotonic_now;
use crate::os::{memory, processor_time};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;

/// Runs until the daemon stops.
pub async fn keep(mut status: watch::Receiver<ApplianceStatus>, book: HistoryBook) {
    let mut uses = Uses::default();
    let mut due = monotonic_now();
    while status.changed().await.is_ok() {
        let now = monotonic_now();
        let sampled = {
            // First the book: who holds the status keeps the event loop from making the next one.
            let mut open = book.open();
            let status = status.borrow_and_update();
            open.watch(&status);
            (now >= due).then(|| status.clone())
        };
        let Some(status) = sampled else { continue };
        // No sample is made up for a time for which the daemon was suspended.
        due = now + Duration::from_secs(STEP_SECONDS);
        let of_box = uses.read(&status, now);
        book.open().sample(&status, of_box);
    }
}

/// What each process had used when it was asked last.
#[derive(Debug, Default)]
struct Uses {
    times: BTreeMap<u32, Duration>,
    at: Option<Monotonic>,
}

impl Uses {
    /// Asks the kernel: two small files a process, each ten seconds.
    fn read(&mut self, status: &ApplianceStatus, now: Monotonic) -> BoxUse {
        let captures: Vec<u32> = status.capture_processes.keys().copied().collect();
        let pids = [&[std::process::id()], &*status.unit_pids, &*captures].concat();
        let times: BTreeMap<u32, Duration> =
            pids.iter().filter_map(|pid| Some((*pid, processor_time::of_process(*pid)?))).collect();
        let since = self.at.map(|at| now.since(at)).filter(|since| !since.is_zero());
        // A process that is new counts from its next sample on.
        let used: Duration =
            times.iter().filter_map(|(pid, time)| Some(time.saturating_sub(*self.times.get(pid)?))).sum();
        let processors = core_count();
        let processor_percent = since.map(|since| 100.0 * used.as_secs_f64() / since.as_secs_f64() / processors as f64);
        (self.times, self.at) = (times, Some(now));
        BoxUse {
            processor_percent,
            memory_bytes: pids.iter().map(|pid| memory::anonymous_bytes(*pid)).sum::<Option<u64>>(),
            free_memory_bytes: memory::available_bytes(),
        }
    }
}
