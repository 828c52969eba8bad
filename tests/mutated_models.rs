//! Two hundred damaged and hostile models, while a daemon serves: each is refused or works, in time; nothing crashes but
//! the process that was made for it, and the model that serves goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::model::manifest::sha256_of_file;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::daemon::Daemon;
use support::{from_setup, root, wait_for, wait_within};

const COUNT: u64 = 200;

/// Of one model, with a busy machine around it.
const LIMIT: Duration = Duration::from_secs(30);

/// How the small model is run.
const SECTIONS: &str = "[input]\ntensor = \"x\"\nwidth = 8\nheight = 8\ncolor = \"rgb\"\nfit = \"stretch\"\n\
     [output]\nlayout = \"classifier\"\noutput = \"y\"\n\
     [thresholds]\nconfidence = 0.1\niou = 0.5\nmax_detections = 9\n";

const LABELS: &str = "a\nb\nc\nd\n";

// === A small whole model ===

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![number << 3 | 2];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => bytes.extend([u8::try_from(length & 0x7f).unwrap() | 0x80, u8::try_from(length >> 7).unwrap()]),
    }
    bytes.extend(content);
    bytes
}

fn value(number: u8, value: u8) -> Vec<u8> {
    vec![number << 3, value]
}

fn tensor(number: u8, name: &str, sizes: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = sizes.iter().flat_map(|size| field(1, &value(1, *size))).collect();
    let tensor_type = [value(1, 1), field(2, &shape)].concat();
    field(number, &[field(1, name.as_bytes()), field(2, &field(1, &tensor_type))].concat())
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    field(1, &[inputs, field(2, output.as_bytes()), field(4, operator.as_bytes())].concat())
}

/// A classifier of four classes, whose weights are `initializer`.
fn model(initializer: &[u8]) -> Vec<u8> {
    let graph = [
        node("Conv", &["x", "w"], "c"),
        node("GlobalAveragePool", &["c"], "p"),
        node("Flatten", &["p"], "f"),
        node("Softmax", &["f"], "y"),
        field(2, b"small"),
        field(5, initializer),
        tensor(11, "x", &[1, 3, 8, 8]),
        tensor(12, "y", &[1, 4]),
    ];
    [value(1, 8), field(7, &graph.concat()), field(8, &value(2, 13))].concat()
}

fn weights(sizes: &[&[u8]]) -> Vec<u8> {
    let sizes: Vec<u8> = sizes.iter().flat_map(|size| [&[8], *size].concat()).collect();
    [sizes, value(2, 1), field(8, b"w")].concat()
}

const SIZES: [&[u8]; 4] = [&[4], &[3], &[2], &[2]];

fn whole() -> Vec<u8> {
    let numbers: Vec<u8> = (0..48_u8).flat_map(|index| (f32::from(index) / 480.0 - 0.05).to_le_bytes()).collect();
    model(&[weights(&SIZES), field(9, &numbers)].concat())
}

/// The same with its weights in another file.
fn elsewhere(location: &str) -> Vec<u8> {
    let entry = [field(1, b"location"), field(2, location.as_bytes())].concat();
    model(&[weights(&SIZES), field(13, &entry), value(14, 1)].concat())
}

// === What is done to it ===

/// Xorshift: the same for a seed everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

/// What kind of harm, and the bytes.
fn mutant(seed: u64) -> (&'static str, Vec<u8>) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bytes = whole();
    let length = bytes.len();
    // The whole detector is a hundred thousand times as long, so few of them.
    let is_real = |kind: u64| (seed / 10).is_multiple_of(5) && kind < 2;
    let kind = seed % 10;
    if is_real(kind) {
        bytes = std::fs::read(from_setup("models/coco-ssd/model.onnx")).unwrap();
    }
    let length = if is_real(kind) { bytes.len() } else { length };
    match kind {
        0 => {
            bytes.truncate(dice.below(length));
            ("truncated", bytes)
        }
        1 | 2 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(length);
                bytes[at] ^= 1 << dice.below(8);
            }
            ("bits flipped", bytes)
        }
        3 => {
            let from = dice.below(length - 16);
            (from..from + 16).for_each(|at| bytes[at] = dice.byte());
            ("a part overwritten", bytes)
        }
        4 => {
            let at = dice.below(length);
            let more: Vec<u8> = (0..=dice.below(64)).map(|_| dice.byte()).collect();
            bytes.splice(at..at, more);
            ("bytes put in", bytes)
        }
        5 => {
            let from = dice.below(length - 32);
            bytes.drain(from..from + 1 + dice.below(31));
            ("bytes left out", bytes)
        }
        6 => {
            let places =
                ["../secret", "/etc/passwd", "link", "a/../../secret", "/dev/zero", "", "gone", "/proc/self/mem"];
            ("weights elsewhere", elsewhere(places[dice.below(places.len())]))
        }
        7 => {
            const HUGE: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
            const LARGE: &[u8] = &[0x80, 0x80, 0x80, 0x80, 0x08];
            const NEGATIVE: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
            let mut sizes = SIZES;
            sizes[dice.below(4)] = [HUGE, LARGE, NEGATIVE][dice.below(3)];
            ("impossible sizes", model(&[weights(&sizes), field(9, &[0; 64])].concat()))
        }
        8 => {
            let texts =
                ["<html>404</html>", "version https://git-lfs.github.com/spec/v1\n", "{\"error\": 1}", "PK\x03\x04"];
            ("text", texts[dice.below(texts.len())].repeat(1 + dice.below(40)).into_bytes())
        }
        _ if seed % 20 == 9 => ("empty", Vec::new()),
        _ => ("noise", (0..dice.below(4096)).map(|_| dice.byte()).collect()),
    }
}

// === The store and the daemon ===

/// A directory for models of strangers, with what they would like to reach.
fn workplace(home: &Path) -> PathBuf {
    let inner = home.join("strangers");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(home.join("secret"), [0; 4096]).unwrap();
    std::os::unix::fs::symlink("../secret", inner.join("link")).unwrap();
    std::fs::write(inner.join("labels.txt"), LABELS).unwrap();
    std::fs::write(inner.join("m.toml"), SECTIONS).unwrap();
    inner
}

/// `ocelli model add` of a file, or `None` when it takes longer than it may.
fn add(settings: &Path, models: &Path, file: &Path) -> Option<Output> {
    let inner = file.parent().unwrap();
    let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    let mut child = ocelli
        .args(["model", "add", file.to_str().unwrap(), "--name", "mutant", "--labels"])
        .arg(inner.join("labels.txt"))
        .arg("--manifest")
        .arg(inner.join("m.toml"))
        .env("OCELLI_CONFIG_FILE", settings)
        .env("OCELLI_UNITS__MODELS_DIRECTORY", models)
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What it says is far less than a pipe holds.
    match wait_within(LIMIT, || child.try_wait().unwrap()) {
        Some(_) => Some(child.wait_with_output().unwrap()),
        None => {
            child.kill().unwrap();
            child.wait().unwrap();
            None
        }
    }
}

/// A package around the bytes, in order but for the model.
fn package(models: &Path, name: &str, bytes: &[u8]) {
    let directory = models.join(name);
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("model.onnx"), bytes).unwrap();
    std::fs::write(directory.join("labels.txt"), LABELS).unwrap();
    let sha256 = sha256_of_file(&directory.join("model.onnx")).unwrap();
    let head = format!(
        "name = \"{name}\"\nversion = \"1\"\n[source]\npackage = \"p\"\npackage_version = \"1\"\npackage_sha256 = \"\"\n\
         licence = \"MIT\"\n[model]\nfile = \"model.onnx\"\nsha256 = \"{sha256}\"\n"
    );
    std::fs::write(directory.join("manifest.toml"), head + SECTIONS).unwrap();
}

/// Also when a test fails: whoever asks must not do so for ever.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks the daemon without a pause until told to stop: how often it has answered.
fn ask_until(daemon: &Daemon, done: &AtomicBool) -> u32 {
    let photo = std::fs::read(from_setup("testdata/photo.jpg")).unwrap();
    let mut answered = 0;
    while !done.load(Ordering::Relaxed) {
        let (status, _, answer) =
            daemon.post_image("/api/models/coco-ssd/detect", &photo).expect("the daemon is there");
        // On a busy machine it may say that it is busy.
        if status != 429 {
            assert!(status == 200 && answer.to_string().contains("person"), "{status}: {answer}");
            answered += 1;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    answered
}

#[test]
fn no_model_that_is_damaged_or_hostile_harms_what_serves() {
    let home = tempfile::tempdir().unwrap();
    let models = home.path().join("models");
    std::fs::create_dir_all(models.join("coco-ssd")).unwrap();
    for entry in std::fs::read_dir(from_setup("models/coco-ssd")).unwrap().flatten() {
        std::fs::copy(entry.path(), models.join("coco-ssd").join(entry.file_name())).unwrap();
    }
    let settings = format!(
        "[mqtt]\nenabled = false\n[units]\nmodels_directory = \"{}\"\nload_timeout_seconds = 15.0\n\
         [[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n",
        models.display()
    );
    let daemon = Daemon::start(0, &settings);
    daemon.wait_ready();
    let serving = daemon.units();
    let (done, next, refused) = (AtomicBool::new(false), AtomicU32::new(0), Mutex::new(BTreeMap::new()));
    let works = AtomicU32::new(0);
    let settings = daemon.home().join("ocelli.toml");
    let answered = std::thread::scope(|scope| {
        let stop = Stop(&done);
        let asking = scope.spawn(|| ask_until(&daemon, &done));
        let adding: Vec<_> = (0..2)
            .map(|worker| {
                let (home, settings) = (home.path().join(format!("worker-{worker}")), &settings);
                let (next, refused, works) = (&next, &refused, &works);
                scope.spawn(move || {
                    let inner = workplace(&home);
                    loop {
                        let seed = u64::from(next.fetch_add(1, Ordering::Relaxed));
                        if seed >= COUNT {
                            return;
                        }
                        let (kind, bytes) = mutant(seed);
                        let file = inner.join("mutant.onnx");
                        std::fs::write(&file, &bytes).unwrap();
                        let begun = Instant::now();
                        let output = add(settings, &home.join("models"), &file);
                        let output = output.unwrap_or_else(|| panic!("seed {seed}, {kind}: longer than {LIMIT:?}"));
                        let said = String::from_utf8_lossy(&output.stderr).into_owned();
                        let is_in_order = match output.status.code() {
                            Some(0) => true,
                            Some(1) => said.starts_with("ocelli: ") && !said.contains("panicked"),
                            _ => false,
                        };
                        assert!(is_in_order, "seed {seed}, {kind}, {:?}: {:?} {said}", begun.elapsed(), output.status);
                        assert!(!home.join("models/.staging").exists(), "seed {seed}, {kind}: left something");
                        match output.status.success() {
                            true => drop(works.fetch_add(1, Ordering::Relaxed)),
                            false => drop(refused.lock().unwrap().insert((seed / 10 % 2, kind), (seed, said))),
                        }
                    }
                })
            })
            .collect();
        for worker in adding {
            worker.join().unwrap();
        }
        // Past the inspection that `add` has made: straight into a unit of the daemon.
        let refused = refused.lock().unwrap();
        assert!(refused.len() >= 12, "{:?}", refused.keys().collect::<Vec<_>>());
        for ((_, kind), (seed, why)) in refused.iter().take(12) {
            let name = format!("mutant-{seed}");
            package(&models, &name, &mutant(*seed).1);
            let (status, said) = daemon.command(&["ctl", "swap", "coco-ssd", "--package", &name, "--wait"]);
            assert!(!status.success(), "seed {seed}, {kind}: swapped in; `add` said {why}; {said}");
        }
        drop(stop);
        asking.join().unwrap()
    });
    assert!(answered > 20, "{answered} answers");
    assert!(works.load(Ordering::Relaxed) > 5, "some changes do no harm, and such a model works");
    let only_serving = || (daemon.units() == serving).then_some(());
    wait_for("the unit that served at first alone", Duration::from_secs(10), only_serving);
    assert_eq!(daemon.sum("ocelli_unit_restarts"), 0.0);
    assert!(daemon.stop().0.success());
}

#[test]
fn the_small_model_is_whole() {
    let home = tempfile::tempdir().unwrap();
    let inner = workplace(home.path());
    std::fs::write(inner.join("mutant.onnx"), whole()).unwrap();
    let output = add(&root().join("configs/ocelli.toml"), &home.path().join("models"), &inner.join("mutant.onnx"));
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
