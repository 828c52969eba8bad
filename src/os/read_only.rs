//! Takes the right to change files from a whole process, also from threads that run already: from a child that has written
//! what it may, and processes data from outside from now on.

use crate::os::call_filter;
use crate::os::sandbox::{SandboxError, SandboxMode};

/// Calls that change files or directories, beside opening them.
const CHANGING: &[libc::c_long] = &[
    libc::SYS_fallocate,
    libc::SYS_ftruncate,
    libc::SYS_linkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_openat2,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_symlinkat,
    libc::SYS_truncate,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
];

/// Older forms of [`CHANGING`] that only this processor has.
#[cfg(target_arch = "x86_64")]
const OLDER_CHANGING: &[libc::c_long] = &[
    libc::SYS_creat,
    libc::SYS_link,
    libc::SYS_mkdir,
    libc::SYS_mknod,
    libc::SYS_rename,
    libc::SYS_rmdir,
    libc::SYS_symlink,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_CHANGING: &[libc::c_long] = &[];

/// No thread of this process can create, change, rename or remove a file any more, unless `mode` is off; calls fail with
/// `EROFS`. In best effort mode, only logs a failure.
///
/// # Errors
/// [`SandboxError::Seccomp`].
pub fn enter_as(mode: SandboxMode) -> Result<(), SandboxError> {
    match mode {
        SandboxMode::Off => Ok(()),
        SandboxMode::BestEffort => {
            if let Err(error) = enter() {
                tracing::warn!(%error, "a child may still change the files that it has written");
            }
            Ok(())
        }
        SandboxMode::Required | SandboxMode::RequiredPartial => enter(),
    }
}

fn enter() -> Result<(), SandboxError> {
    let calls = CHANGING.iter().chain(OLDER_CHANGING).copied();
    Ok(seccompiler::apply_filter_all_threads(&call_filter::of_reader(calls)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::ErrorKind;
    use std::path::Path;
    use std::process::Command;
    use std::sync::mpsc;

    const HOME: &str = "OCELLI_TEST_READ_ONLY";

    fn try_all(home: &Path) {
        let file = home.join("file");
        let tried = [
            fs::write(&file, "x"),
            fs::write(home.join("new"), "x"),
            File::options().append(true).open(&file).map(drop),
            File::options().read(true).write(true).open(&file).map(drop),
            fs::rename(&file, home.join("other")),
            fs::remove_file(&file),
            fs::create_dir(home.join("directory")),
            fs::remove_dir(home.join("empty")),
            File::open(&file).and_then(|open| open.set_len(0)),
        ];
        for (act, result) in tried.into_iter().enumerate() {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem, "act {act}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"as it was");
    }

    /// It holds for the whole process, so the test starts itself again for it.
    #[test]
    fn no_thread_can_change_files_any_more() {
        if let Some(home) = std::env::var_os(HOME) {
            let (begin, begun) = mpsc::sync_channel::<()>(1);
            let earlier = std::thread::spawn({
                let home = home.clone();
                move || begun.recv().map(|()| try_all(Path::new(&home)))
            });
            enter_as(SandboxMode::Required).unwrap();
            try_all(Path::new(&home));
            begin.send(()).unwrap();
            return earlier.join().unwrap().unwrap();
        }
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("file"), "as it was").unwrap();
        fs::create_dir(home.path().join("empty")).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["os::read_only::tests::no_thread_can_change_files_any_more", "--exact", "--nocapture"])
            .env(HOME, home.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }
}
