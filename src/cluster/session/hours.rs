//! Writes this box's inference hours.

use super::Session;
use crate::cluster::etcd::{Commit, Etcd, EtcdError};
use crate::cluster::hours::MonthHours;
use crate::cluster::records::HoursRecord;
use crate::os::clock::{end_of_month_ms, wall_now_ms};

impl Session {
    /// Writes the hours of this month when its units have changed and once an hour, and those of a month that is over, up to its end.
    pub(super) async fn write_hours(&mut self, etcd: &mut Etcd) -> Result<(), EtcdError> {
        let MonthHours { month, rows } = self.report.borrow().hours.clone();
        if month.is_empty() || rows.is_empty() || self.namesake().is_some() {
            return Ok(());
        }
        self.close_hours(etcd, |of| *of != month).await?;
        let record = HoursRecord { run: self.run.clone(), at_ms: wall_now_ms(), rows };
        let Some(view) = &self.view else { return Ok(()) };
        let written = view.hours.get(&(month.clone(), self.box_id.clone()));
        if written.is_none_or(|written| written.value.is_due(&record)) {
            let key = self.keys.hours(&month, &self.box_id);
            self.write(etcd, &key, &record, Commit::default(), None).await?;
        }
        Ok(())
    }

    /// Writes the last hours of this run in the months that are over.
    pub(super) async fn close_hours(
        &mut self,
        etcd: &mut Etcd,
        is_over: impl Fn(&String) -> bool,
    ) -> Result<(), EtcdError> {
        let Some(view) = &self.view else { return Ok(()) };
        let (now_ms, mut closed) = (wall_now_ms(), Vec::new());
        for ((month, box_id), kept) in &view.hours {
            if *box_id == self.box_id && kept.value.goes_on(&self.run) && is_over(month) {
                let end_ms = end_of_month_ms(month).unwrap_or(i64::MAX);
                closed.push((self.keys.hours(month, box_id), kept.value.closed(now_ms.min(end_ms))));
            }
        }
        for (key, record) in closed {
            self.write(etcd, &key, &record, Commit::default(), None).await?;
        }
        Ok(())
    }
}
