//! The AWS-compatible API and S3 with unmodified clients: boto3 of five years, the AWS CLI 1 and 2, the SDKs for JavaScript 2
//! and 3, Go and Rust; how callers fare whom the box refuses; what a call costs; and pictures that are made to hurt.
//! `make conformance` installs the clients and runs it; `OCELLI_CONFORMANCE_ONLY=load` does one part.
//!
//! Prints what each client found, and writes `target/reports/conformance.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a check that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/report.rs"]
mod report;

#[path = "../harness/parts.rs"]
mod parts;

mod bombs;
mod load;
mod relay;
mod suites;

use std::process::{Command, ExitCode};
use support::aws::AwsBox;
use support::{from_setup, root};

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let parts: [parts::Part; 4] = [
        ("suites", suites::measure),
        ("load", load::measure),
        ("overhead", load::measure_overhead),
        ("bombs", bombs::measure),
    ];
    let figures = parts::measure("conformance", &parts);
    let has_missed = figures.iter().any(|figure| figure.is_ok() == Some(false));
    if has_missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A script of `tests/conformance` with these arguments, in the Python of the set-up.
fn python(script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(from_setup(".setup/venv/bin/python"));
    command.arg(root().join("tests/conformance").join(script)).args(arguments);
    command
}

/// What a script prints as its last line, a JSON object, after it has run against a box.
fn object_of(mut command: Command, aws: &AwsBox) -> serde_json::Value {
    let output = command.envs(aws.environment()).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    println!("  {}", text.trim());
    serde_json::from_str(text.trim().lines().last().unwrap()).unwrap()
}
