//! A Unix socket for programs of the box: the mode of its file says who may connect.

use crate::os::users;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use rustix::process::geteuid;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The group that may use the socket of the service.
pub const GROUP: &str = "ocelli";

/// Listens at `path`, and creates its directory. The file is the owner's and the group `ocelli`'s (0660), or, where there
/// is no such group or this process may not give files to it, the owner's alone (0600). A socket that a dead process left
/// behind is replaced.
///
/// # Errors
/// `AddrInUse` if a process listens there, else the I/O error, such as for a path above 107 bytes.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    if is_listened_at(path) {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"));
    }
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let is_new = directory.is_some_and(|directory| !directory.exists());
    if let Some(directory) = directory {
        // In /run the directory must let the group through; elsewhere it is the state directory, which is there.
        fs::DirBuilder::new().recursive(true).mode(0o750).create(directory)?;
    }
    // Under another name until its mode is right, so that nobody connects before.
    let new = part_of(path);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&new)?;
    let made = restrict(&new, is_new).and_then(|()| fs::rename(&new, path));
    if made.is_err() {
        drop(fs::remove_file(&new));
    }
    made.map(|()| listener)
}

/// The name of the socket while it is made: as long as its own, because the path of a socket is short.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.pop();
    path.with_file_name(format!("{name}~"))
}

fn restrict(path: &Path, has_new_directory: bool) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let Some(group) = users::group_id(GROUP) else { return Ok(()) };
    let has_group = fs::metadata(path)?.gid() == group || chown(path, None, Some(group)).is_ok();
    if has_group {
        fs::set_permissions(path, Permissions::from_mode(0o660))?;
        if has_new_directory {
            open_directory(path, group);
        }
    }
    Ok(())
}

/// Lets the group through a directory below /run that this process has just made. Elsewhere the directory is left as it is.
fn open_directory(path: &Path, group: u32) {
    let Some(directory) = path.parent().filter(|directory| directory.starts_with("/run")) else { return };
    if chown(directory, None, Some(group)).is_ok() {
        drop(fs::set_permissions(directory, Permissions::from_mode(0o750)));
    }
}

/// True if a process listens there. Does not wait for one whose queue is full.
fn is_listened_at(path: &Path) -> bool {
    let connected = SocketAddrUnix::new(path).and_then(|address| {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None)?;
        connect(&socket, &address)
    });
    matches!(connected, Ok(()) | Err(Errno::AGAIN))
}

/// True if the process `pid` of the user `uid` is a child of this one, as capture processes and units are, or has ended and may
/// have been. Of a process outside of this one's namespace, `pid` is 0.
///
/// Children have this process's user, and cannot take another: they hold no capability. So the processes of other users are let
/// in unseen, which `ProtectProc=invisible` of the service hides from it.
pub fn may_be_own_child(pid: i32, uid: u32) -> bool {
    if uid != geteuid().as_raw() {
        return false;
    }
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return pid > 0 };
    // The name of the process, in parentheses, may hold spaces and parentheses.
    let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
    parent == Some(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    #[test]
    fn a_socket_is_for_the_owner_or_its_group_alone_and_replaces_what_a_dead_process_left() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/ocelli.sock");
        let listener = listen(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let group = users::group_id(GROUP);
        assert_eq!(mode, if group.is_some() { 0o660 } else { 0o600 });
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(listen(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(UnixStream::connect(&path).is_err() && path.exists());
        let _listener = listen(&path).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn a_child_is_told_from_other_processes() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let own = geteuid().as_raw();
        assert!(may_be_own_child(pid, own));
        assert!([std::process::id().cast_signed(), 1, 0].into_iter().all(|other| !may_be_own_child(other, own)));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(may_be_own_child(pid, own), "one that has asked and ended is not let in");
        // As `ProtectProc=invisible` hides a command of root or of a member of the group from the service.
        assert!(!may_be_own_child(pid, own + 1), "nobody else's process is a child, seen or not");
    }
}
