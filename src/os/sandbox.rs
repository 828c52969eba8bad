//! The sandbox of a child that parses untrusted bytes: it can access a few files, make the system calls that its work
//! needs, and reach what its parent connects it to.
//!
//! Three walls. Landlock confines files, and since Linux 6.7 and 6.12 TCP and signals too. Seccomp refuses every system
//! call that is not on the list of the child's kind, and covers what an older Landlock lacks: Debian 12 (Linux 6.1) has ABI
//! 2, without rules for truncating, TCP and signals. Calls that name an address are made by the parent, which knows the
//! cameras ([`crate::os::call_listener`]). All apply to the calling thread and those that it starts later, so call
//! [`Sandbox::enter`] before the child's first thread.

use crate::os::call_filter;
use crate::os::call_listener;
use crate::os::parent_gate::ParentGate;
use crate::os::privileges::drop_capabilities;
use crate::os::system_calls::ChildKind;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use serde::{Deserialize, Serialize};
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
    /// A child that cannot be confined as a whole fails to start.
    Required,
    /// A child that cannot be confined at all fails to start. One wall may be missing, and the log says which.
    RequiredPartial,
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
            Self::RequiredPartial => "required-partial",
            Self::BestEffort => "best-effort",
            Self::Off => "off",
        }
    }

    /// In a child: the mode in [`MODE_VARIABLE`], which the parent sets. The default if it is missing or unknown.
    pub fn from_environment() -> Self {
        let name = std::env::var(MODE_VARIABLE).unwrap_or_default();
        [Self::Required, Self::RequiredPartial, Self::Off]
            .into_iter()
            .find(|mode| mode.name() == name)
            .unwrap_or_default()
    }
}

/// The environment variable with the mode for a child.
pub const MODE_VARIABLE: &str = "OCELLI_SANDBOX";

/// The environment variable by which tests see an older kernel: no newer ABI of Landlock than this one is used, 0: none.
pub const ABI_VARIABLE: &str = "OCELLI_LANDLOCK_ABI";

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
    /// The capabilities of root cannot be dropped.
    #[error("the capabilities of root cannot be dropped")]
    Privileges(#[source] std::io::Error),
    /// The filter is in force, and nobody decides about what it asks.
    #[error("the parent does not take over the child's sockets")]
    Gate(#[source] std::io::Error),
    /// Nobody decides which addresses a child connects to.
    #[error(
        "the daemon cannot decide which addresses a capture process connects to: that needs Linux 5.6, the system calls \
         seccomp and pidfd_getfd (a container must allow them), and kernel.yama.ptrace_scope below 2; without it no camera \
         is captured if `sandbox.mode` is \"required\", but it is if that is \"required-partial\""
    )]
    Unguarded,
}

/// What a confined child may access.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sandbox {
    /// Files, and directories with everything below, that it may read. Missing ones are ignored.
    pub readable: Vec<PathBuf>,
    /// Files and directories that it may read and change. Missing ones are ignored.
    pub writable: Vec<PathBuf>,
    /// The system calls that it may make, and whether it may have sockets.
    pub kind: ChildKind,
}

/// What is in force.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Confined {
    /// The parent decides about addresses.
    pub is_guarded: bool,
}

impl Sandbox {
    /// Confines this thread and those that it starts later, unless `mode` is off. In best effort mode, only logs a
    /// failure.
    ///
    /// # Errors
    /// [`SandboxError`]; in best effort mode only [`SandboxError::Gate`], after which no socket works.
    pub fn enter_as(&self, mode: SandboxMode) -> Result<(), SandboxError> {
        if mode == SandboxMode::Off {
            return Ok(());
        }
        match self.enter() {
            Ok(Confined { is_guarded: false }) if self.kind == ChildKind::Capturing => match mode {
                SandboxMode::Required => Err(SandboxError::Unguarded),
                _ => {
                    tracing::warn!(
                        "a capture process may connect to any address: the daemon cannot decide about them here"
                    );
                    Ok(())
                }
            },
            Ok(_) => Ok(()),
            Err(error) if mode == SandboxMode::BestEffort && !matches!(error, SandboxError::Gate(_)) => {
                let what = if matches!(error, SandboxError::NotEnforced) {
                    "files are open to it"
                } else {
                    "a wall is missing"
                };
                tracing::warn!(%error, "a child is not confined as a whole: {what}");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Confines this thread and those that it starts later.
    ///
    /// # Errors
    /// [`SandboxError`]; the thread may then be partly confined.
    pub fn enter(&self) -> Result<Confined, SandboxError> {
        let gate = ParentGate::take().map_err(SandboxError::Gate)?;
        let pid = std::process::id();
        // Nobody asks about an accelerated unit: what drivers call is not known.
        let gate = gate.filter(|_| self.kind != ChildKind::Accelerated && call_listener::is_possible());
        let (tried, calls) = (call_filter::of_tried_calls()?, call_filter::of_child(self.kind, pid, gate.is_some())?);
        // One wall that cannot be built does not take the others away.
        let privileges = drop_capabilities().map_err(SandboxError::Privileges);
        let files = self.restrict_files(gate.is_some());
        // Last: once Landlock is in force, no refused call is needed any more.
        seccompiler::apply_filter(&tried)?;
        let is_guarded = gate.is_some();
        match gate {
            None => seccompiler::apply_filter(&calls)?,
            Some(gate) => {
                let listener = call_listener::install(&calls).map_err(SandboxError::Gate)?;
                gate.hand_over(listener).map_err(SandboxError::Gate)?;
            }
        }
        privileges?;
        if files? { Ok(Confined { is_guarded }) } else { Err(SandboxError::NotEnforced) }
    }

    /// Returns false if this kernel has no Landlock.
    fn restrict_files(&self, is_guarded: bool) -> Result<bool, landlock::RulesetError> {
        let abi = newest_abi();
        if abi == ABI::Unsupported {
            return Ok(false);
        }
        let files = AccessFs::from_all(abi);
        let mut rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(files)?;
        if abi >= ABI::V4 {
            rules = rules.handle_access(match self.kind {
                ChildKind::Capturing if !is_guarded => AccessNet::BindTcp.into(),
                // Of a guarded child the parent connects the sockets, whom Landlock does not confine.
                _ => AccessNet::from_all(abi),
            })?;
        }
        if abi >= ABI::V6 {
            rules = rules.scope(Scope::from_all(abi))?;
        }
        let status = rules
            .create()?
            .add_rules(path_beneath_rules(&self.readable, AccessFs::ReadFile | AccessFs::ReadDir))?
            .add_rules(path_beneath_rules(&self.writable, files))?
            .restrict_self()?;
        Ok(status.ruleset != RulesetStatus::NotEnforced)
    }

    /// True if this kernel can confine. Tries it on a new thread, which then ends.
    pub fn is_supported() -> bool {
        std::thread::spawn(|| Self::default().enter().is_ok()).join().unwrap_or(false)
    }
}

/// The newest ABI of Landlock that is used; the kernel may have an older one.
fn newest_abi() -> ABI {
    match std::env::var(ABI_VARIABLE).ok().and_then(|abi| abi.parse::<u8>().ok()) {
        Some(0) => ABI::Unsupported,
        Some(1) => ABI::V1,
        Some(2) => ABI::V2,
        Some(3) => ABI::V3,
        Some(4) => ABI::V4,
        Some(5) => ABI::V5,
        _ => ABI::V6,
    }
}

#[cfg(test)]
mod tests;
