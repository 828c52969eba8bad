//! The environment of child processes. Only the variables that are named here are inherited.

use crate::ipc::camera_source::MEMORY_VARIABLE;
use crate::os::sandbox::{ABI_VARIABLE, MODE_VARIABLE, SandboxMode};
use crate::settings::Settings;
use std::collections::BTreeMap;

/// Inherited if set: paths of libraries and plugins, devices, and log levels.
const INHERITED: [&str; 14] = [
    "PATH",
    "HOME",
    "LANG",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "LD_LIBRARY_PATH",
    "LIBVA_DRIVER_NAME",
    "CUDA_VISIBLE_DEVICES",
    "GST_DEBUG",
    "GST_PLUGIN_PATH",
    "GST_PLUGIN_SYSTEM_PATH",
    "GST_REGISTRY",
    "RUST_BACKTRACE",
    // What tests see of an older kernel.
    ABI_VARIABLE,
];

/// Set for every child.
const FIXED: [(&str, &str); 7] = [
    // glibc otherwise keeps what a session has freed: measured, 356 MB after dropping four sessions.
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
    // ONNX Runtime 1.29 and later upload usage data unless this is set.
    ("ORT_DISABLE_TELEMETRY", "1"),
    // A capture process starts no programs, ...
    ("GST_REGISTRY_FORK", "no"),
    // ... and has no desktop with settings and proxies.
    ("GSETTINGS_BACKEND", "memory"),
    ("GIO_USE_PROXY_RESOLVER", "dummy"),
    // GStreamer's conversions compile themselves otherwise, which a confined process may not, and end it with an abort.
    ("ORC_CODE", "backup"),
];

/// The environment of a capture process.
pub fn capture_environment(level: &str, settings: &Settings) -> BTreeMap<String, String> {
    let mut environment = child_environment(level, settings.sandbox.mode);
    let capture = &settings.capture;
    let megabytes = u64::from(capture.memory_megabytes) * u64::from(capture.most_per_process(settings.cameras.len()));
    environment.insert(MEMORY_VARIABLE.to_owned(), megabytes.to_string());
    environment
}

/// The environment of a child process with this log level and sandbox mode.
pub fn child_environment(level: &str, sandbox: SandboxMode) -> BTreeMap<String, String> {
    let inherited = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    let fixed = FIXED.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let given = [("OCELLI_LOG", level), (MODE_VARIABLE, sandbox.name())];
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    inherited.chain(fixed).chain(given).collect()
}
