//! The sandbox of a child that parses untrusted bytes: it can access a few files, and the network only if it needs to.
//!
//! Two layers. Landlock confines files, signals and (since Linux 6.7) TCP. Seccomp refuses system calls that codecs and
//! inference never need. Both apply to the calling thread and those that it starts later, so call [`Sandbox::enter`]
//! before the child's first thread. Debian 12 (Linux 6.1) has Landlock ABI 2, which has no rule for `truncate` by path
//! and none for TCP, so seccomp covers both.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[sandbox]` of the settings.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxSettings {
    /// Whether children are confined, and whether a kernel that cannot do it is an error.
    pub mode: SandboxMode,
}

/// Whether the sandbox is required.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// A child that cannot be confined fails to start.
    Required,
    /// A child that cannot be confined runs; the log and `ocelli check` report it.
    #[default]
    BestEffort,
    /// No child is confined.
    Off,
}

impl SandboxMode {
    /// The name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "best-effort",
            Self::Off => "off",
        }
    }

    /// In a child: the mode in [`MODE_VARIABLE`], which the parent sets. The default if it is missing or unknown.
    pub fn from_environment() -> Self {
        let name = std::env::var(MODE_VARIABLE).unwrap_or_default();
        [Self::Required, Self::Off].into_iter().find(|mode| mode.name() == name).unwrap_or_default()
    }
}

/// The environment variable with the mode for a child.
pub const MODE_VARIABLE: &str = "OCELLI_SANDBOX";

/// Why a process could not be confined.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel has no Landlock, or a container blocks it.
    #[error(
        "this kernel does not confine processes with Landlock: boot with it (lsm=landlock,...); \
         without it no child starts if `sandbox.mode` is \"required\""
    )]
    NotEnforced,
    /// The kernel refuses the Landlock rules.
    #[error("the Landlock rules are refused")]
    Landlock(#[from] landlock::RulesetError),
    /// The kernel refuses the seccomp filter.
    #[error("the system call filter is refused")]
    Seccomp(#[from] seccompiler::Error),
    /// Seccomp filters are not supported on this CPU architecture.
    #[error("there is no system call filter for this processor")]
    Architecture(#[from] seccompiler::BackendError),
}

/// What a confined child may access.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sandbox {
    /// Files, and directories with everything below, that it may read. Missing ones are ignored.
    pub readable: Vec<PathBuf>,
    /// Files and directories that it may read and change. Missing ones are ignored.
    pub writable: Vec<PathBuf>,
    /// Whether it may open internet sockets.
    pub network: bool,
}

impl Sandbox {
    /// Confines this thread and those that it starts later, unless `mode` is off. In best effort mode, only logs a
    /// failure.
    ///
    /// # Errors
    /// [`SandboxError`], only in the mode [`SandboxMode::Required`].
    pub fn enter_as(&self, mode: SandboxMode) -> Result<(), SandboxError> {
        if mode == SandboxMode::Off {
            return Ok(());
        }
        match self.enter() {
            Err(error) if mode == SandboxMode::BestEffort => {
                tracing::warn!(%error, "a child runs without a sandbox");
                Ok(())
            }
            result => result,
        }
    }

    /// Confines this thread and those that it starts later.
    ///
    /// # Errors
    /// [`SandboxError`]; the thread may then be partly confined.
    pub fn enter(&self) -> Result<(), SandboxError> {
        let filter = self.system_call_filter()?;
        let files = AccessFs::from_all(ABI::V6);
        let mut rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(files)?;
        if !self.network {
            rules = rules.handle_access(AccessNet::from_all(ABI::V6))?;
        }
        let status = rules
            .scope(Scope::from_all(ABI::V6))?
            .create()?
            .add_rules(path_beneath_rules(&self.readable, AccessFs::ReadFile | AccessFs::ReadDir))?
            .add_rules(path_beneath_rules(&self.writable, files))?
            .restrict_self()?;
        // Last: once Landlock is in force, no refused call is needed any more.
        seccompiler::apply_filter(&filter)?;
        match status.ruleset {
            RulesetStatus::NotEnforced => Err(SandboxError::NotEnforced),
            _ => Ok(()),
        }
    }

    /// True if this kernel can confine. Tries it on a new thread, which then ends.
    pub fn is_supported() -> bool {
        std::thread::spawn(|| Self::default().enter().is_ok()).join().unwrap_or(false)
    }

    /// A deny list, because the calls that accelerator drivers need are not documented.
    fn system_call_filter(&self) -> Result<BpfProgram, SandboxError> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
        if !self.network {
            let no_internet = SeccompCondition::new(
                0,
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::Ne,
                u64::try_from(libc::AF_UNIX).unwrap_or_default(),
            )?;
            rules.insert(libc::SYS_socket, vec![SeccompRule::new(vec![no_internet])?]);
        }
        let refuse = SeccompAction::Errno(u32::try_from(libc::EPERM).unwrap_or_default());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, std::env::consts::ARCH.try_into()?)?;
        Ok(filter.try_into()?)
    }
}

/// System calls that a running child never needs: other programs, other processes, mounts, namespaces, and kernel
/// interfaces with a history of vulnerabilities.
const REFUSED: [i64; 33] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kill,
    libc::SYS_truncate,
    libc::SYS_chroot,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_personality,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::process::Command;

    struct Scene {
        home: tempfile::TempDir,
        port: u16,
        _listener: TcpListener,
    }

    impl Scene {
        fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            Self { home: tempfile::tempdir().unwrap(), port, _listener: listener }
        }

        fn restore(&self) {
            drop(std::fs::remove_file(self.path("link")));
            for name in ["readable", "forbidden"] {
                std::fs::write(self.path(name), "secret").unwrap();
            }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.home.path().join(name)
        }
    }

    type Attempt = (&'static str, fn(&Scene) -> bool);

    /// Actions that a confined thread attempts.
    const ATTEMPTS: [Attempt; 12] = [
        ("read a file", |at| std::fs::read(at.path("forbidden")).is_ok()),
        ("write a file", |at| std::fs::write(at.path("forbidden"), "x").is_ok()),
        ("list a directory", |at| std::fs::read_dir(at.home.path()).is_ok()),
        ("link a file", |at| std::fs::hard_link(at.path("forbidden"), at.path("link")).is_ok()),
        ("change what it may read", |at| std::fs::File::options().write(true).open(at.path("readable")).is_ok()),
        ("read its own environment", |_| std::fs::read("/proc/self/environ").is_ok()),
        ("connect", |at| TcpStream::connect(("127.0.0.1", at.port)).is_ok()),
        ("listen", |_| TcpListener::bind("127.0.0.1:0").is_ok()),
        ("send datagrams", |_| UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("start a program", |_| Command::new("true").status().is_ok()),
        ("signal a process", |_| rustix::process::test_kill_process(rustix::process::getpid()).is_ok()),
        ("remove a file", |at| std::fs::remove_file(at.path("forbidden")).is_ok()),
    ];

    #[test]
    fn twelve_forbidden_acts_work_outside_and_fail_inside() {
        if !Sandbox::is_supported() {
            let entered = std::thread::spawn(|| Sandbox::default().enter()).join().unwrap();
            assert!(matches!(entered, Err(SandboxError::NotEnforced)), "without Landlock it says so: {entered:?}");
            return;
        }
        let scene = Scene::new();
        scene.restore();
        for (what, attempt) in ATTEMPTS {
            assert!(attempt(&scene), "outside it is possible to {what}");
        }
        scene.restore();
        std::fs::create_dir(scene.path("cache")).unwrap();
        let confined = std::thread::spawn(move || {
            let readable = vec![scene.path("readable"), "/no/such/thing".into()];
            Sandbox { readable, writable: vec![scene.path("cache")], network: false }.enter().unwrap();
            for (what, attempt) in ATTEMPTS {
                assert!(!attempt(&scene), "inside it is not possible to {what}");
            }
            assert_eq!(std::fs::read(scene.path("readable")).unwrap(), b"secret");
            std::fs::File::create(scene.path("cache/x")).unwrap().write_all(b"x").unwrap();
            scene.home.keep()
        });
        std::fs::remove_dir_all(confined.join().unwrap()).unwrap();
    }

    #[test]
    fn a_child_that_needs_the_network_keeps_it_and_nothing_else() {
        let confined = std::thread::spawn(|| {
            Sandbox { network: true, ..Sandbox::default() }.enter().unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            assert!(TcpStream::connect(listener.local_addr().unwrap()).is_ok());
            assert!(std::fs::read("/etc/passwd").is_err() && Command::new("true").status().is_err());
        });
        confined.join().unwrap();
    }
}
