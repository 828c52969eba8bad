//! The names of child processes in `ps`, `top` and the kernel's log.
//!
//! A parent gives a child its title as `argv[0]`, which `ps` shows. The short name (`/proc/<pid>/comm`), which `top` and
//! the kernel's log show, is the file name of the program (`exe`) until the child has set it itself. It is the title
//! without [`PREFIX`]: the kernel keeps 15 bytes, and `pkill ocelli` must reach the daemon alone, which then drains.

use rustix::thread::set_name;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

/// The beginning of every title.
pub const PREFIX: &str = "ocelli: ";

/// Gives this process the short name of its title. For a process without a title, as one that is started by hand, and
/// where the kernel refuses, the name stays. Call it on the main thread, before other threads: they inherit the name.
pub fn adopt() {
    let short = std::env::args_os().next().and_then(short_name);
    if let Some(Err(error)) = short.map(|name| set_name(&name)) {
        tracing::debug!(%error, "the name of this process could not be set");
    }
}

/// What follows [`PREFIX`]; `None` if this is no title.
fn short_name(argument: OsString) -> Option<CString> {
    CString::new(argument.into_vec().strip_prefix(PREFIX.as_bytes())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_name_is_the_title_without_the_name_of_the_daemon() {
        assert_eq!(short_name("ocelli: camera yard".into()).as_deref(), Some(c"camera yard"));
        for other in ["ocelli", "/proc/self/exe", "ocelli: a\0b"] {
            assert_eq!(short_name(other.into()), None, "{other:?}");
        }
    }
}
