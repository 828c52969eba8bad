//! `ocelli discover`: finds cameras, asks them for their streams, and adds them to the settings.

mod additions;
mod report;
mod search;

use crate::cli::config_arguments::ConfigArguments;
use crate::cli::live_view::print_line;
use crate::discover::camera::Camera;
use crate::discover::conversation::Login;
use crate::discover::device_url::DeviceUrl;
use crate::discover::own_addresses::OwnAddress;
use crate::secret::Credentials;
use crate::vision::error_chain::describe;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

pub(super) use crate::discover::reader_child::main as child;

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
pub(super) struct DiscoverArguments {
    /// Ask these cameras only: an address, a host, or the URL of an ONVIF device service.
    #[arg(value_name = "DEVICE", conflicts_with_all = ["interface", "wait"])]
    device: Vec<String>,
    /// Look for cameras from this interface, by name or address. May be given more than once. Default: all that are up and do
    /// multicast, but no loopback.
    #[arg(long, value_name = "NAME")]
    interface: Vec<String>,
    /// Seconds in which answers are gathered, 1 to 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=60))]
    wait: u8,
    /// A user of the cameras.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// A file with the password and nothing else. With --add the service must be able to read it.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Add the cameras to the settings, each in a file of its own in the state directory.
    #[arg(long)]
    add: bool,
    /// Send the probe to this address instead of all.
    #[arg(long, value_name = "ADDRESS:PORT", hide = true, default_value = crate::discover::probe::GROUP)]
    probe_to: SocketAddr,
    #[command(flatten)]
    config: ConfigArguments,
}

impl DiscoverArguments {
    /// An absolute path: the daemon has another working directory.
    fn password_file(&self) -> Option<PathBuf> {
        let file = self.password_file.as_ref()?;
        Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()))
    }

    fn wait(&self) -> Duration {
        Duration::from_secs(self.wait.into())
    }
}

/// As clap ends when it finds the command line wrong.
const EXIT_USAGE: u8 = 2;

/// Whom to ask.
#[derive(Debug)]
enum Asked {
    /// Whoever answers a probe from these addresses.
    All(Vec<OwnAddress>),
    /// These cameras.
    Named(Vec<DeviceUrl>),
}

pub(super) fn discover(arguments: &DiscoverArguments) -> ExitCode {
    let devices: Result<Vec<DeviceUrl>, String> = arguments.device.iter().map(|text| device(text)).collect();
    let asked = devices.and_then(|devices| match devices.is_empty() {
        true => search::own_addresses(&arguments.interface).map(Asked::All),
        false => Ok(Asked::Named(devices)),
    });
    let asked = match asked {
        Ok(asked) => asked,
        Err(reason) => {
            eprintln!("ocelli: {reason}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let login = match login(arguments) {
        Ok(login) => login,
        Err(reason) => return fail(&reason),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let cameras = match runtime {
        Ok(runtime) => runtime.block_on(search::search(arguments, asked, login)),
        Err(error) => return fail(&describe(&error)),
    };
    let cameras = match cameras {
        Ok(cameras) => cameras,
        Err(reason) => return fail(&reason),
    };
    let proposals = additions::propose(arguments, &cameras);
    if arguments.json {
        print_line(&report::as_json(&proposals).to_string());
    } else {
        report::lines(&proposals, arguments).iter().for_each(|line| print_line(line));
    }
    let is_asked = |camera: &Camera| arguments.device.is_empty() || camera.error.is_none();
    let is_found = !cameras.is_empty() && cameras.iter().all(is_asked);
    match arguments.add {
        true => additions::add(arguments, &proposals, is_found),
        false if is_found => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Reads a DEVICE. The error does not repeat what may be a password.
fn device(text: &str) -> Result<DeviceUrl, String> {
    let shown = text.rsplit('@').next().unwrap_or_default();
    DeviceUrl::parse(text).map_err(|reason| format!("the device `{shown}` {reason}"))
}

fn login(arguments: &DiscoverArguments) -> Result<Option<Login>, String> {
    let Some(user) = arguments.user.clone() else { return Ok(None) };
    let credentials = Credentials { password_file: arguments.password_file.clone(), ..Credentials::default() };
    match credentials.resolve_password() {
        Ok(Some(password)) if !password.reveal().is_empty() => Ok(Some(Login { user, password })),
        Ok(_) => Err("the password file is empty: nothing was asked, because cameras lock accounts".to_owned()),
        Err(error) => Err(describe(&error)),
    }
}

fn fail(reason: &str) -> ExitCode {
    eprintln!("ocelli: {reason}");
    ExitCode::FAILURE
}
