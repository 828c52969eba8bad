//! The difference of settings that differ in one place.

use super::*;
use crate::settings::tests::settings;

const TWO: &str =
    "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://a/1\"\n[[cameras]]\nid = \"door\"\nurl = \"rtsp://b/1\"\n";

fn difference(old: &str, new: &str) -> Difference {
    Difference::new(&settings(old), &settings(new), &BTreeSet::new())
}

#[test]
fn equal_settings_have_no_difference() {
    assert_eq!(difference(TWO, TWO), Difference::default());
    assert!(difference(TWO, TWO).lines().is_empty());
}

#[test]
fn a_camera_comes_goes_or_changes_alone() {
    let one = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://a/1\"\n";
    assert_eq!(difference(TWO, one).lines(), ["camera door: removed"]);
    assert_eq!(difference(one, TWO).lines(), ["camera door: added"]);
    for (new, line) in [
        ("url = \"rtsp://b/2\"", "camera door: changed; it reconnects"),
        ("url = \"rtsp://b/1\"\nfps = 2", "camera door: changed"),
        ("url = \"rtsp://b/1\"\nweight = 3", "camera door: changed"),
        ("url = \"rtsp://b/1\"\nscene.labels = [\"person\"]", "camera door: changed; its scene begins anew"),
        ("url = \"rtsp://b/1\"\ntransport = \"udp\"", "camera door: changed; it reconnects"),
        ("url = \"rtsp://u:p@b/1\"", "camera door: changed; it reconnects"),
    ] {
        let changed = TWO.replace("url = \"rtsp://b/1\"", new);
        assert_eq!(difference(TWO, &changed).lines(), [line]);
    }
}

#[test]
fn another_password_in_the_same_file_reconnects_its_camera() {
    let logins = BTreeSet::from([CameraId::new("yard").unwrap()]);
    let difference = Difference::new(&settings(TWO), &settings(TWO), &logins);
    assert_eq!(difference.lines(), ["camera yard: changed; it reconnects"]);
}
