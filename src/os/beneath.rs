//! Opens files strictly below a directory: no `..`, no absolute path, no symbolic link in the path.

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

/// Opens a regular file below `root` for reading. The path is walked one name at a time: `openat2`, which does it at once,
/// is refused to confined children, because no filter sees its flags.
///
/// # Errors
/// The I/O error; `InvalidInput` for anything but a regular file.
pub fn open_file(root: &Path, name: &str) -> io::Result<File> {
    let mut names = Vec::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(name) => names.push(name),
            _ => return Err(Errno::XDEV.into()),
        }
    }
    open_named(File::open(root)?.into(), &names)
}

/// As [`open_file`], by the names that lead from an open directory to the file.
///
/// # Errors
/// As of [`open_file`].
pub(super) fn open_named(root: OwnedFd, names: &[impl AsRef<OsStr>]) -> io::Result<File> {
    let (last, parents) = names.split_last().ok_or(Errno::NOENT)?;
    let usual = OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut directory = root;
    for name in parents {
        directory = openat(&directory, name.as_ref(), usual | OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
    }
    // NONBLOCK: opening a named pipe would otherwise wait for a writer.
    let flags = usual | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(openat(&directory, last.as_ref(), flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// True for an error that says nothing of the file that was to be opened: its disk, or this process, is in trouble.
pub fn is_trouble(error: &io::Error) -> bool {
    let of_others = [Errno::IO, Errno::NOMEM, Errno::NFILE, Errno::MFILE, Errno::STALE, Errno::TIMEDOUT];
    Errno::from_io_error(error).is_some_and(|errno| of_others.contains(&errno))
}

/// What was asked of the disk; `None` where there is nothing of the kind, or nothing that this process may reach.
///
/// # Errors
/// The I/O error if it [is trouble](is_trouble): then nobody knows what there is.
pub fn unless_trouble<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_trouble(&error) => Err(error),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn there_is_no_way_out_of_the_directory() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("bucket");
        std::fs::create_dir_all(root.join("yard")).unwrap();
        std::fs::write(root.join("yard/photo.jpg"), "inside").unwrap();
        std::fs::write(home.path().join("secret"), "outside").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("link")).unwrap();
        std::os::unix::fs::symlink("yard", root.join("directory-link")).unwrap();
        let mut text = String::new();
        open_file(&root, "yard/photo.jpg").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "inside");
        let absolute = home.path().join("secret").display().to_string();
        for name in ["../secret", "yard/../../secret", &absolute, "link", "directory-link/photo.jpg", "yard", "", "no"]
        {
            assert!(open_file(&root, name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_disk_in_trouble_is_no_file_that_is_absent() {
        let of = |errno: Errno| unless_trouble::<()>(Err(errno.into()));
        for errno in [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::ACCESS] {
            assert_eq!(of(errno).unwrap(), None, "{errno}");
        }
        for errno in [Errno::IO, Errno::MFILE, Errno::STALE] {
            assert!(of(errno).is_err(), "{errno}");
        }
    }
}
