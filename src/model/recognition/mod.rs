//! Recognises a model's output layout from its metadata, and proposes a manifest or explains why that is impossible.
//!
//! Pure: facts in, a proposal out. Shapes, names and operators in a file are certain. The order of colours and the
//! range of samples are not in it. They follow the conventions of the layout's family, and a comment marks each as
//! assumed: a person must read the proposal, and a test picture must confirm it.

mod class_names;
mod habits;
mod layout_match;
mod left_out;
mod manifest_text;
mod outputs_text;
mod picture_input;
mod proposal;
mod rules;
mod setting;
mod subject;
mod toml_value;
mod unread_forms;

pub use class_names::class_names;
pub use manifest_text::{Identity, manifest_text, package_name};
pub use proposal::Proposal;
pub use setting::Setting;
pub use toml_value::TomlValue;

use crate::model::model_facts::ModelFacts;
use layout_match::Match;
use outputs_text::outputs_text;
use rules::RULES;
use subject::Subject;

/// What the user knows about the model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The number of labels.
    pub labels: Option<usize>,
    /// The layout, as in `[output]`; the other rules are then skipped.
    pub layout: Option<&'a str>,
}

/// Why no layout could be recognised.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotRecognised {
    /// No input can take a picture. Holds the reason for each input.
    #[error("no input takes a picture: {0}")]
    NoPicture(String),
    /// [`Hints::layout`] is not the name of a layout.
    #[error("`{0}` is not a layout; there are: {list}", list = layouts().join(", "))]
    UnknownLayout(String),
    /// It is an export that no layout reads. Holds what it is, and what helps; the latter may be empty.
    #[error("this is {}; ocelli does not read it yet{}", .0, cure(.1))]
    Unread(&'static str, &'static str),
    /// No layout fits. Holds the outputs as text, and layouts with reasons.
    #[error("{}\nits outputs are:\n{}", reasons("it fits no layout:", .1), .0)]
    NoLayout(String, Vec<(&'static str, String)>),
    /// Several layouts fit equally well. Holds them with their characteristics.
    #[error("{}", reasons("it could have more than one layout; choose with --layout NAME:", .0))]
    Ambiguous(Vec<(&'static str, String)>),
}

/// The names of all layouts, as in `[output]`.
pub fn layouts() -> Vec<&'static str> {
    RULES.iter().map(|(layout, _)| *layout).collect()
}

/// Finds the layout of a model's outputs and proposes how to run it.
///
/// # Errors
/// [`NotRecognised`], with the reasons for each layout.
pub fn recognise(facts: &ModelFacts, hints: Hints<'_>) -> Result<Proposal, NotRecognised> {
    let subject = Subject::new(facts, hints.labels, hints.layout.is_some()).map_err(NotRecognised::NoPicture)?;
    if let Some(form) = unread_forms::find(&subject).filter(|_| hints.layout.is_none()) {
        return Err(NotRecognised::Unread(form.what, form.instead));
    }
    let (mut matches, mut refusals) = (Vec::new(), Vec::new());
    for (layout, rule) in RULES.iter().filter(|(layout, _)| hints.layout.is_none_or(|wanted| wanted == *layout)) {
        match rule(&subject) {
            Ok(found) => matches.push((*layout, found)),
            Err(why) => refusals.push((*layout, why)),
        }
    }
    let best = matches.iter().map(|(_, found)| found.certainty).max();
    matches.retain(|(_, found)| Some(found.certainty) == best);
    match (matches.pop(), matches.is_empty(), hints.layout) {
        (Some((layout, found)), true, _) => Ok(Proposal::new(layout, &subject, found)),
        (Some(last), false, _) => Err(NotRecognised::Ambiguous(matches.into_iter().chain([last]).map(told).collect())),
        (None, _, Some(wanted)) if refusals.is_empty() => Err(NotRecognised::UnknownLayout(wanted.to_owned())),
        (None, ..) => Err(NotRecognised::NoLayout(outputs_text(&facts.outputs), refusals)),
    }
}

fn cure(instead: &str) -> String {
    if instead.is_empty() { String::new() } else { format!(": {instead}") }
}

fn told((layout, found): (&'static str, Match)) -> (&'static str, String) {
    (layout, found.choose_if.to_owned())
}

fn reasons(heading: &str, reasons: &[(&'static str, String)]) -> String {
    let lines = reasons.iter().map(|(layout, why)| format!("\n  {layout:<15} {why}"));
    std::iter::once(heading.to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests;
