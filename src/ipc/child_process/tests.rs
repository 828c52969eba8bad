//! Children that start, and children that cannot be watched.

use super::*;
use crate::ipc::messages::FromUnit;
use crate::os::pidfd::ExitStatus;
use std::path::Path;
use std::process::ChildStderr;
use std::time::Instant;

type Started = (ChildHandle, mpsc::Receiver<ChildEvent<FromUnit>>);

fn spawn(spawner: &Spawner, program: &str) -> io::Result<Started> {
    spawn_with(spawner, program, &[])
}

fn spawn_with(spawner: &Spawner, program: &str, arguments: &[&str]) -> io::Result<Started> {
    let (sender, events) = mpsc::channel(4);
    let (arguments, environment) = (arguments.iter().map(ToString::to_string).collect(), BTreeMap::new());
    let spec = ChildSpec { program: program.into(), arguments, environment, title: "test".into() };
    Ok((spawner.spawn(&spec, sender, |event| event)?, events))
}

#[tokio::test]
async fn a_fork_that_panics_is_an_error_and_the_spawner_starts_the_next_child() {
    let mut is_first = true;
    let spawner = Spawner::start_with(move |command| {
        assert!(!std::mem::take(&mut is_first), "on purpose");
        command.spawn()
    });
    let spawner = spawner.unwrap();
    assert!(spawn(&spawner, "/bin/true").unwrap_err().to_string().contains("panicked"));
    let (_child, mut events) = spawn(&spawner, "/bin/true").unwrap();
    assert!(matches!(events.recv().await, Some(ChildEvent::Ended { status: ExitStatus::Code(0), .. })));
}

#[tokio::test]
async fn a_child_is_called_by_its_title() {
    let (child, _events) = spawn(&Spawner::start().unwrap(), "/bin/cat").unwrap();
    let read = || std::fs::read_to_string(format!("/proc/{}/cmdline", child.pid())).unwrap();
    let mut arguments = read();
    while arguments.is_empty() {
        // It is between the fork and the program.
        tokio::task::yield_now().await;
        arguments = read();
    }
    assert_eq!(arguments, "ocelli: test\0");
}

#[tokio::test]
async fn a_child_that_cannot_be_watched_is_ended_and_waited_for() {
    let (pids, started) = sync_channel(1);
    let spawner = Spawner::start_with(move |command| {
        let mut child = command.spawn()?;
        // Not a pipe, so the runtime refuses to watch it, as it would without a free descriptor.
        child.stderr = Some(ChildStderr::from(OwnedFd::from(std::fs::File::open("/dev/null")?)));
        pids.send(child.id()).unwrap();
        Ok(child)
    });
    assert!(spawn(&spawner.unwrap(), "/bin/cat").is_err());
    wait_for_the_end(started.recv().unwrap()).await;
}

#[tokio::test]
async fn a_disk_that_hangs_holds_up_no_caller_and_a_late_child_is_ended() {
    let (release, released) = sync_channel::<()>(1);
    let (pids, started) = sync_channel(2);
    let spawner = Spawner::start_with(move |command| {
        // Fails once the test has dropped its end.
        released.recv().unwrap_or_default();
        let child = command.spawn()?;
        pids.send(child.id()).unwrap();
        Ok(child)
    });
    let spawner = spawner.unwrap();
    assert_eq!(spawn(&spawner, "/bin/cat").unwrap_err().kind(), io::ErrorKind::TimedOut);
    let second = Instant::now();
    assert_eq!(spawn(&spawner, "/bin/cat").unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(second.elapsed() < FORK_LIMIT, "the second caller does not wait");
    drop(release);
    wait_for_the_end(started.recv().unwrap()).await;
    while spawn(&spawner, "/bin/true").is_err() {
        tokio::task::yield_now().await;
    }
}

/// A shell that starts another process, writes its number to the file and does `then`. Both hold the channel.
async fn with_grandchild(then: &str) -> (Started, u32) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("pid");
    let script = format!("/bin/sleep 1000 & echo $! >{0}.part; /bin/mv {0}.part {0}; {then}", file.display());
    let started = spawn_with(&Spawner::start().unwrap(), "/bin/sh", &["-c", &script]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Ok(pid) = std::fs::read_to_string(&file) {
            return (started, pid.trim().parse().unwrap());
        }
        assert!(Instant::now() < deadline, "the shell does not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// True for a zombie too: whoever inherits it may not wait for it.
fn has_ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

async fn wait_until_ended(pid: u32) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !has_ended(pid) {
        assert!(Instant::now() < deadline, "process {pid} still runs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_end_of_a_child_is_noticed_and_ends_what_it_has_started_though_that_holds_its_channel() {
    let ((_child, mut events), grandchild) = with_grandchild("exit 3").await;
    let ended = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.expect("its end is noticed");
    assert!(matches!(ended, Some(ChildEvent::Ended { status: ExitStatus::Code(3), violation: None })), "{ended:?}");
    wait_until_ended(grandchild).await;
}

#[tokio::test]
async fn a_kill_reaches_what_a_child_has_started() {
    let ((child, mut events), grandchild) = with_grandchild("wait").await;
    assert!(!has_ended(grandchild));
    child.kill();
    assert!(matches!(events.recv().await, Some(ChildEvent::Ended { status: ExitStatus::Signal(9), .. })));
    wait_until_ended(grandchild).await;
}

/// A zombie would still have its entry.
async fn wait_for_the_end(pid: u32) {
    let process = format!("/proc/{pid}");
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new(&process).exists() {
        assert!(Instant::now() < deadline, "{process} is still there");
        tokio::task::yield_now().await;
    }
}
