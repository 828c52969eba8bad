//! What a capture process can reach while it reads a camera's stream: GStreamer's files, name
//! resolution, video devices and the network.

use crate::capture::plugin_registry::Registry;
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
    if let Some(Registry { directory, .. }) = Registry::from_environment() {
        if let Err(error) = std::fs::create_dir_all(&directory) {
            tracing::debug!(directory = %directory.display(), %error, "GStreamer's registry cannot be kept");
        }
        writable.push(directory);
    }
    Sandbox { readable, writable, network: true }
}
