//! Models that mean harm, put into the store and under the name of one that serves.

use crate::hostile::cost::{self, descendants};
use crate::hostile::models::model_of;
use crate::neighbour::{self, NEIGHBOUR};
use crate::report::{self, Bars, ProcessBars};
use crate::support::daemon::Daemon;
use crate::support::{from_setup, small_model, wait_for};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::Child;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// All of them.
const MODES: [&str; 10] = [
    "claimed-weights",
    "weights-elsewhere",
    "garbage",
    "memory-when-loaded",
    "memory-at-work",
    "tensor-that-doubles",
    "endless-loop",
    "deep-branches",
    "many-nodes",
    "long-name",
];
/// That of a short run.
const SOME: [&str; 1] = ["memory-when-loaded"];

/// What `units.memory_megabytes` is here. A trial has 1 GiB and four times the model's size.
const MEMORY_MIB: u32 = 1024;
/// Beside what a process allocates: libraries, its slots.
const MAPPED_MIB: f64 = 192.0;
/// Loading may take this long, and so may the first picture.
const LOAD_SECONDS: f64 = 15.0;
/// And the whole may, on a busy box.
const MOST_SECONDS: f64 = 3.0 * LOAD_SECONDS;
const LEAST: Duration = Duration::from_secs(3);
/// A model that was swapped in is watched at work at least so long.
const WORK: Duration = Duration::from_secs(6);

/// Its process has the threads of a unit: two cores are all that there is.
fn bars(name: &'static str, file_bytes: usize) -> Bars {
    let file_mib = f64::from(u32::try_from(file_bytes >> 20).unwrap());
    let memory_mib = f64::from(MEMORY_MIB) + 4.0 * file_mib + MAPPED_MIB;
    Bars {
        process: Some(ProcessBars { name, memory_mib, cores: 2.2, threads: 32.0 }),
        daemon_mib: 24.0,
        daemon_cores: 0.5,
        lines: 60.0,
    }
}

/// `ocelli model add`: it is refused, or it works, and the store is in order.
fn add(daemon: &Daemon, home: &Path, mode: &str, bytes: &[u8]) -> Vec<Value> {
    let inner = home.join("strangers");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("mutant.onnx"), bytes).unwrap();
    let store = home.join(format!("store-{mode}"));
    let begin = || {
        let child = small_model::add(&daemon.home().join("ocelli.toml"), &store, &inner.join("mutant.onnx"));
        (child.id(), RefCell::new(child))
    };
    let took = Cell::new(0.0);
    let goes_on = |(_, child): &(u32, RefCell<Child>), so_far: Duration| {
        let is_running = child.borrow_mut().try_wait().unwrap().is_none() && so_far.as_secs_f64() < 2.0 * MOST_SECONDS;
        if is_running {
            took.set(so_far.as_secs_f64());
        }
        // In less time the neighbour's frames cannot be told.
        is_running || so_far < LEAST
    };
    let whose = |(pid, _): &(u32, RefCell<Child>)| descendants(*pid);
    let (cost, (_, child)) = cost::measure(daemon, &NEIGHBOUR, begin, whose, goes_on);
    let output = child.into_inner().wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    println!("{mode}: {:?} {}", output.status.code(), said.chars().take(300).collect::<String>().trim_end());
    let is_refused = output.status.code() == Some(1) && said.starts_with("ocelli: ") && !said.contains("panicked");
    assert!(is_refused || output.status.success(), "{mode}: {:?} {said}", output.status);
    assert!(said.len() < 4_000, "{mode}: it says {} bytes", said.len());
    assert!(!store.join(".staging").exists(), "{mode}: left something");
    let mut rows = report::rows(&format!("{mode}, added"), cost, bars("`model add`", bytes.len()));
    let name = format!("{mode}, added: time until it is refused or works");
    rows.push(report::row(&name, took.get(), "s", MOST_SECONDS, "wall clock of `ocelli model add`"));
    rows
}

/// Straight into a unit, past what `model add` looks at: the model that serves goes on, or serves again.
fn swap(daemon: &Daemon, models: &Path, mode: &str, bytes: &[u8]) -> Vec<Value> {
    small_model::package(models, mode, bytes);
    let serving = daemon.units();
    let strangers = || daemon.units().into_iter().filter(|pid| !serving.contains(pid)).collect::<Vec<u32>>();
    let (cost, (status, said)) = std::thread::scope(|scope| {
        let begin = || scope.spawn(|| daemon.command(&["ctl", "swap", "coco-ssd", "--package", mode, "--wait"]));
        let goes_on = |swapping: &ScopedJoinHandle<'_, _>, so_far: Duration| !swapping.is_finished() || so_far < WORK;
        let (cost, swapping) = cost::measure(daemon, &NEIGHBOUR, begin, |_| strangers(), goes_on);
        (cost, swapping.join().unwrap())
    });
    println!("{mode}: swapped in: {} {}", status.success(), said.chars().take(300).collect::<String>().trim_end());
    if status.success() {
        daemon.succeed(&["ctl", "swap", "coco-ssd", "--package", "coco-ssd", "--wait"]);
    }
    let photo = std::fs::read(from_setup("testdata/photo.jpg")).unwrap();
    wait_for("the model that served", Duration::from_secs(30), || {
        let (status, _, answer) = daemon.post_image("/api/models/coco-ssd/detect", &photo)?;
        (status == 200 && answer.to_string().contains("person")).then_some(())
    });
    report::rows(&format!("{mode}, swapped in"), cost, bars("the unit", bytes.len()))
}

#[test]
fn a_model_that_means_harm_costs_its_own_process() {
    let _alone = report::alone();
    let modes = report::chosen(&MODES, &SOME);
    if modes.is_empty() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let models = home.path().join("models");
    small_model::models_with_detector(&models);
    let site = neighbour::start(&format!(
        "[mqtt]\nenabled = false\n[units]\nmodels_directory = \"{}\"\nmemory_megabytes = {MEMORY_MIB}\n\
         load_timeout_seconds = {LOAD_SECONDS:.1}\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n",
        models.display()
    ));
    site.daemon.wait_ready();
    let mut rows = Vec::new();
    for mode in modes {
        let bytes = model_of(mode);
        rows.extend(add(&site.daemon, home.path(), mode, &bytes));
        // The short form has no time for the second one.
        if report::is_whole() || !std::env::var("OCELLI_HOSTILE").unwrap_or_default().is_empty() {
            rows.extend(swap(&site.daemon, &models, mode, &bytes));
        }
    }
    site.daemon.assert_ledger_closes();
    report::judge("model", &rows);
}
