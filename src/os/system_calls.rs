//! The system calls that children may make, as data. Found by tracing children at work on amd64, and by running the tests of
//! cameras and models until the log named no refused call.
//!
//! A call that is missing here is refused with `ENOSYS`, which libraries take for an old kernel, and the log names it.

use libc::c_long;

/// What a child is for, which says which system calls it may make.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ChildKind {
    /// Reads data and computes on the CPU. No sockets.
    #[default]
    Computing,
    /// Computes on an accelerator. What drivers call is not documented, so all is allowed but what `REFUSED` lists. No sockets.
    Accelerated,
    /// Receives and decodes streams, with sockets that its parent connects.
    Capturing,
}

/// Calls that every child may make, whatever their arguments.
pub(super) const COMMON: &[c_long] = &[
    // Memory.
    libc::SYS_brk,
    libc::SYS_get_mempolicy,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_munlock,
    libc::SYS_munmap,
    libc::SYS_set_mempolicy,
    // Files; Landlock says which.
    libc::SYS_chdir,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_mkdirat,
    libc::SYS_newfstatat,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_umask,
    libc::SYS_unlinkat,
    libc::SYS_write,
    libc::SYS_writev,
    // Waiting.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_futex,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_gettime,
    libc::SYS_timerfd_settime,
    // This process and its threads.
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_get_robust_list,
    libc::SYS_getcpu,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_times,
    libc::SYS_uname,
    // The channel to the parent.
    libc::SYS_recvmsg,
];

/// Older forms of [`COMMON`] that only this processor has.
#[cfg(target_arch = "x86_64")]
pub(super) const OLDER: &[c_long] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_dup2,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_getdents,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_rmdir,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_time,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const OLDER: &[c_long] = &[];

/// The older form of `openat`.
#[cfg(target_arch = "x86_64")]
const OPEN: &[c_long] = &[libc::SYS_open];
#[cfg(not(target_arch = "x86_64"))]
const OPEN: &[c_long] = &[];

/// Calls that every child may make with some arguments; `call_filter` says which.
pub(super) const CONDITIONAL: &[c_long] = &[
    libc::SYS_clone,
    libc::SYS_fcntl,
    libc::SYS_ioctl,
    libc::SYS_openat,
    libc::SYS_prctl,
    libc::SYS_prlimit64,
    libc::SYS_seccomp,
    libc::SYS_sendto,
    libc::SYS_tgkill,
    libc::SYS_utimensat,
];

/// Calls on sockets that name no address.
pub(super) const SOCKETS: &[c_long] = &[
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
];

/// Calls that name an address. The parent makes them for the child where the kernel can ask it.
pub(super) const ADDRESSING: &[c_long] =
    &[libc::SYS_bind, libc::SYS_connect, libc::SYS_sendmmsg, libc::SYS_sendmsg, libc::SYS_sendto];

/// Calls that libraries try and do without; refused without a word. glibc starts threads by `clone` where `clone3` is
/// missing, whose flags a filter cannot see; GLib copies the scheduling of threads where it can.
pub(super) const TRIED: &[c_long] = &[libc::SYS_clone3, libc::SYS_sched_getattr, libc::SYS_sched_setattr];

/// What an accelerated unit never needs: other programs and processes, their limits and priorities, sockets, mounts,
/// namespaces, modes and owners of files (Landlock does not see them), and kernel interfaces with a history of
/// vulnerabilities.
pub(super) const REFUSED: &[c_long] = &[
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bind,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_connect,
    libc::SYS_delete_module,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_fanotify_init,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_ioprio_set,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_kill,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_listen,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_openat2,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_removexattr,
    libc::SYS_request_key,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_seccomp,
    libc::SYS_sendmmsg,
    libc::SYS_setns,
    libc::SYS_setpgid,
    libc::SYS_setpriority,
    libc::SYS_setsid,
    libc::SYS_setxattr,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_syslog,
    libc::SYS_tkill,
    libc::SYS_truncate,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_utimensat,
    libc::SYS_sendmsg,
    libc::SYS_process_mrelease,
];

/// Older forms of [`REFUSED`] that only this processor has.
#[cfg(target_arch = "x86_64")]
pub(super) const OLDER_REFUSED: &[c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_fork,
    libc::SYS_futimesat,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const OLDER_REFUSED: &[c_long] = &[];

/// The numbers of the calls that a child of this kind may make, some with certain arguments only. None for an accelerated
/// child, which may make all but some.
pub fn listed(kind: ChildKind) -> Vec<c_long> {
    let common = COMMON.iter().chain(OLDER).chain(CONDITIONAL).chain(OPEN);
    let sockets = SOCKETS.iter().chain(ADDRESSING).chain(&[libc::SYS_socket, libc::SYS_socketpair]);
    let mut numbers: Vec<c_long> = match kind {
        ChildKind::Computing => common.copied().collect(),
        ChildKind::Capturing => common.chain(sockets).copied().collect(),
        ChildKind::Accelerated => Vec::new(),
    };
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
