//! Where graphs are written and looked through: packages in the staging directory, and confined units on the CPU.

use crate::appliance::child_environment::child_environment;
use crate::appliance::load_model;
use crate::cli::model::quantize::pictures::Picture;
use crate::cli::model::quantize::twin_manifest;
use crate::ipc::child_process::own_binary;
use crate::ipc::messages::LoadModel;
use crate::ipc::quantize_messages::{Observed, QuantizeOrder, QuantizeStep, Quantized};
use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use crate::model::manifest::{Manifest, sha256_of_file};
use crate::model::model_file::ModelVariant;
use crate::settings::Settings;
use crate::supervisor::one_shot::OneShotUnit;
use crate::supervisor::rewriting::rewrite_once;
use crate::vision::detection::Detection;
use crate::vision::error_chain::describe;
use crate::vision::look_options::LookOptions;
use indicatif::ProgressBar;
use std::error::Error;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a model sees in a picture.
pub(super) type Looked = Vec<Detection>;

/// Boxes below the threshold count for average precision.
const LEAST_CONFIDENCE: f32 = 0.03;

/// How long a process may take that writes a graph.
const REWRITING_LIMIT: Duration = Duration::from_secs(120);

/// The bench for one package.
pub(super) struct Bench<'a> {
    settings: &'a Settings,
    /// The package.
    place: &'a Path,
    /// Where packages around graphs are made.
    directory: PathBuf,
}

impl<'a> Bench<'a> {
    pub(super) fn new(settings: &'a Settings, place: &'a Path, staging: &Path) -> Result<Self, Box<dyn Error>> {
        let directory = staging.join("bench");
        fs::create_dir(&directory)?;
        Ok(Self { settings, place, directory })
    }

    /// The package that it is for.
    pub(super) fn place(&self) -> &'a Path {
        self.place
    }

    /// Removes what was made, before the staging directory becomes a package. Returns the package that it was for.
    pub(super) fn close(self) -> std::io::Result<PathBuf> {
        fs::remove_dir_all(&self.directory)?;
        Ok(self.place.to_owned())
    }

    /// Has a process write a graph of the model, and makes a package around it.
    pub(super) async fn write(&self, name: &str, step: QuantizeStep) -> Result<(PathBuf, Quantized), Box<dyn Error>> {
        let package = self.directory.join(name);
        fs::create_dir(&package)?;
        for entry in fs::read_dir(self.place)?.flatten().filter(|entry| entry.path().is_file()) {
            let file = entry.file_name();
            if entry.path().extension().is_none_or(|extension| extension != "onnx") && file != "manifest.toml" {
                fs::copy(entry.path(), package.join(file))?;
            }
        }
        let given = fs::read_to_string(self.place.join("manifest.toml"))?;
        let float = Manifest::load(self.place)?.model_path(self.place, ModelVariant::Float);
        let float = float.ok_or("the package has no model")?.canonicalize()?;
        let target = package.join("model.onnx");
        let written = fs::File::create_new(&target)?;
        let environment = child_environment("error", self.settings.sandbox.mode);
        let order = QuantizeOrder { file: float.clone(), step };
        let done = rewrite_once(own_binary(), environment, order, written.as_fd(), REWRITING_LIMIT).await;
        let done = done.map_err(|error| format!("{} cannot be quantised: {}", float.display(), describe(&error)))?;
        let text = twin_manifest::of_other_file(&given, "model.onnx", &sha256_of_file(&target)?)?;
        fs::write(package.join("manifest.toml"), text)?;
        Ok((package, done))
    }

    /// Observes the values between the model's convolutions, and what it detects meanwhile.
    pub(super) async fn observe(
        &self,
        pictures: &[Picture],
        bar: &ProgressBar,
    ) -> Result<(Vec<Observed>, Vec<Looked>), Box<dyn Error>> {
        let (package, _) = self.write("observed", QuantizeStep::Observe).await?;
        let mut unit = self.unit(&package, true).await?;
        let looked = look(&mut unit, pictures, bar).await?;
        Ok((unit.observed().await?, looked))
    }

    /// What the float model of a package detects.
    pub(super) async fn look(
        &self,
        package: &Path,
        pictures: &[Picture],
        bar: &ProgressBar,
    ) -> Result<Vec<Looked>, Box<dyn Error>> {
        let mut unit = self.unit(package, false).await?;
        look(&mut unit, pictures, bar).await
    }

    /// Has a unit load a package, and with that see its canary.
    pub(super) async fn try_canary(&self, package: &Path) -> Result<(), Box<dyn Error>> {
        self.unit(package, false).await.map(drop)
    }

    /// A unit on the CPU, without a cache: nothing that is tried leaves something behind.
    async fn unit(&self, package: &Path, is_observed: bool) -> Result<OneShotUnit, Box<dyn Error>> {
        let model = self.settings.default_model();
        let load = LoadModel {
            directory: package.to_owned(),
            variant: ModelVariant::Float,
            execution_provider: ExecutionProvider::Cpu,
            runtime_library: self.settings.units.library_of(ExecutionProvider::Cpu).to_owned(),
            device: None,
            provider_options: ProviderOptions::default(),
            max_batch: 1,
            is_observed,
            ..load_model(self.settings, &model, "").without_caches()
        };
        let environment = child_environment("error", self.settings.sandbox.mode);
        let limit = Duration::from_secs_f32(self.settings.units.load_timeout_seconds);
        Ok(OneShotUnit::start(own_binary(), environment, load, limit).await?)
    }
}

async fn look(unit: &mut OneShotUnit, pictures: &[Picture], bar: &ProgressBar) -> Result<Vec<Looked>, Box<dyn Error>> {
    let options = LookOptions { min_confidence: Some(LEAST_CONFIDENCE), ..LookOptions::default() };
    let mut looked = Vec::with_capacity(pictures.len());
    for picture in pictures {
        let image = picture.read().map_err(|error| format!("{picture}: {error}"))?;
        let cure = if matches!(picture, Picture::File(_)) { "; take it out of the directory" } else { "" };
        let result = unit.detect(&image, options).await.map_err(|error| format!("{picture}: {error}{cure}"))?;
        looked.push(result.detections);
        bar.inc(1);
    }
    Ok(looked)
}
