//! `ocelli cluster cameras import` and `add`: gives cameras to the cluster, their passwords sealed.

use crate::camera::settings::CameraSettings;
use crate::cli::camera_ids::parse_id;
use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cluster::Operator;
use crate::cluster::records::CameraRecord;
use crate::cluster::sealed_passwords::{ClusterKey, OpenPasswords};
use crate::secret::Credentials;
use crate::settings::{Place, Settings, cluster_camera_text, environment};
use crate::vision::camera_id::CameraId;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli cluster cameras import cameras.toml
  ocelli cluster cameras import cameras.toml --replace --apart gate

FILE has `[[cameras]]` as in the settings. Passwords are read here, sealed with `cluster.key_file`, and kept in etcd. A camera of the
cluster must not be in a box's own settings any more: take it out there.

Exit codes: 0 imported, 1 refused or etcd does not answer, 78 the settings are wrong.")]
pub(in crate::cli) struct ImportArguments {
    /// The file with the cameras.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Give cameras that the cluster has already the settings of the file.
    #[arg(long)]
    replace: bool,
    /// A word: its cameras are kept on different boxes, and in different zones where there are several.
    #[arg(long, value_name = "WORD")]
    apart: Option<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli cluster cameras add yard rtsp://192.168.1.20/stream2
  ocelli cluster cameras add gate rtsp://viewer@192.168.1.21/h264 --password-file gate-password --fps 10

Exit codes: 0 added, 1 refused or etcd does not answer, 78 the settings are wrong.")]
pub(in crate::cli) struct AddArguments {
    /// Its id in topics and logs: 1 to 64 of a-z, 0-9, `_` and `-`.
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: CameraId,
    /// rtsp://USER@HOST:PORT/PATH or rtsps://..., where USER@ and :PORT may be left out.
    #[arg(value_name = "URL")]
    url: String,
    /// Frames per second that are analysed; 0: every frame.
    #[arg(long, value_name = "FPS")]
    fps: Option<f64>,
    /// The model that analyses its frames. Default: the first of this box.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// A file with the password and nothing else. It is read now, and kept in etcd sealed.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A word: its cameras are kept on different boxes, and in different zones where there are several.
    #[arg(long, value_name = "WORD")]
    apart: Option<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// What a camera counts with whose frames are all analysed, in frames a second.
const EVERY_FRAME: f32 = 25.0;

pub(super) fn import(arguments: &ImportArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| {
        let cameras = cameras_of(arguments)?;
        if cameras.is_empty() {
            return Err(format!("{} has no [[cameras]]", arguments.file.display()).into());
        }
        let mut operator = Operator::connect(&settings.cluster).await?;
        for camera in &cameras {
            let record = record(camera, settings, arguments.apart.clone())?;
            operator.put_camera(&camera.id, record, arguments.replace).await?;
            print_line(&format!("camera {}: given to cluster {}", camera.id, settings.cluster.name));
        }
        let own = cameras.iter().filter(|camera| settings.cameras.iter().any(|own| own.id == camera.id));
        for camera in own {
            eprintln!(
                "ocelli: camera {} is in the settings of this box too, which cannot take it from the cluster: take it out, and `ocelli reload`",
                camera.id
            );
        }
        Ok(())
    })
}

/// The cameras of the file, read with the models of this box.
fn cameras_of(arguments: &ImportArguments) -> Result<Vec<CameraSettings>, Box<dyn Error>> {
    let files = [arguments.config.files(), vec![arguments.file.clone()]].concat();
    let (settings, places) = Settings::load_placed(&files, environment()).map_err(|errors| errors.to_string())?;
    let own = arguments.file.display().to_string();
    let is_of_file =
        |index: usize| matches!(places.of(&format!("cameras[{index}]")), Place::Line { file, .. } if file == own);
    Ok(settings
        .cameras
        .into_iter()
        .enumerate()
        .filter(|(index, _)| is_of_file(*index))
        .map(|(_, camera)| camera)
        .collect())
}

pub(super) fn add(arguments: &AddArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| {
        let mut table = toml::Table::new();
        table.insert("id".into(), arguments.id.to_string().into());
        table.insert("url".into(), arguments.url.clone().into());
        table.extend(arguments.fps.map(|fps| ("fps".to_owned(), fps.into())));
        table.extend(arguments.model.clone().map(|model| ("model".to_owned(), model.into())));
        let mut camera = settings.cluster_camera(&table.to_string())?;
        if camera.credentials.password.is_some() {
            return Err(
                "the password would be in the list of processes: leave it out of the URL, and name a file with it by \
                        --password-file"
                    .into(),
            );
        }
        camera.credentials.password_file.clone_from(&arguments.password_file);
        let record = record(&camera, settings, arguments.apart.clone())?;
        Operator::connect(&settings.cluster).await?.put_camera(&camera.id, record, false).await?;
        print_line(&format!("camera {}: given to cluster {}", camera.id, settings.cluster.name));
        Ok(())
    })
}

/// What is kept of a camera.
fn record(camera: &CameraSettings, settings: &Settings, apart: Option<String>) -> Result<CameraRecord, Box<dyn Error>> {
    let password = |credentials: &Credentials| credentials.resolve_password();
    let passwords =
        OpenPasswords { main: password(&camera.credentials)?, detect: password(&camera.detect_credentials)? };
    let fps = if camera.fps == 0.0 { EVERY_FRAME } else { camera.fps };
    let tiles = camera.framing().transactions();
    // A box may have another model first.
    let model = camera.model.clone().unwrap_or_else(|| settings.default_model().name);
    let named = CameraSettings { model: Some(model.clone()), ..camera.clone() };
    let text = cluster_camera_text(&named)?;
    let sealed = match passwords == OpenPasswords::default() {
        true => None,
        false => {
            let key = ClusterKey::read(settings.cluster.key_file.as_deref(), &settings.cluster.name)?;
            key.seal((&camera.id, &text), &passwords)?
        }
    };
    Ok(CameraRecord { settings: text, passwords: sealed, model, wanted_tps: fps * tiles as f32, pin: None, apart })
}
