//! Addresses that a child may not reach, and sockets that it may not make.

use super::{call, error_of, say};
use libc::{c_int, c_long};
use std::collections::BTreeMap;
use std::mem::{size_of, zeroed};

fn internet(port: u16) -> libc::sockaddr_in {
    // SAFETY: a structure of numbers, for which zeros are valid.
    let mut address: libc::sockaddr_in = unsafe { zeroed() };
    address.sin_family = 2;
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = u32::from(std::net::Ipv4Addr::LOCALHOST).to_be();
    address
}

fn path_address(path: &[u8]) -> (libc::sockaddr_un, usize) {
    // SAFETY: a structure of numbers, for which zeros are valid.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = 1;
    for (to, from) in address.sun_path.iter_mut().zip(path) {
        *to = from.cast_signed();
    }
    (address, 2 + path.len())
}

/// Makes a socket and tries an act with it. The error of the socket, if there is none.
fn with_socket(family: c_int, kind: c_int, act: impl FnOnce(c_long) -> c_int) -> c_int {
    // SAFETY: numbers only.
    let socket = unsafe { libc::socket(family, kind, 0) };
    if socket < 0 {
        return error_of(socket.into());
    }
    let error = act(socket.into());
    // SAFETY: made above, and of nobody else.
    unsafe { libc::close(socket) };
    error
}

pub(crate) fn sockets(facts: &BTreeMap<String, String>) {
    let port = |name: &str| facts[name].parse::<u16>().unwrap_or_default();
    let (tcp, udp) = (libc::SOCK_STREAM, libc::SOCK_DGRAM);
    let length = size_of::<libc::sockaddr_in>() as c_long;
    for name in ["http", "listener"] {
        let to = internet(port(name));
        let to = (&raw const to) as c_long;
        let connect = |socket| call(libc::SYS_connect, [socket, to, length, 0, 0, 0]);
        say("address", with_socket(libc::AF_INET, tcp, connect), &format!("connect to the {name}"));
        let fast = c_long::from(libc::MSG_FASTOPEN);
        let connect = |socket| call(libc::SYS_sendto, [socket, to, 1, fast, to, length]);
        say("address", with_socket(libc::AF_INET, tcp, connect), &format!("connect to the {name} by sending"));
        let connect = |socket| call(libc::SYS_connect, [socket, to, length, 0, 0, 0]);
        say("address", with_socket(libc::AF_INET, udp, connect), &format!("connect to the {name} over UDP"));
    }
    let to = internet(port("udp"));
    let to = (&raw const to) as c_long;
    let send = |socket| call(libc::SYS_sendto, [socket, to, 4, 0, to, length]);
    say("address", with_socket(libc::AF_INET, udp, send), "send a packet");
    let piece = libc::iovec { iov_base: to as *mut libc::c_void, iov_len: 4 };
    // SAFETY: a structure of pointers and numbers, for which zeros are valid.
    let mut message: libc::mmsghdr = unsafe { zeroed() };
    message.msg_hdr.msg_name = to as *mut libc::c_void;
    message.msg_hdr.msg_namelen = 16;
    message.msg_hdr.msg_iov = (&raw const piece).cast_mut();
    message.msg_hdr.msg_iovlen = 1;
    let message = (&raw const message) as c_long;
    let send = |socket| call(libc::SYS_sendmsg, [socket, message, 0, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, udp, send), "send a message");
    let send = |socket| call(libc::SYS_sendmmsg, [socket, message, 1, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, udp, send), "send messages");
    let any = internet(0);
    let any = (&raw const any) as c_long;
    let bind = |socket| call(libc::SYS_bind, [socket, any, length, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, tcp, bind), "bind a TCP socket");
    let low = internet(53);
    let low = (&raw const low) as c_long;
    let bind = |socket| call(libc::SYS_bind, [socket, low, length, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, udp, bind), "bind the port of a service");
    let listen = |socket| call(libc::SYS_listen, [socket, 1, 0, 0, 0, 0]);
    say("refused", with_socket(libc::AF_INET, tcp, listen), "listen");
    let abstract_name = [&b"\0"[..], facts["abstract"].as_bytes()].concat();
    for (name, path) in [("a path", facts["unix"].as_bytes()), ("an abstract name", &abstract_name)] {
        let (to, length) = path_address(path);
        let to = (&raw const to) as c_long;
        let connect = |socket| call(libc::SYS_connect, [socket, to, length as c_long, 0, 0, 0]);
        say("address", with_socket(libc::AF_UNIX, tcp, connect), &format!("connect to {name}"));
    }
    for (name, family, kind) in [
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW),
        ("packet", libc::AF_PACKET, libc::SOCK_RAW),
        ("raw", libc::AF_INET, libc::SOCK_RAW),
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM),
        ("crypto", libc::AF_ALG, libc::SOCK_SEQPACKET),
    ] {
        say("refused", with_socket(family, kind, |_| 0), &format!("make a {name} socket"));
    }
    for protocol in [132, 262] {
        let numbers = [libc::AF_INET.into(), tcp.into(), protocol, 0, 0, 0];
        say("refused", call(libc::SYS_socket, numbers), &format!("make a socket of protocol {protocol}"));
    }
}
