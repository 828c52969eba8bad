//! Exports of well-known families that no layout reads, told by their tensors, so that a refusal names them.
//!
//! A form is recognised by what is in the graph only: names of tensors that one exporter alone gives, sizes, operators.
//! Some have sizes that a layout would take for its own; so they are looked for before the layouts.

mod faces;
mod form;
mod heads;
mod with_nms;

use crate::model::recognition::subject::Subject;
use form::UnreadForm;

/// The form of a model, if it is one of those that are not read.
pub(super) fn find(subject: &Subject<'_>) -> Option<&'static UnreadForm> {
    let forms = with_nms::FORMS.iter().chain(&faces::FORMS).chain(&heads::FORMS);
    forms.into_iter().find(|form| (form.is)(subject))
}
