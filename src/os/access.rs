//! Whether a user may read a file or write in a directory, told without becoming that user.
//!
//! For another user it goes by owner, group and mode of the file and of each directory on the way. A file with an access
//! control list is not judged, because the list may say anything.

use crate::os::users::User;
use rustix::fs::{Access, StatVfsMountFlags, access, getxattr, statvfs};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const READ: u32 = 4;
const WRITE: u32 = 2;
const ENTER: u32 = 1;

/// The user whose access is judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Visitor {
    /// The user of this process.
    Caller,
    /// Another one.
    User(User),
}

/// What keeps a visitor out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Obstacle {
    /// The file, or the directory on the way to it.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: ObstacleKind,
}

/// The kinds of obstacles, for each of which something else is to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ObstacleKind {
    /// It does not exist.
    Missing,
    /// The visitor may not read it.
    Unreadable,
    /// The visitor may not write in it.
    Unwritable,
    /// The visitor may not enter this directory.
    Closed,
    /// The file system is read-only.
    ReadOnly,
    /// Something else, in the system's words.
    Other(String),
}

impl Visitor {
    /// Whether the visitor may read a file.
    ///
    /// # Errors
    /// The first [`Obstacle`] on the way.
    pub fn may_read(&self, path: &Path) -> Result<(), Obstacle> {
        match self {
            Self::Caller => {
                access(path, Access::READ_OK).map_err(|errno| obstacle(path, errno, ObstacleKind::Unreadable))
            }
            Self::User(user) => may_reach(user, path, READ, ObstacleKind::Unreadable),
        }
    }

    /// Whether the visitor may list a directory and read what is in it.
    ///
    /// # Errors
    /// The first [`Obstacle`] on the way.
    pub fn may_enter(&self, path: &Path) -> Result<(), Obstacle> {
        match self {
            Self::Caller => access(path, Access::READ_OK | Access::EXEC_OK)
                .map_err(|errno| obstacle(path, errno, ObstacleKind::Unreadable)),
            Self::User(user) => may_reach(user, path, READ | ENTER, ObstacleKind::Unreadable),
        }
    }

    /// Whether the visitor may make files in a directory, or make the directory if it does not exist.
    ///
    /// # Errors
    /// The first [`Obstacle`] on the way.
    pub fn may_write_in(&self, directory: &Path) -> Result<(), Obstacle> {
        let existing = nearest_existing(directory);
        let other = |errno| obstacle(&existing, errno, ObstacleKind::Unwritable);
        if !existing.is_dir() {
            return Err(Obstacle { path: existing, kind: ObstacleKind::Unwritable });
        }
        if statvfs(&existing).map_err(other)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(Obstacle { path: existing, kind: ObstacleKind::ReadOnly });
        }
        match self {
            Self::Caller => access(&existing, Access::WRITE_OK | Access::EXEC_OK).map_err(other),
            Self::User(user) => may_reach(user, &existing, WRITE | ENTER, ObstacleKind::Unwritable),
        }
    }
}

/// The path itself, or the nearest directory above it that exists.
pub fn nearest_existing(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors().find(|path| path.exists()).unwrap_or(&path).to_owned()
}

fn may_reach(user: &User, path: &Path, bits: u32, denied: ObstacleKind) -> Result<(), Obstacle> {
    let missing = |error: &io::Error| Obstacle {
        path: path.to_owned(),
        kind: match error.kind() {
            io::ErrorKind::NotFound => ObstacleKind::Missing,
            _ => ObstacleKind::Other(error.to_string()),
        },
    };
    let given = std::path::absolute(path).map_err(|error| missing(&error))?;
    let real = given.canonicalize().map_err(|error| missing(&error))?;
    // A link is followed only by whoever may enter the directories that lead to it, and those that lead to its target.
    let directories: BTreeSet<&Path> = given.ancestors().skip(1).chain(real.ancestors().skip(1)).collect();
    for directory in directories {
        let metadata = directory.metadata().map_err(|error| missing(&error))?;
        if !permits(user, directory, &metadata, ENTER) {
            return Err(Obstacle { path: directory.to_owned(), kind: ObstacleKind::Closed });
        }
    }
    let metadata = real.metadata().map_err(|error| missing(&error))?;
    if permits(user, &real, &metadata, bits) { Ok(()) } else { Err(Obstacle { path: path.to_owned(), kind: denied }) }
}

/// The first class that fits decides alone: an owner without a right does not get it from the group.
fn permits(user: &User, path: &Path, metadata: &Metadata, bits: u32) -> bool {
    let shift = match (user.id == metadata.uid(), user.groups.contains(&metadata.gid())) {
        (true, _) => 6,
        (false, true) => 3,
        (false, false) => 0,
    };
    user.id == 0 || (metadata.mode() >> shift) & bits == bits || has_access_control_list(path)
}

fn has_access_control_list(path: &Path) -> bool {
    let found = getxattr(path, "system.posix_acl_access", &mut [0_u8; 1]);
    matches!(found, Ok(_) | Err(Errno::RANGE))
}

fn obstacle(path: &Path, errno: Errno, denied: ObstacleKind) -> Obstacle {
    let kind = match errno {
        Errno::NOENT | Errno::NOTDIR => ObstacleKind::Missing,
        Errno::ACCESS | Errno::PERM => denied,
        Errno::ROFS => ObstacleKind::ReadOnly,
        other => ObstacleKind::Other(io::Error::from(other).to_string()),
    };
    Obstacle { path: path.to_owned(), kind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// A user that owns nothing here, in the group of the test's files.
    fn member(path: &Path) -> Visitor {
        let group = path.metadata().unwrap().gid();
        Visitor::User(User { name: "ocelli".into(), id: 60_990, groups: vec![group], group_name: "ocelli".into() })
    }

    fn stranger() -> Visitor {
        Visitor::User(User { name: "x".into(), id: 60_991, groups: vec![60_991], group_name: "x".into() })
    }

    fn change_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn owner_group_and_others_have_their_own_bits_and_each_directory_on_the_way_counts() {
        let home = tempfile::tempdir().unwrap();
        let (directory, file) = (home.path().join("etc"), home.path().join("etc/password"));
        fs::create_dir(&directory).unwrap();
        fs::write(&file, "x").unwrap();
        change_mode(home.path(), 0o755);
        change_mode(&directory, 0o755);
        let found = |visitor: &Visitor| visitor.may_read(&file).map_err(|obstacle| (obstacle.path, obstacle.kind));
        for (mode, of_group, of_others) in [(0o600, false, false), (0o640, true, false), (0o604, false, true)] {
            change_mode(&file, mode);
            let expected = |may: bool| if may { Ok(()) } else { Err((file.clone(), ObstacleKind::Unreadable)) };
            assert_eq!(found(&member(&file)), expected(of_group), "{mode:o}");
            assert_eq!(found(&stranger()), expected(of_others), "{mode:o}");
        }
        change_mode(&file, 0o644);
        change_mode(&directory, 0o700);
        assert_eq!(found(&stranger()), Err((directory.clone(), ObstacleKind::Closed)));
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(stranger().may_read(&link).unwrap_err(), Obstacle { path: directory, kind: ObstacleKind::Closed });
        let nowhere = home.path().join("nowhere");
        for visitor in [stranger(), Visitor::Caller] {
            assert_eq!(visitor.may_read(&nowhere).unwrap_err().kind, ObstacleKind::Missing);
        }
    }

    #[test]
    fn a_directory_that_does_not_exist_needs_one_above_it_that_can_be_written() {
        let home = tempfile::tempdir().unwrap();
        change_mode(home.path(), 0o755);
        let below = home.path().join("a/b");
        assert_eq!(Visitor::Caller.may_write_in(&below), Ok(()));
        let denied = Obstacle { path: home.path().to_owned(), kind: ObstacleKind::Unwritable };
        assert_eq!(stranger().may_write_in(&below), Err(denied));
        change_mode(home.path(), 0o777);
        assert_eq!(stranger().may_write_in(&below), Ok(()));
        fs::write(home.path().join("a"), "").unwrap();
        assert_eq!(Visitor::Caller.may_write_in(&below).unwrap_err().kind, ObstacleKind::Unwritable);
    }
}
