//! The unit file: hardened as far as was promised, by systemd's own judgement, and as `make install` needs it.

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

#[test]
fn the_settings_are_in_the_file_alone_and_paths_can_be_put_below_a_prefix() {
    let unit = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/ocelli.service")).unwrap();
    assert!(!unit.contains("Environment=OCELLI_"), "the environment would win over the file that people edit");
    let commands: Vec<&str> = unit.lines().filter(|line| line.starts_with("Exec")).collect();
    assert!(commands.len() == 1 && commands[0].contains("=/usr/bin/ocelli run "), "{commands:?}");
}
