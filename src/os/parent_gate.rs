//! How a child hands the listener of its filter to its parent.
//!
//! The parent gives the child a socket as standard output, which it needs for nothing else. It writes whether it can
//! listen; the child installs its filter and writes the number of the listener's descriptor; the parent duplicates that
//! and acknowledges it. Then both close the socket, and the child its listener: it cannot answer itself.

use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The environment variable that says that standard output is the gate.
pub const VARIABLE: &str = "OCELLI_GATE";

/// Says that the parent can listen, or has taken the listener.
pub const YES: u8 = 1;
/// Says that it cannot.
pub const NO: u8 = 0;

/// The child's end. Read and written as a file: of a unit, the calls for sockets are refused.
#[derive(Debug)]
pub(super) struct ParentGate(File);

impl ParentGate {
    /// Takes the gate from standard output, which leads nowhere from then on. `None` if there is none, or if the parent
    /// cannot listen.
    ///
    /// # Errors
    /// The error of a system call, or that the parent is gone.
    pub(super) fn take() -> io::Result<Option<Self>> {
        if std::env::var_os(VARIABLE).is_none() {
            return Ok(None);
        }
        let mut gate = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        let mut answer = [NO];
        gate.read_exact(&mut answer)?;
        Ok((answer == [YES]).then_some(Self(gate)))
    }

    /// Hands the listener over. It is closed in this process when the call returns.
    ///
    /// # Errors
    /// When the parent is gone, or could not take it. All calls that the filter does not allow fail then.
    pub(super) fn hand_over(mut self, listener: OwnedFd) -> io::Result<()> {
        self.0.write_all(&listener.as_raw_fd().to_ne_bytes())?;
        let mut answer = [NO];
        self.0.read_exact(&mut answer)?;
        // With it the process could answer itself.
        drop(listener);
        if answer == [YES] { Ok(()) } else { Err(Errno::ACCESS.into()) }
    }
}
