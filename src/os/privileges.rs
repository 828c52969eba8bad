//! Gives up the capabilities of root. A child of a daemon that runs as root, as in a container, is then a user who owns
//! root's files and may do nothing else that root may.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
};
use std::io;

/// Drops all capabilities of the calling thread and of those that it starts later, for good.
///
/// # Errors
/// The error of the kernel.
pub fn drop_capabilities() -> io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        match remove_capability_from_bounding_set(capability) {
            // Unknown to this kernel; or no right to it, and then none is left to lose.
            Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::thread::capabilities;

    #[test]
    fn nothing_of_root_is_left() {
        let left = std::thread::spawn(|| drop_capabilities().map(|()| capabilities(None).unwrap()));
        let left = left.join().unwrap().unwrap();
        assert!((left.effective | left.permitted | left.inheritable).is_empty(), "{left:?}");
    }
}
