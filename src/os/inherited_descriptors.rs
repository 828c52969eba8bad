//! Closes what a child inherited by accident: descriptors that the daemon was started with, or that a library opened
//! without close-on-exec. They would lead out of the sandbox.

use std::io;

/// The first descriptor after standard input, output and error.
const FIRST: libc::c_uint = 3;

/// How many descriptors are closed one by one on a kernel before 5.9, which has no `close_range`.
const MOST: libc::c_int = 4096;

/// Closes all descriptors but standard input, output and error. Call it first thing in a child.
#[expect(unsafe_code, reason = "rustix has no close_range")]
pub fn close() {
    // SAFETY: closing is unsound while a value owns the descriptor. This is the first thing that a child does: it has
    // opened none itself, and the runtime of Rust keeps 0 to 2 only.
    let result = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, 0) };
    if result == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ENOSYS) {
        return;
    }
    for descriptor in FIRST.cast_signed()..MOST {
        // SAFETY: as above. A number without a descriptor is an error that changes nothing.
        unsafe { libc::close(descriptor) };
    }
}
