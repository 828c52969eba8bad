//! The AWS-compatible API with the client that most people use: boto3 against the shipped binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::process::Command;
use support::aws::AwsBox;
use support::{from_setup, root};

#[test]
fn boto3_finds_every_operation_bound_and_error() {
    let aws = AwsBox::start("");
    let output = Command::new(from_setup(".setup/venv/bin/python"))
        .arg(root().join("tests/conformance/boto3_suite.py"))
        .envs(aws.environment())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("OK"), "{text}\n{}", aws.daemon.log());
    assert_eq!(aws.daemon.sum("ocelli_unit_restarts"), 0.0, "no call has cost a unit");
    aws.daemon.assert_ledger_closes();
}
