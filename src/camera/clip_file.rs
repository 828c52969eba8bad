//! The file of a camera whose URL is `file:///path/clip.mp4`, for tests and demos.
//!
//! The daemon opens it and hands the descriptor over: a capture process is confined before it knows its cameras, and may
//! open none of their files.

use crate::ipc::clip_format::ClipFormat;
use crate::ipc::messages::LossKind;
use crate::os::regular_file;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Why the file of a camera cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClipError {
    /// There is no such file.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// Its mode or that of a directory above is against it.
    #[error("{} may not be read by the user of this process", .0.display())]
    Denied(PathBuf),
    /// Anything else, such as a directory.
    #[error("{path} cannot be read: {reason}", path = .0.display(), reason = .1)]
    Unreadable(PathBuf, std::io::Error),
}

impl ClipError {
    /// The kind of the loss.
    pub(crate) fn kind(&self) -> LossKind {
        match self {
            Self::Missing(_) => LossKind::NotFound,
            Self::Denied(_) | Self::Unreadable(..) => LossKind::Other,
        }
    }
}

/// True for `file://`, whether what follows is right or not.
pub(crate) fn is_clip(url: &str) -> bool {
    url.starts_with("file://")
}

/// Opens the file of a camera; `None` if its URL names none.
///
/// # Errors
/// [`ClipError`].
pub(crate) fn open(url: &str) -> Result<Option<File>, ClipError> {
    let Some(path) = path_of(url) else { return Ok(None) };
    match regular_file::open(&path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(ClipError::Missing(path)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(ClipError::Denied(path)),
        Err(error) => Err(ClipError::Unreadable(path, error)),
    }
}

/// The path in `file:///path`, with its `%20` decoded (RFC 8089); `None` if the URL is another or is malformed.
pub(crate) fn path_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("file://").filter(|path| path.starts_with('/'))?;
    let (start, coded) = path.split_once('%').unwrap_or((path, ""));
    let mut bytes = start.as_bytes().to_vec();
    for part in coded.split('%').filter(|_| path.contains('%')) {
        let (code, rest) = part.split_at_checked(2).filter(|(code, _)| !code.starts_with('+'))?;
        bytes.push(u8::from_str_radix(code, 16).ok().filter(|byte| *byte != 0)?);
        bytes.extend(rest.as_bytes());
    }
    Some(PathBuf::from(String::from_utf8(bytes).ok()?))
}

/// What is wrong with such a URL, for the operator.
///
/// # Errors
/// In a person's words.
pub(crate) fn check(url: &str) -> Result<(), String> {
    if path_of(url).is_none() {
        return Err("must be file:///path of a file from the root on; write a literal `%` as %25".to_owned());
    }
    match ClipFormat::of_name(url) {
        Some(_) => Ok(()),
        None => Err(format!("must name a file that ends in {}", ClipFormat::ENDS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_path_from_the_root_with_its_blanks_decoded() {
        let path = |url: &str| path_of(url).map(|path| path.display().to_string());
        assert_eq!(path("file:///a/b.mp4").as_deref(), Some("/a/b.mp4"));
        assert_eq!(path("file:///%61%20b/100%25.mp4").as_deref(), Some("/a b/100%.mp4"));
        assert_eq!(path("file:///a/%C3%A4?b#c.mkv").as_deref(), Some("/a/ä?b#c.mkv"));
        for wrong in ["file://a/b.mp4", "file://a.mp4", "rtsp://a/b.mp4", "file:///a%", "file:///%f", "file:///%+1"] {
            assert_eq!(path(wrong), None, "{wrong}");
        }
        assert_eq!(path("file:///a%00.mp4"), None);
        assert_eq!(path("file:///a%ff.mp4"), None);
    }

    #[test]
    fn a_file_that_is_not_there_and_one_that_is_none_are_told_apart() {
        let home = tempfile::tempdir().unwrap();
        let url = |name: &str| format!("file://{}/{name}", home.path().display());
        std::fs::write(home.path().join("clip.mp4"), "x").unwrap();
        assert!(open(&url("clip.mp4")).unwrap().is_some());
        assert!(open("rtsp://a/clip.mp4").unwrap().is_none());
        let missing = open(&url("no.mp4")).unwrap_err();
        assert_eq!(missing.kind(), LossKind::NotFound);
        assert!(missing.to_string().ends_with("no.mp4 does not exist"), "{missing}");
        let directory = open(&url("")).unwrap_err();
        assert!(directory.to_string().contains("not a regular file"), "{directory}");
        rustix::fs::mkfifoat(rustix::fs::CWD, home.path().join("pipe.mp4"), rustix::fs::Mode::RWXU).unwrap();
        assert!(open(&url("pipe.mp4")).unwrap_err().to_string().contains("not a regular file"), "no writer is awaited");
    }
}
