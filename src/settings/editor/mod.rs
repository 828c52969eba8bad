//! Changes settings on behalf of programs: the command line, later the page.
//!
//! A change edits one file, keeps its comments and order, and is checked as a whole before it is written: all settings are
//! read with it, and a change that brings a mistake is refused. The file is replaced in one step, so that no half of a change
//! is ever in force. There is one writer at a time.

mod assignment;
mod document;
mod edit_error;
mod entry_list;
mod written_file;

use crate::settings::files::{PlannedFile, SettingsFiles, programs_directory};
use crate::settings::load::read;
use crate::settings::merged::merge;
use crate::settings::mistake::{Mistake, SettingsErrors};
use crate::settings::place::Place;
use crate::settings::places::Places;
use document::SettingsDocument;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use written_file::WriterLock;

pub use assignment::Assignment;
pub use edit_error::EditError;
pub use entry_list::{CAMERAS, EntryList, VIEWERS};

/// Holds the writer's lock from [`Editor::open`] until it is dropped.
#[derive(Debug)]
pub struct Editor {
    files: SettingsFiles,
    environment: HashMap<String, String>,
    state_directory: PathBuf,
    _lock: WriterLock,
}

/// What a change has done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// The file that was written or removed.
    pub file: PathBuf,
    /// Mistakes that the settings had before, and still have. The daemon does not start with them.
    pub older_mistakes: Vec<Mistake>,
}

impl Editor {
    /// Waits until no other program changes the settings. `main` and `environment` are those of
    /// [`Settings::load_with`](crate::settings::Settings::load_with).
    ///
    /// # Errors
    /// [`EditError`] if a file is not TOML or cannot be read, or if the state directory cannot be written.
    pub fn open(main: &[PathBuf], environment: HashMap<String, String>) -> Result<Self, EditError> {
        let files = SettingsFiles::new(main);
        let state_directory = merge(&files, environment.clone())?.state_directory;
        let lock = WriterLock::take(&state_directory)?;
        Ok(Self { files, environment, state_directory, _lock: lock })
    }

    /// Adds a camera or a person, in a file of its own in `settings.d`. The name must be one that a file may have: the commands
    /// check that it is valid.
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn add(&self, list: &'static EntryList, id: &str, values: &[Assignment]) -> Result<Changed, EditError> {
        if let Some(place) = self.places(list)?.entry(list.list, id) {
            return Err(EditError::Exists { list, id: id.to_owned(), place: place.clone() });
        }
        let file = programs_directory(&self.state_directory).join(format!("{}-{id}.toml", list.what));
        let text = if file.exists() { self.text(&file)? } else { String::new() };
        let mut document = SettingsDocument::parse(&text, &file)?;
        let mut all = vec![Assignment::text(list.name_key, id)];
        all.extend_from_slice(values);
        document.append(list.list, &all).map_err(EditError::Assignment)?;
        self.write(&file, Some(&document.to_string()))
    }

    /// Changes values of an entry, in the file that has the entry.
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn set(&self, list: &'static EntryList, id: &str, values: &[Assignment]) -> Result<Changed, EditError> {
        if values.iter().any(|value| value.key() == list.name_key) {
            let EntryList { name_key, what, .. } = *list;
            let text = format!("an {name_key} cannot be changed: remove the {what}, and add it again");
            return Err(EditError::Assignment(text));
        }
        let (file, mut document) = self.document_with(list, id)?;
        document.change(list.list, (list.name_key, id), values).map_err(EditError::Assignment)?;
        self.write(&file, Some(&document.to_string())).map_err(|error| self.with_place(error, list, id))
    }

    /// Removes an entry. Its file goes with it, if it is one of `settings.d` and has nothing else.
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn remove(&self, list: &'static EntryList, id: &str) -> Result<Changed, EditError> {
        let (file, mut document) = self.document_with(list, id)?;
        document.remove(list.list, (list.name_key, id));
        let is_left = !document.is_empty() || !self.is_of_programs(&file);
        let text = is_left.then(|| document.to_string());
        self.write(&file, text.as_deref()).map_err(|error| self.with_place(error, list, id))
    }

    /// The file that has an entry, parsed.
    fn document_with(&self, list: &'static EntryList, id: &str) -> Result<(PathBuf, SettingsDocument), EditError> {
        let places = self.places(list)?;
        let Some(Place::Line { file, .. }) = places.entry(list.list, id) else {
            let known = places.entries(list.list).iter().map(|id| (*id).to_owned()).collect();
            return Err(EditError::Unknown { list, id: id.to_owned(), known });
        };
        let file = PathBuf::from(file);
        let document = SettingsDocument::parse(&self.text(&file)?, &file)?;
        Ok((file, document))
    }

    fn text(&self, file: &Path) -> Result<String, EditError> {
        let read = self.files.read(file);
        read.map_err(|what| EditError::Settings(SettingsErrors(vec![Mistake::in_file(file, None, what)])))
    }

    fn places(&self, list: &'static EntryList) -> Result<Places, EditError> {
        let mut places = Places::new(merge(&self.files, self.environment.clone())?);
        places.name_entries(list.list, list.name_key);
        Ok(places)
    }

    /// Checks all settings with a new text of a file, and writes it. `None` removes the file.
    fn write(&self, file: &Path, text: Option<&str>) -> Result<Changed, EditError> {
        let planned = PlannedFile { path: file.to_owned(), text: text.map(str::to_owned) };
        let before = self.mistakes(&self.files);
        let after = self.mistakes(&self.files.with(planned));
        let is_old = |mistake: &&Mistake| before.iter().any(|old| is_same(old, mistake));
        let (older, new): (Vec<_>, Vec<_>) = after.iter().partition(is_old);
        if !new.is_empty() {
            return Err(EditError::Settings(SettingsErrors(new.into_iter().cloned().collect())));
        }
        let result = match (text, self.is_of_programs(file)) {
            (Some(text), true) => written_file::write_of_programs(file, text, &self.state_directory),
            (Some(text), false) => written_file::write_in_place(file, text),
            (None, _) => written_file::remove(file),
        };
        result.map_err(|source| EditError::Unwritable { file: file.to_owned(), place: None, source })?;
        Ok(Changed { file: file.to_owned(), older_mistakes: older.into_iter().cloned().collect() })
    }

    fn mistakes(&self, files: &SettingsFiles) -> Vec<Mistake> {
        let result = merge(files, self.environment.clone()).and_then(read);
        result.err().map(|SettingsErrors(mistakes)| mistakes).unwrap_or_default()
    }

    fn is_of_programs(&self, file: &Path) -> bool {
        file.parent() == Some(programs_directory(&self.state_directory).as_path())
    }

    /// Adds the place of an entry to the error that its file cannot be written.
    fn with_place(&self, error: EditError, list: &'static EntryList, id: &str) -> EditError {
        match error {
            EditError::Unwritable { file, source, .. } => {
                let place = self.places(list).ok().and_then(|places| places.entry(list.list, id).cloned());
                EditError::Unwritable { file, place: place.map(|place| (list.what, place)), source }
            }
            error => error,
        }
    }
}

/// The same mistake, perhaps in another line.
fn is_same(one: &Mistake, other: &Mistake) -> bool {
    (&one.origin, &one.key, &one.what) == (&other.origin, &other.key, &other.what)
}

#[cfg(test)]
mod tests;
