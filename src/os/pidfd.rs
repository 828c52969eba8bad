//! Child processes by descriptor, so that a signal never reaches another process that reused the number.

use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_getfd, pidfd_open,
    pidfd_send_signal, waitid,
};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

/// A handle on a child process.
#[derive(Debug)]
pub struct PidFd {
    fd: OwnedFd,
    pid: u32,
    /// Its process group, which has its number; `None` once it was reaped: the number may be another's by then.
    group: Mutex<Option<Pid>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExitStatus {
    /// It exited with this code.
    Code(i32),
    /// It was killed by this signal.
    Signal(i32),
}

impl std::fmt::Display for ExitStatus {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(out, "exit code {code}"),
            Self::Signal(signal) => write!(out, "signal {signal}"),
        }
    }
}

impl PidFd {
    /// Opens the child with the number `pid`, which must not have been reaped yet, and leads a process group of its own.
    ///
    /// # Errors
    /// The error of the kernel; `InvalidInput` if `pid` is out of range.
    pub fn open(pid: u32) -> io::Result<Self> {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let number = number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a process number"))?;
        Ok(Self { fd: pidfd_open(number, PidfdFlags::empty())?, pid, group: Mutex::new(Some(number)) })
    }

    /// Its process number, for log lines.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// A duplicate of a descriptor of the process.
    ///
    /// # Errors
    /// `EBADF` if it has no such descriptor, `ENOSYS` before Linux 5.6, `EPERM` if the system forbids it.
    pub fn duplicate(&self, number: RawFd) -> io::Result<OwnedFd> {
        Ok(pidfd_getfd(&self.fd, number, PidfdGetfdFlags::empty())?)
    }

    /// Sends SIGKILL to the process and to all that it has started, even after its own end, until [`Self::try_wait`]
    /// has returned it. Logs an error.
    pub fn kill(&self) {
        let group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = *group
            && let Err(error) = kill_process_group(group, Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(pid = self.pid, %error, "the processes of a child could not be killed");
        }
        if let Err(error) = pidfd_send_signal(&self.fd, Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(pid = self.pid, %error, "a child process could not be killed");
        }
    }

    /// Reaps the child if it has ended. `None` while it runs.
    ///
    /// # Errors
    /// The error of the kernel, for example if the child was reaped elsewhere.
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let mut group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        let status = waitid(WaitId::PidFd(self.fd.as_fd()), options)?;
        if status.is_some() {
            *group = None;
        }
        Ok(status.map(|status| match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => ExitStatus::Code(code),
            (None, Some(signal)) => ExitStatus::Signal(signal),
            (None, None) => ExitStatus::Code(-1),
        }))
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
