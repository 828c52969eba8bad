//! The architecture as data: who may use whom, which library belongs where, how large a file gets.
//! Each failure prints the sentence to read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A folder (or file) of `src/` and what it may use of the others. Vocabulary, boundary, children, parents,
/// composition, command line: dependencies point one way.
const MAY_USE: [(&str, &[&str]); 24] = [
    ("vision", &[]),
    ("secret", &[]),
    ("os", &["vision"]),
    ("model", &["vision"]),
    ("ipc", &["vision", "model", "os"]),
    ("unit", &["vision", "model", "os", "ipc"]),
    ("capture", &["vision", "model", "os", "ipc"]),
    ("admission", &["vision", "ipc"]),
    ("tracking", &["vision"]),
    ("publish", &["vision", "secret", "os"]),
    ("camera", &["vision", "secret", "ipc", "os", "publish", "tracking"]),
    ("supervisor", &["vision", "model", "ipc", "os", "admission"]),
    ("telemetry", &["vision", "secret"]),
    ("metering", &["vision", "os"]),
    ("evaluation", &["vision", "model"]),
    ("catalog", &["vision", "model", "os"]),
    ("model_store", &["vision", "model", "os"]),
    ("http", &["vision", "secret", "os", "model", "telemetry", "catalog", "control", "supervisor"]),
    ("control", &["vision", "os", "model", "ipc", "admission", "publish", "supervisor", "metering", "catalog"]),
    (
        "settings",
        &["vision", "secret", "os", "model", "camera", "http", "publish", "supervisor", "telemetry", "tracking"],
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
        ],
    ),
    ("cli", &["*"]),
    ("main", &["cli"]),
    ("lib", &["*"]),
];

/// A library and the only folders that may name it.
const BELONGS_TO: [(&str, &[&str]); 39] = [
    ("gstreamer", &["capture"]),
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
    ("rusqlite", &["publish"]),
    ("crc32fast", &["publish"]),
    ("rustls", &["publish", "http"]),
    ("tokio_rustls", &["http", "publish"]),
    ("rcgen", &["http"]),
    ("hmac", &["http"]),
    ("subtle", &["http"]),
    ("base64", &["http"]),
    ("uuid", &["http"]),
    ("tower_service", &["http"]),
    ("jiff", &["os"]),
    ("config", &["settings"]),
    ("tracing_subscriber", &["telemetry"]),
    ("prometheus_client", &["telemetry"]),
    ("axum", &["http"]),
    ("http_body_util", &["http"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("libc", &["os"]),
    ("memmap2", &["os"]),
    ("sd_notify", &["os"]),
    ("landlock", &["os"]),
    ("seccompiler", &["os"]),
    ("rustix", &["os", "ipc", "settings"]),
    ("postcard", &["ipc"]),
];

/// Look for the seam beyond this.
const MAX_LINES: usize = 320;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file: its folder under `src/`, its path, its text without tests and comments.
fn files() -> Vec<(String, String, String)> {
    let mut paths = Vec::new();
    sources(&root(), &mut paths);
    assert!(paths.len() > 60, "the sources are where this test looks");
    let read = |path: &PathBuf| {
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let folder = relative.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let code = if relative.ends_with("/tests.rs") || relative.contains("/tests/") {
            ""
        } else {
            text.split("#[cfg(test)]").next().unwrap()
        };
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        (folder, relative, lines.collect::<Vec<_>>().join("\n"))
    };
    paths.iter().map(read).collect()
}

/// The words that follow `prefix` in the code.
fn words_after<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(prefix).filter_map(move |(at, _)| {
        let rest = &code[at + prefix.len()..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        (end > 0).then_some(&rest[..end])
    })
}

#[test]
fn dependencies_point_one_way() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    for (folder, file, code) in files() {
        let Some(allowed) = rules.get(folder.as_str()) else {
            panic!("src/{file}: say in tests/architecture.rs what the new folder `{folder}` may use");
        };
        for used in words_after(&code, "crate::") {
            let is_allowed = used == folder || allowed.contains(&"*") || allowed.contains(&used);
            assert!(is_allowed, "src/{file} uses `{used}`: `{folder}` may use {allowed:?} only, see src/lib.rs");
        }
    }
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
    for (folder, file, code) in files() {
        for (library, homes) in BELONGS_TO {
            let is_used = code.match_indices(&format!("{library}::")).any(|(at, _)| {
                let before = code[..at].chars().next_back().unwrap_or(' ');
                !before.is_ascii_alphanumeric() && before != '_' && before != ':'
            });
            let is_home = homes.contains(&folder.as_str());
            assert!(!is_used || is_home, "src/{file} uses {library}, which belongs to {homes:?} only");
        }
    }
}

#[test]
fn unsafe_code_is_in_os_only() {
    for (folder, file, code) in files() {
        let has_unsafe = code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl");
        assert!(!has_unsafe || folder == "os", "src/{file}: `unsafe` belongs behind a safe type in src/os");
    }
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    let mut paths = Vec::new();
    sources(&root(), &mut paths);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines: look for the seam", path.display());
        assert!(text.starts_with("//!"), "{} does not begin with what it is for", path.display());
        let skipped = ["#[igno", "re"].concat();
        assert!(!text.contains(&skipped), "{}: a test that is skipped shows nothing", path.display());
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
