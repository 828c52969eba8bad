//! What a child may not do to other processes.

use super::{call, say};
use libc::{c_int, c_long};
use std::mem::zeroed;

pub(crate) fn processes(parent: c_int) {
    let pid = c_long::from(parent);
    // SAFETY: structures of numbers, for which zeros are valid.
    let (info, mut limit): (libc::siginfo_t, libc::rlimit) = unsafe { (zeroed(), zeroed()) };
    let info = (&raw const info) as c_long;
    let old = (&raw mut limit) as c_long;
    let one = [1_u64; 16];
    let one = one.as_ptr() as c_long;
    let nofile = c_long::from(libc::RLIMIT_NOFILE.cast_signed());
    let child = c_long::from(libc::SIGCHLD);
    for (act, number, arguments) in [
        ("signal the parent: kill", libc::SYS_kill, [pid, 0, 0, 0, 0, 0]),
        ("signal the parent: tgkill", libc::SYS_tgkill, [pid, pid, 0, 0, 0, 0]),
        ("signal the parent: tkill", libc::SYS_tkill, [pid, 0, 0, 0, 0, 0]),
        ("signal the parent: rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, [pid, 0, info, 0, 0, 0]),
        ("signal the parent: rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo, [pid, pid, 0, info, 0, 0]),
        ("signal the parent: pidfd_open", libc::SYS_pidfd_open, [pid, 0, 0, 0, 0, 0]),
        ("signal the parent: F_SETOWN", libc::SYS_fcntl, [2, 8, pid, 0, 0, 0]),
        ("signal the parent: FIOSETOWN", libc::SYS_ioctl, [2, 0x8901, one, 0, 0, 0]),
        ("read a limit of the parent", libc::SYS_prlimit64, [pid, nofile, 0, old, 0, 0]),
        ("limit the parent", libc::SYS_prlimit64, [pid, 0, one, 0, 0, 0]),
        ("set the priority of the parent", libc::SYS_setpriority, [0, pid, 0, 0, 0, 0]),
        ("set the cores of the parent", libc::SYS_sched_setaffinity, [pid, 8, one, 0, 0, 0]),
        ("set the scheduler of the parent", libc::SYS_sched_setscheduler, [pid, 0, one, 0, 0, 0]),
        ("set the I/O priority of the parent", libc::SYS_ioprio_set, [1, pid, 0, 0, 0, 0]),
        ("trace the parent", libc::SYS_ptrace, [0x4206, pid, 0, 0, 0, 0]),
        ("start a process: clone", libc::SYS_clone, [child, 0, 0, 0, 0, 0]),
        ("start a process: clone3", libc::SYS_clone3, [one, 88, 0, 0, 0, 0]),
        ("start a program", libc::SYS_execve, [one, 0, 0, 0, 0, 0]),
        ("install a filter", libc::SYS_seccomp, [1, 8, one, 0, 0, 0]),
        ("outlive the parent", libc::SYS_prctl, [1, 0, 0, 0, 0, 0]),
        ("let others trace it", libc::SYS_prctl, [0x59616d61, -1, 0, 0, 0, 0]),
        ("leave its group", libc::SYS_setsid, [0; 6]),
    ] {
        say("refused", call(number, arguments), act);
    }
}
