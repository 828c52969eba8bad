//! What tests need of the operating system and no daemon does: here, because it takes `unsafe` too.

pub(crate) mod watched_disk;
mod watched_disk_vfs;
