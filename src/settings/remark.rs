//! What is to be said about a setting that is valid by itself: it does not fit the box, or the files beside it.

use std::fmt::{Display, Formatter, Result};

/// A remark about one setting, for the operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Remark {
    /// The full key, such as `cameras[0].scene.labels`.
    pub(crate) key: String,
    /// The camera or model that it is about.
    pub(crate) subject: Subject,
    /// What is wrong, and its effect.
    pub(crate) what: String,
    /// What to do.
    pub(crate) cure: String,
}

/// What a remark is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Subject {
    /// The box as a whole.
    Box,
    /// A camera, by its id.
    Camera(String),
    /// A model, by its name.
    Model(String),
}

impl Remark {
    /// A remark about the box.
    pub(crate) fn of_box(key: impl Into<String>, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { key: key.into(), subject: Subject::Box, what: what.into(), cure: cure.into() }
    }

    /// Names the camera that it is about.
    pub(crate) fn of_camera(self, camera: impl Into<String>) -> Self {
        Self { subject: Subject::Camera(camera.into()), ..self }
    }

    /// Names the model that it is about.
    pub(crate) fn of_model(self, model: impl Into<String>) -> Self {
        Self { subject: Subject::Model(model.into()), ..self }
    }
}

impl Display for Remark {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "`{}`", self.key)?;
        match &self.subject {
            Subject::Box => {}
            Subject::Camera(id) => write!(out, " of camera {id}")?,
            Subject::Model(name) => write!(out, " of model {name}")?,
        }
        write!(out, ": {}; {}", self.what, self.cure)
    }
}
