//! Operating system interfaces that only tests need. They are here because they use `unsafe` too.

pub(crate) mod watched_disk;
mod watched_disk_vfs;
