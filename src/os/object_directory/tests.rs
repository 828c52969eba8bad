//! What is put lies in its place whole or not at all, and nothing outside of the directory changes.

use super::*;
use std::io::Write as _;
use std::os::unix::fs::symlink;

struct Home {
    home: tempfile::TempDir,
    root: ObjectDirectory,
}

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("bucket")).unwrap();
        let root = ObjectDirectory::open(&home.path().join("bucket")).unwrap();
        Self { home, root }
    }

    fn begin(&self, name: &str, bytes: &[u8]) -> Upload {
        let upload = Upload::begin(&self.root, name.into()).unwrap();
        upload.file().write_all(bytes).unwrap();
        upload
    }

    fn put(&self, names: &[&str], bytes: &[u8]) -> io::Result<ObjectFacts> {
        self.begin("x", bytes).place(&self.root, names)
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.home.path().join("bucket").join(path)).ok()
    }

    fn uploads(&self) -> usize {
        std::fs::read_dir(self.home.path().join("bucket").join(UPLOADS)).unwrap().count()
    }
}

#[test]
fn a_file_is_put_and_replaced_and_removed_with_the_directories_that_it_needed() {
    let home = Home::new();
    let first = home.put(&["yard", "gate", "photo.jpg"], b"old").unwrap();
    let second = home.put(&["yard", "gate", "photo.jpg"], b"newer").unwrap();
    assert!(first != second && second.bytes == 5);
    assert_eq!(home.root.facts_below(&["yard", "gate", "photo.jpg"]).unwrap(), second);
    assert_eq!((home.read("yard/gate/photo.jpg"), home.uploads()), (Some(b"newer".to_vec()), 0));
    home.put(&["yard", "other.jpg"], b"x").unwrap();
    assert_eq!(home.root.remove(&["yard", "gate", "photo.jpg"]).unwrap(), second);
    assert!(home.root.child("yard").unwrap().child("gate").is_err());
    home.root.remove(&["yard", "other.jpg"]).unwrap();
    assert_eq!(home.root.child("yard").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(home.root.remove(&["yard", "other.jpg"]).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn no_link_is_followed_and_what_is_no_object_stays() {
    let home = Home::new();
    let outside = home.home.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "as it was").unwrap();
    symlink("../outside", home.home.path().join("bucket/linked")).unwrap();
    symlink("../outside/secret", home.home.path().join("bucket/link")).unwrap();
    std::fs::create_dir(home.home.path().join("bucket/directory")).unwrap();
    home.put(&["file"], b"x").unwrap();
    for names in [&["linked", "secret"][..], &["link"], &["directory"], &["file", "below"]] {
        assert!(home.put(names, b"new").is_err(), "{names:?}");
        assert!(home.root.remove(names).is_err(), "{names:?}");
        assert!(home.root.facts_below(names).is_err(), "{names:?}");
    }
    assert_eq!(std::fs::read_to_string(outside.join("secret")).unwrap(), "as it was");
    assert_eq!((home.uploads(), home.read("file")), (0, Some(b"x".to_vec())));
}

#[test]
fn what_is_not_finished_is_removed_at_once_or_after_a_crash_and_never_while_it_is_written() {
    let home = Home::new();
    assert_eq!(home.root.remove_left_uploads().unwrap(), 0);
    drop(home.begin("given up", b"half"));
    assert_eq!(home.uploads(), 0);
    let writing = home.begin("writing", b"half");
    std::fs::write(home.home.path().join("bucket").join(UPLOADS).join("left"), "half").unwrap();
    assert_eq!((home.root.remove_left_uploads().unwrap(), home.uploads()), (1, 1));
    writing.place(&home.root, &["whole"]).unwrap();
    assert_eq!(home.read("whole"), Some(b"half".to_vec()));
    let mut names = Vec::new();
    home.root.each_entry(|entry| names.push(entry.name)).unwrap();
    assert_eq!(names, ["whole"], "the directory of uploads is no object");
}
