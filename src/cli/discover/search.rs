//! Finds the cameras and asks them, with progress on standard error.

use crate::appliance::child_environment::child_environment;
use crate::cli::discover::arguments::{Asked, DiscoverArguments};
use crate::discover::answers::{Answer, Match, Question, Reading};
use crate::discover::camera::Camera;
use crate::discover::conversation::{Login, ask};
use crate::discover::device_url::DeviceUrl;
use crate::discover::own_addresses::{OwnAddress, choose};
use crate::discover::probe;
use crate::discover::reader_process::{Reader, ReaderStart};
use crate::ipc::child_process::{Spawner, own_binary};
use crate::os::sandbox::SandboxMode;
use crate::os::{interfaces, random};
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Cameras that are asked at the same time; each has a process that reads its answers.
const AT_ONCE: usize = 8;

/// The cameras, in the order of their addresses.
///
/// # Errors
/// Why nothing could be asked.
pub(super) async fn search(
    arguments: &DiscoverArguments,
    asked: Asked,
    login: Option<Login>,
) -> Result<Vec<Camera>, String> {
    let spawner = Spawner::start().map_err(|error| describe(&error))?;
    let environment = child_environment("error", SandboxMode::BestEffort);
    let start = ReaderStart { spawner, program: own_binary(), environment };
    let found = match asked {
        Asked::All(own) => probe(arguments, &own, start.clone()).await?,
        Asked::Named(devices) => devices.into_iter().map(|url| (url, Camera::default())).collect(),
    };
    Ok(ask_all(found, login, &start).await)
}

/// The addresses of this box that the command line chooses.
///
/// # Errors
/// What is wrong with the choice.
pub(super) fn own_addresses(named: &[String]) -> Result<Vec<OwnAddress>, String> {
    choose(&interfaces::list().map_err(|error| describe(&error))?, named)
}

async fn probe(
    arguments: &DiscoverArguments,
    own: &[OwnAddress],
    start: ReaderStart,
) -> Result<BTreeMap<DeviceUrl, Camera>, String> {
    let id = random::bytes().map_err(|error| describe(&error))?;
    let names: Vec<String> = own.iter().map(|own| format!("{} ({})", own.interface, own.address)).collect();
    progress(&format!("looking for cameras from {}, {} s", names.join(", "), arguments.wait));
    let heard = probe::probe(own, arguments.probe_to, arguments.wait(), id).await;
    heard.troubles.iter().for_each(|trouble| progress(trouble));
    if heard.dropped > 0 {
        progress(&format!("{} answers were dropped: something floods this box with them", heard.dropped));
    }
    if heard.answers.is_empty() && heard.troubles.len() == own.len() {
        return Err(
            "no interface could be used: name another one with --interface, or cameras by their addresses".into()
        );
    }
    let mut reader = Reader::new(start);
    let mut matches: Vec<(IpAddr, Match)> = Vec::new();
    for (sender, answer) in &heard.answers {
        match reader.read(Question::Probe, answer).await {
            Ok(Reading::Answer(Answer::Probe(found))) => {
                matches.extend(found.into_iter().map(|found| (*sender, found)));
            }
            Ok(Reading::Unreadable(reason)) => progress(&format!("{sender}: its answer is not used: {reason}")),
            Ok(_) => {}
            Err(error) => progress(&format!("{sender}: its answer is not used: {}", describe(&error))),
        }
    }
    let found = probe::cameras(matches);
    if found.is_empty() {
        progress(
            "no camera answered: is ONVIF switched on in the cameras, are they in this network, and does a firewall of this box \
             drop UDP? A camera can be named by its address: `ocelli discover 192.168.1.20`",
        );
    }
    Ok(found)
}

async fn ask_all(found: BTreeMap<DeviceUrl, Camera>, login: Option<Login>, start: &ReaderStart) -> Vec<Camera> {
    let (turns, login) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(login));
    let mut tasks = JoinSet::new();
    for (place, (device, camera)) in found.into_iter().enumerate() {
        let (turns, login, reader) = (Arc::clone(&turns), Arc::clone(&login), Reader::new(start.clone()));
        tasks.spawn(async move {
            // Never closed.
            let _turn = turns.acquire().await;
            progress(&format!("{}: asking for its streams", device.authority()));
            (place, ask(&device, camera, login.as_ref().as_ref(), reader).await)
        });
    }
    let mut cameras = BTreeMap::new();
    while let Some(asked) = tasks.join_next().await {
        cameras.extend(asked.ok());
    }
    let cameras: Vec<Camera> = cameras.into_values().collect();
    for camera in &cameras {
        for remark in &camera.remarks {
            progress(&format!("{}: {remark}", camera.address));
        }
        if let Some(error) = &camera.error {
            progress(&format!("{}: {error}", camera.address));
        }
    }
    cameras
}

fn progress(text: &str) {
    eprintln!("ocelli: {text}");
}
