//! TLS to the broker: what is accepted, and what each mistake is told as.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::broker::Broker;
use support::certificates::{Authority, EXPIRED, Identity, NOT_YET, VALID};
use support::daemon::Daemon;
use support::wait_for;

const SECONDS: Duration = Duration::from_secs(1);

/// These tests are about the connection.
const ONE_UNIT: &str = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n";

/// What a daemon is told of the broker.
struct Tls<'a> {
    host: &'a str,
    authority: &'a str,
    own: Option<&'a Identity>,
    protocol: &'a str,
}

impl Tls<'_> {
    fn daemon(&self, broker: &Broker) -> Daemon {
        let (host, port, protocol) = (self.host, broker.port, self.protocol);
        let own = self.own.map_or_else(String::new, |own| {
            format!("certificate_file = \"{}\"\nkey_file = \"{}\"\n", own.certificate, own.key)
        });
        let settings = format!(
            "[mqtt]\nhost = \"{host}\"\nport = {port}\nprotocol = \"{protocol}\"\n\
             credentials = {{ user = \"ocelli\", password_file = \"{}\" }}\n\
             [mqtt.tls]\nenabled = true\nca_file = \"{}\"\n{own}{ONE_UNIT}",
            password_file(self.authority),
            self.authority,
        );
        Daemon::start(port, &settings)
    }
}

/// A password that must never be seen in a log.
const PASSWORD: &str = "correct-horse-battery";

fn password_file(authority: &str) -> String {
    let path = Path::new(authority).with_file_name("password");
    std::fs::write(&path, PASSWORD).unwrap();
    path.display().to_string()
}

/// A broker with this certificate; `more` are further lines of its configuration.
fn tls_broker(authority: &str, identity: &Identity, more: &str, client: &[&str]) -> Broker {
    let Identity { certificate, key } = identity;
    let lines = format!("allow_anonymous true\ncafile {authority}\ncertfile {certificate}\nkeyfile {key}\n{more}");
    Broker::start_with(&lines, &[&["--cafile", authority], client].concat())
}

fn wait_online(broker: &Broker) {
    let messages = broker.subscribe("ocelli/box/available");
    messages.wait("online", 20 * SECONDS, |_, payload| payload == "online");
}

/// The daemon says each of these words in one line, says it once though it tries again, keeps its secrets and works.
fn check_refused(broker: &Broker, daemon: &Daemon, words: &[&str]) {
    let told = || -> Vec<String> {
        let log = daemon.log();
        log.lines().filter(|line| line.contains("the broker is not connected")).map(str::to_owned).collect()
    };
    wait_for("a refusal", 20 * SECONDS, || (!told().is_empty()).then_some(()));
    let before = broker.connections();
    wait_for("two more tries", 20 * SECONDS, || (broker.connections() >= before + 2).then_some(()));
    let told = told();
    assert_eq!(told.len(), 1, "said once: {told:#?}");
    for word in words {
        assert!(told[0].contains(word), "`{word}` is not in: {}", told[0]);
    }
    assert!(!daemon.log().contains(PASSWORD) && !daemon.log().contains("PRIVATE KEY"));
    wait_for("everything else", 20 * SECONDS, || daemon.get("/healthz").filter(|got| got.0 == 200));
    assert_eq!(daemon.sum("ocelli_mqtt_connected"), 0.0);
}

/// A daemon that trusts the authority meets a broker whose certificate is `identity`.
fn check_certificate(authority: &Authority, identity: &Identity, words: &[&str]) {
    let broker = tls_broker(&authority.file(), identity, "", &[]);
    let daemon = Tls { host: "127.0.0.1", authority: &authority.file(), own: None, protocol: "5" }.daemon(&broker);
    check_refused(&broker, &daemon, words);
}

#[test]
fn a_broker_is_known_by_its_address_or_its_name_in_both_versions_of_mqtt() {
    let authority = Authority::new("Site CA");
    for (host, protocol) in [("127.0.0.1", "5"), ("localhost", "3.1.1")] {
        let broker = tls_broker(&authority.file(), &authority.sign(&[host], VALID), "", &["-h", host]);
        let daemon = Tls { host, authority: &authority.file(), own: None, protocol }.daemon(&broker);
        wait_online(&broker);
        assert!(daemon.stop().0.success());
        let messages = broker.subscribe("ocelli/box/available");
        messages.wait("stopped", 5 * SECONDS, |_, payload| payload == "stopped");
    }
}

/// An authority, a broker's certificate for 127.0.0.1 and a box's certificate, as operators make them: RSA, by openssl.
fn by_openssl(directory: &Path) -> (String, Identity, Identity) {
    let run = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    };
    let new_key = ["req", "-newkey", "rsa:2048", "-nodes"];
    run(&[&new_key[..], &["-x509", "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem"]]
        .concat());
    let file = |name: String| directory.join(name).display().to_string();
    let identities =
        [("broker", "subjectAltName=IP:127.0.0.1"), ("box", "subjectAltName=DNS:box")].map(|(name, extension)| {
            let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
            let subject = format!("/CN={name}");
            run(&[&new_key[..], &["-subj", &subject, "-keyout", &key, "-out", &request]].concat());
            std::fs::write(directory.join("ext"), extension).unwrap();
            let sign = [
                "x509",
                "-req",
                "-days",
                "2",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-extfile",
                "ext",
            ];
            run(&[&sign[..], &["-in", &request, "-out", &certificate]].concat());
            Identity { certificate: file(certificate), key: file(key) }
        });
    let [broker, own] = identities;
    (file("ca.pem".into()), broker, own)
}

#[test]
fn a_client_certificate_made_by_openssl_lets_in_in_both_versions_of_mqtt() {
    let home = tempfile::tempdir().unwrap();
    let (authority, broker, own) = by_openssl(home.path());
    let client = ["--cert", &own.certificate, "--key", &own.key];
    // What the broker sees in it: the box's name is its user.
    let lines = "require_certificate true\nuse_identity_as_username true\n";
    let broker = tls_broker(&authority, &broker, lines, &client);
    for protocol in ["5", "3.1.1"] {
        let daemon = Tls { host: "127.0.0.1", authority: &authority, own: Some(&own), protocol }.daemon(&broker);
        wait_online(&broker);
        assert!(daemon.stop().0.success());
        let messages = broker.subscribe("ocelli/box/available");
        messages.wait("stopped", 5 * SECONDS, |_, payload| payload == "stopped");
    }
}

#[test]
fn a_broker_that_wants_a_client_certificate_is_told_as_that() {
    let authority = Authority::new("Site CA");
    let identity = authority.sign(&["127.0.0.1"], VALID);
    let broker = tls_broker(&authority.file(), &identity, "require_certificate true\n", &[]);
    for protocol in ["5", "3.1.1"] {
        let daemon = Tls { host: "127.0.0.1", authority: &authority.file(), own: None, protocol }.daemon(&broker);
        check_refused(&broker, &daemon, &["wants a certificate", "mqtt.tls.certificate_file", "mqtt.tls.key_file"]);
    }
}

#[test]
fn a_client_certificate_that_the_broker_does_not_accept_is_named() {
    let authority = Authority::new("Site CA");
    let identity = authority.sign(&["127.0.0.1"], VALID);
    let broker = tls_broker(&authority.file(), &identity, "require_certificate true\n", &[]);
    let own = authority.sign(&["box"], EXPIRED);
    let tls = Tls { host: "127.0.0.1", authority: &authority.file(), own: Some(&own), protocol: "5" };
    check_refused(&broker, &tls.daemon(&broker), &["this box's certificate", &own.certificate]);
}

#[test]
fn an_expired_certificate_is_told_with_its_date() {
    let authority = Authority::new("Site CA");
    let identity = authority.sign(&["127.0.0.1"], EXPIRED);
    check_certificate(&authority, &identity, &["has expired on 2021-01-01T00:00:00", "renew it", "clock"]);
}

#[test]
fn a_certificate_of_tomorrow_is_told_with_its_date() {
    let authority = Authority::new("Site CA");
    let identity = authority.sign(&["127.0.0.1"], NOT_YET);
    check_certificate(&authority, &identity, &["not valid before 2099-01-01T00:00:00", "clock"]);
}

#[test]
fn a_certificate_for_another_host_is_told_with_both_names() {
    let authority = Authority::new("Site CA");
    let identity = authority.sign(&["broker.example"], VALID);
    check_certificate(&authority, &identity, &["not for `127.0.0.1`", "broker.example", "mqtt.host"]);
}

#[test]
fn an_unknown_authority_is_told_with_the_file_that_lacks_it() {
    let (known, other) = (Authority::new("Site CA"), Authority::new("Other CA"));
    let identity = other.sign(&["127.0.0.1"], VALID);
    check_certificate(&known, &identity, &["authority", &known.file(), "mqtt.tls.ca_file"]);
}

#[test]
fn tls_at_a_port_without_it_is_told_as_that() {
    let (authority, broker) = (Authority::new("Site CA"), Broker::start());
    let daemon = Tls { host: "127.0.0.1", authority: &authority.file(), own: None, protocol: "5" }.daemon(&broker);
    check_refused(&broker, &daemon, &[&broker.port.to_string(), "for TLS", "mqtt.tls.enabled to false"]);
}

#[test]
fn a_tls_port_without_tls_is_told_as_that() {
    let authority = Authority::new("Site CA");
    let broker = tls_broker(&authority.file(), &authority.sign(&["127.0.0.1"], VALID), "", &[]);
    for protocol in ["5", "3.1.1"] {
        let settings = format!("[mqtt]\nport = {}\nprotocol = \"{protocol}\"\n{ONE_UNIT}", broker.port);
        let daemon = Daemon::start(broker.port, &settings);
        check_refused(&broker, &daemon, &[&broker.port.to_string(), "expects TLS", "set mqtt.tls.enabled"]);
    }
}

#[test]
fn a_certificate_that_is_renewed_lets_in_without_a_restart_of_the_box() {
    let authority = Authority::new("Site CA");
    let (old, new) = (authority.sign(&["127.0.0.1"], EXPIRED), authority.sign(&["127.0.0.1"], VALID));
    let mut broker = tls_broker(&authority.file(), &old, "", &[]);
    let daemon = Tls { host: "127.0.0.1", authority: &authority.file(), own: None, protocol: "5" }.daemon(&broker);
    wait_for("a refusal", 20 * SECONDS, || daemon.log().contains("has expired").then_some(()));
    broker.kill();
    std::fs::copy(new.certificate, old.certificate).unwrap();
    std::fs::copy(new.key, old.key).unwrap();
    broker.restart();
    wait_online(&broker);
    drop(daemon);
}
