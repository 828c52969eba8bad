//! Objects of buckets: boto3's `s3` and requests that no SDK would send, against the shipped binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::aws::AwsBox;
use support::broker::Broker;
use support::daemon::Daemon;
use support::{free_port, from_setup, root, signal, small_disk, wait_for};

const SECONDS: Duration = Duration::from_secs(1);

fn succeed(command: &mut Command, daemon: &Daemon) -> String {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}\n{}", daemon.log());
    text
}

#[test]
fn boto3_reads_writes_and_lists_objects_and_others_are_refused() {
    let port = free_port();
    let aws = AwsBox::start_objects(port);
    let certificate = aws.daemon.home().join("state/tls/certificate.pem");
    wait_for("the certificate", 10 * SECONDS, || certificate.exists().then_some(()));
    wait_for("the public port", 10 * SECONDS, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let public = format!("https://localhost:{port}");
    let mut suite = aws.python("s3_suite");
    succeed(suite.env("OCELLI_PUBLIC", public).env("OCELLI_CERTIFICATE", &certificate), &aws.daemon);
    let left: Vec<_> = std::fs::read_dir(aws.bucket().join(".ocelli-uploads")).unwrap().collect();
    assert!(left.is_empty(), "nothing is left of refused uploads: {left:?}");
    for secret in ["operator-secret", "writer-secret"] {
        assert!(!aws.daemon.log().contains(secret));
    }
    aws.daemon.assert_ledger_closes();
}

#[test]
fn what_was_being_received_when_the_daemon_died_is_removed_and_what_was_there_stays() {
    let mut aws = AwsBox::start_objects(free_port());
    let mut client = aws.python("s3_suite/half.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(client.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "half\n", "{}", aws.daemon.log());
    let uploads = aws.bucket().join(".ocelli-uploads");
    let count = || std::fs::read_dir(&uploads).map_or(0, Iterator::count);
    wait_for("the half upload", 10 * SECONDS, || (count() == 1).then_some(()));
    signal(aws.daemon.pid(), rustix::process::Signal::KILL);
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(count(), 1, "the daemon died before it could remove it");
    aws.daemon.start_again();
    aws.daemon.wait_ready();
    wait_for("the half upload to go", 10 * SECONDS, || (count() == 0).then_some(()));
    let photo = std::fs::read(from_setup("testdata/photo.jpg")).unwrap();
    assert_eq!(std::fs::read(aws.bucket().join("photo.jpg")).unwrap(), photo);
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let (home, broker) = (tempfile::tempdir().unwrap(), Broker::start());
    let place = home.path().join("disk");
    std::fs::create_dir(&place).unwrap();
    let settings = format!(
        "[[access_keys]]\naccess_key_id = \"AKIDWRITER\"\nsecret = \"writer-secret\"\nrole = \"bucket-writer\"\n\
         buckets = [\"files\"]\n[[buckets]]\nname = \"files\"\ndirectory = \"{}\"\ns3 = \"read-write\"\n",
        place.display()
    );
    let daemon = Daemon::start_with_disk_at(broker.port, &settings, &place, "size=80m");
    daemon.wait_ready();
    let disk = small_disk::seen_from_outside(daemon.pid(), &place);
    std::fs::write(disk.join("photo.jpg"), "as it was").unwrap();
    let mut command = Command::new(from_setup(".setup/venv/bin/python"));
    command.arg(root().join("tests/conformance/s3_suite/full_disk.py"));
    command.env("OCELLI_ENDPOINT", format!("http://127.0.0.1:{}", daemon.http_port()));
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut next = || lines.next().map(Result::unwrap);
    assert_eq!(next().as_deref(), Some("too large: InsufficientStorage 507"), "{}", daemon.log());
    assert_eq!(next().as_deref(), Some("half"));
    // Another program takes the room that the object was promised.
    small_disk::fill(&disk.join("filler"));
    writeln!(client.stdin.take().unwrap(), "go on").unwrap();
    assert_eq!(next().as_deref(), Some("filled meanwhile: InsufficientStorage 507"), "{}", daemon.log());
    std::fs::remove_file(disk.join("filler")).unwrap();
    assert_eq!(next().as_deref(), Some("with room again: 200"), "{}", daemon.log());
    assert!(client.wait().unwrap().success());
    assert_eq!(std::fs::read(disk.join("photo.jpg")).unwrap(), b"as it was");
    assert_eq!(std::fs::read_dir(disk.join(".ocelli-uploads")).unwrap().count(), 0);
}
