//! Files that a child may not open, and changes that it may not make.

use super::{KEEPER_LINES, call, error_of, say};
use libc::{c_int, c_long};
use std::collections::BTreeMap;
use std::ffi::CString;

fn open(path: &str, flags: c_int) -> c_int {
    let Ok(path) = CString::new(path) else { return -1 };
    // SAFETY: a path that ends with a zero.
    let descriptor = unsafe { libc::open(path.as_ptr(), flags | libc::O_NONBLOCK, 0o600) };
    let error = error_of(descriptor.into());
    if descriptor >= 0 {
        // SAFETY: opened above, and of nobody else.
        unsafe { libc::close(descriptor) };
        if flags & libc::O_CREAT != 0 {
            // SAFETY: the path of above.
            unsafe { libc::unlink(path.as_ptr()) };
        }
    }
    error
}

pub(crate) fn files(facts: &BTreeMap<String, String>, parent: c_int) {
    for (path, flags) in [
        (facts["forbidden"].clone(), libc::O_RDONLY),
        (facts["forbidden"].clone(), libc::O_WRONLY),
        ("/etc/passwd".into(), libc::O_RDONLY),
        ("/etc/shadow".into(), libc::O_RDONLY),
        (format!("/proc/{parent}/environ"), libc::O_RDONLY),
        (format!("/proc/{parent}/mem"), libc::O_RDWR),
        ("/tmp/ocelli-probe".into(), libc::O_WRONLY | libc::O_CREAT),
        ("/dev/shm/ocelli-probe".into(), libc::O_WRONLY | libc::O_CREAT),
        ("/dev/ocelli-probe".into(), libc::O_WRONLY | libc::O_CREAT),
        ("/dev/kmsg".into(), libc::O_WRONLY),
        ("/dev/kvm".into(), libc::O_RDWR),
        ("/dev/net/tun".into(), libc::O_RDWR),
        ("/dev/fuse".into(), libc::O_RDWR),
        ("/dev/mem".into(), libc::O_RDONLY),
    ] {
        say("file", open(&path, flags), &format!("open {path} with flags {flags:o}"));
    }
    // The registry that capture processes believe; the keeper writes it.
    if KEEPER_LINES.get().is_none() {
        let registry = std::path::Path::new(&facts["registry"]);
        for path in [registry.join("probe"), registry.with_file_name("probe")] {
            let path = path.display().to_string();
            say("file", open(&path, libc::O_WRONLY | libc::O_CREAT), &format!("write {path}"));
        }
    }
    say("refused", open(&facts["library"], libc::O_RDONLY | libc::O_TRUNC), "empty a file that it may read");
    let Ok(path) = CString::new(facts["forbidden"].as_str()) else { return };
    let path = path.as_ptr() as c_long;
    let at = c_long::from(libc::AT_FDCWD);
    say("refused", call(libc::SYS_fchmodat, [at, path, 0o777, 0, 0, 0]), "make a file readable for all");
    say("refused", call(libc::SYS_fchownat, [at, path, 0, 0, 0, 0]), "change the owner of a file");
    say("refused", call(libc::SYS_utimensat, [at, path, 0, 0, 0, 0]), "change the times of a file by its path");
    say("refused", call(libc::SYS_mknodat, [at, path, 0o60600, 0xfe00, 0, 0]), "make a device");
    say("refused", call(libc::SYS_symlinkat, [path, at, path, 0, 0, 0]), "make a link");
}
