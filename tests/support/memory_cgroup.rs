//! A memory control group: processes in it are ended by the kernel when they take too much.

use std::path::{Path, PathBuf};

/// Removed with the value, which its processes must not outlive.
pub struct MemoryCgroup {
    directory: PathBuf,
}

impl MemoryCgroup {
    /// A group of so many bytes; none where the box does not let us make one.
    pub fn create(limit_bytes: u64) -> Option<Self> {
        let name = format!("ocelli-test-{}", std::process::id());
        let of_version = [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];
        for (root, limit_file) in of_version {
            let group = Self { directory: Path::new(root).join(&name) };
            // A plain directory is no control group.
            let is_made =
                std::fs::create_dir(&group.directory).is_ok() && group.directory.join("cgroup.procs").exists();
            if is_made && std::fs::write(group.directory.join(limit_file), limit_bytes.to_string()).is_ok() {
                // A box with swap would let them live; one without has no such file.
                drop(std::fs::write(group.directory.join("memory.swap.max"), "0"));
                return Some(group);
            }
        }
        None
    }

    /// Takes a process in.
    pub fn add(&self, pid: u32) {
        std::fs::write(self.directory.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    /// Processes that the kernel has ended for their memory.
    pub fn oom_kills(&self) -> u64 {
        let read = |file: &str| std::fs::read_to_string(self.directory.join(file)).unwrap_or_default();
        let text = read("memory.oom_control") + &read("memory.events");
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        drop(std::fs::remove_dir(&self.directory));
    }
}
