//! What a capture process can reach while it reads a camera's stream: GStreamer's files, name resolution and the devices
//! of decoders. Its parent decides which addresses it connects to.

use crate::capture::plugin_registry::Registry;
use crate::os::sandbox::Sandbox;
use crate::os::system_calls::ChildKind;
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

/// Devices that every program needs.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// How the names of devices begin that decode video: GPUs (VA-API), video for Linux, NVIDIA's, and those of SoCs with the
/// memory that they share with others.
const DECODERS: [&str; 11] =
    ["dri", "video", "media", "v4l-subdev", "nvidia", "nvhost", "nvmap", "mpp_service", "rga", "dma_heap", "mali"];

/// The sandbox of a capture process, which can read GStreamer's registry. Call it when that is up to date: a file must be
/// there to be allowed.
pub(super) fn sandbox() -> Sandbox {
    let mut sandbox = of_gstreamer(ChildKind::Capturing);
    sandbox.readable.extend(Registry::from_environment().map(|registry| registry.place()));
    sandbox
}

/// The sandbox of the process that writes the registry, and talks to nobody. Makes its directory.
pub(super) fn sandbox_of_registry_keeper() -> Sandbox {
    let mut sandbox = of_gstreamer(ChildKind::Computing);
    if let Some(Registry { directory, .. }) = Registry::from_environment() {
        if let Err(error) = std::fs::create_dir_all(&directory) {
            tracing::debug!(directory = %directory.display(), %error, "GStreamer's registry cannot be kept");
        }
        sandbox.writable.push(directory);
    }
    sandbox
}

fn of_gstreamer(kind: ChildKind) -> Sandbox {
    let mut readable: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    for variable in PLUGIN_PATHS {
        readable.extend(std::env::var_os(variable).iter().flat_map(std::env::split_paths));
    }
    let mut writable: Vec<PathBuf> = DEVICES.iter().map(PathBuf::from).collect();
    writable.extend(decoders());
    Sandbox { readable, writable, kind }
}

/// True if there is a device that may decode video.
pub(super) fn has_decoders() -> bool {
    !decoders().is_empty()
}

fn decoders() -> Vec<PathBuf> {
    let Ok(devices) = std::fs::read_dir("/dev") else { return Vec::new() };
    let decodes = |name: &str| DECODERS.iter().any(|decoder| name.starts_with(decoder));
    let decoders = devices.flatten().filter(|device| decodes(&device.file_name().to_string_lossy()));
    decoders.map(|device| device.path()).collect()
}
