//! Two hundred damaged and hostile models, while a daemon serves: each is refused or works, in time; nothing crashes but
//! the process that was made for it, and the model that serves goes on.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "mutated_models/mutant.rs"]
mod mutant;
mod support;

use mutant::mutant;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::daemon::Daemon;
use support::{from_setup, root, small_model, wait_for, wait_within};

const COUNT: u64 = 200;

/// Of one model, with a busy machine around it.
const LIMIT: Duration = Duration::from_secs(30);

/// A directory for models of strangers, with what they would like to reach.
fn workplace(home: &Path) -> PathBuf {
    let inner = home.join("strangers");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(home.join("secret"), [0; 4096]).unwrap();
    std::os::unix::fs::symlink("../secret", inner.join("link")).unwrap();
    inner
}

/// `ocelli model add` of a file, or `None` when it takes longer than it may.
fn add(settings: &Path, models: &Path, file: &Path) -> Option<Output> {
    let mut child = small_model::add(settings, models, file);
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
    small_model::models_with_detector(&models);
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
            small_model::package(&models, &name, &mutant(*seed).1);
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
    std::fs::write(inner.join("mutant.onnx"), small_model::whole()).unwrap();
    let output = add(&root().join("configs/ocelli.toml"), &home.path().join("models"), &inner.join("mutant.onnx"));
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
