//! The GPUs of the box, from their device files.

/// The number of NVIDIA GPUs: device files `/dev/nvidia0`, `/dev/nvidia1` and so on.
pub fn nvidia_count() -> u16 {
    let Ok(entries) = std::fs::read_dir("/dev") else { return 0 };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    u16::try_from(names.filter(|name| is_nvidia_gpu(name)).count()).unwrap_or(u16::MAX)
}

/// True on a Jetson, whose GPU has no numbered device file.
pub fn has_integrated_nvidia() -> bool {
    ["/dev/nvhost-gpu", "/dev/nvgpu"].iter().any(|device| std::path::Path::new(device).exists())
}

/// Excludes control devices such as `nvidiactl` and `nvidia-uvm`.
fn is_nvidia_gpu(name: &str) -> bool {
    name.strip_prefix("nvidia").is_some_and(|rest| rest.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbered_devices_are_gpus() {
        assert!(is_nvidia_gpu("nvidia0") && is_nvidia_gpu("nvidia12"));
        assert!(!["nvidiactl", "nvidia-uvm", "nvidia", "null"].into_iter().any(is_nvidia_gpu));
    }
}
