//! A test picture with known content. A unit that does not detect that content fails to load.
//!
//! The picture and the expected detections are part of the package. This catches what a checksum cannot: a manifest
//! with a wrong layout or colour order, or an execution provider that computes wrong results.

use crate::model::canary::Canary;
use crate::model::labels::Labels;
use crate::unit::load_error::LoadError;
use crate::unit::main_loop::{Engine, Job};
use crate::vision::detection::Detection;
use crate::vision::frame::{SLOT_BYTES, SlotContent};
use crate::vision::look_options::LookOptions;
use std::path::Path;

/// Runs the engine on the picture and compares the result with the expected detections.
///
/// # Errors
/// [`LoadError::Canary`], which names the missing detection and those found.
pub(super) fn check(engine: &mut dyn Engine, canary: &Canary, directory: &Path) -> Result<(), LoadError> {
    let failed = |why: String| LoadError::Canary { image: canary.image.clone(), why };
    let path = directory.join(&canary.image);
    let bytes = std::fs::read(&path).map_err(|error| failed(format!("cannot be read: {error}; run `make setup`")))?;
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= SLOT_BYTES);
    let length = length.ok_or_else(|| failed("is larger than 4 MiB".into()))?;
    let content = SlotContent::Encoded { bytes: length };
    let found = engine.detect(&[Job { content, slot: &bytes, options: LookOptions::default() }]).pop();
    let found = found.ok_or_else(|| failed("has no result".into()))?;
    let found = found.map_err(|error| failed(format!("could not be processed: {}", error.detail)))?.detections;
    let labels = Labels::load(directory).map_err(|error| failed(error.to_string()))?;
    for expected in &canary.expect {
        let is_it = |one: &Detection| {
            labels.name(one.class) == expected.label
                && match (&one.bounding_box, &expected.bounding_box) {
                    (Some(one), Some(expected)) => one.iou(expected) >= canary.least_iou,
                    (_, expected) => expected.is_none(),
                }
        };
        if !found.iter().any(is_it) {
            let seen: Vec<&str> = found.iter().map(|one| labels.name(one.class)).collect();
            let seen = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
            return Err(failed(format!("shows a {} that was not detected there; detected: {seen}", expected.label)));
        }
    }
    Ok(())
}
