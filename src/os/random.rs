//! Random bytes of the kernel.

use std::fs::File;
use std::io::{self, Read as _};

/// Bytes that nobody can guess.
///
/// # Errors
/// The I/O error, if the box has no `/dev/urandom`.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A word of 16 hexadecimal digits that nobody can guess.
///
/// # Errors
/// As [`bytes`].
pub fn word() -> io::Result<String> {
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes()?)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_are_never_the_same() {
        assert_ne!(super::bytes::<16>().unwrap(), super::bytes::<16>().unwrap());
    }
}
