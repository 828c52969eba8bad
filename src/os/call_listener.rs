//! System calls of a child that wait for the decision of its parent (seccomp user notification, Linux 5.0).
//!
//! The child installs a filter and gets a descriptor, the listener. Whoever reads from it gets each call that the filter
//! does not allow, while its thread waits, and answers with a result or an error: the call itself is never made. Memory
//! that a call points to may change at any time, so a decision and what follows from it need the same copy.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use seccompiler::sock_filter;
use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::AsRawFd;

/// A call that waits.
#[derive(Clone, Copy, Debug)]
pub struct WaitingCall {
    id: u64,
    thread: u32,
    /// The number of the system call.
    pub number: i64,
    /// Its arguments, as registers.
    pub arguments: [u64; 6],
}

/// The listener. When it is closed, calls that wait fail with `ENOSYS`, as do all further ones.
#[derive(Debug)]
pub struct CallListener(OwnedFd);

/// Installs a filter that asks, for the calling thread and those that it starts later. The result is the listener.
///
/// # Errors
/// The error of the kernel.
#[expect(unsafe_code, reason = "seccompiler installs no filter that asks")]
pub(super) fn install(program: &[sock_filter]) -> io::Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut() };
    rustix::thread::set_no_new_privs(true)?;
    // Since Linux 5.19: a signal does not interrupt a call that the parent has begun to carry out.
    let patient = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    for flags in [patient, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER] {
        // SAFETY: the program lives until the call has copied it, and `len` is its length; both types of an instruction
        // have the layout of the kernel's.
        let descriptor =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
        if let Ok(descriptor) = i32::try_from(descriptor)
            && descriptor >= 0
        {
            // SAFETY: the kernel has just made the descriptor for us.
            return Ok(unsafe { OwnedFd::from_raw_fd(descriptor) });
        }
    }
    Err(io::Error::last_os_error())
}

/// Whether the kernel lets a process listen to its children: not if one listens to this process, as some containers do. Tried
/// with a filter that allows everything, on a thread that ends.
pub(super) fn is_possible() -> bool {
    const RETURN: u16 = 0x06;
    let allow = [sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }];
    std::thread::spawn(move || install(&allow).is_ok()).join().unwrap_or(false)
}

impl CallListener {
    /// Takes over a listener that a child has installed.
    pub fn new(listener: OwnedFd) -> Self {
        Self(listener)
    }

    /// Waits for a call. False if the child, of which `process` is a pidfd, has ended.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn wait(&self, process: BorrowedFd<'_>) -> io::Result<bool> {
        let ended = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        loop {
            let mut watched = [PollFd::new(&self.0, PollFlags::IN), PollFd::new(&process, PollFlags::IN)];
            match poll(&mut watched, None) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) if watched[0].revents().intersects(ended) || !watched[1].revents().is_empty() => {
                    return Ok(false);
                }
                Ok(_) => return Ok(true),
            }
        }
    }

    /// The next call that waits. `None` if its thread has ended meanwhile.
    ///
    /// # Errors
    /// The error of the kernel.
    #[expect(unsafe_code, reason = "rustix does not know these requests")]
    pub fn receive(&self) -> io::Result<Option<WaitingCall>> {
        // SAFETY: a structure of numbers, for which zeros are valid; the kernel wants zeros.
        let mut call: libc::seccomp_notif = unsafe { mem::zeroed() };
        // SAFETY: the request writes one structure of this type.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) };
        if result == 0 {
            let (number, arguments) = (i64::from(call.data.nr), call.data.args);
            return Ok(Some(WaitingCall { id: call.id, thread: call.pid, number, arguments }));
        }
        match Errno::from_io_error(&io::Error::last_os_error()) {
            Some(Errno::NOENT | Errno::INTR) => Ok(None),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The memory of the calling thread's process, in which addresses of the call are offsets.
    ///
    /// # Errors
    /// `INTR` when the call waits no longer, `ACCESS` when its process may not be read.
    #[expect(unsafe_code, reason = "rustix does not know this request")]
    pub fn memory(&self, call: &WaitingCall) -> Result<File, Errno> {
        let memory = File::options().read(true).write(true).open(format!("/proc/{}/mem", call.thread));
        // Only now is it certain that the number was not given to another process before the file was opened.
        // SAFETY: the request reads one number of 64 bits.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const call.id) };
        if result == 0 { memory.map_err(|_| Errno::ACCESS) } else { Err(Errno::INTR) }
    }

    /// Answers a call with its result, or an error. A call whose thread has ended is forgotten.
    ///
    /// # Errors
    /// The error of the kernel.
    #[expect(unsafe_code, reason = "rustix does not know this request")]
    pub fn answer(&self, call: &WaitingCall, result: Result<i64, Errno>) -> io::Result<()> {
        let (val, error) = match result {
            Ok(value) => (value, 0),
            Err(error) => (0, -error.raw_os_error()),
        };
        let answer = libc::seccomp_notif_resp { id: call.id, val, error, flags: 0 };
        // SAFETY: the request reads one structure of this type.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
        match Errno::from_io_error(&io::Error::last_os_error()) {
            _ if result == 0 => Ok(()),
            Some(Errno::NOENT | Errno::INPROGRESS) => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl AsFd for CallListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
