//! Anonymous shared memory of a fixed size. The kernel frees it when the last descriptor and mapping are gone.

use rustix::fs::{
    MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, ftruncate, memfd_create, open,
};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Creates `bytes` of zeroed memory, sealed against shrinking and growing, so that no reader gets SIGBUS. The first
/// [`WriteMapping`] seals it against every later writer.
///
/// # Errors
/// The error of the kernel, for example when no descriptor is free.
pub fn create_sealed(name: &str, bytes: usize) -> io::Result<OwnedFd> {
    let fd = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&fd, bytes as u64)?;
    fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW)?;
    Ok(fd)
}

/// Opens a second descriptor of the same memory for reading. Its holder could open it again for writing, over `/proc`: what
/// keeps readers from writing is the seal of the [`WriteMapping`], so hand it out once the writer has mapped the memory.
///
/// # Errors
/// The error of the kernel, for example if `/proc` is not mounted.
pub fn reopen_read_only(fd: &impl AsFd) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    Ok(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Copies the first `bytes` of the memory without mapping it. A process that still writes to it can only affect the
/// copied bytes.
///
/// # Errors
/// `UnexpectedEof` if the memory is smaller, else the error of the kernel.
pub fn copy_start(fd: &impl AsFd, bytes: usize) -> io::Result<Vec<u8>> {
    let mut copy = vec![0; bytes];
    let mut filled = 0;
    while filled < bytes {
        match rustix::io::pread(fd, &mut copy[filled..], filled as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(copy)
}

fn check(fd: &impl AsFd, bytes: usize) -> io::Result<()> {
    let sealed = fcntl_get_seals(fd)?.contains(SealFlags::SHRINK | SealFlags::GROW);
    let size = rustix::fs::fstat(fd)?.st_size;
    if sealed && u64::try_from(size).is_ok_and(|size| size == bytes as u64) {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the descriptor is not sealed memory of the announced size"))
    }
}

/// Seals memory whose writer has mapped it: from now on nobody maps it for writing or writes to it, by whatever
/// descriptor. Mappings that are there stay.
fn seal(fd: &impl AsFd) -> io::Result<()> {
    Ok(fcntl_add_seals(fd, SealFlags::FUTURE_WRITE | SealFlags::SEAL)?)
}

/// A mapping of shared memory for reading.
#[derive(Debug)]
pub struct ReadMapping(memmap2::Mmap);

impl ReadMapping {
    /// Maps `bytes` of `fd`, which must be sealed memory of exactly that size.
    ///
    /// # Errors
    /// `InvalidInput` for another descriptor, else the error of the kernel.
    #[expect(unsafe_code, reason = "memory mapping")]
    pub fn new(fd: &OwnedFd, bytes: usize) -> io::Result<Self> {
        check(fd, bytes)?;
        // SAFETY: the memory is sealed against shrinking, so the mapping stays backed. Another process may write
        // to it: the slot protocol (`ipc::frame_slots`) lends a slot out only while its writer leaves it alone,
        // and a writer that breaks the protocol can change pixels, never a length or an address that we use.
        Ok(Self(unsafe { memmap2::MmapOptions::new().len(bytes).map(fd)? }))
    }

    /// The mapped memory.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A mapping of shared memory for writing. There is one of each memory, or one set of parts: it seals the memory.
#[derive(Debug)]
pub struct WriteMapping(memmap2::MmapMut);

impl WriteMapping {
    /// Maps `bytes` of `fd`, which must be sealed memory of exactly that size.
    ///
    /// # Errors
    /// `InvalidInput` for another descriptor, else the error of the kernel.
    #[expect(unsafe_code, reason = "memory mapping")]
    pub fn new(fd: &OwnedFd, bytes: usize) -> io::Result<Self> {
        check(fd, bytes)?;
        // SAFETY: sealed against shrinking, so the mapping stays backed. Only one process maps a region for
        // writing (the parent hands the writable descriptor to one child), and readers hold shared references
        // in other address spaces only, to slots that the writer does not touch meanwhile.
        let mapping = unsafe { memmap2::MmapOptions::new().len(bytes).map_mut(fd)? };
        seal(fd)?;
        Ok(Self(mapping))
    }

    /// Maps `bytes` of `fd` as [`Self::new`] does, in parts of `part_bytes` that different threads can write.
    ///
    /// # Errors
    /// `InvalidInput` for another descriptor, or if `bytes` is not a multiple of `part_bytes`; else the error of the
    /// kernel.
    #[expect(unsafe_code, reason = "memory mapping")]
    pub fn parts(fd: &OwnedFd, bytes: usize, part_bytes: usize) -> io::Result<Vec<Self>> {
        check(fd, bytes)?;
        if part_bytes == 0 || !bytes.is_multiple_of(part_bytes) {
            let text = format!("{bytes} bytes cannot be divided into parts of {part_bytes}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let map = |start: usize| {
            // SAFETY: as in `new`; parts begin `part_bytes` from each other, so no two of them overlap.
            let part = unsafe { memmap2::MmapOptions::new().offset(start as u64).len(part_bytes).map_mut(fd)? };
            Ok(Self(part))
        };
        let parts = (0..bytes).step_by(part_bytes).map(map).collect::<io::Result<_>>()?;
        seal(fd)?;
        Ok(parts)
    }

    /// The mapped memory.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_through_the_read_only_descriptor() {
        let fd = create_sealed("test", 8192).unwrap();
        let reader = reopen_read_only(&fd).unwrap();
        let mut writing = WriteMapping::new(&fd, 8192).unwrap();
        let reading = ReadMapping::new(&reader, 8192).unwrap();
        writing.bytes_mut()[5000] = 7;
        assert_eq!(reading.bytes()[5000], 7);
        assert!(WriteMapping::new(&reader, 8192).is_err());
        assert_eq!(copy_start(&fd, 5001).unwrap()[5000], 7);
        assert!(copy_start(&fd, 8193).is_err());
    }

    #[test]
    fn once_the_writer_has_mapped_the_memory_no_reader_can_write_to_it_whatever_it_opens() {
        let fd = create_sealed("test", 8192).unwrap();
        let reader = reopen_read_only(&fd).unwrap();
        let reopen = || open(format!("/proc/self/fd/{}", reader.as_raw_fd()), OFlags::RDWR, Mode::empty());
        let mut writing = WriteMapping::parts(&fd, 8192, 4096).unwrap();
        // The kernel lets a reader open it; the seal refuses what matters.
        let again = reopen().unwrap();
        assert!(rustix::io::pwrite(&again, b"x", 0).is_err() && WriteMapping::new(&again, 8192).is_err());
        assert!(rustix::io::pwrite(&fd, b"x", 0).is_err());
        writing[1].bytes_mut()[0] = 7;
        assert_eq!(ReadMapping::new(&reader, 8192).unwrap().bytes()[4096], 7);
    }

    #[test]
    fn parts_lie_side_by_side() {
        let fd = create_sealed("test", 8192).unwrap();
        let mut parts = WriteMapping::parts(&fd, 8192, 4096).unwrap();
        parts[1].bytes_mut()[0] = 7;
        assert_eq!((parts.len(), parts[0].bytes_mut().len()), (2, 4096));
        assert_eq!(copy_start(&fd, 8192).unwrap()[4096], 7);
        assert!(WriteMapping::parts(&fd, 8192, 3000).is_err() && WriteMapping::parts(&fd, 8192, 0).is_err());
    }

    #[test]
    fn memory_of_another_size_or_without_seals_is_refused() {
        let fd = create_sealed("test", 4096).unwrap();
        assert!(ReadMapping::new(&fd, 8192).is_err());
        let loose = memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&loose, 4096).unwrap();
        assert!(ReadMapping::new(&loose, 4096).is_err());
    }
}
