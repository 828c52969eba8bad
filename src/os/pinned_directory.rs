//! A directory that its owner may replace by a link while a stronger user works in it.

use rustix::fs::OFlags;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// An open directory. Paths below it lead there whatever its own path leads to by then.
#[derive(Debug)]
pub struct PinnedDirectory(File);

impl PinnedDirectory {
    /// Opens a directory; makes it, for its owner alone, if it does not exist.
    ///
    /// # Errors
    /// The I/O error; `NotADirectory` also for a link to a directory.
    pub fn open(directory: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
        Ok(Self(OpenOptions::new().read(true).custom_flags(bits(flags)).open(directory)?))
    }

    /// The directory itself.
    pub fn file(&self) -> &File {
        &self.0
    }

    /// The path of an entry, for as long as this is open (`proc(5)`, `/proc/self/fd`).
    pub fn entry(&self, name: &std::ffi::OsStr) -> PathBuf {
        Path::new("/proc/self/fd").join(self.0.as_raw_fd().to_string()).join(name)
    }

    /// Opens an entry for writing; makes it, for its owner alone, if it does not exist. A link is an error.
    ///
    /// # Errors
    /// The I/O error.
    pub fn open_or_make(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(bits(OFlags::NOFOLLOW));
        options.open(self.entry(name.as_ref()))
    }
}

#[expect(clippy::cast_possible_wrap, reason = "the type of open(2)'s flags is int")]
fn bits(flags: OFlags) -> i32 {
    flags.bits() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_is_followed_and_what_the_path_becomes_is_of_no_account() {
        let home = tempfile::tempdir().unwrap();
        let (place, other) = (home.path().join("place"), home.path().join("other"));
        std::fs::create_dir(&other).unwrap();
        let pinned = PinnedDirectory::open(&place).unwrap();
        symlink(other.join("victim"), place.join("lock")).unwrap();
        assert!(pinned.open_or_make("lock").is_err() && !other.join("victim").exists());
        pinned.open_or_make("file").unwrap();
        std::fs::rename(&place, home.path().join("moved")).unwrap();
        symlink(&other, &place).unwrap();
        std::fs::write(pinned.entry("late".as_ref()), "").unwrap();
        assert!(home.path().join("moved/late").exists() && !other.join("late").exists());
        assert!(PinnedDirectory::open(&place).is_err());
    }
}
