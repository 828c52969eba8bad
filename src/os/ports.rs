//! Whether a TCP address can be listened on, found out without listening: nobody who connects meanwhile is misled.

use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt::set_socket_reuseaddr};
use std::io;
use std::net::SocketAddr;

/// Tries to take an address, and gives it back.
///
/// # Errors
/// `AddrInUse` if somebody listens there, `AddrNotAvailable` if it is no address of this box, `PermissionDenied` for a
/// port that this user may not use.
pub fn try_address(address: SocketAddr) -> io::Result<()> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, None)?;
    // As servers do: connections that end are not taken for a server.
    set_socket_reuseaddr(&socket, true)?;
    Ok(bind(&socket, &address)?)
}

/// The first port that users other than root may listen on.
pub fn first_unprivileged() -> u16 {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    text.trim().parse().unwrap_or(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};

    #[test]
    fn a_port_is_taken_while_somebody_listens_there_and_only_then() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(try_address(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        try_address(address).unwrap();
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 8480));
        assert_eq!(try_address(elsewhere).unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
