//! Commands of the documents, word for word, at a box that runs: with a camera `yard`, the model `coco-ssd`, a broker, and
//! commands over MQTT. They run in a directory that has `state`, `testdata`, `models` and `lib` as a checkout has them.

use crate::document::documents;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::{from_setup, root, wait_for};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Documents whose Python is run.
pub const PYTHON: [&str; 1] = ["docs/aws.md"];

/// Beginnings of the lines in blocks that are run: by document, and what must be in their output.
const LINES: [(&str, &str, &str); 18] = [
    ("README.md", "ocelli status", "coco-ssd"),
    ("docs/operations.md", "ocelli status", "MODEL"),
    ("docs/settings.md", "ocelli camera list", "yard"),
    ("docs/settings.md", "ocelli config show", "box_id"),
    ("docs/settings.md", "ocelli config default", "[[cameras]]"),
    ("docs/settings.md", "ocelli reload", ""),
    ("docs/mqtt.md", "ocelli events --since 1h", ""),
    ("docs/mqtt.md", "ocelli snapshot yard --fresh", ""),
    ("docs/mqtt.md", "curl --unix-socket state/ocelli.sock -o yard.jpg", ""),
    ("docs/mqtt.md", "mosquitto_rr", "ocelli.reply.v1"),
    ("docs/units.md", "curl --unix-socket state/ocelli.sock -T", "person"),
    ("docs/units.md", "curl --unix-socket state/ocelli.sock -H", ""),
    ("docs/units.md", "ocelli ctl models", "coco-ssd"),
    ("docs/units.md", "ocelli hours", ""),
    ("docs/units.md", "ocelli ctl scale coco-ssd", ""),
    ("docs/units.md", "ocelli ctl swap coco-ssd", ""),
    ("docs/mqtt.md", "ocelli ctl disable yard", ""),
    ("docs/units.md", "ocelli ctl stop coco-ssd", ""),
];

/// What is another in a test: the box of the documents is called gate-1, its broker has the usual port, and it has time.
fn as_in_a_test(line: &str, broker: &Broker) -> String {
    let line = line.replace("/gate-1/", "/box/").replace("deadline_ms=500", "deadline_ms=30000");
    let line = line.replace("mosquitto_rr ", &format!("mosquitto_rr -W 20 -p {} ", broker.port));
    line.replace("curl ", "curl -sS --fail-with-body ")
}

/// Whether lines of this program in the document are run here.
pub fn runs(document: &str, program: &str) -> bool {
    LINES.iter().any(|(name, line, _)| *name == document && line.split(' ').next() == Some(program))
}

/// The whole line of the document that begins so.
fn line_of(name: &str, beginning: &str) -> String {
    let document = documents().into_iter().find(|document| document.name == name).unwrap();
    let lines = document.blocks().into_iter().flat_map(|block| block.command_lines());
    let found = lines.map(|(_, line)| line).find(|line| line.starts_with(beginning));
    found.unwrap_or_else(|| panic!("{name} has no line `{beginning}` any more: adjust tests/documents/live.rs"))
}

/// A directory like a checkout, beside the settings of the daemon.
fn workplace(daemon: &Daemon) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let link = |from: &Path, name: &str| std::os::unix::fs::symlink(from, place.path().join(name)).unwrap();
    link(&daemon.home().join("state"), "state");
    link(&daemon.home().join("ocelli.toml"), "my.toml");
    for name in ["testdata", "models", "lib"] {
        link(&root().join(name), name);
    }
    place
}

fn settings(yard: &RtspCamera) -> String {
    let models = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\nmax_inference_units = 4\n";
    format!(
        "{models}[units]\nmax_units = 4\n[mqtt]\nport = {{port}}\ncommands = true\n{}",
        camera("yard", yard.url(), 5)
    )
}

#[test]
fn commands_of_the_documents_do_at_a_running_box_what_they_say() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start(broker.port, &settings(&yard).replace("{port}", &broker.port.to_string()));
    daemon.wait_ready();
    wait_for("an event", Duration::from_secs(60), || (daemon.sum("ocelli_frames_detected") > 3.0).then_some(()));
    let place = workplace(&daemon);
    let programs = Path::new(env!("CARGO_BIN_EXE_ocelli")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    for (document, beginning, wanted) in LINES {
        let line = as_in_a_test(&line_of(document, beginning), &broker);
        let mut command = Command::new("bash");
        command.args(["-o", "pipefail", "-c", &line]).current_dir(place.path()).env("PATH", &path);
        command.env("OCELLI_CONFIG_FILE", daemon.home().join("ocelli.toml"));
        command.env("OCELLI_STATE_DIRECTORY", daemon.home().join("state"));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        // `ocelli status` ends with 1 where something is wrong, such as a broker that was just started.
        let is_done = output.status.success() || (beginning == "ocelli status" && output.status.code() == Some(1));
        assert!(is_done && text.contains(wanted), "{document}: `{line}`: {}\n{text}", output.status);
    }
    for picture in ["now.jpg", "yard.jpg"] {
        let bytes = std::fs::read(place.path().join(picture)).unwrap();
        assert!(bytes.starts_with(&[0xff, 0xd8]), "{picture} is no JPEG: {}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn the_python_of_the_page_for_aws_prints_what_stands_below_it() {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, "");
    daemon.wait_ready();
    for name in PYTHON {
        let document = documents().into_iter().find(|document| document.name == name).unwrap();
        let blocks = document.blocks();
        assert_eq!(blocks.iter().filter(|block| block.language == "python").count(), 1, "{name}: one of them is run");
        let at = blocks.iter().position(|block| block.language == "python").unwrap();
        let source = blocks[at].text().replace(":8480", &format!(":{}", daemon.http_port()));
        let python = from_setup(".setup/venv/bin/python");
        let output = Command::new(python).args(["-c", &source]).current_dir(root()).output().unwrap();
        let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {said}");
        assert_eq!((&*printed, blocks[at + 1].language.as_str()), (blocks[at + 1].text().as_str(), "text"), "{name}");
    }
}
