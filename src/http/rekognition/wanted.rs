//! Changes that the catalog keeps and the fleet carries out, in one order: keep, act, and take back what was kept if the
//! fleet refuses.
//!
//! A disk that refuses is noticed before anything has happened, so an error means that nothing has changed. A daemon that
//! dies between the two carries out what was kept when it starts again.

use crate::catalog::arn::Resource;
use crate::catalog::{Catalog, CatalogError, Units};
use crate::control::Command;
use crate::http::rekognition::call::Call;
use crate::http::rekognition::error::ApiError;

/// What is kept of a version that is started or stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) units: Option<Units>,
    /// Start it again after a restart of the daemon.
    pub(super) is_wanted: bool,
}

/// Keeps `wanted` of a version, then gives the command.
///
/// # Errors
/// When it cannot be kept, or the fleet refuses; nothing has changed then.
pub(super) async fn keep_then_act(
    call: &Call<'_>,
    version: Resource,
    wanted: Wanted,
    command: Command,
) -> Result<(), ApiError> {
    let changed = version.clone();
    let before = call.state.catalog().change(move |catalog, _| set(catalog, &changed, wanted)).await?;
    let acted = call.state.control.ask(command).await;
    if acted.is_err() {
        take_back(call, move |catalog| set(catalog, &version, before).map(drop)).await;
    }
    acted?;
    Ok(())
}

/// Sets what is wanted of a version and returns what was.
fn set(catalog: &mut Catalog, version: &Resource, wanted: Wanted) -> Result<Wanted, CatalogError> {
    let mut before = wanted;
    catalog.change_version(version, |version| {
        before = Wanted { units: version.units, is_wanted: version.is_wanted };
        (version.units, version.is_wanted) = (wanted.units, wanted.is_wanted);
    })?;
    Ok(before)
}

/// Takes back what was kept. If the disk refuses that too, the log says so: the next start of the daemon then carries
/// out a change whose caller got an error.
pub(super) async fn take_back(
    call: &Call<'_>,
    undo: impl FnOnce(&mut Catalog) -> Result<(), CatalogError> + Send + 'static,
) {
    if let Err(error) = call.state.catalog().change(move |catalog, _| undo(catalog)).await {
        let operation = call.operation.name();
        tracing::error!(%error, operation, "a refused change cannot be taken back; the next start carries it out");
    }
}
