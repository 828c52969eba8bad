//! What becomes of the exports that people download: recognised with the right boxes, or refused with a reason.

use super::Checked;
use super::support::tried::Tried;
use super::support::{exports, unread_exports};

pub(super) fn check() -> Vec<Checked> {
    let home = tempfile::tempdir().unwrap();
    let mut checked = Vec::new();
    for export in exports::read() {
        let tried = Tried::new(home.path(), &export);
        let is_it = tried.recognised == Ok(export.recognised);
        let share = if is_it { tried.share() } else { 0.0 };
        let mut said = tried.recognised.map_or_else(|why| why, |layout| format!("recognised as {layout}"));
        said += &tried.doubt.map(|doubt| format!("\n{doubt}")).unwrap_or_default();
        if !tried.left_out.is_empty() {
            said += &format!("; left out: {}", tried.left_out);
        }
        checked.push(Checked::whole(export.name, "boxes that are right", share, said));
    }
    for export in exports::doubtful() {
        let tried = Tried::new(home.path(), &export);
        let told = tried.doubt.unwrap_or_else(|| "taken".to_owned());
        let is_told = told.contains(export.doubt);
        checked.push(Checked::whole(export.name, "refused by what comes out", f64::from(u8::from(is_told)), told));
    }
    for export in unread_exports::all() {
        let told = export.refusal(home.path()).unwrap_or_else(|layout| format!("taken for {layout}"));
        let is_told = told.contains(export.said);
        checked.push(Checked::whole(export.name, "refused by its name", f64::from(u8::from(is_told)), told));
    }
    checked
}
