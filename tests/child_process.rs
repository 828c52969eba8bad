//! Starting a child while descriptors run out: whatever fails, and wherever, no process is left behind.
//!
//! The one test of this file, because it takes all descriptors of its process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::ipc::child_process::{ChildEvent, ChildHandle, ChildSpec, Spawner};
use ocelli::ipc::messages::FromUnit;
use rustix::process::{Resource, Rlimit, WaitIdOptions, setrlimit, waitid};
use std::collections::BTreeMap;
use std::fs::File;
use std::time::Duration;
use support::wait_for;
use tokio::sync::mpsc;

/// More than a spawn takes.
const MOST: usize = 24;

fn spawn(spawner: &Spawner) -> std::io::Result<(ChildHandle, mpsc::Receiver<ChildEvent<FromUnit>>)> {
    let (sender, events) = mpsc::channel(4);
    // It reads its channel, so that it lives until it is killed.
    let (program, arguments) = ("/bin/cat".into(), Vec::new());
    let spec = ChildSpec { program, arguments, environment: BTreeMap::new(), name: "cat".into() };
    Ok((spawner.spawn(&spec, sender, |event| event)?, events))
}

/// True while this process has a child, dead or alive, that has not been waited for.
fn has_child() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(rustix::process::WaitId::All, options).is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_spawn_that_fails_for_want_of_descriptors_leaves_no_process_behind() {
    let spawner = Spawner::start().unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum: Some(256) }).unwrap();
    let mut failures_after_fork = 0;
    let mut successes = 0;
    for free in 0..MOST {
        let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        taken.truncate(taken.len() - free);
        match spawn(&spawner) {
            Ok((child, mut events)) => {
                successes += 1;
                child.kill();
                let ended = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap();
                assert!(matches!(ended, Some(ChildEvent::Ended { .. })), "{free} free: {ended:?}");
            }
            Err(_) => failures_after_fork += usize::from(has_child()),
        }
        drop(taken);
        wait_for("the end of all children", Duration::from_secs(10), || (!has_child()).then_some(()));
    }
    assert!(failures_after_fork > 0 && successes > 0, "{failures_after_fork} after the fork, {successes} started");
}
