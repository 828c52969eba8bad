//! A real unit for one picture after another, replaced if a picture ends it.

use crate::appliance::child_environment::child_environment;
use crate::appliance::load_with_caches;
use crate::ipc::child_process::own_binary;
use crate::ipc::messages::LoadModel;
use crate::model::package::Package;
use crate::os::memory::anonymous_bytes;
use crate::os::sandbox::SandboxMode;
use crate::settings::Settings;
use crate::supervisor::one_shot::{ImageResult, OneShotError, OneShotUnit};
use crate::vision::look_options::LookOptions;
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::time::Duration;

/// A unit, and what is needed to start another one.
#[derive(Debug)]
pub(super) struct RestartingUnit {
    /// The package that it has loaded.
    pub(super) package: Package,
    load: LoadModel,
    sandbox: SandboxMode,
    limit: Duration,
    unit: Option<OneShotUnit>,
}

impl RestartingUnit {
    /// Starts a unit with a package, or with the default model of the settings.
    pub(super) async fn start(settings: &Settings, package: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let default = settings.default_model();
        let name = package.unwrap_or_else(|| default.package());
        let model = settings.default_model_for(name);
        let package = Package::load(&settings.units.models_directory, name, name)?;
        let load = load_with_caches(settings, &model, name);
        let mut unit = Self {
            package,
            load,
            sandbox: settings.sandbox.mode,
            limit: Duration::from_secs_f32(settings.units.load_timeout_seconds),
            unit: None,
        };
        unit.unit = Some(unit.start_another().await?);
        Ok(unit)
    }

    async fn start_another(&self) -> Result<OneShotUnit, OneShotError> {
        let environment = child_environment("error", self.sandbox);
        OneShotUnit::start(own_binary(), environment, self.load.clone(), self.limit).await
    }

    /// Memory of the unit's process in bytes, without what it shares; `None` if it has ended.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        anonymous_bytes(self.unit.as_ref()?.pid())
    }

    /// Detects objects in a JPEG or PNG.
    pub(super) async fn detect(&mut self, image: &[u8], options: LookOptions) -> Result<ImageResult, OneShotError> {
        let mut unit = match self.unit.take() {
            Some(unit) => unit,
            None => self.start_another().await?,
        };
        let result = unit.detect(image, options).await;
        // After any other error the unit has ended, or cannot be trusted.
        if matches!(&result, Ok(_) | Err(OneShotError::Failed(_) | OneShotError::TooLarge(_))) {
            self.unit = Some(unit);
        }
        result
    }
}

/// A progress bar on standard error, shown on a terminal only.
pub(super) fn progress(what: &str, count: usize) -> ProgressBar {
    let progress = ProgressBar::new(count as u64);
    if let Ok(style) = ProgressStyle::with_template(&format!("{what} [{{bar:30}}] {{pos}}/{{len}} {{eta}}")) {
        progress.set_style(style.progress_chars("=> "));
    }
    progress
}
