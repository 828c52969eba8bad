//! The architecture as data: who may use whom, which library belongs where, how large a file gets.
//! Each failure prints the sentence to read.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/source.rs"]
mod source;

use imports::Imports;
use source::{files, root};
use std::collections::BTreeMap;

/// A folder (or file) of `src/` and what it may use of the others. Vocabulary, boundary, children, parents,
/// composition, command line: dependencies point one way.
const MAY_USE: [(&str, &[&str]); 31] = [
    ("vision", &[]),
    ("secret", &[]),
    ("os", &["vision"]),
    ("model", &["vision"]),
    ("ipc", &["vision", "model", "os"]),
    ("unit", &["vision", "model", "os", "ipc"]),
    ("capture", &["vision", "model", "os", "ipc"]),
    ("admission", &["vision", "ipc"]),
    ("tracking", &["vision"]),
    ("kept", &["os", "vision"]),
    ("publish", &["vision", "secret", "os"]),
    ("camera", &["vision", "secret", "ipc", "os", "tracking"]),
    ("supervisor", &["vision", "model", "ipc", "os", "admission"]),
    ("telemetry", &["vision", "secret", "model", "supervisor", "publish"]),
    ("metering", &["vision", "os"]),
    ("live", &["vision", "os", "ipc", "telemetry"]),
    ("clips", &["vision", "os", "ipc", "tracking", "telemetry", "live"]),
    ("discover", &["vision", "secret", "os", "ipc"]),
    ("evaluation", &["vision", "model"]),
    ("cluster", &["vision", "secret", "os"]),
    ("engine_choice", &["vision", "model", "os", "ipc", "supervisor", "evaluation"]),
    ("catalog", &["vision", "model", "os", "kept"]),
    ("model_store", &["vision", "model", "os"]),
    (
        "http",
        &[
            "vision",
            "secret",
            "os",
            "model",
            "telemetry",
            "catalog",
            "control",
            "supervisor",
            "live",
            "clips",
            "cluster",
        ],
    ),
    ("control", &["vision", "os", "model", "ipc", "admission", "publish", "supervisor", "metering", "catalog", "live"]),
    (
        "core",
        &[
            "vision",
            "secret",
            "os",
            "model",
            "ipc",
            "admission",
            "publish",
            "tracking",
            "camera",
            "supervisor",
            "metering",
            "catalog",
            "control",
        ],
    ),
    (
        "settings",
        &[
            "vision",
            "secret",
            "os",
            "model",
            "camera",
            "clips",
            "cluster",
            "http",
            "publish",
            "supervisor",
            "telemetry",
            "tracking",
        ],
    ),
    (
        "appliance",
        &[
            "vision",
            "secret",
            "os",
            "model",
            "ipc",
            "admission",
            "publish",
            "tracking",
            "camera",
            "supervisor",
            "metering",
            "catalog",
            "telemetry",
            "control",
            "settings",
            "core",
            "engine_choice",
            "kept",
            "live",
            "clips",
            "cluster",
        ],
    ),
    ("cli", &["*"]),
    ("main", &["cli"]),
    ("lib", &["*"]),
];

/// A library and the only folders that may name it.
const BELONGS_TO: [(&str, &[&str]); 57] = [
    ("gstreamer", &["capture", "os"]),
    ("gstreamer_rtsp_sys", &["os"]),
    ("h264_reader", &["capture"]),
    ("http_auth", &["capture"]),
    ("md5", &["capture", "http"]),
    ("gstreamer_app", &["capture"]),
    ("gstreamer_video", &["capture"]),
    ("ort", &["unit"]),
    ("image", &["unit"]),
    ("mozjpeg", &["unit", "capture"]),
    ("png", &["unit"]),
    ("prost", &["unit"]),
    ("yuv", &["unit"]),
    ("fast_image_resize", &["unit", "capture"]),
    ("rumqttc_v4", &["publish"]),
    ("rumqttc_v5", &["publish"]),
    ("schemars", &["publish", "vision"]),
    ("rusqlite", &["publish"]),
    ("crc32fast", &["publish", "http"]),
    ("crc", &["http"]),
    ("rustls", &["publish", "http", "capture"]),
    ("tokio_rustls", &["http", "publish"]),
    ("rcgen", &["http"]),
    ("argon2", &["http"]),
    ("hmac", &["http"]),
    ("subtle", &["http"]),
    ("base64", &["http", "discover", "capture", "telemetry"]),
    ("base64_simd", &["http"]),
    ("quick_xml", &["discover", "capture", "http"]),
    ("sha1", &["discover", "http"]),
    ("uuid", &["http"]),
    ("percent_encoding", &["http"]),
    ("tower_service", &["http"]),
    ("jiff", &["os"]),
    ("config", &["settings"]),
    ("toml_edit", &["settings"]),
    ("strsim", &["settings"]),
    ("etcd_client", &["cluster"]),
    ("ring", &["cluster", "http", "publish", "capture"]),
    ("tracing_subscriber", &["telemetry"]),
    ("prometheus_client", &["telemetry"]),
    ("axum", &["http"]),
    ("http_body_util", &["http", "discover"]),
    ("hyper", &["http", "discover"]),
    ("hyper_util", &["http", "discover"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("libc", &["os"]),
    ("memmap2", &["os"]),
    ("sd_notify", &["os"]),
    ("landlock", &["os"]),
    ("seccompiler", &["os"]),
    ("rustix", &["os", "ipc", "settings"]),
    ("postcard", &["ipc"]),
    ("syscalls", &["ipc"]),
];

/// Code that decides, and its files that do not: they start processes and wait for them. It is given `now` and returns
/// what is to be done, so that a whole box can be run in simulated time.
const DECIDES: [(&str, &[&str]); 9] = [
    ("core", &[]),
    ("admission", &[]),
    (
        "cluster",
        &[
            "cluster/check.rs",
            "cluster/client.rs",
            "cluster/etcd/mod.rs",
            "cluster/etcd/changes.rs",
            "cluster/etcd/commit.rs",
            "cluster/etcd/error.rs",
            "cluster/etcd/lease_keeper.rs",
            "cluster/operator.rs",
            "cluster/promise.rs",
            "cluster/sealed_passwords.rs",
            "cluster/session/mod.rs",
            "cluster/session/acts.rs",
            "cluster/session/alone.rs",
            "cluster/session/hours.rs",
            "cluster/session/joining.rs",
            "cluster/session/models.rs",
            "cluster/session/orders.rs",
            "cluster/session/telling.rs",
            "cluster/status.rs",
        ],
    ),
    ("tracking", &[]),
    ("live", &["live/relay.rs", "live/reader.rs"]),
    ("clips", &["clips/disk.rs", "clips/recorder.rs", "clips/shared.rs", "clips/writer.rs"]),
    (
        "supervisor",
        &[
            "supervisor/unit_process.rs",
            "supervisor/one_shot.rs",
            "supervisor/inspection.rs",
            "supervisor/rewriting.rs",
        ],
    ),
    ("camera", &["camera/capture_process.rs", "camera/clip_file.rs", "camera/network_guard.rs", "camera/trial.rs"]),
    (
        "discover",
        &[
            "discover/conversation.rs",
            "discover/http_post.rs",
            "discover/own_addresses.rs",
            "discover/probe.rs",
            "discover/reader_child.rs",
            "discover/reader_process.rs",
        ],
    ),
];

/// What deciding code does not name: disks, threads, clocks, channels.
const ACTS: [&str; 8] =
    ["std::fs", "tokio", "std::thread", "std::time::Instant", "SystemTime", "monotonic_now", "mpsc", "oneshot"];

/// What deciding code may use of `os`: values, and nothing that asks the operating system.
const VALUES_OF_OS: [&str; 1] = ["pidfd::ExitStatus"];

/// A line of documentation that is one of these words, alone or with one more, says nothing: `Which.`, `Its name.`
const EMPTY_WORDS: [&str; 10] = ["Which", "What", "When", "Whose", "Who", "Why", "How", "Where", "Its", "Their"];

/// A file that is longer has two subjects: find the place to cut it.
const MAX_LINES: usize = 320;

#[test]
fn dependencies_point_one_way() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    for file in files() {
        let (path, folder) = (&file.path, file.folder());
        let is_listed = rules.contains_key(folder);
        assert!(is_listed, "src/{path}: say in tests/architecture.rs what the new folder `{folder}` may use");
    }
    for (file, used) in Imports::new(files()).absolute_paths() {
        let (path, folder) = (&file.path, file.folder());
        let (allowed, used) = (rules[folder], used[0].as_str());
        let is_allowed = used == folder || allowed.contains(&"*") || allowed.contains(&used);
        assert!(is_allowed, "src/{path} uses `{used}`: `{folder}` may use {allowed:?} only, see src/lib.rs");
    }
}

#[test]
fn no_two_files_import_each_other() {
    let circles = Imports::new(files()).circles();
    for circle in &circles {
        println!("{} files import each other, directly or over others:", circle.files.len());
        circle.imports.iter().for_each(|import| println!("    {import}"));
    }
    assert!(circles.is_empty(), "{} circles: move what both sides need to a file of its own", circles.len());
}

#[test]
fn deciding_code_neither_waits_nor_asks_the_operating_system() {
    for (file, path) in Imports::new(files()).written_paths() {
        let decides = DECIDES.iter().find(|(folder, _)| *folder == file.folder());
        let Some((folder, _)) = decides.filter(|(_, shells)| !shells.contains(&file.path.as_str())) else { continue };
        let names = |acts: &str| path.starts_with(&format!("{acts}::")) || path.split("::").any(|part| part == acts);
        let acts = ACTS.iter().find(|acts| path == **acts || names(acts));
        let file = &file.path;
        assert!(acts.is_none(), "src/{file} names `{path}`: `{folder}` decides, and is given what it needs");
        let of_os = path.strip_prefix("crate::os::");
        let is_value = of_os.is_none_or(|item| VALUES_OF_OS.iter().any(|value| item.starts_with(value)));
        assert!(is_value, "src/{file} names `{path}`: of `os`, deciding code may use {VALUES_OF_OS:?} only");
    }
}

#[test]
fn documentation_says_something() {
    let mut empty = Vec::new();
    for file in files() {
        for (line, text) in (1..).zip(file.text.lines()) {
            let Some(sentence) = text.trim().strip_prefix("/// ").and_then(|text| text.strip_suffix('.')) else {
                continue;
            };
            let words: Vec<&str> = sentence.split(' ').collect();
            if words.len() <= 2 && EMPTY_WORDS.contains(&words[0]) {
                empty.push(format!("src/{}:{line}: /// {sentence}.", file.path));
            }
        }
    }
    assert!(empty.is_empty(), "say what the reader cannot see, or nothing: {empty:#?}");
}

#[test]
fn only_the_command_line_names_both_sides_of_the_process_boundary() {
    for (folder, allowed) in MAY_USE {
        let names_a_child = allowed.iter().any(|used| ["unit", "capture"].contains(used));
        assert!(!names_a_child, "`{folder}` may not use the children: they are other processes");
    }
}

#[test]
fn one_library_belongs_to_one_folder() {
    for (file, path) in Imports::new(files()).written_paths() {
        let root = path.split("::").next().unwrap_or_default();
        let Some((library, homes)) = BELONGS_TO.iter().find(|(library, _)| *library == root) else { continue };
        let is_home = homes.contains(&file.folder());
        assert!(is_home, "src/{} uses {library}, which belongs to {homes:?} only", file.path);
    }
}

#[test]
fn unsafe_code_is_in_os_only() {
    for file in files() {
        let has_unsafe = ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|code| file.code.contains(code));
        let (path, is_os) = (&file.path, file.folder() == "os");
        assert!(!has_unsafe || is_os, "src/{path}: `unsafe` belongs behind a safe type in src/os");
    }
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    for file in files() {
        let (path, lines) = (&file.path, file.text.lines().count());
        assert!(lines <= MAX_LINES, "src/{path} has {lines} lines: find the place to cut it");
        assert!(file.text.starts_with("//!"), "src/{path} does not begin with what it is for");
        let skipped = ["#[igno", "re"].concat();
        assert!(!file.text.contains(&skipped), "src/{path}: a test that is skipped shows nothing");
    }
}

#[test]
fn every_dependency_says_which_folder_uses_it() {
    let manifest = std::fs::read_to_string(root().parent().unwrap().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("[profile").next().unwrap();
    let mut commented = false;
    for line in dependencies.lines().filter(|line| !line.starts_with('[')) {
        match line.trim() {
            "" => {}
            text if text.starts_with('#') => commented = true,
            text => assert!(commented, "Cargo.toml: `{text}` does not say which folder uses it"),
        }
    }
}
