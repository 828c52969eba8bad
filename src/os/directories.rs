//! Atomic renames of directories: a concurrent reader finds the old or the new one.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::File;
use std::io;
use std::path::Path;

/// Exchanges the names of two existing directories on one file system (`RENAME_EXCHANGE`).
///
/// # Errors
/// The I/O error; nothing has changed then. `InvalidInput` or `Unsupported` if the file system does not support it,
/// such as FAT and NFS.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Renames a file or directory to a name that must be free (`RENAME_NOREPLACE`).
///
/// # Errors
/// The I/O error; nothing has changed then.
pub fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// Syncs the entries of a directory to the disk.
///
/// # Errors
/// The I/O error.
pub fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn two_directories_take_each_others_place() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for name in ["one", "other"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("file"), name).unwrap();
        }
        exchange(&at("one"), &at("other")).unwrap();
        assert_eq!(fs::read_to_string(at("one").join("file")).unwrap(), "other");
        assert_eq!(fs::read_to_string(at("other").join("file")).unwrap(), "one");
        assert!(rename_to_free(&at("one"), &at("other")).is_err());
        rename_to_free(&at("one"), &at("third")).unwrap();
        assert!(exchange(&at("one"), &at("other")).is_err() && at("other").exists() && at("third").exists());
    }
}
