//! A wall clock that jumps, for one process: libfaketime answers for the kernel. `CLOCK_MONOTONIC` stays as it is, and so does what asks
//! the kernel without the C library; the clocks of processor time jump too.

use super::from_setup;
use std::path::PathBuf;
use tempfile::TempDir;

/// The clock of one process, right until [`Self::jump`].
pub struct FalseClock {
    home: TempDir,
    library: PathBuf,
}

impl FalseClock {
    pub fn right() -> Self {
        let directories = std::fs::read_dir(from_setup(".setup/etcd/usr/lib")).unwrap();
        let libraries = directories.map(|entry| entry.unwrap().path().join("faketime/libfaketimeMT.so.1"));
        let library =
            libraries.into_iter().find(|path| path.exists()).expect("libfaketime is missing: run `setup/etcd.sh`");
        let clock = Self { home: tempfile::tempdir().unwrap(), library };
        clock.jump("+0");
        clock
    }

    /// From now on the process reads a time so far away from the right one, such as `+5y`.
    pub fn jump(&self, by: &str) {
        // Renamed into place: the process never reads half of it.
        let new = self.home.path().join("new");
        std::fs::write(&new, by).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    /// What the process needs in its environment. Children of the daemon do not inherit it.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap().to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().to_str().unwrap().to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("offset")
    }
}
