//! Checks the model packages that the settings name: do they exist, are they intact, and do they have the cameras' labels?
//!
//! Only `ocelli check` verifies them. The daemon starts with the good packages, reports the others, and logs the labels.

use crate::model::manifest::Manifest;
use crate::model::package::Package;
use crate::publish::home_assistant::settings::HomeAssistantSettings;
use crate::settings::Settings;
use crate::settings::near_word::near_word;
use crate::settings::remark::Remark;
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;

/// The labels of each model whose packages can be read, by the model's name.
pub(crate) type KnownLabels = BTreeMap<String, Vec<String>>;

impl Settings {
    /// Reads a package of a model and verifies its checksums.
    ///
    /// # Errors
    /// What is wrong with it, and the key of the setting.
    pub(crate) fn check_package(&self, model: &ModelSettings, name: &str) -> Result<Package, Remark> {
        let directory = self.units.models_directory.join(name);
        let key = self
            .models
            .iter()
            .position(|other| other.name == model.name)
            .map(|index| format!("models[{index}].package"));
        let key = key.unwrap_or_else(|| "models".into());
        let remark = |what: String, cure: &str| Remark::of_box(&key, what, cure).of_model(&model.name);
        if !directory.is_dir() {
            let what = format!("there is no package at {}", directory.display());
            let cure = "correct it or `units.models_directory`, or add the package with `ocelli model add`";
            return Err(remark(what, cure));
        }
        let again = "correct the package, or add it again with `ocelli model add`";
        let package = Package::load(&self.units.models_directory, name, &model.name);
        let package = package.map_err(|error| remark(describe(&error), again))?;
        let manifest = Manifest::load(&directory).and_then(|manifest| manifest.verify_model(&directory));
        manifest.map_err(|error| remark(describe(&error), again))?;
        Ok(package)
    }

    /// Returns a remark for each label that the settings name and no model has. Such a label would never be detected, and no
    /// error would say why. Nothing is said of a model that is not in `known`.
    pub(crate) fn unknown_labels(&self, known: &KnownLabels) -> Vec<Remark> {
        let mut unknown = self.unknown_labels_of_scenes(known);
        unknown.extend(self.unknown_labels_of_home_assistant(known));
        unknown
    }

    fn unknown_labels_of_scenes(&self, known: &KnownLabels) -> Vec<Remark> {
        let default = self.default_model().name;
        let mut unknown = Vec::new();
        for (index, camera) in self.cameras.iter().enumerate() {
            let model = camera.model.as_ref().unwrap_or(&default);
            let Some(known) = known.get(model) else { continue };
            let labels = camera.scene.labels.iter().map(|label| ("labels".to_owned(), label));
            let thresholds = camera.scene.thresholds.keys().map(|label| (format!("thresholds.{label}"), label));
            for (key, label) in labels.chain(thresholds).filter(|(_, label)| !known.contains(label)) {
                let (what, cure) = unknown_label(&format!("the model {model} has"), label, known);
                let key = format!("cameras[{index}].scene.{key}");
                unknown.push(Remark::of_box(key, what, cure).of_camera(camera.id.as_str()));
            }
        }
        unknown
    }

    /// A label that one of the cameras' models has is good: the other cameras leave it out.
    fn unknown_labels_of_home_assistant(&self, known: &KnownLabels) -> Vec<Remark> {
        let announced = &self.mqtt.home_assistant;
        let is_used = self.mqtt.enabled && announced.enabled && !self.cameras.is_empty();
        // The defaults are labels of the model that comes with ocelli, and stay out where another one runs.
        if !is_used || announced.labels == HomeAssistantSettings::default().labels {
            return Vec::new();
        }
        let default = self.default_model().name;
        let models = self.cameras.iter().map(|camera| camera.model.as_ref().unwrap_or(&default));
        let Some(labels) = models.map(|model| known.get(model)).collect::<Option<Vec<_>>>() else { return Vec::new() };
        let labels: Vec<String> = labels.into_iter().flatten().cloned().collect();
        let unknown = announced.labels.iter().enumerate().filter(|(_, label)| !labels.contains(label));
        unknown
            .map(|(index, label)| {
                let (what, cure) = unknown_label("no model of a camera has", label, &labels);
                Remark::of_box(format!("mqtt.home_assistant.labels[{index}]"), what, cure)
            })
            .collect()
    }
}

fn unknown_label(who: &str, label: &str, known: &[String]) -> (String, String) {
    let near = near_word(label, known.iter().map(String::as_str));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let verb = if who.starts_with("no ") { "the" } else { "no" };
    (format!("{who} {verb} label `{label}`{hint}"), "its labels are in labels.txt of its package".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings(models_directory: &Path, more: &str) -> Settings {
        let text = format!("{more}\n[units]\nmodels_directory = \"{}\"\n", models_directory.display());
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Settings::load_with(&[file.path().to_owned()], std::collections::HashMap::new()).unwrap()
    }

    /// Writes a package like the shipped one, with a model of one byte.
    fn package(home: &Path, change: impl Fn(&str) -> String) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/coco-ssd");
        let directory = home.join("coco-ssd");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::copy(shipped.join("labels.txt"), directory.join("labels.txt")).unwrap();
        std::fs::write(directory.join("model.onnx"), "x").unwrap();
        let text = std::fs::read_to_string(shipped.join("manifest.toml")).unwrap();
        let sha256 = text.lines().find_map(|line| line.strip_prefix("sha256 = ")).unwrap().trim_matches('"').to_owned();
        let of_x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        std::fs::write(directory.join("manifest.toml"), change(&text.replace(&sha256, of_x))).unwrap();
    }

    #[test]
    fn each_mistake_in_a_package_is_found_and_names_its_setting() {
        let home = tempfile::tempdir().unwrap();
        let settings = settings(home.path(), "");
        let check = || settings.check_package(&settings.models[0], "coco-ssd");
        let fails_with = |words: &[&str]| {
            let error = check().unwrap_err().to_string();
            let words = [words, &["`models[0].package` of model coco-ssd"]].concat();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        };
        fails_with(&["there is no package", "ocelli model add"]);
        package(home.path(), str::to_owned);
        assert_eq!(check().unwrap().name, "coco-ssd");
        std::fs::write(home.path().join("coco-ssd/model.onnx"), "y").unwrap();
        fails_with(&["model.onnx", "sha256"]);
        std::fs::remove_file(home.path().join("coco-ssd/model.onnx")).unwrap();
        fails_with(&["model.onnx", "cannot be read"]);
        package(home.path(), |text| text.replacen('=', "==", 1));
        fails_with(&["manifest.toml", "is not a model manifest"]);
        package(home.path(), str::to_owned);
        std::fs::write(home.path().join("coco-ssd/labels.txt"), "\n").unwrap();
        fails_with(&["labels.txt"]);
    }

    fn known(labels: &[&str]) -> KnownLabels {
        KnownLabels::from([("coco-ssd".to_owned(), labels.iter().map(|label| (*label).to_owned()).collect())])
    }

    fn unknown(known: &KnownLabels, more: &str) -> Vec<(String, String)> {
        let home = tempfile::tempdir().unwrap();
        let unknown = settings(home.path(), more).unknown_labels(known);
        unknown.into_iter().map(|remark| (remark.key, remark.what)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(key, what)| ((*key).to_owned(), (*what).to_owned())).collect()
    }

    #[test]
    fn an_unknown_label_is_reported_with_the_most_similar_known_one() {
        let camera = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://a/\"\nscene = { labels = [\"persn\", \"Car\", \"zebra crossing\"], \
                      thresholds = { persn = 0.6 } }";
        let expected = pairs(&[
            ("cameras[0].scene.labels", "the model coco-ssd has no label `persn`; did you mean `person`?"),
            ("cameras[0].scene.labels", "the model coco-ssd has no label `Car`; did you mean `car`?"),
            ("cameras[0].scene.labels", "the model coco-ssd has no label `zebra crossing`"),
            ("cameras[0].scene.thresholds.persn", "the model coco-ssd has no label `persn`; did you mean `person`?"),
        ]);
        assert_eq!(unknown(&known(&["person", "car"]), camera), expected);
        assert_eq!(unknown(&KnownLabels::new(), camera), [], "without a package nobody knows the labels");
    }

    #[test]
    fn a_label_for_home_assistant_is_unknown_if_no_model_of_a_camera_has_it() {
        let text = |labels: &str| {
            format!(
                "[mqtt.home_assistant]\nenabled = true\n{labels}\n[[cameras]]\nid = \"yard\"\nurl = \"rtsp://a/\"\n\
                 [[models]]\nname = \"coco-ssd\"\n[[models]]\nname = \"other\"\n[[cameras]]\nid = \"gate\"\nurl = \"rtsp://a/\"\n\
                 model = \"other\"\n"
            )
        };
        let mut both = known(&["person"]);
        let given = text("labels = [\"person\", \"forklift\", \"dog\"]");
        assert_eq!(unknown(&both, &given), [], "the labels of the other model are not known");
        both.insert("other".into(), vec!["fork lift".into(), "dog".into()]);
        let expected = pairs(&[(
            "mqtt.home_assistant.labels[1]",
            "no model of a camera has the label `forklift`; did you mean `fork lift`?",
        )]);
        assert_eq!(unknown(&both, &given), expected);
        assert_eq!(unknown(&both, &text("")), [], "the defaults are nobody's mistake");
    }
}
