//! Writes this box's inference hours.

use super::Session;
use crate::cluster::etcd::{Commit, Etcd, EtcdError};
use crate::cluster::hours::MonthHours;
use crate::cluster::records::HoursRecord;
use crate::cluster::view::Kept;
use crate::os::clock::{end_of_month_ms, wall_now_ms};

impl Session {
    /// Writes the hours of this month when its units have changed and once an hour, and those of a month that is over, up to its end.
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
            (*box_id == own && *of != month && runs)
                .then(|| (of.clone(), kept.value.closed(record.at_ms.min(end_of_month_ms(of).unwrap_or(i64::MAX)))))
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

    /// Writes the hours of a box that leaves, whose units end now.
    pub(super) async fn write_last_hours(&mut self, etcd: &mut Etcd) -> Result<(), EtcdError> {
        let of_own = |((_, box_id), kept): &(&(String, String), &Kept<HoursRecord>)| {
            *box_id == self.box_id && kept.value.run == self.run && kept.value.rows.iter().any(|row| row.units > 0)
        };
        let now_ms = wall_now_ms();
        let closed =
            |((month, _), kept): (&(String, String), &Kept<HoursRecord>)| (month.clone(), kept.value.closed(now_ms));
        let closed: Vec<_> = self.view.iter().flat_map(|view| view.hours.iter()).filter(of_own).map(closed).collect();
        for (month, record) in closed {
            let key = self.keys.hours(&month, &self.box_id);
            self.write(etcd, &key, &record, Commit::default(), None).await?;
        }
        Ok(())
    }
}
