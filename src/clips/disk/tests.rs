//! Clips on a real disk: what is kept, found again, and left alone.

use super::*;
use std::os::unix::fs::PermissionsExt;

const START_MS: i64 = 1_764_490_530_123;

fn yard() -> CameraId {
    CameraId::new("yard").unwrap()
}

fn clip(home: &Path) -> ClipEntry {
    let mut clip = OpenClip::create(home, ClipEntry::new(yard(), START_MS)).unwrap();
    clip.entry.events.push("5f1c-7".into());
    clip.write(b"video").unwrap();
    clip.finish().unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = entries(directory).map(|it| it.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_clip_is_found_again_and_only_its_owner_reads_it() {
    let home = tempfile::tempdir().unwrap();
    let entries = [clip(home.path()), clip(home.path())];
    assert_eq!(entries[1].start_ms, START_MS + 1, "each has its own time");
    let mut found = scan(home.path());
    found.sort_by_key(|entry| entry.start_ms);
    assert_eq!(found, entries);
    let video = video_file(&home.path().join("yard"), START_MS);
    assert_eq!(video.file_name().unwrap(), "2025-11-30T08-15-30.123Z.mp4");
    for file in [&video, &entry_file(&home.path().join("yard"), START_MS)] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::metadata(home.path().join("yard")).unwrap().permissions().mode() & 0o777, 0o700);
    remove(&home.path().join("yard"), START_MS).unwrap();
    assert_eq!(scan(home.path()), entries[1..]);
}

#[test]
fn what_is_not_whole_is_removed_and_what_is_foreign_is_left() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("yard");
    let kept = clip(home.path());
    let mut unfinished = OpenClip::create(home.path(), ClipEntry::new(yard(), START_MS + 5000)).unwrap();
    unfinished.write(b"vid").unwrap();
    drop(unfinished);
    // Its entry, its length, or its camera is wrong, or one file is missing.
    let damage: [fn(&Path, i64); 5] = [
        |directory, at| fs::write(entry_file(directory, at), b"{").unwrap(),
        |directory, at| fs::write(video_file(directory, at), b"vid").unwrap(),
        |directory, at| fs::remove_file(video_file(directory, at)).unwrap(),
        |directory, at| fs::remove_file(entry_file(directory, at)).unwrap(),
        |directory, at| {
            let other = ClipEntry { bytes: 5, ..ClipEntry::new(CameraId::new("gate").unwrap(), at) };
            fs::write(entry_file(directory, at), other.to_json()).unwrap();
        },
    ];
    for harm in damage {
        let entry = clip(home.path());
        harm(&directory, entry.start_ms);
        assert_eq!(scan(home.path()), std::slice::from_ref(&kept));
        assert_eq!(names(&directory), ["2025-11-30T08-15-30.123Z.json", "2025-11-30T08-15-30.123Z.mp4"]);
    }
    fs::write(directory.join("holiday.mp4"), b"mine").unwrap();
    std::os::unix::fs::symlink("/etc", home.path().join("gate")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", directory.join("2025-11-30T08-15-30.124Z.mp4")).unwrap();
    assert_eq!(scan(home.path()), [kept]);
    assert_eq!(names(&directory).len(), 4);
}

#[test]
fn a_clip_that_is_discarded_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    OpenClip::create(home.path(), ClipEntry::new(yard(), START_MS)).unwrap().discard();
    assert_eq!(names(&home.path().join("yard")), [""; 0]);
    assert!(scan(&home.path().join("none")).is_empty());
}
