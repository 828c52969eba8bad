//! Processor time that a process has used.

use std::time::Duration;

/// User and system time of all threads of a process since it started, in nanoseconds' resolution; `None` if it has ended.
/// See `clock_getcpuclockid(3)`.
pub fn of_process(pid: u32) -> Option<Duration> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let (mut clock, mut time) = (0, libc::timespec { tv_sec: 0, tv_nsec: 0 });
    // SAFETY: both calls write to the variable whose address they get, and to nothing else; any process id and any clock
    // id are valid arguments, which are answered with an error if there is no such process.
    #[expect(unsafe_code, reason = "no wrapper of clock_getcpuclockid is at hand")]
    let is_known = unsafe {
        libc::clock_getcpuclockid(pid, &raw mut clock) == 0 && libc::clock_gettime(clock, &raw mut time) == 0
    };
    is_known.then(|| Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_process_that_computes_uses_processor_time() {
        let (own, begun) = (std::process::id(), Instant::now());
        let before = of_process(own).unwrap();
        while of_process(own).unwrap() < before + Duration::from_millis(5) {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is given none");
        }
        assert_eq!((of_process(0), of_process(u32::MAX)), (None, None));
    }
}
