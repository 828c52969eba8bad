//! Atomic replacement of files: after a crash or a power cut, the old or the new content is complete.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Modes of what is made: nobody but the owner has anything to do with it.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Replaces a file: writes a temporary file, syncs it, renames it and syncs the directory. Creates the directory. Both are
/// for their owner alone (0600 and 0700), whatever the umask. No symbolic link is followed that has the name of the file.
///
/// # Errors
/// The I/O error. The old file is then still in place, unless only the sync of the directory failed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (temporary, _) = write_beside(path, bytes, DIRECTORY_MODE, FILE_MODE)?;
    fs::rename(&temporary, path)?;
    File::open(directory_of(path))?.sync_all()
}

/// [`replace`] with the mode, and the owner and group, of a model: what root writes, the service must be able to read.
///
/// # Errors
/// As of [`replace`]; also if the owner cannot be given.
pub fn replace_as(path: &Path, bytes: &[u8], mode: u32, owner: &Metadata) -> io::Result<()> {
    let (temporary, file) = write_beside(path, bytes, DIRECTORY_MODE, mode & 0o700)?;
    let given = give(&file, owner).and_then(|()| file.set_permissions(Permissions::from_mode(mode & 0o7777)));
    if let Err(error) = given.and_then(|()| fs::rename(&temporary, path)) {
        // It may hold secrets.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    File::open(directory_of(path))?.sync_all()
}

/// Gives an open file or directory to the owner and group of a model, if they differ. What its path leads to meanwhile is
/// of no account.
///
/// # Errors
/// The I/O error: only root may give files away.
pub fn give(file: &File, owner: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    match (now.uid(), now.gid()) == (owner.uid(), owner.gid()) {
        true => Ok(()),
        false => fchown(file, Some(owner.uid()), Some(owner.gid())),
    }
}

/// Replaces a file by its own content, to test whether the disk accepts writes. If there is no file, writes and removes
/// a temporary one.
///
/// # Errors
/// As of [`replace`]; the content is unchanged in any case.
pub fn rewrite(path: &Path) -> io::Result<()> {
    match fs::read(path) {
        Ok(bytes) => replace(path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::remove_file(write_beside(path, b"", DIRECTORY_MODE, FILE_MODE)?.0)
        }
        Err(error) => Err(error),
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes and syncs the temporary file. Creates the directory if it does not exist. Returns the file and its path.
fn write_beside(path: &Path, bytes: &[u8], directory_mode: u32, file_mode: u32) -> io::Result<(PathBuf, File)> {
    let directory = directory_of(path);
    DirBuilder::new().recursive(true).mode(directory_mode).create(directory)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let temporary = path.with_file_name(name);
    // One that a killed process left behind keeps its mode when it is opened again. What lies there otherwise, such as a
    // symbolic link, goes too: `create_new` (O_EXCL) makes a new file or none.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(file_mode).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok((temporary, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_failure_leaves_the_old_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/file.json");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        // A directory has the name of the temporary file.
        fs::create_dir(path.with_file_name("file.json.part")).unwrap();
        assert!(replace(&path, b"newest").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_private_file_is_private_although_a_killed_process_has_left_one_that_is_not() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("key.pem");
        let left = path.with_file_name("key.pem.part");
        fs::write(&left, b"").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o666)).unwrap();
        replace(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_planted_link_is_replaced_and_what_it_leads_to_is_left() {
        let home = tempfile::tempdir().unwrap();
        let (path, victim) = (home.path().join("new/catalog.json"), home.path().join("victim"));
        fs::write(&victim, b"as it was").unwrap();
        replace(&path, b"old").unwrap();
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        for name in ["catalog.json.part", "catalog.json"] {
            drop(fs::remove_file(path.with_file_name(name)));
            std::os::unix::fs::symlink(&victim, path.with_file_name(name)).unwrap();
            replace(&path, b"new").unwrap();
            assert_eq!(fs::read(&victim).unwrap(), b"as it was", "{name}");
            assert!(fs::symlink_metadata(&path).unwrap().is_file());
        }
    }

    #[test]
    fn a_file_that_is_replaced_as_another_has_its_mode_and_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("ocelli.toml");
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap();
        replace_as(&path, b"new", before.mode(), &before).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_rewritten_file_is_as_it_was_and_none_appears() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/file.json");
        rewrite(&path).unwrap();
        assert_eq!(fs::read_dir(home.path().join("new")).unwrap().count(), 0);
        replace(&path, b"old").unwrap();
        rewrite(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        fs::create_dir(path.with_file_name("file.json.part")).unwrap();
        assert!(rewrite(&path).is_err());
    }
}
