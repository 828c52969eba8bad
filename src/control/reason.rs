//! One thing that is wrong with the box, and which part of it that is.

/// The part of the box that a reason is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// One camera.
    Camera,
    /// A model, a unit or a zone.
    Model,
    /// The MQTT connection.
    Broker,
    /// Whatever is kept on the disk.
    Disk,
    /// Something else.
    Box,
}

/// Something that is wrong now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The part that it is about.
    pub part: Part,
    /// What it is about: while that is wrong for one reason after another, it is one trouble.
    pub subject: String,
    /// A sentence for the operator.
    pub text: String,
}

impl Reason {
    /// A reason whose subject is its text up to the first colon or semicolon: what follows them may change.
    pub fn new(part: Part, text: impl Into<String>) -> Self {
        let text = text.into();
        let subject = text.split([':', ';']).next().unwrap_or_default().to_owned();
        Self { part, subject, text }
    }

    /// A reason about a subject that is named.
    pub fn about(part: Part, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { part, subject: subject.into(), text: text.into() }
    }
}
