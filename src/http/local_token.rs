//! The token for the native API over TCP: whoever can read its file may use the API. Capture processes and units cannot.

use crate::model::manifest::hexadecimal;
use crate::os::{atomic_file, random};
use crate::secret::Secret;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Its length in bytes: 256 bits, of which each takes two characters.
const BYTES: usize = 32;

/// The file of the token in a state directory.
pub fn file(state_directory: &Path) -> PathBuf {
    state_directory.join("http-token")
}

/// Reads the token. `None`: the file is not there, or holds no token.
///
/// # Errors
/// When it cannot be read. A new token would then lock out who has the old one.
fn read(state_directory: &Path) -> io::Result<Option<Secret>> {
    let text = match std::fs::read_to_string(file(state_directory)) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => return Ok(None),
        text => text?,
    };
    let token = text.trim_end();
    let is_token = token.len() == 2 * BYTES && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(is_token.then(|| Secret::new(token)))
}

/// Reads the token, or makes it at the first start. It stays: programs that have it need no new one after a restart.
///
/// # Errors
/// The I/O error: without a file nobody could show the token.
pub fn read_or_make(state_directory: &Path) -> io::Result<Secret> {
    if let Some(token) = read(state_directory)? {
        return Ok(token);
    }
    let token = hexadecimal(&random::bytes::<BYTES>()?);
    atomic_file::replace(&file(state_directory), format!("{token}\n").as_bytes())?;
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_token_is_made_once_and_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        assert_eq!(read(&state).unwrap(), None);
        let token = read_or_make(&state).unwrap();
        assert_eq!(token.reveal().len(), 64);
        assert_eq!(std::fs::metadata(file(&state)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_or_make(&state).unwrap(), token);
        assert_eq!(read(&state).unwrap(), Some(token.clone()));
        for damaged in ["", "short", &"x".repeat(64)] {
            std::fs::write(file(&state), damaged).unwrap();
            assert_eq!(read(&state).unwrap(), None, "{damaged:?}");
            assert_ne!(read_or_make(&state).unwrap(), token);
        }
    }
}
