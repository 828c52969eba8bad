//! What computes: the provider that was asked for or nothing, and which nodes of the model it really has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::process::{Command, Output};
use std::time::Duration;
use support::broker::Broker;
use support::daemon::Daemon;
use support::{from_setup, root, wait_for};

/// A box with one model, which is measured with one unit for a second.
struct Bench {
    home: tempfile::TempDir,
}

impl Bench {
    /// With these settings of the model.
    fn new(model: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let settings = format!(
            "[units]\nmodels_directory = \"{}\"\nruntime_library = \"{}\"\n[[models]]\nname = \"coco-ssd\"\n{model}",
            root().join("models").display(),
            from_setup("lib/libonnxruntime.so").display()
        );
        std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
        Self { home }
    }

    fn plan(&self, arguments: &[&str], cache: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ocelli"))
            .current_dir(self.home.path())
            .env("OCELLI_UNITS__CACHE_DIRECTORY", cache)
            .args(["plan", "--config", "ocelli.toml", "--seconds", "1", "--max-units", "1"])
            .args(arguments)
            .output()
            .unwrap()
    }

    fn nodes_on_cpu(&self, cache: &str) -> u64 {
        let output = self.plan(&["--json"], cache);
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(plan["computed_by"][0]["execution_provider"], "cpu");
        plan["computed_by"][0]["nodes"]["cpu"].as_u64().unwrap()
    }
}

fn refusal(model: &str, arguments: &[&str]) -> String {
    let output = Bench::new(model).plan(arguments, "cache");
    assert!(!output.status.success(), "{model} {arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_provider_that_cannot_be_had_is_refused_and_never_replaced() {
    // ONNX Runtime of the set-up computes on the CPU alone: where the build has a provider, the library refuses it.
    let cases = [
        ("cuda", cfg!(feature = "cuda")),
        ("tensorrt", cfg!(feature = "tensorrt")),
        ("openvino", cfg!(feature = "openvino")),
        ("xnnpack", cfg!(feature = "xnnpack")),
    ];
    for (provider, is_compiled_in) in cases {
        let text = refusal(&format!("execution_provider = \"{provider}\"\n"), &[]);
        match is_compiled_in {
            true => assert!(text.contains(&format!("the execution provider `{provider}` fails")), "{text}"),
            false => assert!(text.contains(&format!("build with `--features {provider}`")), "{text}"),
        }
        let on_command = refusal("", &["--execution-provider", provider]);
        assert!(on_command.contains(&format!("`{provider}`")), "{on_command}");
    }
}

#[test]
fn an_option_that_the_provider_does_not_know_is_refused_by_its_name() {
    for (option, name) in [
        ("precision = \"fp16\"", "`precision = \"fp16\"`"),
        ("memory_limit_mb = 512", "`memory_limit_mb`"),
        ("engine_cache_directory = \"engines\"", "`engine_cache_directory`"),
    ] {
        let text = refusal(&format!("[models.provider_options]\n{option}\n"), &[]);
        assert!(text.contains(&format!("`cpu` does not know {name}")), "{text}");
    }
}

#[test]
fn a_plan_says_what_has_computed_with_and_without_the_cached_graph() {
    let bench = Bench::new("");
    let text = String::from_utf8(bench.plan(&[], "cache").stdout).unwrap();
    assert!(text.contains("Computed by cpu; nodes of the model: cpu "), "{text}");
    let (cached, uncached) = (bench.nodes_on_cpu("cache"), bench.nodes_on_cpu(""));
    assert!(cached > 50 && cached == uncached, "{cached} with the cached graph, {uncached} without");
}

#[test]
fn a_running_daemon_says_what_computes_in_each_zone() {
    let broker = Broker::start();
    let settings = format!(
        "[[zones]]\nname = \"here\"\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n\
         [units]\nmodels_directory = \"{}\"\n",
        root().join("models").display()
    );
    let daemon = Daemon::start(broker.port, &settings);
    let states = broker.subscribe("ocelli/box/state");
    daemon.wait_ready();
    let view: serde_json::Value = wait_for("a unit in service", Duration::from_secs(20), || {
        let view: serde_json::Value = serde_json::from_str(&daemon.get("/api/models/coco-ssd")?.1).ok()?;
        (!view["nodes"]["here"].is_null()).then_some(view)
    });
    let nodes = view["nodes"]["here"]["cpu"].as_u64().unwrap();
    assert!(nodes > 50 && view["nodes"]["here"].as_object().unwrap().len() == 1, "{view}");
    assert_eq!(view["variant"], "float", "{view}");
    let metric = "ocelli_unit_nodes{model=\"coco-ssd\",zone=\"here\",provider=\"cpu\"}";
    wait_for("the metric", Duration::from_secs(5), || (daemon.sum(metric) == nodes as f64).then_some(()));
    states.wait_json("the state of the box", 20, "state", |json| {
        json["models"]["coco-ssd"]["nodes"]["here"]["cpu"] == nodes
    });
    let ready = daemon.log().lines().find(|line| line.contains("an inference unit is ready")).unwrap().to_owned();
    assert!(ready.contains(&format!("cpu {nodes}")) && ready.contains("float"), "{ready}");
    let shown = daemon.succeed(&["ctl", "models"]);
    assert!(shown.contains(&format!("nodes computed in here: cpu {nodes}")), "{shown}");
    assert!(daemon.stop().0.success());
}
