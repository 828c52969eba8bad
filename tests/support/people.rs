//! A box with people who log in, and what they do.

use super::daemon::Daemon;
use super::http::{Address, Answer};
use super::{free_port, root, wait_for};
use ocelli::http::login::password;
use ocelli::secret::Secret;
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
pub const ANNA: &str = "correct horse battery";
pub const BERT: &str = "staple of another kind";

/// A daemon without units that serves people beyond loopback over TLS, and its addresses.
pub struct PeopleBox {
    pub daemon: Daemon,
    /// On loopback, in the clear.
    pub own: Address,
    pub public: Address,
}

/// One of `[[viewers]]`.
pub fn viewer(name: &str, role: &str, password: &str) -> String {
    let hash = password::hash(&Secret::new(password)).unwrap();
    format!("[[viewers]]\nname = \"{name}\"\nrole = \"{role}\"\npassword_hash = \"{}\"\n", hash.reveal())
}

impl PeopleBox {
    /// With `anna`, who looks, and `bert`, who may change things.
    pub fn start() -> Self {
        Self::start_with("", &format!("{}{}", viewer("anna", "viewer", ANNA), viewer("bert", "operator", BERT)))
    }

    /// With these settings of HTTP, and these beside.
    pub fn start_with(http: &str, more: &str) -> Self {
        let port = free_port();
        let daemon = Daemon::start(
            0,
            &format!(
                "[[models]]\nname = \"coco-ssd\"\nenabled = false\n[http]\nlocal_api = \"token\"\npublic_address = \"127.0.0.1\"\npublic_port = {port}\n\
                 {http}[mqtt]\nenabled = false\n[log]\nlevel = \"trace\"\n{more}"
            ),
        );
        let own = Address::plain(daemon.http_port());
        wait_for("the daemon", LIMIT, || own.try_ask("GET /healthz", "", "").filter(|answer| answer.status == 200));
        let is_plain = http.contains("public_plain");
        let certificate = daemon.home().join("state/tls/certificate.pem");
        wait_for("the certificate", LIMIT, || (is_plain || certificate.exists()).then_some(()));
        let public = if is_plain { Address::plain(port) } else { Address::tls(port, &certificate) };
        wait_for("the public address", LIMIT, || public.try_ask("GET /healthz", "", ""));
        Self { daemon, own, public }
    }

    pub fn login(at: &Address, name: &str, password: &str) -> Answer {
        at.post("/login", &at.origin(), &json!({"name": name, "password": password}))
    }

    /// The cookie of a session.
    pub fn session(at: &Address, name: &str, password: &str) -> String {
        let answer = Self::login(at, name, password);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.cookie()
    }

    pub fn token(&self) -> String {
        let token = std::fs::read_to_string(self.daemon.home().join("state/http-token")).unwrap();
        format!("Authorization: Bearer {}\r\n", token.trim())
    }

    /// The secret of a link that `ocelli page` prints.
    pub fn link(&self, arguments: &[&str]) -> String {
        let text = self.daemon.succeed(&[&["page"], arguments].concat());
        let (address, link) = text.lines().find_map(|line| line.split_once("/#link=")).unwrap();
        assert_eq!(address, format!("http://127.0.0.1:{}", self.daemon.http_port()));
        link.to_owned()
    }

    /// `ocelli user ...` with this on its standard input.
    pub fn user(&self, arguments: &[&str], input: &str) -> (bool, String) {
        self.command(&[&["user"], arguments].concat(), input)
    }

    /// Another command with the settings of the daemon.
    pub fn command(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ocelli"))
            .current_dir(root())
            .env("OCELLI_STATE_DIRECTORY", self.daemon.home().join("state"))
            .args(arguments)
            .arg("--config")
            .arg(self.daemon.home().join("ocelli.toml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }
}
