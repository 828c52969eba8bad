//! Measures the memory of the box and of its units outside the event loop, because the kernel may be slow.

use crate::core::Event;
use crate::os::memory;
use crate::supervisor::unit_state::UnitId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How often memory is measured.
const PERIOD: Duration = Duration::from_secs(2);

/// Measures periodically until the shell has ended. `pids` are the processes of the units.
pub(super) async fn run(pids: watch::Receiver<BTreeMap<UnitId, u32>>, results: mpsc::Sender<Event>) {
    loop {
        let measured = pids.borrow().clone();
        let measure = move || {
            let size = |(unit, pid): (UnitId, u32)| Some((unit, memory::anonymous_bytes(pid)?));
            let units = measured.into_iter().filter_map(size).collect();
            Event::Memory { available_bytes: memory::available_bytes(), units }
        };
        // One measurement at a time: a hanging kernel call blocks only one thread.
        let Ok(event) = tokio::task::spawn_blocking(measure).await else { return };
        if results.send(event).await.is_err() {
            return;
        }
        tokio::time::sleep(PERIOD).await;
    }
}
