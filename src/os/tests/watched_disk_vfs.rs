//! The SQLite VFS of a [`WatchedDisk`](super::watched_disk::WatchedDisk): C functions that wrap SQLite's own VFS. The
//! crate `sqlite-plugin` needs libclang on each build machine, and `sqlite-vfs` is not maintained.

#![expect(unsafe_code, reason = "SQLite calls a file system through tables of C functions")]

use super::watched_disk::{Fault, Shared, Step};
use rusqlite::ffi;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::Arc;

/// SQLite's structure of an open file. Initialised by [`open`] and finalised by [`close`].
#[repr(C)]
struct File {
    /// Must be first: SQLite reads the method table there.
    base: ffi::sqlite3_file,
    opened: *mut Opened,
}

/// The wrapped file of SQLite's own VFS.
struct Opened {
    /// The structure of that VFS: of its size, aligned for pointers, and never moved.
    memory: Vec<u64>,
    name: Arc<str>,
    disk: &'static Shared,
}

impl Opened {
    fn file(&mut self) -> *mut ffi::sqlite3_file {
        self.memory.as_mut_ptr().cast()
    }

    /// The method table of the wrapped file.
    fn methods(&mut self) -> &'static ffi::sqlite3_io_methods {
        // SAFETY: `open` has let SQLite's own file system fill `memory` and has kept it only when that set the table,
        // which is a static of SQLite.
        unsafe { &*(*self.file()).pMethods }
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Version 1 has no shared memory, which a store that only one process opens does not need.
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

const IS_SQLITES: &str = "SQLite's own file system has all methods";

/// Registers the VFS of a disk with SQLite.
pub(super) fn register(name: &str, disk: &'static Shared) {
    // SAFETY: a null name asks for the default, which stays registered; it is copied, and the copy differs in its name,
    // its data and the functions below. Copy and name are leaked, so SQLite may keep them.
    let code = unsafe {
        ffi::sqlite3_initialize();
        let mut vfs = *ffi::sqlite3_vfs_find(std::ptr::null());
        vfs.iVersion = 1;
        vfs.szOsFile = c_int::try_from(size_of::<File>()).expect("a small structure");
        vfs.pNext = null_mut();
        vfs.zName = CString::new(name).expect("a plain name").into_raw();
        vfs.pAppData = std::ptr::from_ref(disk).cast_mut().cast();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0)
    };
    assert_eq!(code, ffi::SQLITE_OK);
}

fn default_vfs() -> *mut ffi::sqlite3_vfs {
    // SAFETY: a null name asks for the default.
    unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) }
}

/// The disk of a VFS.
///
/// # Safety
/// `vfs` was registered by [`register`].
unsafe fn disk(vfs: *mut ffi::sqlite3_vfs) -> &'static Shared {
    // SAFETY: `register` has put a reference there that lives as long as the process.
    unsafe { &*(*vfs).pAppData.cast::<Shared>() }
}

/// The last component of a path.
///
/// # Safety
/// `path` is null or a C string.
unsafe fn base_name(path: *const c_char) -> Arc<str> {
    if path.is_null() {
        return "temporary".into();
    }
    // SAFETY: it is a C string, as the caller says.
    let path = unsafe { CStr::from_ptr(path) }.to_string_lossy();
    Path::new(&*path).file_name().unwrap_or_default().to_string_lossy().into()
}

/// # Safety
/// `file` was opened by [`open`] and not closed, and SQLite uses it on one thread at a time.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Opened {
    // SAFETY: `open` has put a box of its own there, which only `close` takes away; no two calls run at once.
    unsafe { &mut *(*file.cast::<File>()).opened }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    mut flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives what its documentation of `xOpen` says: a registered file system, a C string or null, room
    // of `szOsFile` bytes for the file. The file behind gets room of the size that it asks for, and `opened` goes to
    // SQLite only when it was opened; otherwise the table of methods is null, and SQLite calls none.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let (parent, disk) = (default_vfs(), disk(vfs));
        if disk.refuses(&[Fault::ReadOnly]) {
            // As on a real read-only disk, the file is opened for reading only.
            flags = flags & !(ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE) | ffi::SQLITE_OPEN_READONLY;
        }
        let size = usize::try_from((*parent).szOsFile).expect("a size");
        let mut opened = Box::new(Opened { memory: vec![0; size.div_ceil(8)], name: base_name(path), disk });
        let is_new = !path.is_null() && !Path::new(&*CStr::from_ptr(path).to_string_lossy()).exists();
        let code = (*parent).xOpen.expect(IS_SQLITES)(parent, path, opened.file(), flags, out_flags);
        if code == ffi::SQLITE_OK {
            if is_new {
                disk.note(Step::Create { file: Arc::clone(&opened.name) });
            }
            (*file.cast::<File>()).opened = Box::into_raw(opened);
            (*file).pMethods = &raw const METHODS;
        }
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, path: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: SQLite gives a registered file system and a C string.
    unsafe {
        if disk(vfs).refuses(&[Fault::ReadOnly, Fault::Write]) {
            return ffi::SQLITE_IOERR_DELETE;
        }
        let parent = default_vfs();
        let code = (*parent).xDelete.expect(IS_SQLITES)(parent, path, sync_directory);
        if code == ffi::SQLITE_OK {
            disk(vfs).note(Step::Delete { file: base_name(path) });
        }
        code
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes each file once and does not use it afterwards; the box is the one that `open` has made.
    unsafe {
        let mut opened = Box::from_raw((*file.cast::<File>()).opened);
        opened.methods().xClose.expect(IS_SQLITES)(opened.file())
    }
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite gives an open file and room for `length` bytes.
    unsafe {
        let opened = opened(file);
        if opened.disk.refuses(&[Fault::Read]) {
            return ffi::SQLITE_IOERR_READ;
        }
        opened.methods().xRead.expect(IS_SQLITES)(opened.file(), into, length, offset)
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite gives an open file and `length` bytes.
    unsafe {
        let opened = opened(file);
        if opened.disk.refuses(&[Fault::Full]) {
            return ffi::SQLITE_FULL;
        }
        if opened.disk.refuses(&[Fault::Write, Fault::ReadOnly]) {
            return ffi::SQLITE_IOERR_WRITE;
        }
        let code = opened.methods().xWrite.expect(IS_SQLITES)(opened.file(), from, length, offset);
        if code == ffi::SQLITE_OK {
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(length).expect("a length"));
            let offset = usize::try_from(offset).expect("a place in the file");
            opened.disk.note(Step::Write { file: Arc::clone(&opened.name), offset, bytes: bytes.to_vec() });
        }
        code
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe {
        let opened = opened(file);
        if opened.disk.refuses(&[Fault::Write, Fault::ReadOnly]) {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let code = opened.methods().xTruncate.expect(IS_SQLITES)(opened.file(), size);
        if code == ffi::SQLITE_OK {
            let size = usize::try_from(size).expect("a size");
            opened.disk.note(Step::Truncate { file: Arc::clone(&opened.name), size });
        }
        code
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe {
        let opened = opened(file);
        if opened.disk.refuses(&[Fault::Sync]) {
            opened.disk.note(Step::FailedSync { file: Arc::clone(&opened.name) });
            return ffi::SQLITE_IOERR_FSYNC;
        }
        let code = opened.methods().xSync.expect(IS_SQLITES)(opened.file(), flags);
        opened.disk.note(Step::Sync { file: Arc::clone(&opened.name) });
        code
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the size.
    unsafe { opened(file).methods().xFileSize.expect(IS_SQLITES)(opened(file).file(), size) }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe { opened(file).methods().xLock.expect(IS_SQLITES)(opened(file).file(), level) }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe { opened(file).methods().xUnlock.expect(IS_SQLITES)(opened(file).file(), level) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, is_locked: *mut c_int) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    unsafe { opened(file).methods().xCheckReservedLock.expect(IS_SQLITES)(opened(file).file(), is_locked) }
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: SQLite gives an open file, and an argument of the kind that belongs to the operation.
    unsafe { opened(file).methods().xFileControl.expect(IS_SQLITES)(opened(file).file(), operation, argument) }
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe { opened(file).methods().xSectorSize.expect(IS_SQLITES)(opened(file).file()) }
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe { opened(file).methods().xDeviceCharacteristics.expect(IS_SQLITES)(opened(file).file()) }
}
