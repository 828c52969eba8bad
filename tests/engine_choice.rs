//! `execution_provider = "auto"`: engines that are faster, wrong, dead, hung and greedy, and what ONNX Runtime of the set-up has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::appliance::{Appliance, ChildPrograms, Identity, Reporter};
use ocelli::control::{ApplianceStatus, Control};
use ocelli::model::execution_provider::ExecutionProvider;
use ocelli::settings::Settings;
use ocelli::telemetry::metrics::Metrics;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::daemon::Daemon;
use support::{root, wait_for};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A box with a model whose engines are scripted.
struct ScriptedBox {
    control: Control,
    stop: watch::Sender<bool>,
    running: JoinHandle<ApplianceStatus>,
}

impl ScriptedBox {
    /// Starts it in `home`. `package` names the engine with a fault, and the fault.
    fn start(home: &Path, package: &str) -> Self {
        Self::start_with(home, package, "")
    }

    /// [`Self::start`] with further settings of the model.
    fn start_with(home: &Path, package: &str, model: &str) -> Self {
        let directory = home.join("models").join(package);
        std::fs::create_dir_all(&directory).unwrap();
        let coco = root().join("models/coco-ssd");
        let int8 = format!("\n[model.int8]\nfile = \"model.int8.onnx\"\nsha256 = \"{}\"\n\n[input]", "0".repeat(64));
        let manifest = std::fs::read_to_string(coco.join("manifest.toml")).unwrap().replacen("\n[input]", &int8, 1);
        std::fs::write(directory.join("manifest.toml"), manifest).unwrap();
        std::fs::copy(coco.join("labels.txt"), directory.join("labels.txt")).unwrap();
        std::fs::write(directory.join("canary.jpg"), "a scripted engine does not look").unwrap();
        let text = format!(
            "state_directory = \"{0}/state\"\n[mqtt]\nenabled = false\n[units]\nmodels_directory = \"{0}/models\"\n\
             load_timeout_seconds = 10.0\ninference_timeout_seconds = 5.0\nmemory_megabytes = 256\n\
             [[models]]\nname = \"scripted\"\npackage = \"{package}\"\nexecution_provider = \"auto\"\n\
             min_inference_units = 2\n{model}",
            home.display()
        );
        std::fs::create_dir_all(home.join("state")).unwrap();
        let file = home.join("ocelli.toml");
        std::fs::write(&file, text).unwrap();
        let settings = Settings::load_with(&[file], HashMap::new()).unwrap();
        let reporter = Reporter::new(Identity { box_id: "box".into() }, None, None, Arc::new(Metrics::new()));
        let test = std::env::current_exe().unwrap();
        let unit = test.parent().and_then(Path::parent).unwrap().join("examples/scripted_engine");
        let programs = ChildPrograms { unit, capture: env!("CARGO_BIN_EXE_ocelli").into() };
        let (appliance, control, _) = Appliance::new(settings, BTreeMap::new(), reporter, programs).unwrap();
        let (stop, stopped) = watch::channel(false);
        Self { control, stop, running: tokio::spawn(appliance.run(stopped)) }
    }

    async fn wait(&self, what: &str, is_so: impl Fn(&ApplianceStatus) -> bool) {
        let begun = Instant::now();
        while !is_so(&self.control.status()) {
            assert!(begun.elapsed() < Duration::from_secs(180), "{what}: {:?}", self.control.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        assert!(self.running.await.unwrap().ledger_closes());
    }
}

fn provider(status: &ApplianceStatus) -> Option<ExecutionProvider> {
    Some(status.models.get("scripted")?.execution_provider)
}

/// What was chosen and refused, as `engines.json` has it; waits until it is there.
async fn record(home: &Path) -> serde_json::Value {
    let begun = Instant::now();
    loop {
        if let Ok(text) = std::fs::read(home.join("state/engines.json")) {
            let records: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&text).unwrap();
            return records.into_values().next().unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(180), "nothing was chosen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Why an engine was refused; empty if it was measured.
fn refusal(record: &serde_json::Value, provider: &str, variant: &str) -> String {
    let of = |trial: &&serde_json::Value| {
        trial["engine"]["execution_provider"] == provider && trial["engine"]["variant"] == variant
    };
    let trial = record["trials"].as_array().unwrap().iter().find(of).unwrap();
    trial["result"]["refused"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faster_engine_is_taken_without_an_interruption_and_remembered() {
    let home = tempfile::tempdir().unwrap();
    let scripted = ScriptedBox::start(home.path(), "openvino-float-faster");
    scripted.wait("units on the CPU", ApplianceStatus::is_ready).await;
    scripted.wait("the engine", |status| provider(status) == Some(ExecutionProvider::OpenVino)).await;
    scripted.wait("its units", |status| status.is_ready() && status.models["scripted"].in_service == 2).await;
    let found = record(home.path()).await;
    assert_eq!(found["engine"]["execution_provider"], "openvino", "{found}");
    assert!(refusal(&found, "xnnpack", "float").contains("there is no such provider"), "{found}");
    assert_eq!(refusal(&found, "cpu", "int8"), "", "{found}");
    scripted.stop().await;

    // The same model under another name, where the engine would be refused if it were measured again.
    let again = ScriptedBox::start(home.path(), "openvino-float-elsewhere");
    again.wait("its units", ApplianceStatus::is_ready).await;
    assert_eq!(provider(&again.control.status()), Some(ExecutionProvider::OpenVino), "at once");
    again.stop().await;
    assert_eq!(record(home.path()).await, found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_8_bit_file_is_taken_where_it_is_faster_and_answers_right() {
    let home = tempfile::tempdir().unwrap();
    let scripted = ScriptedBox::start(home.path(), "cpu-int8-faster");
    scripted
        .wait("the engine", |status| status.models.get("scripted").is_some_and(|model| model.variant.name() == "int8"))
        .await;
    scripted.stop().await;
    let blind = tempfile::tempdir().unwrap();
    let scripted = ScriptedBox::start(blind.path(), "cpu-int8-blind");
    let found = record(blind.path()).await;
    let why = refusal(&found, "cpu", "int8");
    assert!(why.contains("agreement 0.000 with the float model (at least 0.97)"), "{why}");
    scripted.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_misbehaves_while_it_is_measured_is_refused_and_the_box_runs() {
    for (fault, reason) in [
        ("elsewhere", "it answers wrongly: in picture 0 it does not have a box of class 0"),
        ("unsure", "it answers wrongly"),
        ("blind", "it answers wrongly"),
        ("dies", "the inference unit ended"),
        ("crashes", "the inference unit ended"),
        ("hangs", "did not answer in time"),
        ("stalls", "did not answer in time"),
        ("greedy", "it takes too much memory"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let package = format!("openvino-float-{fault}");
        let scripted = ScriptedBox::start_with(home.path(), &package, "variant = \"float\"\n");
        scripted.wait("units on the CPU", ApplianceStatus::is_ready).await;
        let found = record(home.path()).await;
        let why = refusal(&found, "openvino", "float");
        eprintln!("{fault}: {why}");
        assert!(why.contains(reason), "{fault}: {why}");
        assert_eq!(found["engine"]["execution_provider"], "cpu", "{fault}: {found}");
        let status = scripted.control.status();
        assert!(status.is_ready() && provider(&status) == Some(ExecutionProvider::Cpu), "{fault}: {status:?}");
        assert_eq!(status.models["scripted"].restarts, 0, "{fault}");
        scripted.stop().await;
    }
}

#[test]
fn what_onnx_runtime_has_is_measured_once_and_told() {
    let broker = Broker::start();
    let settings = format!(
        "[[models]]\nname = \"coco-ssd\"\nexecution_provider = \"auto\"\nmin_inference_units = 1\n\
         [units]\nmodels_directory = \"{}\"\n",
        root().join("models").display()
    );
    let mut daemon = Daemon::start(broker.port, &settings);
    let states = broker.subscribe("ocelli/box/state");
    daemon.wait_ready();
    let said = "an engine is chosen";
    wait_for("the choice", Duration::from_secs(180), || daemon.log().contains(said).then_some(()));
    let log = daemon.log();
    assert!(log.contains("measuring what computes the model fastest here"), "{log}");
    // The library of the set-up has neither.
    for provider in ["openvino", "xnnpack"] {
        assert!(log.contains(&format!("the execution provider `{provider}` fails")), "{log}");
    }
    states.wait_json("the state of the box", 20, "state", |json| {
        json["models"]["coco-ssd"]["execution_provider"] == "cpu"
    });
    let settings = daemon.home().join("ocelli.toml");
    let listed = Command::new(env!("CARGO_BIN_EXE_ocelli"))
        .current_dir(root())
        .env("OCELLI_STATE_DIRECTORY", daemon.home().join("state"))
        .args(["model", "list", "--config", settings.to_str().unwrap()])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("computed by cpu ") && listed.contains("refused: openvino float: "), "{listed}");
    let plan = daemon.succeed(&["plan", "--seconds", "1", "--max-units", "1"]);
    assert!(plan.contains("Chosen: cpu ") && plan.contains("Computed by cpu"), "{plan}");

    daemon.restart();
    daemon.wait_ready();
    assert_eq!(daemon.log().matches(said).count(), 1, "it is remembered: {}", daemon.log());
    assert!(daemon.stop().0.success());
}
