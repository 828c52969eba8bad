//! `ocelli cluster cameras`.

use crate::cli::camera_ids::parse_id;
use crate::cli::cluster::import;
use crate::cli::columns::columns;
use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cluster::{Operator, OperatorError};
use crate::vision::camera_id::CameraId;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CamerasCommand {
    /// Give the cameras of a settings file to the cluster.
    Import(import::ImportArguments),
    /// Give a camera to the cluster.
    Add(import::AddArguments),
    /// List the cameras of the cluster.
    List(ListArguments),
    /// Have a camera looked at by another box, as long as it fits there.
    Move(BoxArguments),
    /// Keep a camera at a box as long as that is there.
    Pin(BoxArguments),
    /// Let a camera be looked at wherever it fits.
    Unpin(CameraArguments),
    /// Remove a camera from the cluster.
    Remove(CameraArguments),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CameraArguments {
    /// The camera's id.
    #[arg(value_name = "ID", value_parser = parse_id)]
    camera: CameraId,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct BoxArguments {
    /// The camera's id.
    #[arg(value_name = "ID", value_parser = parse_id)]
    camera: CameraId,
    /// The box's id.
    #[arg(value_name = "BOX")]
    box_id: String,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn cameras(command: &CamerasCommand) -> ExitCode {
    match command {
        CamerasCommand::Import(arguments) => import::import(arguments),
        CamerasCommand::Add(arguments) => import::add(arguments),
        CamerasCommand::List(arguments) => list(arguments),
        CamerasCommand::Move(BoxArguments { camera, box_id, config }) => {
            change(config, &format!("camera {camera} is planned for box {box_id}"), async |operator| {
                operator.move_camera(camera, box_id).await
            })
        }
        CamerasCommand::Pin(BoxArguments { camera, box_id, config }) => {
            change(config, &format!("camera {camera} is pinned to box {box_id}"), async |operator| {
                operator.pin_camera(camera, Some(box_id)).await
            })
        }
        CamerasCommand::Unpin(CameraArguments { camera, config }) => {
            change(config, &format!("camera {camera} is looked at wherever it fits"), async |operator| {
                operator.pin_camera(camera, None).await
            })
        }
        CamerasCommand::Remove(CameraArguments { camera, config }) => {
            change(config, &format!("camera {camera} is removed from the cluster"), async |operator| {
                operator.remove_camera(camera).await
            })
        }
    }
}

fn change(
    config: &ConfigArguments,
    done: &str,
    work: impl AsyncFnOnce(&mut Operator) -> Result<(), OperatorError>,
) -> ExitCode {
    with_settings(config, async |settings| {
        work(&mut Operator::connect(&settings.cluster).await?).await?;
        print_line(done);
        Ok(())
    })
}

fn list(arguments: &ListArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| {
        let operator = Operator::connect(&settings.cluster).await?;
        if arguments.json {
            // Passwords are sealed in it.
            let all: serde_json::Map<_, _> = operator
                .cameras()
                .map(|(id, record)| Ok((id.to_string(), serde_json::to_value(record)?)))
                .collect::<serde_json::Result<_>>()?;
            print_line(&serde_json::to_string_pretty(&all)?);
            return Ok(());
        }
        let rows = operator.cameras().map(|(id, record)| {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let password = if record.passwords.is_some() { "sealed" } else { "none" };
            vec![
                id.to_string(),
                record.model.clone(),
                format!("{:.1} TPS", record.wanted_tps),
                or_dash(&record.pin),
                or_dash(&record.apart),
                password.to_owned(),
            ]
        });
        columns(&["ID", "MODEL", "WANTS", "PIN", "APART", "PASSWORD"], rows.collect())
            .iter()
            .for_each(|line| print_line(line));
        Ok(())
    })
}
