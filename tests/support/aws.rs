//! A daemon as AWS clients meet it: keys, a bucket with packages and pictures.

use super::broker::Broker;
use super::daemon::Daemon;
use super::{from_setup, root};
use std::path::Path;
use std::process::Command;

const KEYS: &str = "[[access_keys]]\naccess_key_id = \"AKIDOPERATOR\"\nsecret = \"operator-secret\"\nrole = \"operator\"\n\
     [[access_keys]]\naccess_key_id = \"AKIDCAMERA\"\nsecret = \"camera-secret\"\nversions = [\"edge/v1\"]\n\
     [[access_keys]]\naccess_key_id = \"AKIDWRITER\"\nsecret = \"writer-secret\"\nrole = \"bucket-writer\"\n\
     buckets = [\"files\"]\nversions = [\"coco-ssd/*\"]\n";

/// Keys for objects: one that writes and detects, one that reads, one that may do neither with them.
const OBJECT_KEYS: &str = "[[access_keys]]\naccess_key_id = \"AKIDOPERATOR\"\nsecret = \"operator-secret\"\nrole = \"operator\"\n\
     [[access_keys]]\naccess_key_id = \"AKIDWRITER\"\nsecret = \"writer-secret\"\nrole = \"bucket-writer\"\n\
     buckets = [\"files\", \"small\", \"shown\", \"hidden\"]\nversions = [\"coco-ssd/*\"]\n\
     [[access_keys]]\naccess_key_id = \"AKIDREADER\"\nsecret = \"reader-secret\"\nbuckets = [\"files\"]\n\
     [[access_keys]]\naccess_key_id = \"AKIDCAMERA\"\nsecret = \"camera-secret\"\nversions = [\"coco-ssd/*\"]\n";

/// A running daemon, and what its bucket `files` lies in.
pub struct AwsBox {
    pub daemon: Daemon,
    _broker: Broker,
    home: tempfile::TempDir,
}

impl AwsBox {
    /// One unit of the default model without a limit, and no signatures.
    pub fn start_unsigned() -> Self {
        Self::start_with("")
    }

    /// One unit of the default model, limited to so many images a second, and no signatures.
    pub fn start_limited(tps: u32) -> Self {
        Self::start_with(&format!("tps_limit = {tps}\n"))
    }

    /// One unit of the default model without a limit.
    pub fn start_signed() -> Self {
        Self::start_with(KEYS)
    }

    /// One unit of the default model, limited to five images a second, and room for more. Clients of S3 may write.
    pub fn start() -> Self {
        Self::start_in(&format!("tps_limit = 5\n{KEYS}"), "s3 = \"read-write\"\n", |_| String::new())
    }

    /// [`Self::start`], served on a public port as well.
    pub fn start_public(port: u16) -> Self {
        let public = format!("public_address = \"127.0.0.1\"\npublic_port = {port}\n");
        Self::start_with(&format!("tps_limit = 5\n{KEYS}[http]\n{public}"))
    }

    /// With clients of S3, on a public port with TLS as well. Of the further buckets `small` takes 2 MiB, half of it in an
    /// object, `shown` can be looked at, `hidden` is none of theirs.
    pub fn start_objects(port: u16) -> Self {
        let buckets = |home: &Path| -> String {
            let bucket = |(name, more): (&str, &str)| {
                std::fs::create_dir(home.join(name)).unwrap();
                std::fs::write(home.join(name).join("there.txt"), "there").unwrap();
                format!("[[buckets]]\nname = \"{name}\"\ndirectory = \"{}\"\n{more}\n", home.join(name).display())
            };
            let small = "s3 = \"read-write\"\nmax_object_megabytes = 1\nmax_megabytes = 2";
            [("small", small), ("shown", "s3 = \"read\""), ("hidden", "")].map(bucket).concat()
        };
        let public = format!("[http]\npublic_address = \"127.0.0.1\"\npublic_port = {port}\n");
        Self::start_in(&format!("{OBJECT_KEYS}{public}"), "s3 = \"read-write\"\nmax_megabytes = 1000\n", buckets)
    }

    fn start_with(more: &str) -> Self {
        Self::start_in(more, "", |_| String::new())
    }

    fn start_in(more: &str, of_bucket: &str, other_buckets: impl FnOnce(&Path) -> String) -> Self {
        let home = tempfile::tempdir().unwrap();
        fill(home.path());
        let broker = Broker::start();
        let settings = format!(
            "[units]\nmax_units = 4\nmax_models = 3\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n{more}\
             [[buckets]]\nname = \"files\"\ndirectory = \"{}\"\n{of_bucket}{}",
            home.path().join("bucket").display(),
            other_buckets(home.path())
        );
        let daemon = Daemon::start(broker.port, &settings);
        daemon.wait_ready();
        Self { daemon, _broker: broker, home }
    }

    /// The directory of the bucket `files`.
    pub fn bucket(&self) -> std::path::PathBuf {
        self.home.path().join("bucket")
    }

    /// A suite of `tests/conformance`, told of this box, in the Python of the set-up.
    pub fn python(&self, suite: &str) -> Command {
        let mut command = Command::new(from_setup(".setup/venv/bin/python"));
        command.arg(root().join("tests/conformance").join(suite)).envs(self.environment());
        command
    }

    /// What the suites are told.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OCELLI_ENDPOINT", format!("http://127.0.0.1:{}", self.daemon.http_port())),
            ("OCELLI_PID", self.daemon.pid().to_string()),
            ("OCELLI_PHOTO", from_setup("testdata/photo.jpg").display().to_string()),
            ("OCELLI_BUCKET_DIRECTORY", self.home.path().join("bucket").display().to_string()),
            // Nothing of the machine's own configuration counts.
            ("AWS_CONFIG_FILE", "/nonexistent".into()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
    }
}

/// `edge` is a good package, `picky` one that wants to be all but sure of persons, `broken` has another model than its
/// manifest says, `blind` does not see its canary. Beside them pictures, and ways out that must not be taken.
fn fill(home: &Path) {
    let (bucket, photo) = (home.join("bucket"), from_setup("testdata/photo.jpg"));
    std::fs::create_dir_all(bucket.join("yard")).unwrap();
    for place in [bucket.join("photo.jpg"), bucket.join("yard/photo.jpg"), home.join("secret.jpg")] {
        std::fs::copy(&photo, place).unwrap();
    }
    std::os::unix::fs::symlink("../secret.jpg", bucket.join("link.jpg")).unwrap();
    std::os::unix::fs::symlink("..", bucket.join("linked")).unwrap();
    let made = Command::new("mkfifo").arg(bucket.join("pipe")).status().unwrap();
    assert!(made.success());
    let packages = ["edge", "picky", "broken", "blind"].map(|name| bucket.join(name));
    for package in packages.into_iter().chain([home.join("outside")]) {
        std::fs::create_dir(&package).unwrap();
        for entry in std::fs::read_dir(from_setup("models/coco-ssd")).unwrap().flatten() {
            std::fs::copy(entry.path(), package.join(entry.file_name())).unwrap();
        }
    }
    std::fs::write(bucket.join("broken/model.onnx"), b"cut short").unwrap();
    let manifest = bucket.join("picky/manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let (before, _) = text.split_once("[canary]").unwrap();
    std::fs::write(manifest, format!("{before}[label_thresholds]\nperson = 0.999\n")).unwrap();
    let manifest = bucket.join("blind/manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(manifest, text.replace("label = \"person\"", "label = \"cat\"")).unwrap();
}
