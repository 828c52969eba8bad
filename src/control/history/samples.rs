//! What a sample is made of beside the rates of the status.

use crate::admission::Ledger;
use crate::supervisor::ModelStatus;
use crate::vision::outcome::ShedReason;

/// What ocelli uses of the box; absent where it cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxUse {
    /// Processor time of all its processes since the last sample, in percent of all processors.
    pub processor_percent: Option<f64>,
    /// Memory that its processes have for themselves.
    pub memory_bytes: Option<u64>,
    /// Memory of the box that is available.
    pub free_memory_bytes: Option<u64>,
}

/// Frames and images that no unit looked at because all were busy, since the daemon started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted(u64);

/// Of frames and images, what busy units are the reason for.
const BUSY: [ShedReason; 4] =
    [ShedReason::Throttled, ShedReason::Superseded, ShedReason::Stale, ShedReason::NoFreeSlot];

impl Counted {
    /// The count of a model.
    pub fn of(model: &ModelStatus) -> Self {
        let count = |ledger: &Ledger| BUSY.iter().filter_map(|reason| ledger.shed.get(reason)).sum::<u64>();
        Self(model.ledgers.values().map(count).sum::<u64>() + count(&model.images) + count(&model.former_cameras))
    }

    /// How many came since an earlier count.
    pub(super) fn since(self, before: Self) -> f64 {
        self.0.saturating_sub(before.0) as f64
    }

    /// The number itself.
    pub fn number(self) -> u64 {
        self.0
    }
}
