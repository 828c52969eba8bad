//! The command line: the only place that names both the parent's and the children's side.

mod camera;
mod camera_ids;
mod cameras;
mod check;
mod cluster;
mod cluster_calls;
mod columns;
mod config;
mod config_arguments;
mod ctl;
mod daemon;
mod detect;
mod discover;
mod events;
mod hours;
mod keep_health;
mod live_settings;
mod live_view;
mod lock;
mod man_pages;
mod model;
mod page;
mod plan;
mod reload;
mod run;
mod screen;
mod signals;
mod snapshot;
mod status;
mod tiles;
mod user;

use crate::os::core_files;
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// Detects objects in the streams of IP cameras: RTSP in, labels and bounding boxes out over MQTT.
#[derive(Debug, Parser)]
#[command(name = "ocelli", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  ocelli check --config /etc/ocelli/ocelli.toml
  ocelli run --config /etc/ocelli/ocelli.toml
  ocelli status
  ocelli cameras
  ocelli detect photo.jpg --draw boxes.png
  ocelli ctl scale coco-ssd --min 1 --max 4
  ocelli reload
  ocelli snapshot yard --fresh
  ocelli events --follow
  ocelli discover
  ocelli camera add yard rtsp://192.168.1.20:554/stream2
  ocelli user add anna
  ocelli page
  ocelli config show
  ocelli hours --month 2026-11
  ocelli plan --size 1920x1080 --fps 10
  ocelli model inspect yolo11n.onnx
  ocelli model add yolo11n.onnx --name yard

Exit codes: 0 success, 1 failure, 2 the command line is wrong, 69 no daemon answers (status, cameras), 78 the settings are
wrong.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the appliance until SIGTERM or Ctrl-C; a second one stops at once.
    Run(run::RunArguments),
    /// Check the settings and model packages, then library, cameras and broker.
    Check(check::CheckArguments),
    /// Show the health of a running daemon: cameras, models, broker, stored events, and whatever is wrong.
    Status(status::StatusArguments),
    /// Show what each camera of a running daemon sends, and what becomes of it.
    Cameras(cameras::CamerasArguments),
    /// Detect objects in pictures, with a real inference unit.
    Detect(detect::DetectArguments),
    /// Control a running daemon: show, start, stop, scale and swap models, enable and disable cameras.
    Ctl(ctl::CtlArguments),
    /// Have a running daemon read its settings again, and apply what changed without a gap.
    Reload(reload::ReloadArguments),
    /// Save a camera's picture from a running daemon to a file.
    Snapshot(snapshot::SnapshotArguments),
    /// Show the events of a running daemon: objects that began, changed and ended.
    Events(events::EventsArguments),
    /// Show the inference hours (units in service multiplied by time) by model and version.
    Hours(hours::HoursArguments),
    /// Measure this box with a model, and print how many units and cameras it can carry.
    Plan(plan::PlanArguments),
    /// Manage model packages: inspect a file, add, list, test, evaluate, roll back, remove.
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Find cameras (WS-Discovery, ONVIF), list their streams, and add them to the settings.
    Discover(discover::DiscoverArguments),
    /// Manage the cameras in the settings: add, change, remove, list.
    #[command(subcommand)]
    Camera(camera::CameraCommand),
    /// The boxes that look at a site's cameras together: show them, and manage the cameras that they share.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Print a link that opens the web page of a running daemon.
    Page(page::PageArguments),
    /// Manage the people who may log in at the web page: add, new password, remove, list.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Show the settings that are in force, or the reference of all settings.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a shell completion script.
    Completions {
        /// The shell that the script is for.
        shell: clap_complete::Shell,
    },
    /// Write the man pages to a directory; for `make install` and packages.
    #[command(hide = true)]
    ManPages {
        /// The directory, which must be there.
        directory: std::path::PathBuf,
    },
    /// An inference unit; started by `run`.
    #[command(hide = true)]
    Unit,
    /// A capture process; started by `run`.
    #[command(hide = true)]
    Capture,
    /// Brings the registry of GStreamer's plugins up to date; started by `capture`.
    #[command(hide = true)]
    CapturePlugins,
    /// Reads what cameras answer; started by `discover`.
    #[command(hide = true)]
    DiscoverChild,
}

/// The definition of the command line, from which man pages and completions are made, and by which the documents are judged.
pub fn definition() -> clap::Command {
    Arguments::command()
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let command = Arguments::parse().command;
    // Before any password is read.
    core_files::refuse();
    if !matches!(command, Command::Unit | Command::Capture | Command::CapturePlugins | Command::DiscoverChild) {
        core_files::refuse_onlookers();
    }
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Status(arguments) => status::status(&arguments),
        Command::Cameras(arguments) => cameras::cameras(&arguments),
        Command::Detect(arguments) => detect::detect(&arguments),
        Command::Ctl(arguments) => ctl::ctl(&arguments),
        Command::Reload(arguments) => reload::reload(&arguments),
        Command::Snapshot(arguments) => snapshot::snapshot(&arguments),
        Command::Events(arguments) => events::events(&arguments),
        Command::Hours(arguments) => hours::hours(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Model(command) => model::model(&command),
        Command::Discover(arguments) => discover::discover(&arguments),
        Command::Camera(command) => camera::camera(&command),
        Command::Cluster(command) => cluster::cluster(&command),
        Command::Page(arguments) => page::page(&arguments),
        Command::User(command) => user::user(&command),
        Command::Config(command) => config::config(&command),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut definition(), "ocelli", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
        Command::ManPages { directory } => man_pages::write(definition(), &directory),
        Command::Unit => {
            begin_child();
            crate::unit::main()
        }
        Command::Capture => {
            begin_child();
            run_capture()
        }
        Command::CapturePlugins => {
            begin_child();
            run_registry_keeper()
        }
        Command::DiscoverChild => {
            begin_child();
            discover::child()
        }
    }
}

/// What all kinds of children do first.
fn begin_child() {
    crate::os::inherited_descriptors::close();
    crate::telemetry::logging::init_child();
    crate::os::orphan_guard::die_with_parent();
    crate::os::process_title::adopt();
}

#[cfg(feature = "capture")]
fn run_capture() -> ExitCode {
    crate::capture::main()
}

#[cfg(feature = "capture")]
fn run_registry_keeper() -> ExitCode {
    crate::capture::keep_registry()
}

#[cfg(not(feature = "capture"))]
fn run_registry_keeper() -> ExitCode {
    run_capture()
}

#[cfg(not(feature = "capture"))]
fn run_capture() -> ExitCode {
    tracing::error!("this build has no cameras: build with the feature `capture`");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        definition().debug_assert();
    }
}
