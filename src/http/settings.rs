//! `[http]`.

use crate::live::LiveLimits;
use crate::secret::{Secret, SecretError, SecretSource};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A token can be guessed at from afar, so it must be long.
const MIN_TOKEN_BYTES: usize = 16;

/// The state directory of the service, which may also write in `/run/ocelli`.
const SERVICE_STATE: &str = "/var/lib/ocelli";
const SERVICE_SOCKET: &str = "/run/ocelli/ocelli.sock";

/// Who may use routes of the box's own listener over TCP. Over the Unix socket they are free.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocalAccess {
    /// Every program and user of this box.
    #[default]
    Open,
    /// Whoever can read the token in the state directory.
    Token,
}

/// `[http]`: health, metrics, the native API and the AWS-compatible API on loopback. The last can be served to the
/// network as well, and so can metrics and readiness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// `false` opens no port.
    pub enabled: bool,
    /// Must be a loopback address: other hosts reach the API at `public_address` alone.
    pub address: IpAddr,
    /// 0 takes any free port; the log names it.
    pub port: u16,
    /// A Unix socket with the same routes; absent: as [`Self::socket_path`] says.
    pub socket: Option<PathBuf>,
    /// Who may use `/api` over TCP. Absent: the settings are older than the token, and it stays open.
    pub local_api: Option<LocalAccess>,
    /// Who may read `/healthz`, `/readyz` and `/metrics` over TCP.
    pub local_monitoring: LocalAccess,
    /// Names by which clients ask for the box, beside `localhost` and addresses of loopback. Requests for any other name
    /// are refused, unless their signature or token is checked.
    pub names: Vec<String>,
    /// How long `/readyz` is 503 before a stop, while calls are still answered: the time in which a balancer or client
    /// notices and calls another box. 0: a stop begins at once.
    pub drain_seconds: f32,
    /// Viewers of live video at a time, of all cameras together. 0: nobody can watch.
    pub live_viewers: usize,
    /// The most live video for all viewers together. What exceeds it is left out, up to the next keyframe of each viewer.
    pub live_megabits_per_second: u32,
    /// Where the AWS-compatible API is served to the network, for signed calls only. Without it, nowhere.
    pub public_address: Option<IpAddr>,
    /// 0 takes any free port; the log names it.
    pub public_port: u16,
    /// Web pages of these origins may send signed calls to the AWS-compatible API at the public address.
    pub public_origins: Vec<String>,
    /// Serves the public address without TLS. Images then cross the network in the clear; signatures stay safe.
    pub public_plain: bool,
    /// Where `/readyz` and `/metrics` are served to the network, for whoever shows the token. Without it, nowhere.
    pub monitoring_address: Option<IpAddr>,
    /// 0 takes any free port; the log names it.
    pub monitoring_port: u16,
    /// Serves the monitoring address without TLS. The token then crosses the network in the clear.
    pub monitoring_plain: bool,
    /// A file that holds the token and nothing else, of at least 16 bytes.
    pub monitoring_token_file: Option<PathBuf>,
    /// The certificate of the public and the monitoring address.
    pub tls: HttpTlsSettings,
    /// The sessions of people at the page.
    pub sessions: SessionSettings,
}

impl HttpSettings {
    /// True if an address is served with TLS.
    pub fn shows_certificate(&self) -> bool {
        let is_shown = |address: Option<IpAddr>, is_plain: bool| address.is_some() && !is_plain;
        let is_public = is_shown(self.public_address, self.public_plain);
        self.enabled && (is_public || is_shown(self.monitoring_address, self.monitoring_plain))
    }

    /// The path of the Unix socket. By itself that is in `/run/ocelli` for the service, whose state directory no other user
    /// may enter, else in the state directory.
    pub fn socket_path(&self, state_directory: &Path) -> PathBuf {
        match &self.socket {
            Some(path) => path.clone(),
            None if state_directory == Path::new(SERVICE_STATE) => SERVICE_SOCKET.into(),
            None => state_directory.join("ocelli.sock"),
        }
    }

    /// The bounds of live video.
    pub fn live_limits(&self) -> LiveLimits {
        let bytes_per_second = u64::from(self.live_megabits_per_second) * 1_000_000 / 8;
        LiveLimits { viewers: self.live_viewers, bytes_per_second }
    }

    /// True if people may log in at the public address, once there are any: not without TLS.
    pub fn serves_people_publicly(&self) -> bool {
        self.enabled && self.public_address.is_some() && !self.public_plain
    }

    /// True if a route over TCP needs the token of the state directory.
    pub fn uses_local_token(&self) -> bool {
        self.enabled && [self.local_api, Some(self.local_monitoring)].contains(&Some(LocalAccess::Token))
    }

    /// [`Self::drain_seconds`]; zero where nothing is served.
    pub fn drain_time(&self) -> Duration {
        if self.enabled { Duration::try_from_secs_f32(self.drain_seconds).unwrap_or_default() } else { Duration::ZERO }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8480,
            socket: None,
            local_api: None,
            local_monitoring: LocalAccess::Open,
            names: Vec::new(),
            drain_seconds: 0.0,
            live_viewers: 64,
            live_megabits_per_second: 200,
            public_address: None,
            public_port: 8443,
            public_origins: Vec::new(),
            public_plain: false,
            monitoring_address: None,
            monitoring_port: 8481,
            monitoring_plain: false,
            monitoring_token_file: None,
            tls: HttpTlsSettings::default(),
            sessions: SessionSettings::default(),
        }
    }
}

impl HttpSettings {
    /// Reads the token of the monitoring address; `None` if there is no such address.
    ///
    /// # Errors
    /// [`SecretError`] when its file is not named, cannot be read, or holds a token that is too short.
    pub fn monitoring_token(&self) -> Result<Option<Secret>, SecretError> {
        if self.monitoring_address.is_none() {
            return Ok(None);
        }
        let source = SecretSource { inline: None, file: self.monitoring_token_file.as_deref(), credential: None };
        let token = source.resolve()?.ok_or(SecretError::Missing)?;
        match token.reveal().len() >= MIN_TOKEN_BYTES {
            true => Ok(Some(token)),
            false => Err(SecretError::TooShort(MIN_TOKEN_BYTES)),
        }
    }
}

/// `[http.tls]`. Without files the box makes a self-signed certificate at its first start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpTlsSettings {
    /// The certificate and its chain in PEM.
    pub certificate_file: Option<PathBuf>,
    /// The private key in PEM.
    pub key_file: Option<PathBuf>,
    /// Host names and addresses for the self-signed certificate, in addition to `<box>`, `<box>.local` and `localhost`.
    pub names: Vec<String>,
}

/// `[http.sessions]`: how long a login at the page lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// Minutes without a request after which a session ends.
    pub idle_minutes: u32,
    /// Hours after which it ends however much it is used.
    pub longest_hours: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { idle_minutes: 60, longest_hours: 24 }
    }
}

impl SessionSettings {
    /// [`Self::idle_minutes`].
    pub fn idle(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.idle_minutes))
    }

    /// [`Self::longest_hours`].
    pub fn longest(&self) -> Duration {
        Duration::from_secs(3600 * u64::from(self.longest_hours))
    }
}
