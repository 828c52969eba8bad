//! Whether the user that will run the service may read and write what the settings name.

use crate::cli::check::report::{Finding, Severity};
use crate::os::access::{Obstacle, ObstacleKind, Visitor, nearest_existing};
use crate::os::free_space;
use crate::os::users::{self, User, is_root};
use crate::settings::{FileKind, NamedFile, Place, Places, Settings, environment};
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The user of the systemd unit.
const SERVICE_USER: &str = "ocelli";

/// Where the systemd unit may be; it exists only where the service was installed.
const UNIT_FILES: [&str; 2] = ["/etc/systemd/system/ocelli.service", "/usr/lib/systemd/system/ocelli.service"];

/// What the unit's `ProtectHome=` and `PrivateTmp=` hide from the service.
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/// What systemd makes when it starts the service: `StateDirectory=` and `CacheDirectory=`.
const MADE_BY_SYSTEMD: [&str; 2] = ["/var/lib/ocelli", "/var/cache/ocelli"];

/// Below this a directory counts as full: a snapshot or a state file may not fit.
const FULL_BYTES: u64 = 16 << 20;

/// The user that files are judged for: the one that is named, else for root the user of the service, else whoever runs
/// this. `None` if the named one does not exist.
pub(super) fn visitor(named: Option<&str>) -> Option<Visitor> {
    match named {
        Some(name) => User::find(name).map(Visitor::User),
        None if is_root() => Some(User::find(SERVICE_USER).map_or(Visitor::Caller, Visitor::User)),
        None => Some(Visitor::Caller),
    }
}

/// Checks the settings files, those of `conf.d` and `settings.d` too, and the files that they name.
pub(super) fn check_files(settings: &Settings, places: &Places, files: &[PathBuf], visitor: &Visitor) -> Vec<Finding> {
    let mut findings = Vec::new();
    let with_secrets = settings_with_secrets(settings, places);
    let files = Settings::files_to_read(files, &settings.state_directory);
    for file in &files {
        let kind = if with_secrets.contains(file) { FileKind::Secret } else { FileKind::Open };
        let wrong = |severity, what: String| Finding::new(severity, "settings", what);
        findings.extend(mistakes_in(file, kind, visitor, &wrong));
    }
    let named = settings.named_files();
    for NamedFile { key, subject, path, kind } in &named {
        let units = &settings.units;
        let is_library =
            std::iter::once(&units.runtime_library).chain(units.runtime_libraries.values()).any(|it| it == path);
        let wrong = |severity, what: String| {
            // The daemon runs without it, and tries again.
            let is_optional = is_library || *kind == FileKind::Clip;
            let severity = if is_optional && severity == Severity::Mistake { Severity::Failed } else { severity };
            Finding::about(severity, subject, "file", what).key(key)
        };
        findings.extend(mistakes_in(path, *kind, visitor, &wrong));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("files", format!("{} can be read by {}", files.len() + named.len(), who(visitor))));
    }
    findings
}

/// Whether the user may read all files of a package.
pub(super) fn check_package_files(directory: &Path, visitor: &Visitor) -> Option<(String, String)> {
    let files = std::fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let obstacle = files.filter_map(|file| visitor.may_read(&file).err()).next()?;
    Some((in_words(&obstacle, visitor), cure(&obstacle, visitor)))
}

/// Checks the directories that the daemon writes in.
pub(super) fn check_directories(settings: &Settings, visitor: &Visitor) -> Vec<Finding> {
    let cache = &settings.units.cache_directory;
    let outbox = u64::from(settings.outbox.max_mib) << 20;
    let mut findings = vec![check_directory("state_directory", &settings.state_directory, outbox, visitor)];
    if !cache.as_os_str().is_empty() {
        findings.push(check_directory("units.cache_directory", cache, 0, visitor));
    }
    findings
}

/// `wanted_bytes` is what may be written there.
fn check_directory(key: &str, directory: &Path, wanted_bytes: u64, visitor: &Visitor) -> Finding {
    let (subject, shown) = ("directory", directory.display());
    let is_made_by_systemd = MADE_BY_SYSTEMD.iter().any(|made| directory.starts_with(made));
    if !directory.exists() && is_made_by_systemd {
        return Finding::ok(subject, format!("{shown} does not exist yet; systemd makes it for the service")).key(key);
    }
    if let Err(obstacle) = visitor.may_write_in(directory) {
        let finding = Finding::new(Severity::Failed, subject, in_words(&obstacle, visitor));
        return finding.key(key).cure(cure(&obstacle, visitor));
    }
    let free = match free_space::available_bytes(&nearest_existing(directory)) {
        Ok(free) => free,
        Err(error) => {
            let what = format!("the free space of {shown} cannot be read: {error}");
            return Finding::new(Severity::Warning, subject, what).key(key);
        }
    };
    let free_mib = free >> 20;
    let cure = "remove files, or name a directory on a larger disk";
    match free {
        _ if free < FULL_BYTES => {
            Finding::new(Severity::Failed, subject, format!("{shown} has {free_mib} MiB left")).key(key).cure(cure)
        }
        _ if free < wanted_bytes => {
            let what =
                format!("{shown} has {free_mib} MiB left, but `outbox.max_mib` allows {} MiB", wanted_bytes >> 20);
            Finding::new(Severity::Warning, subject, what).key(key).cure("lower `outbox.max_mib`, or make room")
        }
        _ => {
            let what = format!("{shown} can be written by {} and has {free_mib} MiB left", who(visitor));
            Finding::ok(subject, what)
        }
    }
}

/// What is wrong with a file that is read.
fn mistakes_in(
    path: &Path,
    kind: FileKind,
    visitor: &Visitor,
    wrong: &dyn Fn(Severity, String) -> Finding,
) -> Vec<Finding> {
    let shown = path.display();
    let may_read = match kind {
        FileKind::Directory => visitor.may_enter(path),
        FileKind::Secret | FileKind::Open | FileKind::Clip => visitor.may_read(path),
    };
    if let Err(obstacle) = may_read {
        return vec![wrong(Severity::Mistake, in_words(&obstacle, visitor)).cure(cure(&obstacle, visitor))];
    }
    let mut findings = Vec::new();
    if let Some(hidden) = hidden_from_service(path, visitor) {
        let what = format!("{shown} is below {hidden}, which the systemd unit hides from the service");
        findings.push(wrong(Severity::Warning, what).cure("move it to a directory such as /etc/ocelli"));
    }
    let Ok(metadata) = path.metadata() else { return findings };
    match kind {
        FileKind::Directory if !metadata.is_dir() => {
            findings.push(wrong(Severity::Mistake, format!("{shown} is not a directory")).cure("name a directory"));
        }
        FileKind::Secret | FileKind::Open | FileKind::Clip if !metadata.is_file() => {
            findings.push(wrong(Severity::Mistake, format!("{shown} is not a file")).cure("name a file"));
        }
        FileKind::Secret | FileKind::Open | FileKind::Clip if is_empty(path, kind, metadata.len()) => {
            findings
                .push(wrong(Severity::Mistake, format!("{shown} is empty")).cure("write into it what it is to hold"));
        }
        FileKind::Secret => {
            let exposed =
                exposure(path, &metadata, visitor).map(|(what, cure)| wrong(Severity::Warning, what).cure(cure));
            findings.extend(exposed);
        }
        _ => {}
    }
    findings
}

/// The settings files that hold secrets themselves.
fn settings_with_secrets(settings: &Settings, places: &Places) -> Vec<PathBuf> {
    let places = settings.secret_keys().into_iter().map(|key| places.near(&key));
    let files = places.filter_map(|place| match place {
        Place::Line { file, .. } => Some(PathBuf::from(file)),
        _ => None,
    });
    files.collect()
}

/// For the log of the daemon: files with secrets that others may read, and the cure.
pub(in crate::cli) fn exposed_secrets(settings: &Settings, files: &[PathBuf]) -> Vec<String> {
    let placed = Settings::load_placed(files, environment());
    let own = placed.map(|(_, places)| settings_with_secrets(settings, &places)).unwrap_or_default();
    let named = settings.named_files().into_iter().filter(|file| file.kind == FileKind::Secret).map(|file| file.path);
    let all: BTreeSet<PathBuf> = own.into_iter().chain(named).collect();
    let exposed = all.iter().filter_map(|path| exposure(path, &path.metadata().ok()?, &Visitor::Caller));
    exposed.map(|(what, cure)| format!("{what}: {cure}")).collect()
}

/// Who may read a secret beside its owner, the service and root; and the cure.
fn exposure(path: &Path, metadata: &Metadata, visitor: &Visitor) -> Option<(String, String)> {
    let (shown, mode, group) = (path.display(), metadata.mode(), metadata.gid());
    if mode & 0o004 != 0 {
        let what = format!("{shown} holds a secret, and every user of this box may read it");
        return Some((what, format!("chmod 640 {shown}")));
    }
    let is_of_visitor = match visitor {
        Visitor::Caller => group == users::own_group(),
        Visitor::User(user) => user.groups.contains(&group),
    };
    let is_meant = is_of_visitor || group == 0 || users::group_id(SERVICE_USER) == Some(group);
    if mode & 0o040 == 0 || is_meant {
        return None;
    }
    let what = format!("{shown} holds a secret, and every member of the group {group} may read it");
    Some((what, format!("chmod 600 {shown}")))
}

/// A file of a password with nothing but a line break gives an empty password.
fn is_empty(path: &Path, kind: FileKind, bytes: u64) -> bool {
    let is_blank = || std::fs::read_to_string(path).is_ok_and(|text| text.trim().is_empty());
    bytes == 0 || (kind == FileKind::Secret && bytes < 16 && is_blank())
}

fn hidden_from_service(path: &Path, visitor: &Visitor) -> Option<&'static str> {
    let is_service = matches!(visitor, Visitor::User(user) if user.name == SERVICE_USER);
    if !is_service || !UNIT_FILES.iter().any(|file| Path::new(file).exists()) {
        return None;
    }
    let path = std::path::absolute(path).ok()?;
    HIDDEN.into_iter().find(|hidden| path.starts_with(hidden))
}

fn who(visitor: &Visitor) -> String {
    match visitor {
        Visitor::Caller => "this user".to_owned(),
        Visitor::User(user) => format!("the user {}", user.name),
    }
}

fn in_words(Obstacle { path, kind }: &Obstacle, visitor: &Visitor) -> String {
    let (path, who) = (path.display(), who(visitor));
    match kind {
        ObstacleKind::Missing => format!("{path} does not exist"),
        ObstacleKind::Unreadable => format!("{path} cannot be read by {who}"),
        ObstacleKind::Unwritable => format!("{path} cannot be written by {who}"),
        ObstacleKind::Closed => format!("the directory {path} cannot be entered by {who}"),
        ObstacleKind::ReadOnly => format!("{path} is on a file system that is read-only"),
        ObstacleKind::Other(error) => format!("{path} cannot be reached: {error}"),
    }
}

fn cure(Obstacle { path, kind }: &Obstacle, visitor: &Visitor) -> String {
    let path = path.display();
    match (kind, visitor) {
        (ObstacleKind::Missing, _) => "put it there, or correct the setting".to_owned(),
        (ObstacleKind::ReadOnly, _) => "mount it writable, or name another directory".to_owned(),
        (ObstacleKind::Other(_), _) => "check the disk".to_owned(),
        (ObstacleKind::Unwritable, Visitor::Caller) => {
            "let this user write there, or name another directory".to_owned()
        }
        (_, Visitor::Caller) => "let this user read it, or run this as root, which judges for the service".to_owned(),
        (ObstacleKind::Unreadable, Visitor::User(user)) => {
            format!("chgrp {} {path}; chmod 640 {path}", user.group_name)
        }
        (ObstacleKind::Unwritable, Visitor::User(user)) => format!("chown {} {path}; chmod u+rwx {path}", user.name),
        (ObstacleKind::Closed, Visitor::User(user)) => format!(
            "chgrp {} {path}; chmod g+x {path}; or move the file to a directory such as /etc/ocelli",
            user.group_name
        ),
    }
}
