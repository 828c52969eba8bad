//! A small file system that only one process has: a tmpfs in a mount namespace of its own, which ends with it. Root may
//! make one, and others where the machine lets them have user namespaces.

use super::wait_for;
use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SCRIPT: &str = r#"options="$1" place="$2"; shift 2; mount -t tmpfs -o "$options" tmpfs "$place" && exec "$@""#;

/// Starts a program with its arguments where `place` is a tmpfs with these options. A machine that allows none fails
/// the test: without it the test shows nothing.
pub fn spawn(program: &Command, arguments: &[OsString], place: &Path, options: &str) -> Child {
    std::fs::create_dir_all(place).unwrap();
    let mut command = Command::new("unshare");
    command.args(if is_root() { ["--mount"].as_slice() } else { &["--user", "--map-root-user", "--mount"] });
    command.args(["sh", "-c", SCRIPT, "sh", options]).arg(place).arg(program.get_program()).args(arguments);
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(program.get_current_dir().unwrap());
    let mut process = command.stdout(Stdio::piped()).spawn().expect("unshare, of util-linux, is missing");
    wait_for("the small file system", Duration::from_secs(10), || {
        let ended = process.try_wait().unwrap();
        assert!(
            ended.is_none(),
            "no file system can be mounted here ({}): run the tests as root, or allow user namespaces \
             (kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)",
            ended.unwrap()
        );
        let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", process.id())).unwrap_or_default();
        mounts.contains(&format!(" {} ", place.display())).then_some(())
    });
    process
}

/// The way to a place in another process's mount namespace.
pub fn seen_from_outside(pid: u32, place: &Path) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join("root").join(place.strip_prefix("/").unwrap())
}

/// Changes the options of a process's file system.
pub fn remount(pid: u32, place: &Path, options: &str) {
    let mut command = Command::new("nsenter");
    command.args(["--target", &pid.to_string(), "--mount"]);
    if !is_root() {
        command.args(["--user", "--preserve-credentials"]);
    }
    let status = command.args(["mount", "-o", &format!("remount,{options}")]).arg(place).status().unwrap();
    assert!(status.success(), "remount: {status}");
}

/// Takes all the room that is left on the disk of a file, with that file.
pub fn fill(file: &Path) {
    let mut filler = std::fs::File::create(file).unwrap();
    for block in [64 << 10, 4096, 1] {
        let error = loop {
            if let Err(error) = filler.write_all(&vec![1; block]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
