//! The log of a service: standard error is a pipe that the daemon takes for the systemd journal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `ocelli run` with these settings, and what it writes to its journal.
fn run(home: &Path, settings: &str) -> (Child, BufReader<PipeReader>) {
    let file = home.join("ocelli.toml");
    std::fs::write(&file, settings).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let pipe = std::fs::metadata(format!("/proc/self/fd/{}", writer.as_raw_fd())).unwrap();
    let process = Command::new(env!("CARGO_BIN_EXE_ocelli"))
        .args(["run", "--config", file.to_str().unwrap()])
        .env("JOURNAL_STREAM", format!("{}:{}", pipe.dev(), pipe.ino()))
        .current_dir(home)
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    (process, BufReader::new(reader))
}

#[test]
fn mistakes_in_the_settings_are_errors_in_the_journal() {
    let home = tempfile::tempdir().unwrap();
    let (mut process, mut journal) = run(home.path(), "[log]\nformat = \"xml\"\nlevel = \"inof\"\n");
    let mut text = String::new();
    journal.read_to_string(&mut text).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(78), "{text}");
    assert!(text.lines().count() > 2 && text.lines().all(|line| line.starts_with("<3>")), "{text}");
}

#[test]
fn lines_have_the_priority_of_their_level_and_no_time() {
    let home = tempfile::tempdir().unwrap();
    let settings = "box_id = \"box\"\n[http]\nenabled = false\n[mqtt]\nenabled = false\n[[models]]\nname = \"missing\"\n\
                    [[zones]]\nname = \"nowhere\"\ncores = [60000]\n";
    let (mut process, mut journal) = run(home.path(), settings);
    let mut lines = vec![];
    while !lines.iter().any(|line: &String| line.contains("60000")) {
        lines.push(String::new());
        assert_ne!(journal.read_line(lines.last_mut().unwrap()).unwrap(), 0, "no warning of the zone: {lines:?}");
    }
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    lines.extend(journal.lines().map(Result::unwrap));
    assert!(process.wait().unwrap().success(), "{lines:?}");
    for line in &lines {
        let level = |name: &str| line.get(3..8) == Some(name);
        let is_right = match line.get(..3) {
            Some("<3>") => level("ERROR"),
            Some("<4>") => level(" WARN"),
            Some("<6>") => level(" INFO"),
            _ => false,
        };
        assert!(is_right && !line.contains("Z "), "{line}");
    }
}
