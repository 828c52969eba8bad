//! Changes the areas of cameras for clients: edits the settings by the editor that the command line uses, and has them read
//! again. One request after the other.

use crate::control::scenes::{Region, SceneAreas, SceneChanged, SceneRefusal, SceneRequest};
use crate::control::{Control, ReloadReport};
use crate::settings::editor::{Assignment, CAMERAS, EditError, Editor};
use crate::settings::{Settings, environment};
use crate::tracking::settings::{Point, RegionSettings, SceneSettings};
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// Serves requests until no client is left. `files` are the settings files of the daemon, in the order of precedence.
pub async fn serve(files: Vec<PathBuf>, control: Control, mut requests: mpsc::Receiver<SceneRequest>) {
    while let Some(SceneRequest { camera, areas, shown, reply }) = requests.recv().await {
        // The client may have left.
        drop(reply.send(change(files.clone(), &control, camera, areas, shown).await));
    }
}

async fn change(
    files: Vec<PathBuf>,
    control: &Control,
    camera: String,
    areas: SceneAreas,
    shown: Option<SceneAreas>,
) -> Result<SceneChanged, SceneRefusal> {
    let (of_camera, shown) = (camera.clone(), shown.or_else(|| control.scenes.of(&camera)));
    let written = tokio::task::spawn_blocking(move || {
        // Others, which somebody has written meanwhile, would be lost.
        if shown != Some(on_disk(&files, &camera)?) {
            return Err(SceneRefusal::Outdated);
        }
        write(&files, &camera, &areas)
    });
    let file = written.await.unwrap_or(Err(SceneRefusal::Busy))?;
    tracing::info!(camera = of_camera, file, "the areas of a camera were changed in the settings");
    match control.reload().await {
        Ok(ReloadReport { changed, restart }) => Ok(SceneChanged { file, changed, needs_restart: restart }),
        Err(error) => Err(SceneRefusal::NotInForce(error.to_string())),
    }
}

/// The areas of all cameras of the settings.
pub(super) fn scenes_of(settings: &Settings) -> BTreeMap<String, SceneAreas> {
    settings.cameras.iter().map(|camera| (camera.id.to_string(), areas_of(&camera.scene))).collect()
}

fn areas_of(scene: &SceneSettings) -> SceneAreas {
    let all = |areas: &[Vec<Point>]| areas.iter().map(|points| corners(points)).collect();
    let named = |region: &RegionSettings| Region { name: region.name.clone(), points: corners(&region.points) };
    let regions = scene.regions.iter().map(named).collect();
    SceneAreas { regions, include: all(&scene.include), ignore: all(&scene.ignore) }
}

/// Reads the areas of a camera from the settings on the disk.
fn on_disk(files: &[PathBuf], camera: &str) -> Result<SceneAreas, SceneRefusal> {
    let settings = Settings::load(files).map_err(|errors| SceneRefusal::Invalid(errors.to_string()))?;
    let found = settings.cameras.iter().find(|one| one.id.as_str() == camera);
    Ok(areas_of(&found.ok_or_else(|| SceneRefusal::NoSuchCamera(camera.to_owned()))?.scene))
}

fn corners(points: &[Point]) -> Vec<[f64; 2]> {
    points.iter().map(|[x, y]| [rounded(f64::from(*x)), rounded(f64::from(*y))]).collect()
}

/// To a ten-thousandth of the picture, which is less than a pixel: what a person reads in the file.
fn rounded(ratio: f64) -> f64 {
    (ratio * 10_000.0).round() / 10_000.0
}

/// Writes the areas of a camera, and returns the file.
fn write(files: &[PathBuf], camera: &str, areas: &SceneAreas) -> Result<String, SceneRefusal> {
    let round = |points: &Vec<[f64; 2]>| -> Vec<[f64; 2]> { points.iter().map(|point| point.map(rounded)).collect() };
    let all = |areas: &[Vec<[f64; 2]>]| -> Vec<Vec<[f64; 2]>> { areas.iter().map(round).collect() };
    let regions: Vec<(String, Vec<[f64; 2]>)> =
        areas.regions.iter().map(|region| (region.name.clone(), round(&region.points))).collect();
    let values = [
        Assignment::regions("scene.regions", &regions),
        Assignment::areas("scene.include", &all(&areas.include)),
        Assignment::areas("scene.ignore", &all(&areas.ignore)),
    ];
    let editor = Editor::open(files, environment()).map_err(refusal)?;
    let changed = editor.set(CAMERAS, camera, &values).map_err(refusal)?;
    Ok(changed.file.display().to_string())
}

fn refusal(error: EditError) -> SceneRefusal {
    match error {
        EditError::Unknown { id, .. } => SceneRefusal::NoSuchCamera(id),
        EditError::Unwritable { .. } | EditError::Unlocked { .. } => SceneRefusal::Unwritable(describe(&error)),
        EditError::Exists { .. } | EditError::Assignment(_) | EditError::Settings(_) => {
            SceneRefusal::Invalid(describe(&error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
[[cameras]]
id = \"yard\"
url = \"rtsp://127.0.0.1:9/\" # the old one
blackout = [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]]

[[cameras.scene.regions]]
name = \"gate\"
points = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]
";

    fn file(text: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("ocelli.toml");
        let state = home.path().join("state");
        std::fs::create_dir(&state).unwrap();
        std::fs::write(&file, format!("state_directory = \"{}\"\n{text}", state.display())).unwrap();
        (home, vec![file])
    }

    fn areas() -> SceneAreas {
        let square = vec![[0.1, 0.1], [0.4, 0.1], [0.4, 1.0 / 3.0]];
        let region = Region { name: "door".into(), points: square.clone() };
        SceneAreas { regions: vec![region], include: Vec::new(), ignore: vec![square] }
    }

    #[test]
    fn areas_are_written_into_the_file_that_has_the_camera_and_read_again() {
        let (_home, files) = file(TEXT);
        assert_eq!(on_disk(&files, "yard").unwrap().regions[0].name, "gate");
        let written = write(&files, "yard", &areas()).unwrap();
        assert_eq!(written, files[0].display().to_string());
        let shown = on_disk(&files, "yard").unwrap();
        assert_eq!(shown.regions[0].points[2], [0.4, 0.3333]);
        assert_eq!((shown.regions.len(), shown.ignore.len(), shown.include.len()), (1, 1, 0));
        let text = std::fs::read_to_string(&files[0]).unwrap();
        assert!(text.contains("# the old one") && !text.contains("gate") && !text.contains("include"), "{text}");
        assert!(text.contains("blackout = [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]]"), "{text}");
        write(&files, "yard", &SceneAreas::default()).unwrap();
        assert_eq!(on_disk(&files, "yard").unwrap(), SceneAreas::default());
    }

    #[test]
    fn a_mistake_is_refused_with_its_cure_and_changes_nothing() {
        let (_home, files) = file(TEXT);
        let mut wrong = areas();
        wrong.regions[0].name = "The \"gate\"\n".into();
        let Err(SceneRefusal::Invalid(what)) = write(&files, "yard", &wrong) else { panic!() };
        assert!(what.contains("must be 1 to 64 of a-z"), "{what}");
        wrong = areas();
        wrong.ignore[0].truncate(2);
        let Err(SceneRefusal::Invalid(what)) = write(&files, "yard", &wrong) else { panic!() };
        assert!(what.contains("give at least 3"), "{what}");
        assert!(std::fs::read_to_string(&files[0]).unwrap().ends_with(TEXT));
        let unknown = write(&files, "street", &areas());
        assert_eq!(unknown, Err(SceneRefusal::NoSuchCamera("street".into())));
    }
}
