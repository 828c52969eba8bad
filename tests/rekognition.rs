//! The AWS-compatible API: boto3, the most common client, against the shipped binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::Duration;
use support::aws::AwsBox;
use support::{free_port, wait_for};

#[test]
fn boto3_meets_the_operations_limits_and_errors_of_the_cloud() {
    let aws = AwsBox::start();
    let output = aws.python("boto3_suite").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("OK"), "{text}\n{}", aws.daemon.log());
    assert_eq!(aws.daemon.sum("ocelli_unit_restarts"), 0.0, "no call killed a unit");
    aws.daemon.assert_ledger_closes();
}

#[test]
fn malicious_images_are_refused_and_cost_other_callers_nothing() {
    let aws = AwsBox::start_unsigned();
    let output = aws.python("bombs.py").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}\n{}", String::from_utf8_lossy(&output.stderr), aws.daemon.log());
    assert!(text.lines().filter(|line| line.starts_with("PASS ")).count() >= 40, "{text}");
    assert_eq!(aws.daemon.sum("ocelli_unit_restarts"), 0.0, "no image killed a unit");
    aws.daemon.assert_ledger_closes();
}

#[test]
fn the_public_address_takes_signed_calls_over_tls_only() {
    let port = free_port();
    let aws = AwsBox::start_public(port);
    let certificate = aws.daemon.home().join("state/tls/certificate.pem");
    wait_for("the certificate", Duration::from_secs(10), || certificate.exists().then_some(()));
    let output = aws
        .python("tls_check.py")
        .env("OCELLI_PUBLIC", format!("https://localhost:{port}"))
        .env("OCELLI_CERTIFICATE", &certificate)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), aws.daemon.log());
    assert!(aws.daemon.log().contains("fingerprint"));
}

#[test]
fn a_started_version_runs_again_after_a_restart_and_a_stopped_one_does_not() {
    let mut aws = AwsBox::start();
    let mut arns = Vec::new();
    for phase in ["begin", "again", "stopped"] {
        let output = aws.python("restart_check.py").arg(phase).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{phase}: {text}\n{}", aws.daemon.log());
        arns.push(output.stdout);
        let is_named = |line: &str| line.split_whitespace().skip(1).take(2).eq(["edge", "v1"]);
        wait_for("hours by project and version", Duration::from_secs(5), || {
            aws.daemon.succeed(&["hours"]).lines().any(is_named).then_some(())
        });
        aws.daemon.restart();
        aws.daemon.wait_ready();
    }
    assert!(!arns[0].is_empty() && arns.iter().all(|arn| *arn == arns[0]), "an ARN survives restarts");
}
