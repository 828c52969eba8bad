//! Pictures, half of them for calibration and half to judge.

use crate::cli::model::picture_files::{pictures_in, read_picture};
use std::fmt::{self, Display};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Fewer pictures do not show what a model meets.
const LEAST: usize = 16;

/// More pictures change nothing and take hours.
pub(super) const MOST: usize = 500;

/// A JPEG or PNG.
#[derive(Clone, Debug)]
pub(super) enum Picture {
    /// A file that a person has named.
    File(PathBuf),
    /// A frame of a camera: a part of a file that has no name any more.
    Frame {
        /// The camera, and the frame's number.
        name: String,
        /// All frames.
        file: Rc<File>,
        /// Where it begins.
        at: u64,
        /// How long it is.
        bytes: usize,
    },
}

impl Picture {
    /// The whole file or frame, but of a file that is too large for a unit no more than shows that.
    ///
    /// # Errors
    /// The I/O error.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::File(path) => read_picture(path),
            Self::Frame { file, at, bytes, .. } => {
                let mut read = vec![0; *bytes];
                file.read_exact_at(&mut read, *at)?;
                Ok(read)
            }
        }
    }
}

impl Display for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Frame { name, .. } => formatter.write_str(name),
        }
    }
}

/// The pictures of a directory, by name.
pub(super) fn of_directory(directory: &Path) -> Result<Vec<Picture>, String> {
    let mut found = pictures_in(directory)?;
    found.truncate(MOST);
    Ok(found.into_iter().map(Picture::File).collect())
}

/// Every second picture for calibration, and the others. `what` says what they are.
///
/// # Errors
/// A text, if there are too few.
pub(super) fn split(pictures: Vec<Picture>, what: &str) -> Result<(Vec<Picture>, Vec<Picture>), String> {
    let count = pictures.len();
    if count < LEAST {
        return Err(format!(
            "there are {count} {what}, and {LEAST} are needed: half of them calibrate, and half judge"
        ));
    }
    let (calibration, judging): (Vec<_>, Vec<_>) =
        pictures.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
    let alone = |several: Vec<(usize, Picture)>| several.into_iter().map(|(_, picture)| picture).collect();
    Ok((alone(calibration), alone(judging)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_picture_both_calibrates_and_judges() {
        let home = tempfile::tempdir().unwrap();
        for number in 0..17 {
            std::fs::write(home.path().join(format!("{number:02}.JPG")), [number]).unwrap();
        }
        std::fs::write(home.path().join("notes.txt"), "").unwrap();
        let (calibration, judging) = split(of_directory(home.path()).unwrap(), "files").unwrap();
        let read = |several: &[Picture]| several.iter().map(|one| one.read().unwrap()[0]).collect::<Vec<u8>>();
        assert_eq!(read(&calibration), [0, 2, 4, 6, 8, 10, 12, 14, 16]);
        assert_eq!(read(&judging), [1, 3, 5, 7, 9, 11, 13, 15]);
        (0..2).for_each(|number| std::fs::remove_file(home.path().join(format!("{number:02}.JPG"))).unwrap());
        let refused = split(of_directory(home.path()).unwrap(), "files").unwrap_err();
        assert!(refused.starts_with("there are 15 files, and 16 are needed"), "{refused}");
        assert!(of_directory(&home.path().join("none")).unwrap_err().contains("cannot be read"));
    }
}
