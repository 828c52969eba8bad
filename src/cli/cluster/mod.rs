//! `ocelli cluster`: shows the cluster of this box, and manages the cameras that its boxes share. It asks etcd itself, so that it works
//! without a running daemon.

mod cameras;
mod hours;
mod import;
mod models;
mod status;

use crate::cli::config_arguments::conclude;
use crate::cli::live_view::print_line;
use crate::cluster::sealed_passwords::new_key;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  ocelli cluster key > /etc/ocelli/cluster.key
  ocelli cluster status
  ocelli cluster cameras import cameras.toml
  ocelli cluster cameras add yard rtsp://viewer@192.168.1.20/stream2 --password-file yard-password
  ocelli cluster cameras move yard box-2

Exit codes: 0 done, 1 refused or etcd does not answer, 78 the settings are wrong.")]
pub(super) enum ClusterCommand {
    /// Show the boxes, who looks at which camera and since when, and what is wrong.
    Status(status::StatusArguments),
    /// The cameras that the boxes share: import, add, list, move, pin, remove.
    #[command(subcommand)]
    Cameras(cameras::CamerasCommand),
    /// The models that the boxes share.
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Show the inference hours of all boxes together.
    Hours(hours::HoursArguments),
    /// Print a new key, by which passwords of cameras are sealed. All boxes of a cluster have the same one, in `cluster.key_file`.
    Key,
}

pub(super) fn cluster(command: &ClusterCommand) -> ExitCode {
    match command {
        ClusterCommand::Status(arguments) => status::status(arguments),
        ClusterCommand::Cameras(command) => cameras::cameras(command),
        ClusterCommand::Models(command) => models::models(command),
        ClusterCommand::Hours(arguments) => hours::hours(arguments),
        ClusterCommand::Key => conclude(new_key().map(|key| print_line(&key)).map_err(Into::into)),
    }
}
