//! The filter of system calls of a child, as a program for the kernel.

use crate::os::system_calls::{ADDRESSING, COMMON, ChildKind, OLDER, OLDER_REFUSED, REFUSED, SOCKETS, TRIED};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};
use std::collections::BTreeMap;

/// The instruction "return this number" of a filter program.
const RETURN: u16 = 0x06;
/// The number by which a filter asks a tracer; seccompiler knows no action that asks a parent.
const ASK_TRACER: u32 = 0x7ff0_0000;
/// The flag of `clone` for a thread of this process.
const THREAD: u64 = libc::CLONE_THREAD as u64;
/// The flags of `clone` for namespaces of its own.
const NAMESPACES: u64 = 0x7e02_0000;
/// The type of a socket without its flags.
const SOCKET_TYPE: u64 = 0xf;

/// The operation of `seccomp` that installs a filter, and its flag for all threads.
const SET_FILTER: libc::c_int = 1;
const ALL_THREADS: libc::c_int = 1;

/// Reads the process's own auxiliary vector; libc lacks it.
const PR_GET_AUXV: libc::c_int = 0x4155_5856;

/// The operations of `prctl` that are allowed: the name and timer slack of a thread, names of memory, questions, and giving up
/// privileges. Not the signal of the parent's death, or who may trace.
const PRCTL: [libc::c_int; 10] = [
    PR_GET_AUXV,
    libc::PR_SET_NAME,
    libc::PR_GET_NAME,
    libc::PR_SET_VMA,
    libc::PR_CAPBSET_READ,
    libc::PR_GET_DUMPABLE,
    libc::PR_GET_TIMERSLACK,
    libc::PR_SET_TIMERSLACK,
    libc::PR_GET_SECCOMP,
    libc::PR_SET_NO_NEW_PRIVS,
];

/// Commands of `fcntl` by which the kernel signals another process. Signals by descriptor are not refused by the calls that
/// send signals, and Landlock sees them since ABI 6 only.
const SIGNALLING_COMMANDS: [libc::c_int; 3] = [libc::F_SETOWN, F_SETSIG, F_SETOWN_EX];
const F_SETSIG: libc::c_int = 10;
const F_SETOWN_EX: libc::c_int = 15;

/// The same of `ioctl`, and typing into a terminal.
const SIGNALLING_REQUESTS: [libc::c_int; 4] = [0x8901, 0x8902, 0x5412, 0x541c];

/// Options by which closing or connecting a socket waits as long as the child likes, also in the parent, which has
/// duplicates of it.
const WAITING_OPTIONS: [libc::c_int; 3] = [libc::SO_LINGER, libc::SO_SNDTIMEO, SO_SNDTIMEO_NEW];
const SO_SNDTIMEO_NEW: libc::c_int = 67;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Answers calls that libraries only try, before the parent would be asked.
pub(super) fn of_tried_calls() -> Result<BpfProgram, BackendError> {
    let mut rules: Rules = TRIED.iter().map(|call| (*call, Vec::new())).collect();
    // Events of devices, while plugins are looked at; routes, for the order of addresses.
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(vec![is(0, libc::AF_NETLINK)?])?]);
    compiled(rules, SeccompAction::Allow, refuse(libc::ENOSYS))
}

/// The filter of a child of this kind with the process number `pid`. With `asks_parent` the kernel asks whoever listens
/// about calls that are not allowed, and otherwise refuses them.
pub(super) fn of_child(kind: ChildKind, pid: u32, asks_parent: bool) -> Result<BpfProgram, BackendError> {
    if kind == ChildKind::Accelerated {
        let mut program = without_unknown_calls().to_vec();
        program.extend(compiled(refused(pid)?, SeccompAction::Allow, refuse(libc::EPERM))?);
        return Ok(program);
    }
    let rules = allowed(kind, pid, asks_parent)?;
    if !asks_parent {
        return compiled(rules, refuse(libc::ENOSYS), SeccompAction::Allow);
    }
    let mut program = compiled(rules, SeccompAction::Trace(0), SeccompAction::Allow)?;
    for instruction in &mut program {
        if instruction.code == RETURN && instruction.k == ASK_TRACER {
            instruction.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    Ok(program)
}

/// Refuses these calls, which change files, and opening for it. Beside another filter.
pub(super) fn of_reader(changing: impl Iterator<Item = libc::c_long>) -> Result<BpfProgram, BackendError> {
    let mut rules: Rules = changing.map(|call| (call, Vec::new())).collect();
    rules.insert(libc::SYS_openat, writing(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, writing(1)?);
    compiled(rules, SeccompAction::Allow, refuse(libc::EROFS))
}

/// Refuses memory that can be written and executed, and making memory executable. Beside another filter. Libraries are mapped from
/// files as they are, and need neither. `pkey_mprotect` is on no list.
pub(super) fn of_fixed_code() -> Result<BpfProgram, BackendError> {
    let (write, execute) = (u64::from(libc::PROT_WRITE.unsigned_abs()), u64::from(libc::PROT_EXEC.unsigned_abs()));
    let both = write | execute;
    let rules = Rules::from([
        (libc::SYS_mmap, vec![SeccompRule::new(vec![masked(2, both, both)?])?]),
        (libc::SYS_mprotect, vec![SeccompRule::new(vec![masked(2, execute, execute)?])?]),
    ]);
    compiled(rules, SeccompAction::Allow, refuse(libc::EPERM))
}

/// Opening that may change a file, or make one.
fn writing(flags: u8) -> Result<Vec<SeccompRule>, BackendError> {
    let flag = |flag: libc::c_int| masked(flags, u64::from(flag.unsigned_abs()), u64::from(flag.unsigned_abs()));
    any_of([libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC].map(flag))
}

/// What a child may do that is not accelerated.
fn allowed(kind: ChildKind, pid: u32, asks_parent: bool) -> Result<Rules, BackendError> {
    let is_own = |argument| is(argument, pid.cast_signed());
    let mut rules: Rules = COMMON.iter().chain(OLDER).map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![masked(0, THREAD | NAMESPACES, THREAD)?])?]);
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![is_own(0)?])?]);
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![is(0, 0)?])?, SeccompRule::new(vec![is_own(0)?])?]);
    rules.insert(libc::SYS_prctl, any_of(PRCTL.map(|operation| is(0, operation)))?);
    // A further filter, for all threads and without a listener: it can only refuse more (`read_only`).
    let further = vec![is(0, SET_FILTER)?, is(1, ALL_THREADS)?];
    rules.insert(libc::SYS_seccomp, vec![SeccompRule::new(further)?]);
    // The times of an open file, not of a path: Landlock does not see them.
    rules.insert(libc::SYS_utimensat, vec![SeccompRule::new(vec![is_null(1)?])?]);
    rules.insert(libc::SYS_openat, opening(2)?);
    rules.insert(libc::SYS_fcntl, vec![none_of(1, SIGNALLING_COMMANDS)?]);
    rules.insert(libc::SYS_ioctl, vec![none_of(1, SIGNALLING_REQUESTS)?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, opening(1)?);
    // The channel to the parent, which is connected.
    rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![is_null(4)?])?]);
    if kind == ChildKind::Capturing {
        rules.extend(SOCKETS.iter().map(|call| (*call, Vec::new())));
        rules.insert(libc::SYS_setsockopt, options()?);
        rules.insert(libc::SYS_socket, sockets()?);
        rules.insert(libc::SYS_socketpair, vec![SeccompRule::new(vec![is(0, libc::AF_UNIX)?])?]);
        if !asks_parent {
            rules.extend(ADDRESSING.iter().map(|call| (*call, Vec::new())));
        }
    }
    Ok(rules)
}

/// The first system call that no list was made for: `fchmodat2` of Linux 6.6. Numbers of x32 on amd64 are above it too.
const FIRST_UNKNOWN: u32 = 452;

/// Refuses unknown calls with `ENOSYS`, as an older kernel would; others pass on to what follows.
fn without_unknown_calls() -> [sock_filter; 3] {
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const REFUSE: u32 = 0x0005_0000;
    let no_such_call = REFUSE | libc::ENOSYS.unsigned_abs();
    [
        sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_AT_LEAST, jt: 0, jf: 1, k: FIRST_UNKNOWN },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: no_such_call },
    ]
}

/// What an accelerated unit may not do.
fn refused(pid: u32) -> Result<Rules, BackendError> {
    let is_other = |argument| condition(argument, SeccompCmpOp::Ne, u64::from(pid));
    let mut rules: Rules = REFUSED.iter().chain(OLDER_REFUSED).map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![masked(0, THREAD, 0)?])?]);
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![is_other(0)?])?]);
    let of_others = || SeccompRule::new(vec![is_other(0)?, condition(0, SeccompCmpOp::Ne, 0)?]);
    rules.insert(libc::SYS_prlimit64, vec![of_others()?]);
    rules.insert(libc::SYS_sched_setaffinity, vec![of_others()?]);
    rules.insert(libc::SYS_prctl, any_of([is(0, libc::PR_SET_PDEATHSIG), is(0, libc::PR_SET_SECCOMP)])?);
    rules.insert(libc::SYS_fcntl, any_of(SIGNALLING_COMMANDS.map(|command| is(1, command)))?);
    rules.insert(libc::SYS_ioctl, any_of(SIGNALLING_REQUESTS.map(|request| is(1, request)))?);
    let has_address = SeccompCondition::new(4, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
    rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![has_address])?]);
    Ok(rules)
}

/// Options of sockets, but those that wait.
fn options() -> Result<Vec<SeccompRule>, BackendError> {
    let not = |argument, value: libc::c_int| condition(argument, SeccompCmpOp::Ne, u64::from(value.cast_unsigned()));
    let mut of_sockets = vec![is(1, libc::SOL_SOCKET)?];
    for option in WAITING_OPTIONS {
        of_sockets.push(not(2, option)?);
    }
    let of_tcp = vec![is(1, libc::IPPROTO_TCP)?, not(2, libc::TCP_SYNCNT)?];
    let others = vec![not(1, libc::SOL_SOCKET)?, not(1, libc::IPPROTO_TCP)?];
    [of_sockets, of_tcp, others].into_iter().map(SeccompRule::new).collect()
}

/// TCP, UDP and path sockets. Not SCTP and MPTCP, which connect by other calls, nor raw and packet sockets.
fn sockets() -> Result<Vec<SeccompRule>, BackendError> {
    let mut rules = Vec::new();
    for (kind, protocol) in [(libc::SOCK_STREAM, libc::IPPROTO_TCP), (libc::SOCK_DGRAM, libc::IPPROTO_UDP)] {
        let kind = masked(1, SOCKET_TYPE, u64::from(kind.unsigned_abs()))?;
        for (family, protocol) in
            [(libc::AF_INET, protocol), (libc::AF_INET, 0), (libc::AF_INET6, protocol), (libc::AF_INET6, 0)]
        {
            rules.push(SeccompRule::new(vec![is(0, family)?, kind.clone(), is(2, protocol)?])?);
        }
        rules.push(SeccompRule::new(vec![is(0, libc::AF_UNIX)?, kind, is(2, 0)?])?);
    }
    Ok(rules)
}

/// Opening that does not empty a file that is opened for reading only: Landlock sees that since ABI 3 only.
fn opening(flags: u8) -> Result<Vec<SeccompRule>, BackendError> {
    let [empty, write, both] = [libc::O_TRUNC, libc::O_WRONLY, libc::O_RDWR].map(|flag| u64::from(flag.unsigned_abs()));
    any_of([masked(flags, empty, 0), masked(flags, write, write), masked(flags, both, both)])
}

fn any_of<const N: usize>(
    conditions: [Result<SeccompCondition, BackendError>; N],
) -> Result<Vec<SeccompRule>, BackendError> {
    conditions.into_iter().map(|condition| SeccompRule::new(vec![condition?])).collect()
}

fn none_of<const N: usize>(argument: u8, values: [libc::c_int; N]) -> Result<SeccompRule, BackendError> {
    let is_not = |value: libc::c_int| condition(argument, SeccompCmpOp::Ne, u64::from(value.cast_unsigned()));
    SeccompRule::new(values.into_iter().map(is_not).collect::<Result<Vec<_>, _>>()?)
}

fn is(argument: u8, value: libc::c_int) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::Eq, u64::from(value.cast_unsigned()))
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::MaskedEq(mask), value)
}

/// Of the lower 32 bits, as which the kernel takes numbers of processes, flags and families.
fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn is_null(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

fn refuse(error: libc::c_int) -> SeccompAction {
    SeccompAction::Errno(error.unsigned_abs())
}

fn compiled(rules: Rules, otherwise: SeccompAction, on_match: SeccompAction) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(rules, otherwise, on_match, std::env::consts::ARCH.try_into()?)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::system_calls::listed;

    #[test]
    fn the_rules_are_those_of_the_list() {
        for kind in [ChildKind::Computing, ChildKind::Capturing] {
            let rules: Vec<i64> = allowed(kind, 7, false).unwrap().into_keys().collect();
            assert_eq!(rules, listed(kind), "{kind:?}");
        }
    }

    #[test]
    fn every_kind_has_a_program_that_the_kernel_takes() {
        for kind in [ChildKind::Computing, ChildKind::Accelerated, ChildKind::Capturing] {
            for asks_parent in [false, true] {
                let program = of_child(kind, 7, asks_parent).unwrap();
                assert!((10..4096).contains(&program.len()), "{kind:?}: {} instructions", program.len());
                let asks = program.iter().any(|instruction| instruction.k == libc::SECCOMP_RET_USER_NOTIF);
                assert_eq!(asks, asks_parent && kind != ChildKind::Accelerated);
            }
        }
        assert!(!of_tried_calls().unwrap().is_empty());
    }
}
