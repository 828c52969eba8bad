//! Which files the settings are read from: the given ones, `conf.d/*.toml` beside the first of them, and
//! `settings.d/*.toml` below the state directory, where programs write.

use crate::settings::Settings;
use crate::settings::mistake::Mistake;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The directory beside the main file.
const BESIDE_THE_MAIN_FILE: &str = "conf.d";

/// The directory that programs write, below the state directory: the service may not write `/etc`.
const OF_PROGRAMS: &str = "settings.d";

/// A file as it will be, for checking a change before it is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PlannedFile {
    /// Its path, as [`SettingsFiles`] lists it.
    pub(super) path: PathBuf,
    /// Its text; `None`: it will be removed.
    pub(super) text: Option<String>,
}

/// The files of the settings, and what is planned for one of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct SettingsFiles {
    main: Vec<PathBuf>,
    planned: Option<PlannedFile>,
}

impl SettingsFiles {
    pub(super) fn new(main: &[PathBuf]) -> Self {
        Self { main: main.to_vec(), planned: None }
    }

    /// The same files after a change.
    pub(super) fn with(&self, planned: PlannedFile) -> Self {
        Self { main: self.main.clone(), planned: Some(planned) }
    }

    /// The files given on the command line. A list in a later one replaces that in an earlier one.
    pub(super) fn main(&self) -> &[PathBuf] {
        &self.main
    }

    /// The files in `conf.d`, in the order of their names.
    pub(super) fn beside_main(&self, mistakes: &mut Vec<Mistake>) -> Vec<PathBuf> {
        let directory = self.main.first().and_then(|file| file.parent()).map(|place| place.join(BESIDE_THE_MAIN_FILE));
        directory.map(|directory| self.fragments(&directory, mistakes)).unwrap_or_default()
    }

    /// The files that programs write, in the order of their names.
    pub(super) fn of_programs(&self, state_directory: &Path, mistakes: &mut Vec<Mistake>) -> Vec<PathBuf> {
        self.fragments(&programs_directory(state_directory), mistakes)
    }

    /// Reads a file, or what is planned for it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(&self, path: &Path) -> Result<String, String> {
        if let Some(PlannedFile { text: Some(text), .. }) = self.planned.as_ref().filter(|planned| planned.path == path)
        {
            return Ok(text.clone());
        }
        // A directory has an error text of its own.
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err("is a directory, not a file of settings: move it away".into()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err("there is no such file".into()),
            _ => {}
        }
        let bytes = std::fs::read(path)
            .map_err(|error| format!("the file cannot be read: {error}; run ocelli as a user who may read it"))?;
        String::from_utf8(bytes).map_err(|_| "is not UTF-8 text: save it as UTF-8".into())
    }

    /// The `.toml` files in a directory. A missing directory has none; anything else that is in it is a mistake, save hidden
    /// files and what editors and interrupted writes leave.
    fn fragments(&self, directory: &Path, mistakes: &mut Vec<Mistake>) -> Vec<PathBuf> {
        let mut found = Vec::new();
        match std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => found.extend(entries.into_iter().map(|entry| entry.path())),
            Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {}
            Err(error) => {
                let what = format!("the directory cannot be read: {error}; run ocelli as a user who may read it");
                mistakes.push(Mistake::in_file(directory, None, what));
            }
        }
        if let Some(planned) = self.planned.as_ref().filter(|planned| planned.path.parent() == Some(directory)) {
            found.retain(|path| *path != planned.path);
            found.extend(planned.text.is_some().then(|| planned.path.clone()));
        }
        found.retain(|path| !is_left_over(path));
        found.sort();
        let (files, foreign): (Vec<_>, Vec<_>) = found.into_iter().partition(|path| is_settings_file(path));
        mistakes.extend(foreign.iter().map(|path| {
            let what = "is not a file of settings, whose name ends in .toml: rename it or move it away (names that begin \
                        with `.` or end with `~` are ignored)";
            Mistake::in_file(path, None, what)
        }));
        files
    }
}

impl Settings {
    /// All files that settings are read from, those of `conf.d` and `settings.d` too.
    pub(crate) fn files_to_read(main: &[PathBuf], state_directory: &Path) -> Vec<PathBuf> {
        let (files, mut mistakes) = (SettingsFiles::new(main), Vec::new());
        let beside = files.beside_main(&mut mistakes);
        [main.to_vec(), beside, files.of_programs(state_directory, &mut mistakes)].concat()
    }
}

/// The directory that programs write.
pub(super) fn programs_directory(state_directory: &Path) -> PathBuf {
    state_directory.join(OF_PROGRAMS)
}

fn is_settings_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml") && (path.is_file() || !path.exists())
}

/// Hidden, a copy that an editor keeps, or the temporary file of a write that was interrupted.
fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with('~') || name.ends_with(".toml.part")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[PathBuf]) -> Vec<String> {
        files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn files_come_in_the_order_of_their_names_and_foreign_ones_are_mistakes() {
        let home = tempfile::tempdir().unwrap();
        let files = SettingsFiles::new(&[home.path().join("ocelli.toml")]);
        let mut mistakes = Vec::new();
        assert!(files.beside_main(&mut mistakes).is_empty() && mistakes.is_empty());
        let directory = home.path().join("conf.d");
        std::fs::create_dir_all(directory.join("old.toml")).unwrap();
        for name in ["20-b.toml", "10-a.toml", "yard.tml", ".10-a.toml.swp", "10-a.toml~", "10-a.toml.part"] {
            std::fs::write(directory.join(name), "").unwrap();
        }
        assert_eq!(names(&files.beside_main(&mut mistakes)), ["10-a.toml", "20-b.toml"]);
        let foreign: Vec<&str> = mistakes.iter().map(|mistake| mistake.origin.rsplit('/').next().unwrap()).collect();
        assert_eq!(foreign, ["old.toml", "yard.tml"]);
        assert!(mistakes.iter().all(|mistake| mistake.what.contains("rename it or move it away")));
    }

    #[test]
    fn a_planned_file_is_read_in_place_of_that_on_the_disk() {
        let home = tempfile::tempdir().unwrap();
        let directory = programs_directory(home.path());
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("a.toml");
        std::fs::write(&path, "old").unwrap();
        let planned = |text: Option<&str>| {
            SettingsFiles::default().with(PlannedFile { path: path.clone(), text: text.map(str::to_owned) })
        };
        assert_eq!(planned(Some("new")).read(&path).unwrap(), "new");
        assert_eq!(planned(Some("new")).of_programs(home.path(), &mut Vec::new()), std::slice::from_ref(&path));
        assert!(planned(None).of_programs(home.path(), &mut Vec::new()).is_empty());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(planned(Some("new")).of_programs(home.path(), &mut Vec::new()), std::slice::from_ref(&path));
    }
}
