//! The AWS-compatible API with unmodified clients: boto3, the AWS CLI 1 and 2, the SDKs for JavaScript and Rust;
//! `make conformance` installs them and runs it.
//!
//! Prints what each client found, and writes `target/reports/conformance.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a check that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/report.rs"]
mod report;

use report::Figure;
use std::process::{Command, ExitCode};
use support::aws::AwsBox;
use support::{from_setup, root};

/// Checks that passed and all checks of a suite.
struct Tally {
    passed: usize,
    all: usize,
}

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let clients = |path: &str| from_setup(&format!(".setup/clients/{path}"));
    let suite = |path: &str| root().join("tests/conformance").join(path);
    let python = || Command::new(from_setup(".setup/venv/bin/python"));
    let cli = |aws: std::path::PathBuf, error_code: &str| {
        let mut command = python();
        command.arg(suite("cli_suite.py")).arg(aws).arg(error_code);
        command
    };
    let boto3 = {
        let mut command = python();
        command.arg(suite("boto3_suite"));
        command
    };
    let javascript = {
        let mut command = Command::new("node");
        command.arg(suite("js_suite.mjs")).env("OCELLI_NODE_MODULES", clients("node_modules"));
        command
    };
    let rust = Command::new(from_setup("target/rust_suite/debug/rust_suite"));
    let suites = [
        ("conformance: boto3 1.44", boto3),
        ("conformance: AWS CLI 1.46", cli(clients("cli/bin/aws"), "255")),
        ("conformance: AWS CLI 2 of Debian", cli("/usr/bin/aws".into(), "254")),
        ("conformance: SDK for JavaScript 3.940", javascript),
        ("conformance: SDK for Rust 1.123", rust),
    ];
    let mut figures = Vec::new();
    let mut has_failed = false;
    for (name, command) in suites {
        println!("{name} ...");
        let tally = run(command);
        has_failed |= tally.all == 0 || tally.passed < tally.all;
        let (value, bar) = (tally.passed as f64 / tally.all.max(1) as f64, Some(1.0));
        let method = "checks that passed of all; each suite against a daemon of its own, with real units and packages";
        println!("{name}: {} of {} checks passed", tally.passed, tally.all);
        figures.push(Figure { name, value, unit: "ratio", bar, method });
    }
    has_failed |= !bombs(&mut figures);
    has_failed |= figures.iter().any(|figure| figure.is_ok() == Some(false));
    report::report("conformance", &figures);
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Pictures that are made to hurt: that all are refused rightly, and what the worst of them costs.
fn bombs(figures: &mut Vec<Figure>) -> bool {
    println!("bombs ...");
    let aws = AwsBox::start_unsigned();
    let mut command = Command::new(from_setup(".setup/venv/bin/python"));
    command.arg(root().join("tests/conformance/bombs.py")).envs(aws.environment());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    let worst = text.lines().rfind(|line| line.starts_with('{')).unwrap_or("{}");
    let worst: serde_json::Value = serde_json::from_str(worst).unwrap();
    let number = |key: &str| worst[key].as_f64().unwrap_or(f64::NAN);
    let passed = text.lines().filter(|line| line.starts_with("PASS ")).count() as f64;
    let method = "pictures made to hurt, each sent as an API call; refused with the right error, a good call answered as \
                  before right after it, no process lost";
    figures.push(Figure {
        name: "bombs: refused rightly",
        value: passed / number("bombs"),
        unit: "ratio",
        bar: Some(1.0),
        method,
    });
    let method = "user and system time of the daemon and its children for one bomb";
    figures.push(Figure {
        name: "bombs: most processor time",
        value: number("cpu_seconds"),
        unit: "s",
        bar: Some(1.2),
        method,
    });
    let method = "peak resident memory of the daemon and its children above what they had before one bomb";
    figures.push(Figure {
        name: "bombs: most memory",
        value: number("memory_mb"),
        unit: "MB",
        bar: Some(64.0),
        method,
    });
    output.status.success()
}

/// Runs a suite, shows what it prints, and counts its checks: `PASS` and `FAIL` lines, or those of unittest.
fn run(mut command: Command) -> Tally {
    let aws = AwsBox::start();
    let output = command.envs(aws.environment()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let is_passed = |line: &&str| line.starts_with("PASS ") || line.ends_with("... ok");
    let is_failed =
        |line: &&str| line.starts_with("FAIL ") || line.ends_with("... FAIL") || line.ends_with("... ERROR");
    let (passed, failed) = (text.lines().filter(is_passed).count(), text.lines().filter(is_failed).count());
    for line in text.lines().filter(|line| is_passed(line) || is_failed(line)) {
        println!("  {line}");
    }
    if !output.status.success() {
        println!("{text}");
    }
    // A suite that ended early has not passed what it did not come to.
    let early = usize::from(!output.status.success() && failed == 0);
    Tally { passed, all: passed + failed + early }
}
