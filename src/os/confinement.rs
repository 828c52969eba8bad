//! What this kernel offers to confine processes with, for `ocelli check`.

use crate::os::pidfd::PidFd;
use crate::os::users::is_root;
use landlock::{AccessFs, LandlockStatus, Ruleset, RulesetAttr};
use std::fs;
use std::os::fd::AsRawFd;

/// Landlock ABI that confines the truncation of files.
const ABI_OF_TRUNCATE: i32 = 3;
/// Landlock ABI that confines TCP.
const ABI_OF_TCP: i32 = 4;
/// Landlock ABI that confines signals.
const ABI_OF_SIGNALS: i32 = 6;

/// What the kernel offers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Confinement {
    /// The version of Landlock's interface; `None` if the kernel lacks Landlock or has it switched off.
    pub landlock: Option<i32>,
    /// Filters of system calls.
    pub seccomp: bool,
    /// User namespaces, which systemd needs for `PrivateUsers=`.
    pub user_namespaces: bool,
    /// The daemon can decide which addresses capture processes connect to.
    pub guard: bool,
}

impl Confinement {
    /// Asks the kernel. Landlock is tried on a thread of its own, which is confined and ends.
    pub fn of_this_kernel() -> Self {
        let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
        let number = |path: &str| fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u64>().ok());
        let is_allowed = number("/proc/sys/kernel/unprivileged_userns_clone").is_none_or(|allowed| allowed > 0);
        Self {
            landlock: std::thread::spawn(landlock_abi).join().ok().flatten(),
            seccomp: actions.split_whitespace().any(|action| action == "errno"),
            guard: actions.split_whitespace().any(|action| action == "user_notif") && can_take_sockets(),
            user_namespaces: is_allowed && number("/proc/sys/user/max_user_namespaces").is_some_and(|most| most > 0),
        }
    }

    /// For the operator: what is in force, and what is not.
    pub fn in_words(self) -> String {
        let landlock = match self.landlock {
            None => "no Landlock".to_owned(),
            Some(abi) => {
                let gaps = [(ABI_OF_TRUNCATE, "truncation"), (ABI_OF_TCP, "TCP"), (ABI_OF_SIGNALS, "signals")];
                let gaps: Vec<&str> = gaps.iter().filter(|(since, _)| abi < *since).map(|(_, what)| *what).collect();
                match gaps.is_empty() {
                    true => format!("Landlock {abi}"),
                    false => format!("Landlock {abi} (without {}: seccomp covers that)", gaps.join(", ")),
                }
            }
        };
        let yes_or_no = |is_there: bool| if is_there { "" } else { "no " };
        let guard = if self.guard { "" } else { ", no guard of sockets: capture processes connect to any address" };
        let (seccomp, namespaces) = (yes_or_no(self.seccomp), yes_or_no(self.user_namespaces));
        format!("{landlock}, {seccomp}seccomp, {namespaces}user namespaces{guard}")
    }
}

/// Whether a process may take the sockets of its children, which is the right to trace them.
fn can_take_sockets() -> bool {
    let Ok(file) = fs::File::open("/dev/null") else { return false };
    let is_possible = PidFd::open(std::process::id()).and_then(|own| own.duplicate(file.as_raw_fd())).is_ok();
    let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let is_allowed = match yama.trim() {
        "2" => is_root(),
        scope => scope != "3",
    };
    is_possible && is_allowed
}

fn landlock_abi() -> Option<i32> {
    let created = Ruleset::default().handle_access(AccessFs::ReadFile).and_then(Ruleset::create).ok()?;
    match created.restrict_self().ok()?.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } => Some(kernel_abi.unwrap_or(effective_abi as i32)),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::sandbox::Sandbox;

    #[test]
    fn what_is_told_of_landlock_is_what_a_sandbox_meets() {
        let confinement = Confinement::of_this_kernel();
        assert_eq!(confinement.landlock.is_some() && confinement.seccomp, Sandbox::is_supported(), "{confinement:?}");
    }

    #[test]
    fn the_gaps_of_an_old_kernel_are_named() {
        let has = |landlock| Confinement { landlock, seccomp: true, user_namespaces: false, guard: true };
        let words = |landlock| has(landlock).in_words();
        assert_eq!(words(None), "no Landlock, seccomp, no user namespaces");
        assert_eq!(words(Some(4)), "Landlock 4 (without signals: seccomp covers that), seccomp, no user namespaces");
        assert_eq!(words(Some(7)), "Landlock 7, seccomp, no user namespaces");
        let unguarded = Confinement { guard: false, ..has(Some(7)) }.in_words();
        assert!(unguarded.ends_with("no guard of sockets: capture processes connect to any address"), "{unguarded}");
    }
}
