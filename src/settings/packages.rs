//! Checks the model packages that the settings name: do they exist, are they intact, and do they have the cameras' labels?
//!
//! Only `ocelli check` uses this. The daemon starts with the good packages and reports the others.

use crate::model::manifest::Manifest;
use crate::model::package::Package;
use crate::settings::Settings;
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;

impl Settings {
    /// Reads a package of a model and verifies its checksums.
    ///
    /// # Errors
    /// What is wrong with it, and the key of the setting.
    pub(crate) fn check_package(&self, model: &ModelSettings, name: &str) -> Result<Package, String> {
        let key = self.models.iter().position(|other| other.name == model.name).map(|index| format!("models[{index}]"));
        let key = key.unwrap_or_else(|| "models".into());
        let directory = self.units.models_directory.join(name);
        if !directory.is_dir() {
            let directory = directory.display();
            return Err(format!(
                "there is no package at {directory}: correct `{key}.package` or `units.models_directory`, or add it with \
                 `ocelli model add`"
            ));
        }
        let package = Package::load(&self.units.models_directory, name, &model.name);
        let package = package.map_err(|error| format!("`{key}`: {}", describe(&error)))?;
        let manifest = Manifest::load(&directory).and_then(|manifest| manifest.verify_model(&directory));
        manifest.map_err(|error| format!("`{key}`: {}", describe(&error)))?;
        Ok(package)
    }

    /// Returns a sentence for each label in a camera's scene that none of these packages of `model` has. Such a label would
    /// never be detected, and no error would say why.
    pub(crate) fn unknown_labels(&self, model: &str, packages: &[Package]) -> Vec<String> {
        let known: Vec<&str> = packages.iter().flat_map(|package| package.labels.names()).collect();
        let default = self.default_model().name;
        let mut unknown = Vec::new();
        for (index, camera) in self.cameras.iter().enumerate() {
            if camera.model.as_ref().unwrap_or(&default) != model {
                continue;
            }
            let labels = camera.scene.labels.iter().map(|label| ("labels", label));
            let thresholds = camera.scene.thresholds.keys().map(|label| ("thresholds", label));
            for (key, label) in labels.chain(thresholds).filter(|(_, label)| !known.contains(&label.as_str())) {
                let hint = nearest(label, &known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                let what = format!("the model {model} has no label `{label}`{hint}");
                unknown.push(format!("`cameras[{index}].scene.{key}`: {what}"));
            }
        }
        unknown
    }
}

/// Returns the most similar known label, if it differs by at most two letters.
fn nearest<'a>(label: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|other| (distance(label, other), *other)).min()?;
    (near.0 <= 2).then_some(near.1)
}

/// The Levenshtein distance: the number of letters to add, remove or change.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = index + 1;
        for (column, expected) in other.iter().enumerate() {
            let changed = before + usize::from(letter != *expected);
            before = row[column + 1];
            row[column + 1] = changed.min(before + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
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
            let error = check().unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        };
        fails_with(&["there is no package", "models[0].package", "ocelli model add"]);
        package(home.path(), str::to_owned);
        assert_eq!(check().unwrap().name, "coco-ssd");
        std::fs::write(home.path().join("coco-ssd/model.onnx"), "y").unwrap();
        fails_with(&["models[0]", "model.onnx", "sha256"]);
        std::fs::remove_file(home.path().join("coco-ssd/model.onnx")).unwrap();
        fails_with(&["models[0]", "model.onnx", "cannot be read"]);
        package(home.path(), |text| text.replacen('=', "==", 1));
        fails_with(&["models[0]", "manifest.toml", "is not a model manifest"]);
        package(home.path(), str::to_owned);
        std::fs::write(home.path().join("coco-ssd/labels.txt"), "\n").unwrap();
        fails_with(&["models[0]", "labels.txt"]);
    }

    #[test]
    fn an_unknown_label_is_reported_with_the_most_similar_known_one() {
        let home = tempfile::tempdir().unwrap();
        package(home.path(), str::to_owned);
        let camera = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://a/\"\nscene = { labels = [\"persn\", \"car\", \"zebra crossing\"], \
                      thresholds = { persn = 0.6 } }";
        let settings = settings(home.path(), camera);
        let package = settings.check_package(&settings.models[0], "coco-ssd").unwrap();
        let unknown = settings.unknown_labels("coco-ssd", std::slice::from_ref(&package));
        let expected = [
            "`cameras[0].scene.labels`: the model coco-ssd has no label `persn`; did you mean `person`?",
            "`cameras[0].scene.labels`: the model coco-ssd has no label `zebra crossing`",
            "`cameras[0].scene.thresholds`: the model coco-ssd has no label `persn`; did you mean `person`?",
        ];
        assert_eq!(unknown, expected);
        assert!(settings.unknown_labels("other", &[package]).is_empty());
    }
}
