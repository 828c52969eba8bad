//! W^X: a process runs the code that it was started with and loads from files, and makes none (write xor execute).
//!
//! A line of the service file (`MemoryDenyWriteExecute`) would hold for all processes, also for a unit whose execution provider
//! compiles code. So each process that compiles none takes it upon itself.

use crate::os::call_filter;
use crate::os::sandbox::{SandboxError, SandboxMode};

/// `prctl`: refuse what gains the right to execute, in this process and not in those that it starts. Linux 6.6.
const PR_SET_MDWE: libc::c_int = 65;
const REFUSE_EXEC_GAIN: libc::c_ulong = 1;
const NO_INHERIT: libc::c_ulong = 2;

/// In a child: no thread of this process gets memory any more that can be written and executed, or makes memory executable,
/// unless `mode` is off; such calls fail with `EPERM`. In best effort mode, only logs a failure.
///
/// # Errors
/// [`SandboxError::Seccomp`].
pub fn enter_as(mode: SandboxMode) -> Result<(), SandboxError> {
    let enter = || Ok(seccompiler::apply_filter_all_threads(&call_filter::of_fixed_code()?)?);
    match mode {
        SandboxMode::Off => Ok(()),
        SandboxMode::BestEffort => {
            if let Err::<(), SandboxError>(error) = enter() {
                tracing::warn!(%error, "a child may still make code of data");
            }
            Ok(())
        }
        SandboxMode::Required | SandboxMode::RequiredPartial => enter(),
    }
}

/// The same for the daemon, whose children decide for themselves. Returns false where the kernel is older than Linux 6.6, or has
/// it already from the service file.
pub fn of_this_process_alone() -> bool {
    // SAFETY: five numbers; the call changes which later requests of this process for memory are refused, and no memory.
    #[expect(unsafe_code, reason = "rustix and libc have no wrapper of this prctl")]
    let result = unsafe { libc::prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN | NO_INHERIT, 0_u64, 0_u64, 0_u64) };
    result == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const HOW: &str = "OCELLI_TEST_FIXED_CODE";

    /// Whether memory can be had that is written and executed, and whether memory can be made executable.
    fn can_make_code() -> [bool; 2] {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let map = |protection| {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            // SAFETY: a new mapping at an address that the kernel chooses; nothing else is there.
            #[expect(unsafe_code, reason = "the call itself is tested")]
            unsafe {
                libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0)
            }
        };
        let page = map(protection);
        assert_ne!(page, libc::MAP_FAILED);
        // SAFETY: the page was mapped above, and nothing refers to it.
        #[expect(unsafe_code, reason = "the call itself is tested")]
        let changed = unsafe { libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_EXEC) };
        [map(protection | libc::PROT_EXEC) != libc::MAP_FAILED, changed == 0]
    }

    /// It holds for the whole process, so the test starts itself again for it.
    #[test]
    fn no_code_is_made_of_data_any_more() {
        match std::env::var(HOW).as_deref() {
            Ok("filter") => {
                assert_eq!(can_make_code(), [true, true]);
                enter_as(SandboxMode::Required).unwrap();
                return assert_eq!(can_make_code(), [false, false]);
            }
            Ok("prctl") => {
                let holds = of_this_process_alone();
                assert_eq!(can_make_code(), [!holds, !holds]);
                return again("child of prctl");
            }
            Ok(_) => return assert_eq!(can_make_code(), [true, true], "it is inherited"),
            Err(_) => {}
        }
        ["filter", "prctl"].into_iter().for_each(again);
    }

    fn again(how: &str) {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["os::fixed_code::tests::no_code_is_made_of_data_any_more", "--exact", "--nocapture"])
            .env(HOW, how)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{how}: {text}");
    }
}
