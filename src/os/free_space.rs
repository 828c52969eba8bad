//! Free space of a file system.

use std::io;
use std::path::Path;

/// Free bytes on the file system of `path`, without those that are reserved for root.
///
/// # Errors
/// The I/O error.
pub fn available_bytes(path: &Path) -> io::Result<u64> {
    let file_system = rustix::fs::statvfs(path)?;
    Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_where_a_test_writes_and_an_error_where_nothing_is() {
        assert!(available_bytes(&std::env::temp_dir()).unwrap() > 0);
        assert!(available_bytes(Path::new("/no/such/directory")).is_err());
    }
}
