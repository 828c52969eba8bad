//! The unit file: hardened as far as was promised, by systemd's own judgement, and as `make install` needs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

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

fn unit() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/ocelli.service")).unwrap()
}

#[test]
fn wrong_settings_are_not_tried_again_and_everything_else_is() {
    let unit = unit();
    let is_set = |line: &str| unit.lines().any(|other| other == line);
    assert!(is_set("Restart=always") && is_set("RestartPreventExitStatus=78"));
}

#[test]
fn the_directory_of_the_settings_has_the_mode_that_the_installation_gives_it() {
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/postinst")).unwrap();
    assert!(script.contains("install -d -m 750 -o root -g ocelli /etc/ocelli\n"), "the unit file must say the same");
    assert!(unit().contains("\nConfigurationDirectoryMode=0750\n"), "systemd complains of every start otherwise");
}

#[test]
fn the_settings_are_in_the_file_alone_and_paths_can_be_put_below_a_prefix() {
    let unit = unit();
    assert!(!unit.contains("Environment=OCELLI_"), "the environment would win over the file that people edit");
    let commands: Vec<&str> = unit.lines().filter(|line| line.starts_with("Exec")).collect();
    assert!(commands.len() == 2 && commands[0].contains("=/usr/bin/ocelli run "), "{commands:?}");
    assert_eq!(commands[1], "ExecReload=/bin/kill -HUP $MAINPID");
}
