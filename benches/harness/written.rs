//! Bytes that go to a disk, as the kernel counts them.

/// Bytes that a process has caused to be written to a disk so far, without the journal of the file system.
pub(crate) fn written_bytes(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or_default()
}
