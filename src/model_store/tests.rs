//! Packages are added, rolled back and removed, and no step leaves a partial one.

use crate::model::manifest::sha256_of_file;
use crate::model_store::{Installed, Staging, Store, StoreError};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Models {
    home: TempDir,
    store: Store,
}

impl Models {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(&home.path().join("models"));
        Self { home, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("models").join(name)
    }

    /// Writes a file outside of the store.
    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn fill(&self, staging: &Staging, version: &str) {
        let model = self.file("given.onnx", version);
        let sha256 = staging.copy_model(&model, "model.onnx").unwrap();
        assert_eq!(sha256, sha256_of_file(&model).unwrap());
        staging.write("labels.txt", "person\n").unwrap();
        let manifest = format!(
            "name = \"m\"\nversion = \"{version}\"\n\
             source = {{ package = \"p\", package_version = \"1\", package_sha256 = \"\", licence = \"MIT\" }}\n\
             model = {{ file = \"model.onnx\", sha256 = \"{sha256}\" }}\n\
             input = {{ tensor = \"x\", width = 8, height = 8, color = \"rgb\", fit = \"stretch\" }}\n\
             output = {{ layout = \"yolov5\", output = \"o\" }}\n\
             thresholds = {{ confidence = 0.5, iou = 0.5, max_detections = 9 }}\n"
        );
        staging.write("manifest.toml", &manifest).unwrap();
    }

    fn add(&self, version: &str) -> Installed {
        let changes = self.store.change().unwrap();
        let staging = changes.stage().unwrap();
        self.fill(&staging, version);
        changes.install(&staging, "m").unwrap()
    }

    /// The current version, and the kept ones.
    fn versions(&self) -> (Option<String>, Vec<String>) {
        let listed = self.store.list().unwrap().pop().unwrap();
        let previous = listed.previous.into_iter().map(|one| one.version.unwrap_or("damaged".into()));
        (listed.contents.ok().map(|it| it.manifest.version), previous.collect())
    }

    fn check(&self, version: &str, previous: &[&str]) {
        let previous = previous.iter().map(|version| (*version).to_owned()).collect();
        assert_eq!(self.versions(), (Some(version.to_owned()), previous));
        assert!(!self.path(".staging").exists());
    }
}

#[test]
fn a_package_takes_the_place_of_another_and_two_before_it_are_kept() {
    let models = Models::new();
    assert_eq!(models.add("1"), Installed::New);
    models.check("1", &[]);
    assert_eq!(models.add("2"), Installed::Replaced);
    models.check("2", &["1"]);
    models.add("3");
    models.add("4");
    models.check("4", &["3", "2"]);
    assert!(!models.path(".previous/m/3").exists());
    assert_eq!(fs::read_to_string(models.path("m/model.onnx")).unwrap(), "4");
}

#[test]
fn the_package_before_comes_back_and_goes_again() {
    let models = Models::new();
    let roll_back = || models.store.change().unwrap().roll_back("m");
    assert!(matches!(roll_back(), Err(StoreError::Missing { .. })));
    models.add("1");
    assert!(matches!(roll_back(), Err(StoreError::NoPrevious(_))));
    models.add("2");
    assert_eq!(roll_back().unwrap(), "1");
    models.check("1", &["2"]);
    assert_eq!(roll_back().unwrap(), "2");
    fs::write(models.path(".previous/m/1/model.onnx"), "bit rot").unwrap();
    assert!(matches!(roll_back(), Err(StoreError::Damaged { .. })));
    models.check("2", &["1"]);
}

#[test]
fn what_an_interrupted_change_has_left_is_removed_by_the_next() {
    let models = Models::new();
    models.add("1");
    models.add("2");
    // The state after a crash while files were copied.
    fs::create_dir(models.path(".staging")).unwrap();
    fs::write(models.path(".staging/model.onnx"), "half").unwrap();
    assert_eq!(models.versions(), (Some("2".into()), vec!["1".into()]));
    models.add("3");
    models.check("3", &["2", "1"]);
    // The state after a crash between the renames: the kept packages were shifted, but nothing was replaced.
    fs::rename(models.path(".previous/m/2"), models.path(".previous/m/3")).unwrap();
    fs::rename(models.path(".previous/m/1"), models.path(".previous/m/2")).unwrap();
    models.add("4");
    models.check("4", &["3", "2"]);
    assert!(!models.path(".previous/m/3").exists());
}

#[test]
fn a_gap_that_a_failed_change_has_left_between_kept_packages_is_closed() {
    let models = Models::new();
    for version in ["1", "2", "3"] {
        models.add(version);
    }
    let kept = models.path(".previous/m");
    fs::rename(kept.join("2"), kept.join("3")).unwrap();
    assert_eq!(models.store.change().unwrap().roll_back("m").unwrap(), "2");
    models.check("2", &["3", "1"]);
}

#[test]
fn a_failure_leaves_the_package_that_was_there() {
    let models = Models::new();
    models.add("1");
    models.add("2");
    {
        let changes = models.store.change().unwrap();
        let staging = changes.stage().unwrap();
        models.fill(&staging, "3");
        assert!(matches!(models.store.change(), Err(StoreError::Busy(_))));
        // Another process removes the staged files, so that no rename is possible.
        fs::remove_dir_all(models.path(".staging")).unwrap();
        assert!(changes.install(&staging, "m").is_err());
    }
    models.check("2", &["1"]);
    drop(models.store.change().unwrap().stage().unwrap());
    models.check("2", &["1"]);
}

#[test]
fn a_package_is_removed_with_or_without_those_before_it() {
    let models = Models::new();
    let remove = |all| models.store.change().unwrap().remove("m", all);
    models.add("1");
    models.add("2");
    models.add("3");
    remove(false).unwrap();
    assert_eq!(models.versions(), (None, vec!["2".into(), "1".into()]));
    assert_eq!(models.store.change().unwrap().roll_back("m").unwrap(), "2");
    models.check("2", &["1"]);
    remove(true).unwrap();
    assert!(models.store.list().unwrap().is_empty());
    assert!(matches!(remove(true), Err(StoreError::Missing { .. })));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let models = Models::new();
    models.add("1");
    for name in ["", ".", "..", "../m", "a/b", "/etc", ".previous", ".staging"] {
        let changes = models.store.change().unwrap();
        let staging = changes.stage().unwrap();
        models.fill(&staging, "2");
        assert!(matches!(changes.install(&staging, name), Err(StoreError::Name(_))), "{name}");
        assert!(matches!(changes.remove(name, true), Err(StoreError::Name(_))), "{name}");
        assert!(matches!(changes.roll_back(name), Err(StoreError::Name(_))), "{name}");
    }
    models.check("1", &[]);
}

#[test]
fn no_link_is_followed_and_no_name_is_given_twice() {
    let models = Models::new();
    let target = models.file("secret", "secret");
    let link = models.home.path().join("link.onnx");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let changes = models.store.change().unwrap();
    let staging = changes.stage().unwrap();
    assert!(matches!(staging.copy_model(&link, "model.onnx"), Err(StoreError::Link(_))));
    assert!(matches!(staging.copy_weights(Path::new("/tmp/m.onnx"), "../w"), Err(StoreError::Nested(_))));
    for name in ["link.onnx", "gone"] {
        assert!(staging.copy_weights(&target, name).is_err(), "{name}");
    }
    staging.copy_model(&target, "model.onnx").unwrap();
    for name in ["model.onnx", "manifest.toml", "labels.txt"] {
        models.file(name, "x");
        assert!(matches!(staging.copy_weights(&target, name), Err(StoreError::NameTaken(_))), "{name}");
    }
    assert_eq!(fs::read_dir(staging.directory()).unwrap().count(), 1);
}

#[test]
fn a_damaged_package_is_listed_with_its_mistake_beside_the_others() {
    let models = Models::new();
    models.add("1");
    fs::create_dir(models.path("a-damaged-one")).unwrap();
    fs::write(models.path("a-damaged-one/manifest.toml"), "name = 1").unwrap();
    let listed = models.store.list().unwrap();
    assert!(listed[0].contents.as_ref().unwrap_err().contains("not a model manifest"), "{listed:?}");
    assert!(listed[1].contents.is_ok() && listed[1].bytes > 100);
    fs::write(models.path("m/model.onnx"), "bit rot").unwrap();
    assert!(models.store.list().unwrap()[1].contents.as_ref().unwrap_err().contains("sha256"));
}
