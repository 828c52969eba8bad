//! From what a model's file says of itself to how it is to be run, or to why that cannot be said.
//!
//! Pure: facts in, a proposal out. A file tells shapes, names and operators for certain; what colours and which range
//! of samples a network was trained on stands nowhere in it. Such values follow the habit of the layout's family, and
//! each says in a comment that it is assumed: a proposal is for people to read and for a test picture to confirm.

mod class_names;
mod habits;
mod layout_match;
mod manifest_text;
mod picture_input;
mod proposal;
mod rules;
mod setting;
mod subject;
mod toml_value;

pub use class_names::class_names;
pub use manifest_text::{Identity, manifest_text, package_name};
pub use proposal::Proposal;
pub use setting::Setting;
pub use toml_value::TomlValue;

use crate::model::model_facts::ModelFacts;
use layout_match::Match;
use rules::RULES;
use subject::Subject;

/// What is known besides the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// How many labels there are.
    pub labels: Option<usize>,
    /// The layout that it is said to have: only its rule is asked.
    pub layout: Option<&'a str>,
}

/// Why there is no proposal.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotRecognised {
    /// Nothing goes in that could be a picture.
    #[error("no input takes a picture: {0}")]
    NoPicture(String),
    /// A layout that does not exist.
    #[error("`{0}` is not a layout; there are: {list}", list = layouts().join(", "))]
    UnknownLayout(String),
    /// No layout fits.
    #[error("{}", reasons("its outputs fit no layout:", .0))]
    NoLayout(Vec<(&'static str, String)>),
    /// More than one does, and nothing in the file decides.
    #[error("{}", reasons("it could have more than one layout; choose with --layout NAME:", .0))]
    Ambiguous(Vec<(&'static str, String)>),
}

/// The names of all layouts.
pub fn layouts() -> Vec<&'static str> {
    RULES.iter().map(|(layout, _)| *layout).collect()
}

/// Recognises a model.
///
/// # Errors
/// [`NotRecognised`], which says of each layout why not.
pub fn recognise(facts: &ModelFacts, hints: Hints<'_>) -> Result<Proposal, NotRecognised> {
    let subject = Subject::new(facts, hints.labels).map_err(NotRecognised::NoPicture)?;
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
        (None, ..) => Err(NotRecognised::NoLayout(refusals)),
    }
}

fn told((layout, found): (&'static str, Match)) -> (&'static str, String) {
    (layout, found.choose_if.to_owned())
}

fn reasons(heading: &str, reasons: &[(&'static str, String)]) -> String {
    let lines = reasons.iter().map(|(layout, why)| format!("\n  {layout:<12} {why}"));
    std::iter::once(heading.to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests;
