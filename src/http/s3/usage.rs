//! How full buckets are: what lies in them, and what is being received.
//!
//! Others may write into the directory of a bucket too, so what lies there is measured, and measured again once that is
//! some time ago; between, what the box itself puts and removes is counted.

use crate::http::rekognition::settings::BucketSettings;
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::key::MAX_DEPTH;
use crate::os::clock::monotonic_now;
use crate::os::free_space::available_bytes;
use crate::os::object_directory::ObjectDirectory;
use crate::vision::monotonic::Monotonic;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For how long a measured bucket is believed.
const BELIEVED: Duration = Duration::from_secs(60);
/// The block of most file systems.
const BLOCK_BYTES: u64 = 4096;
/// What an object leaves free on its disk: the box keeps events and clips there too, perhaps.
const LEFT_FREE_BYTES: u64 = 64 << 20;

/// What is known of all buckets. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage(Arc<Mutex<HashMap<PathBuf, Filling>>>);

#[derive(Debug, Default)]
struct Filling {
    measured_at: Option<Monotonic>,
    bytes: u64,
    /// Of objects that are being received.
    reserved: u64,
}

/// Room for an object that is being received, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    usage: Usage,
    directory: PathBuf,
    bytes: u64,
}

impl Usage {
    /// Takes room for an object of so many bytes. Reads the disk.
    ///
    /// # Errors
    /// [`S3Error`]: too large, or no room in the bucket or on its disk.
    pub(super) fn reserve(&self, bucket: &BucketSettings, root: &ObjectDirectory, bytes: u64) -> Result<Room, S3Error> {
        let (most, most_of_all) = (mebibytes(bucket.max_object_megabytes), mebibytes(bucket.max_megabytes));
        if bytes > most {
            let what =
                format!("Your proposed upload exceeds the maximum allowed size: this bucket takes {most} bytes.");
            return Err(S3Error::new(Code::EntityTooLarge, what));
        }
        let bytes = stored_bytes(bytes);
        let mut fillings = self.lock();
        let filling = fillings.entry(bucket.directory.clone()).or_default();
        if filling.measured_at.is_none_or(|at| monotonic_now().since(at) > BELIEVED) {
            filling.bytes = measure(root, 0).map_err(|error| S3Error::disk("a bucket cannot be measured", &error))?;
            // After the walk: one of a slow disk may take as long as it is believed.
            filling.measured_at = Some(monotonic_now());
        }
        if filling.bytes.saturating_add(filling.reserved).saturating_add(bytes) > most_of_all {
            let what =
                format!("The objects of this bucket may have {most_of_all} bytes together. Nothing has changed.");
            return Err(S3Error::new(Code::QuotaExceeded, what));
        }
        let free = available_bytes(&bucket.directory);
        let free = free.map_err(|error| S3Error::disk("the disk of a bucket cannot be measured", &error))?;
        if free < bytes.saturating_add(filling.reserved).saturating_add(LEFT_FREE_BYTES) {
            return Err(S3Error::full());
        }
        filling.reserved += bytes;
        Ok(Room { usage: self.clone(), directory: bucket.directory.clone(), bytes })
    }

    /// Counts an object that was removed.
    pub(super) fn removed(&self, bucket: &BucketSettings, bytes: u64) {
        if let Some(filling) = self.lock().get_mut(&bucket.directory) {
            filling.bytes = filling.bytes.saturating_sub(stored_bytes(bytes));
        }
    }

    /// Numbers are whole after each step.
    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Filling>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// The object is in its place, where one of `replaced` bytes was.
    pub(super) fn filled(self, replaced: Option<u64>) {
        if let Some(filling) = self.usage.lock().get_mut(&self.directory) {
            filling.bytes = filling.bytes.saturating_add(self.bytes).saturating_sub(replaced.map_or(0, stored_bytes));
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(filling) = self.usage.lock().get_mut(&self.directory) {
            filling.reserved = filling.reserved.saturating_sub(self.bytes);
        }
    }
}

/// What an object counts for: whole blocks, and at least one, so that empty objects are bounded too.
fn stored_bytes(bytes: u64) -> u64 {
    bytes.max(1).div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES)
}

fn mebibytes(count: u32) -> u64 {
    u64::from(count) << 20
}

fn measure(directory: &ObjectDirectory, depth: usize) -> io::Result<u64> {
    let (mut directories, mut bytes) = (Vec::new(), 0_u64);
    directory.each_entry(|entry| match entry.is_directory {
        true => directories.push(entry.name),
        false => bytes += directory.facts(&entry.name).map_or(0, |facts| stored_bytes(facts.bytes)),
    })?;
    for name in directories.into_iter().filter(|_| depth < MAX_DEPTH) {
        // One that was removed meanwhile, or that the box may not read, has no objects.
        bytes += directory.child(&name).and_then(|child| measure(&child, depth + 1)).unwrap_or(0);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_what_it_has_room_for_and_gives_room_back() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("yard")).unwrap();
        std::fs::write(home.path().join("yard/photo.jpg"), vec![0; 1 << 20]).unwrap();
        let bucket = BucketSettings {
            directory: home.path().into(),
            max_object_megabytes: 2,
            max_megabytes: 4,
            ..BucketSettings::default()
        };
        let root = ObjectDirectory::open(home.path()).unwrap();
        let usage = Usage::default();
        let reserve = |bytes| usage.reserve(&bucket, &root, bytes);
        let code = |bytes| reserve(bytes).map_err(|error| error.code).map(|_| ());
        assert_eq!(code((2 << 20) + 1), Err(Code::EntityTooLarge));
        let first = reserve(2 << 20).unwrap();
        assert_eq!(code((1 << 20) + 1), Err(Code::QuotaExceeded));
        drop(reserve(1 << 20).unwrap());
        drop(first);
        // One that replaces the photo takes no more room than it has more bytes.
        reserve(2 << 20).unwrap().filled(Some(1 << 20));
        assert_eq!((code((2 << 20) + 1), code(2 << 20)), (Err(Code::EntityTooLarge), Ok(())));
        reserve(0).unwrap().filled(None);
        assert_eq!(usage.lock()[home.path()].bytes, (2 << 20) + BLOCK_BYTES, "an empty object takes a block");
        usage.removed(&bucket, 0);
        usage.removed(&bucket, 2 << 20);
        assert_eq!(usage.lock()[home.path()].bytes, 0);
        assert_eq!(usage.lock()[home.path()].reserved, 0);
    }
}
