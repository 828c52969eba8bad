//! The passwords of a camera, fetched from where its settings say.

use crate::camera::settings::CameraSettings;
use crate::secret::{Secret, SecretError};

/// The passwords of a camera's streams; often the same one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CameraPasswords {
    /// Of the analysed stream.
    pub analysed: Option<Secret>,
    /// Of the main stream, if that is another one.
    pub main: Option<Secret>,
}

impl CameraPasswords {
    /// Fetches them.
    ///
    /// # Errors
    /// [`SecretError`] when a place that the settings name does not give one.
    pub fn resolve(camera: &CameraSettings) -> Result<Self, SecretError> {
        let main = camera.main().map(|main| main.credentials.resolve_password());
        Ok(Self { analysed: camera.analysed().credentials.resolve_password()?, main: main.transpose()?.flatten() })
    }

    /// Those that there are.
    pub fn all(&self) -> impl Iterator<Item = &Secret> {
        self.analysed.iter().chain(&self.main)
    }
}
