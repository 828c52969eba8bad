//! What clients ask beside commands: the inference hours, and a reload of the settings.

use super::Control;
use crate::control::reload::{ReloadError, ReloadReport};
use crate::metering::{HourRow, month_of, this_month, with_newer};
use tokio::sync::oneshot;

impl Control {
    /// Returns a month (`2026-11`; by default this month) and its inference hours, as fresh as the metric.
    ///
    /// # Errors
    /// `InvalidInput` if the month is malformed; `TimedOut` if the disk does not answer; otherwise the error of reading
    /// its file.
    pub(crate) async fn hours(&self, month: Option<String>) -> std::io::Result<(String, Vec<HourRow>)> {
        let month = month.unwrap_or_else(this_month);
        let of_month = |row: &&HourRow| month_of(&row.hour) == month;
        let counted = self.read(|status| status.unstored_hours.iter().filter(of_month).cloned().collect());
        // After the counts: what is stored meanwhile is in the file then, and no hour is missed.
        let stored = self.hours.read(&month).await?;
        Ok((month, with_newer(stored, counted)))
    }

    /// Reads the settings again and waits until the change is in force.
    ///
    /// # Errors
    /// [`ReloadError`]; nothing has changed then.
    pub async fn reload(&self) -> Result<ReloadReport, ReloadError> {
        let (reply, replied) = oneshot::channel();
        self.reloads.try_send(reply).map_err(|_| ReloadError::Busy)?;
        replied.await.unwrap_or(Err(ReloadError::Busy))
    }
}
