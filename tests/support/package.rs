//! Packages of models that are none of the product's: a manifest's `[input]`, `[output]` and `[thresholds]` from
//! `tests/models/`, and a unit that loads one.

use super::{from_setup, root};
use ocelli::appliance::child_environment::child_environment;
use ocelli::appliance::load_model;
use ocelli::ipc::messages::LoadModel;
use ocelli::model::labels::Labels;
use ocelli::model::manifest::sha256_of_file;
use ocelli::os::sandbox::SandboxMode;
use ocelli::settings::Settings;
use ocelli::supervisor::one_shot::{ImageResult, OneShotError, OneShotUnit};
use ocelli::vision::frame::Picture;
use ocelli::vision::framing::Framing;
use ocelli::vision::look_options::LookOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// A model of the test data, named by `OCELLI_TESTDATA`; `None`, and a line that says so, where it is absent.
pub fn from_testdata(name: &str) -> Option<PathBuf> {
    let usual = || root().join("../shared/testdata");
    let path = std::env::var_os("OCELLI_TESTDATA").map_or_else(usual, PathBuf::from).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there (OCELLI_TESTDATA names the directory)", path.display());
        return None;
    }
    Some(path)
}

/// COCO's 80 labels without the gaps in its numbers.
pub fn coco_labels() -> String {
    let labels = Labels::load(&root().join("models/coco-ssd")).unwrap();
    labels.names().collect::<Vec<_>>().join("\n")
}

/// Makes a package of `model` below `home`, as `tests/models/<kind>.toml` says.
pub fn package(home: &Path, kind: &str, model: &Path, labels: &str) -> PathBuf {
    let rest = std::fs::read_to_string(root().join(format!("tests/models/{kind}.toml"))).unwrap();
    package_of(home, kind, model, labels, &rest)
}

/// The same with the text of `[input]`, `[output]` and `[thresholds]`.
pub fn package_of(home: &Path, name: &str, model: &Path, labels: &str, rest: &str) -> PathBuf {
    let directory = home.join(name);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::copy(model, directory.join("model.onnx")).unwrap();
    let checksum = sha256_of_file(model).unwrap();
    let weights = model.with_extension("data");
    let data = if weights.exists() {
        let file = weights.file_name().unwrap().to_str().unwrap();
        std::fs::copy(&weights, directory.join(file)).unwrap();
        format!("data = [{{ file = \"{file}\", sha256 = \"{}\" }}]\n", sha256_of_file(&weights).unwrap())
    } else {
        String::new()
    };
    let head = format!(
        "name = \"{name}\"\nversion = \"1\"\n[source]\npackage = \"test data\"\npackage_version = \"1\"\n\
         package_sha256 = \"{checksum}\"\nlicence = \"Apache-2.0\"\n\
         [model]\nfile = \"model.onnx\"\nsha256 = \"{checksum}\"\n{data}"
    );
    std::fs::write(directory.join("manifest.toml"), format!("{head}{rest}")).unwrap();
    std::fs::write(directory.join("labels.txt"), labels).unwrap();
    directory
}

/// A confined unit that has loaded a package.
pub struct Unit {
    runtime: Runtime,
    unit: OneShotUnit,
    labels: Labels,
}

impl Unit {
    /// Loads a package, or says why it cannot be.
    pub fn load(package: &Path) -> Result<Self, OneShotError> {
        Self::load_with_batch(package, 1)
    }

    /// Loads a package whose pictures may be looked at together.
    pub fn load_with_batch(package: &Path, max_batch: u16) -> Result<Self, OneShotError> {
        Self::load_changed(package, |load| load.max_batch = max_batch)
    }

    /// Loads a package without a cache, or as `change` has it.
    pub fn load_changed(package: &Path, change: impl FnOnce(&mut LoadModel)) -> Result<Self, OneShotError> {
        let settings = Settings::load(&[root().join("configs/ocelli.toml")]).unwrap();
        let mut load = load_model(&settings, &settings.default_model(), "");
        load.directory = package.to_owned();
        load.runtime_library = from_setup("lib/libonnxruntime.so");
        load.cache_directory = None;
        load.max_batch = 1;
        change(&mut load);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let environment = child_environment("warn", SandboxMode::Required);
        let program = env!("CARGO_BIN_EXE_ocelli").into();
        let unit = runtime.block_on(OneShotUnit::start(program, environment, load, Duration::from_secs(60)))?;
        Ok(Self { runtime, unit, labels: Labels::load(package).unwrap() })
    }

    /// Looks at JPEG or PNG bytes.
    pub fn look(&mut self, image: &[u8], options: LookOptions) -> ImageResult {
        self.runtime.block_on(self.unit.detect(image, options)).unwrap()
    }

    /// Looks at a frame of a camera, for its tracker too.
    pub fn look_at_frame(&mut self, picture: Picture, planes: &[u8]) -> ImageResult {
        let options = LookOptions { weak: true, ..LookOptions::default() };
        self.runtime.block_on(self.unit.detect_frame(picture, planes, options)).unwrap()
    }

    /// Looks at a raw frame of whatever lies in the slot.
    pub fn look_raw(&mut self, picture: Picture) -> ImageResult {
        self.runtime.block_on(self.unit.detect_raw(picture, Framing::default())).unwrap()
    }

    /// The name of a class.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}
