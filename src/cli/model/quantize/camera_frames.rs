//! Frames of the box's own cameras, from the running daemon. They lie in a file without a name, which is gone with this
//! process, however it ends.

use crate::cli::daemon::Daemon;
use crate::cli::model::quantize::pictures::{MOST, Picture};
use crate::cli::model::restarting_unit::progress;
use crate::http::client::HttpMethod;
use crate::settings::Settings;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Of the pictures that the daemon takes on request (`snapshots.per_minute`), some are left to others.
const SHARE_OF_LIMIT: f64 = 0.8;

/// When the frames of a camera are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Times {
    count: usize,
    period: Duration,
    /// No frame is asked for later: a camera may give fewer than that.
    duration: Duration,
}

/// What a camera gave for one request: a JPEG, or why there is none.
type Given = (CameraId, Result<Vec<u8>, String>);

/// Takes frames of all cameras that the model analyses, for this long and evenly, as the model is given them.
///
/// # Errors
/// A text, if there is no such camera, no daemon, or no room for the frames.
pub(super) async fn of_cameras(
    settings: &Settings,
    package: &str,
    duration: Duration,
) -> Result<Vec<Picture>, Box<dyn Error>> {
    let cameras = cameras_of(settings, package);
    if cameras.is_empty() {
        return Err(format!("no enabled camera of the settings is analysed by {package}; take --images").into());
    }
    let times = times(cameras.len(), duration, settings.snapshots.per_minute)
        .ok_or("`snapshots.per_minute` is 0, so there are no pictures of cameras; take --images")?;
    let daemon = Arc::new(Daemon::of(settings)?);
    // Without a daemon no frame comes, however long one waits.
    let (box_id, _) = daemon.ask(HttpMethod::GET, "/api/cameras", None).await?;
    daemon.warn_of_another_box(&box_id);
    let (given, mut taken) = mpsc::channel(1);
    let mut takers = JoinSet::new();
    let count = cameras.len();
    for (place, camera) in (0u32..).zip(cameras) {
        // One after the other, not all at once.
        let first = Instant::now() + times.period * place / u32::try_from(count)?;
        takers.spawn(take(Arc::clone(&daemon), camera, first, times, given.clone()));
    }
    drop(given);
    let file = nameless_file(&settings.units.models_directory)?;
    gather(&mut taken, file, count * times.count).await
}

/// Writes what is given to the file, and says at the end what was not.
async fn gather(taken: &mut mpsc::Receiver<Given>, file: File, count: usize) -> Result<Vec<Picture>, Box<dyn Error>> {
    let (file, mut end, bar) = (Rc::new(file), 0, progress("taking frames", count));
    let mut frames: BTreeMap<CameraId, Vec<Picture>> = BTreeMap::new();
    let mut failures: BTreeMap<CameraId, (usize, String)> = BTreeMap::new();
    while let Some((camera, given)) = taken.recv().await {
        bar.inc(1);
        match given {
            Ok(jpeg) => {
                file.write_all_at(&jpeg, end).map_err(|error| format!("a frame cannot be written: {error}"))?;
                let of_camera = frames.entry(camera.clone()).or_default();
                let name = format!("frame {} of camera {camera}", of_camera.len());
                of_camera.push(Picture::Frame { name, file: Rc::clone(&file), at: end, bytes: jpeg.len() });
                end += jpeg.len() as u64;
            }
            Err(why) => {
                let (times, last) = failures.entry(camera).or_default();
                (*times, *last) = (*times + 1, why);
            }
        }
    }
    bar.finish_and_clear();
    for (camera, (times, why)) in failures {
        eprintln!("ocelli: camera {camera} gave no frame {times} times, at last: {why}");
    }
    // By camera and time: of each camera every second frame calibrates, and the others judge.
    Ok(frames.into_values().flatten().collect())
}

async fn take(daemon: Arc<Daemon>, camera: CameraId, first: Instant, times: Times, given: mpsc::Sender<Given>) {
    let path = format!("/api/cameras/{camera}/snapshot?plain=true");
    for number in 0..u32::try_from(times.count).unwrap_or(u32::MAX) {
        sleep_until(first + times.period * number).await;
        if first.elapsed() >= times.duration {
            return;
        }
        let answer = daemon.ask(HttpMethod::GET, &path, None).await;
        let jpeg = answer.map(|(_, jpeg)| jpeg).map_err(|error| error.to_string());
        if given.send((camera.clone(), jpeg)).await.is_err() {
            return;
        }
    }
}

/// The enabled cameras whose model has this package.
fn cameras_of(settings: &Settings, package: &str) -> Vec<CameraId> {
    let models = settings.models.iter().filter(|model| model.package() == package);
    let models: Vec<&str> = models.map(|model| model.name.as_str()).collect();
    let default = settings.default_model().name;
    let is_meant = |model: &Option<String>| models.contains(&model.as_ref().unwrap_or(&default).as_str());
    let meant = settings.cameras.iter().filter(|camera| camera.enabled && is_meant(&camera.model));
    meant.map(|camera| camera.id.clone()).collect()
}

/// As many frames as there may be pictures, or as the daemon takes in this time; `None` if it takes none.
fn times(cameras: usize, duration: Duration, per_minute: u16) -> Option<Times> {
    let least = 60.0 / (f64::from(per_minute) * SHARE_OF_LIMIT);
    let period = (duration.as_secs_f64() * cameras as f64 / MOST as f64).max(least);
    let period = Duration::try_from_secs_f64(period).ok()?;
    let count = duration.as_nanos() / period.as_nanos();
    Some(Times { count: usize::try_from(count).unwrap_or(MOST).max(1), period, duration })
}

/// A file that nobody else can open: it loses its name at once, and goes with the last one that has it open.
fn nameless_file(directory: &Path) -> Result<File, String> {
    let path = directory.join(format!(".frames-{}", std::process::id()));
    let open = || -> io::Result<File> {
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    };
    open().map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn frames_are_taken_evenly_and_no_faster_than_the_daemon_takes_them() {
        let seconds = Duration::from_secs;
        let each = |cameras, duration| times(cameras, duration, 10).map(|times| (times.count, times.period));
        assert_eq!(each(1, seconds(600)), Some((80, Duration::from_millis(7500))), "the limit");
        assert_eq!(each(4, seconds(86_400)), Some((125, Duration::from_secs_f64(691.2))), "500 in a day");
        assert_eq!(times(1, seconds(1), 10).unwrap().count, 1);
        assert_eq!(times(1, seconds(600), 0), None);
    }

    #[test]
    fn a_file_of_frames_has_no_name() {
        let home = tempfile::tempdir().unwrap();
        let mut file = nameless_file(home.path()).unwrap();
        file.write_all(b"frame").unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
        let mut read = Vec::new();
        file.read_to_end(&mut read).unwrap();
        assert!(nameless_file(&home.path().join("none")).unwrap_err().contains("none/.frames-"));
    }
}
