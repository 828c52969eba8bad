//! The network interfaces of this box with their IPv4 addresses.

use std::ffi::CStr;
use std::io;
use std::net::Ipv4Addr;
use std::ptr;

/// An IPv4 address of an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    /// `eth0`.
    pub name: String,
    /// One of its addresses.
    pub address: Ipv4Addr,
    /// It can send.
    pub is_up: bool,
    /// It says that it does multicast. A loopback does it without saying so.
    pub is_multicast: bool,
    /// Only this box is behind it.
    pub is_loopback: bool,
}

/// All interfaces that have an IPv4 address, one entry for each address.
///
/// # Errors
/// The error of the system call.
#[expect(unsafe_code, reason = "rustix has no getifaddrs")]
pub fn list() -> io::Result<Vec<Interface>> {
    let mut first = ptr::null_mut();
    // SAFETY: `first` is a valid place for the pointer, which the call sets when it returns 0.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: `next` is not null, and is a node of the list, which lives until `freeifaddrs` below.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if let Some(address) = ipv4(entry.ifa_addr) {
            // SAFETY: `ifa_name` of a node is a string that ends with a zero and lives as long as the list.
            let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
            let has = |flag: libc::c_int| entry.ifa_flags & flag.cast_unsigned() != 0;
            let (is_up, is_loopback) = (has(libc::IFF_UP), has(libc::IFF_LOOPBACK));
            found.push(Interface { name, address, is_up, is_multicast: has(libc::IFF_MULTICAST), is_loopback });
        }
    }
    // SAFETY: `first` comes from `getifaddrs`, is freed once, and nothing borrows from the list any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

#[expect(unsafe_code, reason = "rustix has no getifaddrs")]
fn ipv4(address: *const libc::sockaddr) -> Option<Ipv4Addr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: the pointer is not null, and every address of the list has a family.
    let family = unsafe { (*address).sa_family };
    if libc::c_int::from(family) != libc::AF_INET {
        return None;
    }
    // SAFETY: an address of this family is a `sockaddr_in`; the read needs no alignment.
    let address = unsafe { ptr::read_unaligned(address.cast::<libc::sockaddr_in>()) };
    Some(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_there() {
        let all = list().unwrap();
        let found = all.iter().find(|interface| interface.address == Ipv4Addr::LOCALHOST).unwrap();
        assert!(found.is_loopback && found.is_up && found.name.starts_with("lo"), "{all:?}");
    }
}
