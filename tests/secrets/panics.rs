//! What panics say while secrets are in memory: of the daemon, of a capture process, of a unit.

use crate::support::canary::{Canary, Collected};
use crate::support::daemon::Daemon;
use crate::support::wait_for;
use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use ocelli::secret::Secret;
use ocelli::telemetry::logging::{self, LogTarget, Redactor};
use ocelli::telemetry::settings::LogSettings;
use ocelli::telemetry::troubles::Troubles;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SECRET: &str = "CANARYinApanic\"%:\\z";

/// The shapes in which a message might have it.
fn messages() -> [String; 3] {
    [
        format!("no password {SECRET} here"),
        format!("called `Result::unwrap()` on an `Err` value: {SECRET:?}"),
        format!("rtsp://viewer:{SECRET}@127.0.0.1/ and Basic {}", STANDARD.encode(format!("viewer:{SECRET}"))),
    ]
}

fn assert_hidden(from: &str, text: &str) {
    let mut collected = Collected::default();
    collected.add(from, text);
    let leaks = collected.leaks(&[Canary::new("a panic", "CANARYinApanic")]);
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// Panics with the log of the daemon set up, in a process of its own: a panic's hook is that of the whole process.
#[test]
fn what_the_daemon_says_when_it_panics_has_no_secret() {
    const VARIABLE: &str = "OCELLI_TEST_PANICS";
    if std::env::var_os(VARIABLE).is_some() {
        let redactor = Redactor::default();
        redactor.register(&Secret::new(SECRET));
        let to = LogTarget::StandardError;
        let _log = logging::init(&LogSettings::default(), redactor, &to, Troubles::default()).unwrap();
        let panics = messages().map(|message| std::thread::spawn(move || panic!("{message}")).join());
        assert!(panics.iter().all(Result::is_err));
        // As a library has it in an error, in quotes.
        SECRET.parse::<u32>().map_err(|_| SECRET).expect("it is a number");
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "panics::what_the_daemon_says_when_it_panics_has_no_secret", "--nocapture"])
        .envs([(VARIABLE, "1"), ("RUST_BACKTRACE", "1")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.matches("panicked at tests/secrets/panics.rs").count(), 4, "{text}");
    assert!(text.contains("no password *** here") && text.contains("stack backtrace"), "{text}");
    assert_hidden("standard error", &text);
}

/// A real panic in real children: a library that one loads as a plugin, and the other as ONNX Runtime.
#[test]
fn what_children_say_when_they_panic_is_logged_without_a_secret() {
    let home = tempfile::tempdir().unwrap();
    let library = Path::new(env!("CARGO_BIN_EXE_ocelli")).parent().unwrap().join("examples/libprobe.so");
    for (directory, file) in [("plugins", "libgstprobe.so"), ("runtime", "probe.so")] {
        let directory = home.path().join(directory);
        fs::create_dir(&directory).unwrap();
        fs::copy(&library, directory.join(file)).unwrap();
        fs::write(directory.join("probe.txt"), format!("panics={}", messages().join("; "))).unwrap();
    }
    // GStreamer cannot write its registry there, so that each process looks at the plugins itself.
    fs::create_dir(home.path().join("registry.bin")).unwrap();
    let settings = format!(
        "[mqtt]\nenabled = false\n[log]\nlevel = \"trace\"\n[units]\nruntime_library = \"{}\"\n\
         [[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n\
         [[cameras]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1:1/x\"\n\
         credentials = {{ user = \"viewer\", password = '{SECRET}' }}\n",
        home.path().join("runtime/probe.so").display()
    );
    let [plugins, registry] = ["plugins", "registry.bin"].map(|name| home.path().join(name).display().to_string());
    let variables = [("GST_PLUGIN_PATH", plugins.as_str()), ("GST_REGISTRY", &registry)];
    let daemon = Daemon::start_with_variables(0, &settings, &variables);
    let panicked =
        |log: &str, child: &str| log.lines().any(|line| line.contains("no password *** here") && line.contains(child));
    wait_for("the panics of both children", Duration::from_secs(60), || {
        let log = daemon.log();
        (panicked(&log, "camera yard") && panicked(&log, "unit coco-ssd")).then_some(())
    });
    assert_hidden("the log", &daemon.log());
}
