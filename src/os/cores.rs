//! CPU cores: the usable ones, their NUMA nodes, and thread affinity.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::collections::BTreeMap;
use std::io;

/// The cores in the affinity mask of the calling thread, ascending.
pub fn usable() -> Vec<u16> {
    let set = sched_getaffinity(None).unwrap_or_default();
    let most = u16::try_from(CpuSet::MAX_CPU).unwrap_or(u16::MAX);
    (0..most).filter(|core| set.is_set(usize::from(*core))).collect()
}

/// The usable cores by NUMA node, without nodes that have none. Empty if the kernel does not report nodes.
pub fn by_numa_node() -> BTreeMap<u16, Vec<u16>> {
    let Ok(entries) = std::fs::read_dir("/sys/devices/system/node") else { return BTreeMap::new() };
    let usable = usable();
    let of_node = |entry: std::fs::DirEntry| {
        let number = entry.file_name().to_str()?.strip_prefix("node")?.parse().ok()?;
        let mut cores = parse_list(&std::fs::read_to_string(entry.path().join("cpulist")).ok()?);
        cores.retain(|core| usable.contains(core));
        (!cores.is_empty()).then_some((number, cores))
    };
    entries.flatten().filter_map(of_node).collect()
}

/// Pins this thread, and the threads that it starts, to these cores.
///
/// # Errors
/// The error of the kernel, for example if none of the cores exists.
pub fn keep_to(cores: &[u16]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for core in cores.iter().filter(|core| usize::from(**core) < CpuSet::MAX_CPU) {
        set.set(usize::from(*core));
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// Parses the kernel's form of a list: `0-3,8`.
fn parse_list(text: &str) -> Vec<u16> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lists_are_understood() {
        assert_eq!(parse_list("0-2,8\n"), [0, 1, 2, 8]);
        assert!(parse_list("").is_empty());
    }

    #[test]
    fn a_thread_stays_on_its_core_and_others_do_not() {
        let before = usable();
        let kept = std::thread::spawn(|| {
            keep_to(&usable()[..1]).unwrap();
            usable()
        });
        assert_eq!(kept.join().unwrap(), before[..1]);
        assert_eq!(usable(), before);
        assert!(keep_to(&[u16::MAX]).is_err());
    }
}
