//! Memory of the box and of a process, from `/proc`.

/// Bytes that are available without swapping, as estimated by the kernel (`MemAvailable`).
pub fn available_bytes() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// Total memory of the box in bytes (`MemTotal`).
pub fn total_bytes() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// Resident bytes of a process that are neither shared nor file-backed (`RssAnon`): where a leak is visible.
pub fn anonymous_bytes(pid: u32) -> Option<u64> {
    kilobytes(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "RssAnon:")
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_some_of_what_is_there() {
        let (own, left) = (anonymous_bytes(std::process::id()), available_bytes());
        assert!(own.is_some_and(|bytes| bytes > 100_000) && left.is_some_and(|bytes| bytes > 1_000_000));
        assert!(left < total_bytes());
        assert_eq!(anonymous_bytes(u32::MAX), None);
    }
}
