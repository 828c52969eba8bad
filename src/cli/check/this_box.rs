//! What the box itself must have: hardware that the settings name, free ports, a clock, a kernel that confines children.

use crate::cli::check::report::{Finding, Severity};
use crate::os::access::Visitor;
use crate::os::clock::{self, WallClock};
use crate::os::confinement::Confinement;
use crate::os::ports;
use crate::os::sandbox::{Sandbox, SandboxMode};
use crate::os::state_lock::StateLock;
use crate::os::users::is_root;
use crate::settings::{BoxFacts, Settings};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

/// Everything that can be seen without a network.
pub(super) fn check_box(settings: &Settings, visitor: &Visitor) -> Vec<Finding> {
    let facts = BoxFacts::read();
    let mut findings = check_hardware(settings, &facts);
    findings.extend(check_ports(settings, visitor));
    findings.push(check_clock(clock::wall_now_ms(), clock::wall_clock()));
    findings.push(check_sandbox(settings.sandbox.mode));
    findings
}

fn check_hardware(settings: &Settings, facts: &BoxFacts) -> Vec<Finding> {
    let impossible = settings.impossible_here(facts).into_iter().map(|remark| (Severity::Failed, remark));
    let unsuitable = settings.advice(facts).into_iter().map(|remark| (Severity::Warning, remark));
    impossible.chain(unsuitable).map(|(severity, remark)| Finding::of_remark(severity, remark)).collect()
}

fn check_ports(settings: &Settings, visitor: &Visitor) -> Vec<Finding> {
    let http = &settings.http;
    if !http.enabled {
        return Vec::new();
    }
    let holder = StateLock::holder_of(&settings.state_directory);
    let public = http.public_address.map(|address| ("http.public_port", address, http.public_port));
    let monitoring = http.monitoring_address.map(|address| ("http.monitoring_port", address, http.monitoring_port));
    let addresses = [Some(("http.port", http.address, http.port)), public, monitoring];
    let of_port = |(key, address, port): (&str, IpAddr, u16)| {
        let address = SocketAddr::new(address, port);
        check_port(key, address, holder.as_deref(), visitor)
    };
    addresses.into_iter().flatten().filter(|(_, _, port)| *port != 0).map(of_port).collect()
}

/// `holder` is the daemon that runs with this state directory: it has the port, if anybody has.
fn check_port(key: &str, address: SocketAddr, holder: Option<&str>, visitor: &Visitor) -> Finding {
    let failed = |what: String, cure: String| Finding::new(Severity::Failed, "port", what).key(key).cure(cure);
    let is_of_root = match visitor {
        Visitor::Caller => is_root(),
        Visitor::User(user) => user.id == 0,
    };
    let first = ports::first_unprivileged();
    if address.port() < first && !is_of_root {
        let what = format!("{address}: only root may listen on ports below {first}");
        return failed(what, format!("set `{key}` to {first} or more"));
    }
    match ports::try_address(address).map_err(|error| (error.kind(), error)) {
        Ok(()) => Finding::ok("port", format!("{address} is free")),
        Err((ErrorKind::AddrInUse, _)) => match holder {
            Some(holder) => Finding::ok("port", format!("{address} is taken by the running daemon, {holder}")),
            None => failed(
                format!("{address} is taken by another program"),
                format!("`ss -ltnp sport = :{}` as root names it: end it, or set `{key}`", address.port()),
            ),
        },
        Err((ErrorKind::AddrNotAvailable, _)) => {
            let key = if key == "http.port" { "http.address".to_owned() } else { key.replace("_port", "_address") };
            let what = format!("{} is not an address of this box", address.ip());
            failed(what, "`ip address` shows them".to_owned()).key(key)
        }
        Err((_, error)) => failed(format!("{address} cannot be listened on: {error}"), String::new()),
    }
}

fn check_clock(wall_ms: i64, synchronisation: WallClock) -> Finding {
    let shown = clock::rfc3339_utc(wall_ms);
    let cure = "set it, or let a time service do it: `timedatectl set-ntp true`";
    if clock::is_plainly_wrong(wall_ms) {
        let what = format!("it is {shown}, which cannot be: times in events, TLS and signatures are wrong");
        return Finding::new(Severity::Failed, "clock", what).cure(cure);
    }
    match synchronisation {
        WallClock::Synchronized => Finding::ok("clock", format!("{shown}, kept by a time service")),
        WallClock::Unsynchronized => {
            Finding::new(Severity::Warning, "clock", format!("{shown}; no time service keeps it")).cure(cure)
        }
        WallClock::Unknown => Finding::ok("clock", shown),
    }
}

fn check_sandbox(mode: SandboxMode) -> Finding {
    let confinement = Confinement::of_this_kernel();
    let kernel = confinement.in_words();
    let finding = |severity, what: &str| Finding::new(severity, "sandbox", format!("{what}; this kernel has {kernel}"));
    let landlock = "boot with Landlock (lsm=landlock,...); a container must allow its system calls";
    let guard = "Linux 5.6, kernel.yama.ptrace_scope below 2, and in a container seccomp and pidfd_getfd allowed";
    match (mode, Sandbox::is_supported(), confinement.guard) {
        (SandboxMode::Off, _, _) => {
            finding(Severity::Warning, "capture processes and units are not confined: it is off")
                .key("sandbox.mode")
                .cure("\"best-effort\" or \"required\"")
        }
        (_, true, true) => finding(Severity::Ok, "capture processes and units are confined"),
        (SandboxMode::Required, true, false) => {
            finding(Severity::Failed, "capture processes cannot be confined as a whole and do not start")
                .key("sandbox.mode")
                .cure(format!("{guard}; or set \"required-partial\""))
        }
        (_, true, false) => finding(Severity::Warning, "capture processes are not confined as a whole").cure(guard),
        (SandboxMode::BestEffort, false, _) => {
            finding(Severity::Warning, "capture processes and units are not confined").cure(landlock)
        }
        (SandboxMode::Required | SandboxMode::RequiredPartial, false, _) => {
            finding(Severity::Failed, "capture processes and units cannot be confined and do not start")
                .key("sandbox.mode")
                .cure(format!("{landlock}; or set \"best-effort\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::users::User;
    use std::net::TcpListener;

    #[test]
    fn a_port_is_free_taken_or_our_own_daemons() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let severity = |holder| check_port("http.port", address, holder, &Visitor::Caller).severity;
        assert_eq!(severity(None), Severity::Failed);
        assert_eq!(severity(Some("process 7, `ocelli run`")), Severity::Ok);
        drop(listener);
        assert_eq!(severity(None), Severity::Ok);
    }

    #[test]
    fn a_port_that_the_service_may_not_use_and_an_address_of_another_box_are_failures() {
        let user = User { name: "ocelli".into(), id: 990, groups: vec![990], group_name: "ocelli".into() };
        let low = ports::first_unprivileged().saturating_sub(1);
        if low > 0 {
            let low = check_port("http.port", SocketAddr::from(([127, 0, 0, 1], low)), None, &Visitor::User(user));
            assert!(low.severity == Severity::Failed && low.what.contains("only root"), "{low:?}");
        }
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 8443));
        let elsewhere = check_port("http.public_port", elsewhere, None, &Visitor::Caller);
        assert!(elsewhere.severity == Severity::Failed && elsewhere.what.contains("not an address"), "{elsewhere:?}");
    }

    #[test]
    fn a_clock_of_1970_is_a_failure_and_one_that_nobody_keeps_a_warning() {
        let now = clock::wall_now_ms();
        assert_eq!(check_clock(0, WallClock::Synchronized).severity, Severity::Failed);
        assert_eq!(check_clock(now, WallClock::Unsynchronized).severity, Severity::Warning);
        assert_eq!(check_clock(now, WallClock::Synchronized).severity, Severity::Ok);
    }
}
