//! `ocelli discover`: finds cameras, asks them for their streams, and adds them to the settings.

mod additions;
mod arguments;
mod report;
mod search;

use crate::cli::live_view::print_line;
use crate::discover::camera::Camera;
use crate::discover::conversation::Login;
use crate::discover::device_url::DeviceUrl;
use crate::secret::Credentials;
use crate::vision::error_chain::describe;
use std::process::ExitCode;

use arguments::Asked;

pub(super) use crate::discover::reader_child::main as child;
pub(super) use arguments::DiscoverArguments;

/// As clap ends when it finds the command line wrong.
const EXIT_USAGE: u8 = 2;

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
