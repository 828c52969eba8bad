//! The pictures of a directory, half of them for calibration and half to judge.

use crate::cli::model::picture_files::pictures_in;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Fewer pictures do not show what a model meets.
const LEAST: usize = 16;

/// More pictures change nothing and take hours.
const MOST: usize = 500;

/// Every second picture by name for calibration, and the others.
pub(super) fn split(directory: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Box<dyn Error>> {
    let mut found = pictures_in(directory)?;
    found.truncate(MOST);
    if found.len() < LEAST {
        let (count, directory) = (found.len(), directory.display());
        return Err(format!(
            "{directory} has {count} JPEG or PNG files, and {LEAST} are needed: half of them calibrate, and half judge"
        )
        .into());
    }
    let (calibration, judging): (Vec<_>, Vec<_>) = found.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
    let paths = |several: Vec<(usize, PathBuf)>| several.into_iter().map(|(_, path)| path).collect();
    Ok((paths(calibration), paths(judging)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_picture_both_calibrates_and_judges() {
        let home = tempfile::tempdir().unwrap();
        for number in 0..17 {
            std::fs::write(home.path().join(format!("{number:02}.JPG")), "").unwrap();
        }
        std::fs::write(home.path().join("notes.txt"), "").unwrap();
        let (calibration, judging) = split(home.path()).unwrap();
        assert_eq!((calibration.len(), judging.len()), (9, 8));
        assert!(judging.iter().all(|path| !calibration.contains(path)));
        (0..2).for_each(|number| std::fs::remove_file(home.path().join(format!("{number:02}.JPG"))).unwrap());
        assert!(split(home.path()).unwrap_err().to_string().contains("has 15 JPEG or PNG files, and 16 are needed"));
        assert!(split(&home.path().join("none")).unwrap_err().to_string().contains("cannot be read"));
    }
}
