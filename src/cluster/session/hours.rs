//! Writes this box's inference hours.

use super::Session;
use crate::cluster::etcd::{Commit, Etcd, EtcdError};
use crate::cluster::hours::{HoursRecord, MonthHours};
use crate::cluster::view::Kept;
use crate::os::clock::wall_now_ms;

impl Session {
    /// Writes the hours of this month when its units have changed and once an hour, and those of a month that is over for the last time.
    pub(super) async fn write_hours(&mut self, etcd: &mut Etcd) -> Result<(), EtcdError> {
        let MonthHours { month, rows } = self.report.borrow().hours.clone();
        if month.is_empty() || self.namesake().is_some() {
            return Ok(());
        }
        let Some(view) = &self.view else { return Ok(()) };
        let (own, run) = (self.box_id.clone(), self.run.clone());
        let record = HoursRecord { run: run.clone(), at_ms: wall_now_ms(), rows };
        let written = |month: &str| view.hours.get(&(month.to_owned(), own.clone())).map(|kept| &kept.value);
        let is_due = written(&month).is_none_or(|before| before.is_due(&record)) && !record.rows.is_empty();
        let ended = |((of, box_id), kept): (&(String, String), &Kept<HoursRecord>)| {
            let runs = kept.value.run == run && kept.value.rows.iter().any(|row| row.units > 0);
            (*box_id == own && *of != month && runs).then(|| (of.clone(), kept.value.closed(record.at_ms)))
        };
        let ended: Vec<_> = view.hours.iter().filter_map(ended).collect();
        for (of, closed) in ended {
            let key = self.keys.hours(&of, &self.box_id);
            self.write(etcd, &key, &closed, Commit::default(), None).await?;
        }
        if is_due {
            let key = self.keys.hours(&month, &self.box_id);
            self.write(etcd, &key, &record, Commit::default(), None).await?;
        }
        Ok(())
    }
}
