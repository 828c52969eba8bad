//! The command line of `ocelli discover`.

use crate::cli::config_arguments::ConfigArguments;
use crate::discover::device_url::DeviceUrl;
use crate::discover::own_addresses::OwnAddress;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli discover
  ocelli discover --user viewer --password-file /etc/ocelli/cameras
  ocelli discover --interface eth1 --wait 10 --json | jq -r '.cameras[].address'
  ocelli discover 192.168.1.20 --user viewer --password-file /etc/ocelli/yard --add
  ocelli discover http://192.168.1.21:8000/onvif/device_service

Without DEVICE a probe (WS-Discovery) is sent by multicast, which routers do not pass on: name cameras of other networks. With a
login each camera is asked over ONVIF for its streams; the login is proved by a digest, once in each request, to every camera
that answers, and a camera that refuses it is not asked again. The stream that is added is the smallest that is at least 640
pixels wide. What cameras answer is read by a confined process.

Exit codes: 0 found, 1 none found, or a DEVICE could not be asked, 2 the command line is wrong, 78 the settings are wrong
(--add).")]
pub(in crate::cli) struct DiscoverArguments {
    /// Ask these cameras only: an address, a host, or the URL of an ONVIF device service.
    #[arg(value_name = "DEVICE", conflicts_with_all = ["interface", "wait"])]
    pub(super) device: Vec<String>,
    /// Look for cameras from this interface, by name or address. May be given more than once. Default: all that are up and do
    /// multicast, but no loopback.
    #[arg(long, value_name = "NAME")]
    pub(super) interface: Vec<String>,
    /// Seconds in which answers are gathered, 1 to 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=60))]
    pub(super) wait: u8,
    /// A user of the cameras.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub(super) user: Option<String>,
    /// A file with the password and nothing else. With --add the service must be able to read it.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(super) password_file: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// Add the cameras to the settings, each in a file of its own in the state directory.
    #[arg(long)]
    pub(super) add: bool,
    /// Send the probe to this address instead of all.
    #[arg(long, value_name = "ADDRESS:PORT", hide = true, default_value = crate::discover::probe::GROUP)]
    pub(super) probe_to: SocketAddr,
    #[command(flatten)]
    pub(super) config: ConfigArguments,
}

impl DiscoverArguments {
    /// An absolute path: the daemon has another working directory.
    pub(super) fn password_file(&self) -> Option<PathBuf> {
        let file = self.password_file.as_ref()?;
        Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()))
    }

    pub(super) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait.into())
    }
}

/// Whom to ask.
#[derive(Debug)]
pub(super) enum Asked {
    /// Whoever answers a probe from these addresses.
    All(Vec<OwnAddress>),
    /// These cameras.
    Named(Vec<DeviceUrl>),
}
