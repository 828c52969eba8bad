//! The sandboxes of a unit: what it may access while it processes models and pictures from outside.

use crate::ipc::messages::LoadModel;
use crate::os::sandbox::Sandbox;
use crate::os::system_calls::ChildKind;
use std::path::{Path, PathBuf};

/// Libraries of the system and of accelerators, and what the dynamic loader and ONNX Runtime read to find them.
const SYSTEM: [&str; 9] = [
    "/usr",
    "/lib",
    "/lib64",
    "/opt",
    "/etc/ld.so.cache",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/bus/pci",
    "/sys/devices",
];

/// Random numbers, which many libraries read.
const DEVICES: [&str; 2] = ["/dev/urandom", "/dev/random"];

/// The sandbox of a unit that loads this model. Creates the cache directories, because Landlock can only allow existing
/// paths.
pub(super) fn sandbox(load: &LoadModel) -> Sandbox {
    let mut readable: Vec<PathBuf> = SYSTEM.iter().chain(&DEVICES).map(PathBuf::from).collect();
    readable.extend(std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths));
    readable.push(load.directory.clone());
    readable.extend(directory_of(&load.runtime_library));
    // Plugins are in the directory of the library file, which may be the target of a symbolic link.
    readable.extend(load.runtime_library.canonicalize().ok().as_deref().and_then(directory_of));
    let mut writable = vec![PathBuf::from("/dev/null")];
    for cache in [&load.cache_directory, &load.provider_options.engine_cache_directory].into_iter().flatten() {
        if let Err(error) = std::fs::create_dir_all(cache) {
            tracing::warn!(directory = %cache.display(), %error, "a cache directory cannot be created");
        }
        writable.push(cache.clone());
    }
    let is_accelerated = !load.computes_on_cores();
    if is_accelerated {
        // Accelerator drivers open devices and read hardware information.
        readable.extend(["/proc", "/sys", "/etc"].map(PathBuf::from));
        writable.push("/dev".into());
    }
    let kind = if is_accelerated { ChildKind::Accelerated } else { ChildKind::Computing };
    Sandbox { readable, writable, kind }
}

/// The sandbox of a unit that only inspects a model: the directory of the file, because external weights are there.
pub(super) fn sandbox_of_reader(file: &Path) -> Sandbox {
    Sandbox { readable: directory_of(file).into_iter().collect(), writable: Vec::new(), kind: ChildKind::Computing }
}

fn directory_of(file: &Path) -> Option<PathBuf> {
    file.parent().map(Path::to_path_buf)
}
