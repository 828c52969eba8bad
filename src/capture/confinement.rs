//! What a capture process can reach while it reads a camera's stream: GStreamer's files, name
//! resolution, video devices and the network.

use crate::os::sandbox::Sandbox;
use std::path::PathBuf;

/// GStreamer and its plugins, name resolution, authorities for `rtsps://`, and what drivers look up.
/// Not the rest of /etc: the passwords of other cameras lie there.
const SYSTEM: [&str; 20] = [
    "/usr",
    "/lib",
    "/lib64",
    "/opt",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/proc/sys/net",
    "/sys",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/localtime",
    "/etc/fonts",
    "/run/systemd/resolve",
];

/// The variables of GStreamer that name more plugins.
const PLUGIN_PATHS: [&str; 3] = ["GST_PLUGIN_PATH", "GST_PLUGIN_SYSTEM_PATH", "LD_LIBRARY_PATH"];

/// The sandbox of a capture process. Makes the directory of GStreamer's registry, which must be there to be allowed.
pub(super) fn sandbox() -> Sandbox {
    let mut readable: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    for variable in PLUGIN_PATHS {
        readable.extend(std::env::var_os(variable).iter().flat_map(std::env::split_paths));
    }
    let mut writable = vec![PathBuf::from("/dev")];
    if let Some(registry) = registry_directory() {
        if let Err(error) = std::fs::create_dir_all(&registry) {
            tracing::debug!(directory = %registry.display(), %error, "GStreamer's registry cannot be kept");
        }
        writable.push(registry);
    }
    Sandbox { readable, writable, network: true }
}

/// Where GStreamer keeps what it knows of its plugins.
fn registry_directory() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("GST_REGISTRY") {
        return PathBuf::from(file).parent().map(PathBuf::from);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    Some(cache?.join("gstreamer-1.0"))
}
