//! A picture whose content is known: a unit that does not see it takes no work.
//!
//! The picture and what it shows are part of the package. It catches what a checksum cannot: a
//! manifest that names the wrong layout or colours, a provider that computes nonsense.

use crate::model::canary::Canary;
use crate::model::labels::Labels;
use crate::unit::load_error::LoadError;
use crate::unit::main_loop::{Engine, Job};
use crate::vision::detection::Detection;
use crate::vision::frame::{SLOT_BYTES, SlotContent};
use crate::vision::look_options::LookOptions;
use std::path::Path;

/// Has the engine look at the picture, and compares.
///
/// # Errors
/// [`LoadError::Canary`] naming what was not seen, and what was.
pub(super) fn check(engine: &mut dyn Engine, canary: &Canary, directory: &Path) -> Result<(), LoadError> {
    let failed = |why: String| LoadError::Canary { image: canary.image.clone(), why };
    let path = directory.join(&canary.image);
    let bytes = std::fs::read(&path).map_err(|error| failed(format!("cannot be read: {error}; run `make setup`")))?;
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= SLOT_BYTES);
    let length = length.ok_or_else(|| failed("is larger than 4 MiB".into()))?;
    let content = SlotContent::Encoded { bytes: length };
    let found = engine.detect(&[Job { content, slot: &bytes, options: LookOptions::default() }]).pop();
    let found = found.ok_or_else(|| failed("was not looked at".into()))?;
    let found = found.map_err(|error| failed(format!("was not understood: {}", error.detail)))?.detections;
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
            return Err(failed(format!("shows a {} where none was seen; seen was {seen}", expected.label)));
        }
    }
    Ok(())
}
