//! How full buckets are: what lies in them, and what is being received.
//!
//! Others may write into the directory of a bucket too, so what lies there is measured, and measured again once that is
//! some time ago; between, what the box itself puts and removes is counted.

use crate::http::rekognition::settings::BucketSettings;
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::key::MAX_DEPTH;
use crate::os::beneath::unless_trouble;
use crate::os::clock::monotonic_now;
use crate::os::free_space::available_bytes;
use crate::os::object_directory::{DirectoryId, ObjectDirectory};
use crate::vision::monotonic::Monotonic;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For how long a measured bucket is believed.
const BELIEVED: Duration = Duration::from_secs(60);
/// The block of most file systems.
const BLOCK_BYTES: u64 = 4096;
/// What an object leaves free on its disk: the box keeps events and clips there too, perhaps.
const LEFT_FREE_BYTES: u64 = 64 << 20;

/// What is known of all buckets. Clones share it. Its lock is never held while a disk is asked: one that hangs holds up its own
/// buckets alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage(Arc<Mutex<Known>>);

/// By what the directory is, not by its name: a bucket that another one's path leads to is the same.
#[derive(Debug, Default)]
struct Known {
    disks: HashMap<u64, Arc<Disk>>,
    fillings: HashMap<DirectoryId, Arc<Mutex<Filling>>>,
}

/// A disk, which several buckets may share.
#[derive(Debug, Default)]
struct Disk {
    /// Held by what puts a file in its place or removes one: conditions are judged on what is there then. Of the disk, because
    /// one bucket may lie in another.
    in_order: Mutex<()>,
    /// Bytes for objects that are being received.
    promised: Mutex<u64>,
}

#[derive(Debug, Default)]
struct Filling {
    measured_at: Option<Monotonic>,
    bytes: u64,
    /// Of objects that are being received.
    reserved: u64,
}

/// What is known of one bucket.
#[derive(Clone, Debug)]
pub(super) struct BucketUsage {
    disk: Arc<Disk>,
    filling: Arc<Mutex<Filling>>,
}

/// Room for an object that is being received, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    usage: BucketUsage,
    bytes: u64,
}

impl Usage {
    /// The bucket with this directory.
    ///
    /// # Errors
    /// The I/O error of its disk.
    pub(super) fn of(&self, root: &ObjectDirectory) -> io::Result<BucketUsage> {
        let id = root.id()?;
        let mut known = lock(&self.0);
        let disk = Arc::clone(known.disks.entry(id.disk).or_default());
        let filling = Arc::clone(known.fillings.entry(id).or_default());
        Ok(BucketUsage { disk, filling })
    }
}

impl BucketUsage {
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
        let mut filling = lock(&self.filling);
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
        let mut promised = lock(&self.disk.promised);
        let free = available_bytes(&bucket.directory);
        let free = free.map_err(|error| S3Error::disk("the disk of a bucket cannot be measured", &error))?;
        if free < bytes.saturating_add(*promised).saturating_add(LEFT_FREE_BYTES) {
            return Err(S3Error::full());
        }
        *promised += bytes;
        filling.reserved += bytes;
        Ok(Room { usage: self.clone(), bytes })
    }

    /// The turn of what puts a file in its place or removes one.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.disk.in_order)
    }

    /// Counts an object that was removed.
    pub(super) fn removed(&self, bytes: u64) {
        let mut filling = lock(&self.filling);
        filling.bytes = filling.bytes.saturating_sub(stored_bytes(bytes));
    }
}

impl Room {
    /// The bucket that it is in.
    pub(super) fn usage(&self) -> BucketUsage {
        self.usage.clone()
    }

    /// The object is in its place, where one of `replaced` bytes was.
    pub(super) fn filled(self, replaced: Option<u64>) {
        let mut filling = lock(&self.usage.filling);
        filling.bytes = filling.bytes.saturating_add(self.bytes).saturating_sub(replaced.map_or(0, stored_bytes));
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut filling = lock(&self.usage.filling);
        filling.reserved = filling.reserved.saturating_sub(self.bytes);
        let mut promised = lock(&self.usage.disk.promised);
        *promised = promised.saturating_sub(self.bytes);
    }
}

/// What is held is whole after each step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an object counts for: whole blocks, and at least one, so that empty objects are bounded too.
fn stored_bytes(bytes: u64) -> u64 {
    bytes.max(1).div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES)
}

fn mebibytes(count: u32) -> u64 {
    u64::from(count) << 20
}

/// # Errors
/// The I/O error of a disk in trouble: to count its objects as none would promise room that there is not.
fn measure(directory: &ObjectDirectory, depth: usize) -> io::Result<u64> {
    let (mut directories, mut files, mut bytes) = (Vec::new(), Ok(()), 0_u64);
    directory.each_entry(|entry| match entry.is_directory {
        true => directories.push(entry.name),
        false => match unless_trouble(directory.facts(&entry.name)) {
            Ok(facts) => bytes += facts.map_or(0, |facts| stored_bytes(facts.bytes)),
            Err(error) => files = Err(error),
        },
    })?;
    files?;
    for name in directories.into_iter().filter(|_| depth < MAX_DEPTH) {
        // One that was removed meanwhile, or that the box may not read, has no objects.
        if let Some(child) = unless_trouble(directory.child(&name))? {
            bytes += unless_trouble(measure(&child, depth + 1))?.unwrap_or(0);
        }
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
        let usage = Usage::default().of(&root).unwrap();
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
        assert_eq!(lock(&usage.filling).bytes, (2 << 20) + BLOCK_BYTES, "an empty object takes a block");
        usage.removed(0);
        usage.removed(2 << 20);
        let filling = lock(&usage.filling);
        assert_eq!((filling.bytes, filling.reserved, *lock(&usage.disk.promised)), (0, 0, 0));
    }

    #[test]
    fn buckets_on_one_disk_are_promised_its_room_once() {
        let home = tempfile::tempdir().unwrap();
        let free = available_bytes(home.path()).unwrap() >> 20;
        let all_of_it = u32::try_from(free).unwrap_or(u32::MAX);
        let usage = Usage::default();
        let reserve = |name: &str, bytes| {
            std::fs::create_dir_all(home.path().join(name)).unwrap();
            let settings = BucketSettings {
                directory: home.path().join(name),
                max_object_megabytes: all_of_it,
                max_megabytes: all_of_it,
                ..BucketSettings::default()
            };
            let root = ObjectDirectory::open(&settings.directory).unwrap();
            usage.of(&root).unwrap().reserve(&settings, &root, bytes)
        };
        let most = (free << 20) / 3 * 2;
        let held = reserve("yard", most).unwrap();
        assert_eq!(reserve("gate", most).map(|_| ()), Err(S3Error::full()));
        assert_eq!(reserve("yard/../yard", most).map(|_| ()).unwrap_err().code, Code::QuotaExceeded, "the same bucket");
        drop(held);
        drop(reserve("gate", most).unwrap());
    }
}
