//! The unit file: hardened as far as was promised, by systemd's own judgement.

use std::process::Command;

#[test]
fn the_service_is_hardened() {
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--no-pager", "--threshold=15", "systemd/ocelli.service"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("systemd-analyze is missing: run `make setup`");
    let report = String::from_utf8_lossy(&output.stdout);
    let score = report.lines().rfind(|line| line.contains("Overall exposure level"));
    assert!(output.status.success() && score.is_some(), "more than 1.5: {score:?}\n{report}");
}
