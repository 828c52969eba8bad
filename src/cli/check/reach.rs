//! Whether a TCP connection is possible, with the reason in words and a cure for each: the clients of cameras and brokers
//! say the same of all of them.

use std::io::ErrorKind;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long a name server, and whoever is behind the address, may take.
const LIMIT: Duration = Duration::from_secs(5);

/// What is wrong, and the cure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unreachable {
    pub(super) what: String,
    pub(super) cure: &'static str,
}

/// Connects to an address and closes the connection.
pub(super) async fn reach(host: &str, port: u16) -> Result<(), Unreachable> {
    let fail = |what: String, cure| Err(Unreachable { what, cure });
    let found = timeout(LIMIT, lookup_host((host, port))).await;
    match found.map(|found| found.is_ok_and(|mut addresses| addresses.next().is_some())) {
        Ok(true) => {}
        Ok(false) => {
            return fail(
                format!("the name `{host}` is not known"),
                "correct the name, or give the address; check the name server",
            );
        }
        Err(_) => {
            return fail(
                format!("the name server does not answer for `{host}`"),
                "give the address, or check the name server",
            );
        }
    }
    let error = match timeout(LIMIT, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error,
        Err(_) => {
            let what = format!("{host}:{port} does not answer within {} s", LIMIT.as_secs());
            return fail(what, "check address, cable and firewall");
        }
    };
    match error.kind() {
        ErrorKind::ConnectionRefused => fail(
            format!("{host}:{port} refuses connections: nothing listens there"),
            "correct the port, or start what should listen",
        ),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            fail(format!("there is no way to {host}:{port}"), "check address, cable, and the routes of this box")
        }
        ErrorKind::PermissionDenied => {
            fail(format!("this box forbids connections to {host}:{port}"), "check its firewall")
        }
        _ => fail(format!("{host}:{port} cannot be reached: {error}"), "check address, cable and firewall"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_port_is_told_from_a_name_that_nobody_knows() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach("127.0.0.1", port).await, Ok(()));
        drop(listener);
        let refused = reach("127.0.0.1", port).await.unwrap_err();
        assert!(refused.what.contains("refuses connections"), "{refused:?}");
        // RFC 6761: this name never exists.
        let unknown = reach("camera.invalid", 554).await.unwrap_err();
        assert!(unknown.what.contains("`camera.invalid`"), "{unknown:?}");
    }
}
