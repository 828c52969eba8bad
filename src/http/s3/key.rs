//! Keys of objects, which are paths of files below a bucket's directory.
//!
//! S3 takes every key; a directory does not have a file for each. A key that could mean another file than the one with
//! exactly its name (`a//b`, `./a`, `../a`) means none.

use crate::http::s3::error::{Code, S3Error, is_in_xml};

/// The longest key, as in S3.
const MAX_KEY_BYTES: usize = 1024;
/// The longest name of a file.
const MAX_NAME_BYTES: usize = 255;
/// The deepest path: what walks a bucket holds a descriptor for each step.
pub(super) const MAX_DEPTH: usize = 48;
/// The box's own files begin so, such as those that are being received.
const RESERVED: &str = ".ocelli-";

/// A key that a file can have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// # Errors
    /// [`S3Error`], which says why no file can have this key. A key that cannot be is `NoSuchKey` for who
    /// only looks.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        if text.len() > MAX_KEY_BYTES {
            return Err(S3Error::new(Code::KeyTooLongError, "Your key is too long"));
        }
        let why = if text.chars().any(char::is_control) {
            "it has control characters"
        } else if text.split('/').count() > MAX_DEPTH {
            "its path is too deep"
        } else if text.split('/').any(|name| !is_name(name)) {
            "each part of its path must be a name of 1 to 255 bytes, and none may be `.` or `..` or begin with `.ocelli-`"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(S3Error::invalid(format!("Objects of this box are files, and no file can have this key: {why}.")))
    }

    /// The key itself.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The names that lead to the file.
    pub fn names(&self) -> Vec<&str> {
        self.0.split('/').collect()
    }
}

/// True if a file or directory of an object may have this name.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name != "."
        && name != ".."
        && !name.starts_with(RESERVED)
        && name.chars().all(is_in_xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_path_of_one_file() {
        for key in ["photo.jpg", "yard/2026-11-30 08:00/ü+%2e.jpg", "..a/.b/c..", "%2e%2e/secret"] {
            assert_eq!(ObjectKey::parse(key).unwrap().names().join("/"), key);
        }
        let (deep, long) = ("a/".repeat(MAX_DEPTH) + "a", "a".repeat(256));
        for key in [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "./a",
            "../a",
            "a/../b",
            "a/..",
            "a\0b",
            "a\nb",
            "a\u{ffff}b",
            ".ocelli-uploads/x",
            "a/.ocelli-x",
            &deep,
            &long,
        ] {
            assert_eq!(ObjectKey::parse(key).unwrap_err().code, Code::InvalidArgument, "{key:?}");
        }
        assert_eq!(ObjectKey::parse(&"a/".repeat(600)).unwrap_err().code, Code::KeyTooLongError);
    }
}
