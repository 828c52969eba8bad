//! Opens files strictly below a directory: no `..`, no absolute path, no symbolic link in the path.

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a regular file below `root` for reading. The kernel resolves the name and enforces the limits (`openat2`).
///
/// # Errors
/// The I/O error; `InvalidInput` for anything but a regular file.
pub fn open_file(root: &Path, name: &str) -> io::Result<File> {
    let directory = File::open(root)?;
    // NONBLOCK: opening a named pipe would otherwise wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(&directory, name, flags, Mode::empty(), resolve)?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
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
}
