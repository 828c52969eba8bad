//! The addresses of this box from which cameras are looked for.

use crate::os::interfaces::Interface;
use std::net::{IpAddr, Ipv4Addr};

/// An address of this box.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OwnAddress {
    /// The interface that has it.
    pub(crate) interface: String,
    /// IPv4: cameras answer probes over it.
    pub(crate) address: Ipv4Addr,
}

/// Chooses the interfaces with these names or addresses. Without any: all that are up and do multicast, but no loopback.
///
/// # Errors
/// What was named wrongly, and what there is.
pub(crate) fn choose(interfaces: &[Interface], named: &[String]) -> Result<Vec<OwnAddress>, String> {
    let own = |found: &Interface| OwnAddress { interface: found.name.clone(), address: found.address };
    if named.is_empty() {
        let usual = interfaces.iter().filter(|found| found.is_up && found.is_multicast && !found.is_loopback);
        let usual: Vec<OwnAddress> = usual.map(own).collect();
        return match usual.is_empty() {
            true => Err(format!("no network interface is up and does multicast; there are: {}", listed(interfaces))),
            false => Ok(usual),
        };
    }
    let mut chosen: Vec<OwnAddress> = Vec::new();
    for name in named {
        let address = name.parse::<IpAddr>().ok();
        let is_it = |found: &&Interface| found.name == *name || address == Some(found.address.into());
        let before = chosen.len();
        for found in interfaces.iter().filter(is_it) {
            if !found.is_up {
                return Err(format!("the interface {name} is down"));
            }
            if !chosen.contains(&own(found)) {
                chosen.push(own(found));
            }
        }
        if before == chosen.len() && !interfaces.iter().any(|found| is_it(&found)) {
            return Err(format!(
                "no interface with an IPv4 address is named {name}; there are: {}",
                listed(interfaces)
            ));
        }
    }
    Ok(chosen)
}

fn listed(interfaces: &[Interface]) -> String {
    let words = interfaces.iter().map(|found| format!("{} ({})", found.name, found.address));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, last: u8, is_up: bool, is_loopback: bool) -> Interface {
        let address = Ipv4Addr::new(10, 0, 0, last);
        Interface { name: name.into(), address, is_up, is_multicast: !is_loopback, is_loopback }
    }

    #[test]
    fn without_names_all_that_can_reach_cameras_are_used() {
        let all =
            [interface("lo", 1, true, true), interface("eth0", 2, true, false), interface("eth1", 3, false, false)];
        let of = |named: &[&str]| {
            let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
            let chosen = choose(&all, &named);
            chosen.map(|chosen| chosen.into_iter().map(|own| own.interface).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(of(&[]), Ok("eth0".into()));
        assert_eq!(of(&["lo", "10.0.0.2", "eth0"]), Ok("lo eth0".into()));
        assert!(of(&["eth1"]).unwrap_err().contains("down"));
        assert!(of(&["eth9"]).unwrap_err().contains("eth0 (10.0.0.2)"));
        assert!(choose(&all[..1], &[]).unwrap_err().contains("lo (10.0.0.1)"));
    }
}
