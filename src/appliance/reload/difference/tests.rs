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
fn what_is_kept_of_a_camera_for_viewers_and_clips_reconnects_it_when_that_is_another_and_only_then() {
    let area = "blackout = [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]]";
    let changes = [
        ("", "clips = true", "; it reconnects"),
        ("", "clips = false", ""),
        ("live = true", "", ""),
        ("live = false", "", "; it reconnects"),
        (area, "", "; it reconnects"),
        (area, "clips = true\nlive = true\nDOOR", ""),
    ];
    for (old, new, how) in changes {
        let of = |more: &str| format!("{TWO}{}\n", more.replace("DOOR", area));
        assert_eq!(difference(&of(old), &of(new)).lines(), [format!("camera door: changed{how}")], "{old} {new}");
    }
    // With `[clips]` switched on, it is the other way round.
    let on = |more: &str| format!("{TWO}{more}\n[clips]\nenabled = true\n");
    assert_eq!(difference(&on(""), &on("clips = true")).lines(), ["camera door: changed"]);
    assert_eq!(difference(&on(""), &on("clips = false")).lines(), ["camera door: changed; it reconnects"]);
    let is_new = |old: &str, new: &str| difference(old, new).changed_cameras[0].is_blackout_new;
    assert!(is_new(TWO, &format!("{TWO}{area}\n")) && !is_new(TWO, &format!("{TWO}live = false\n")));
}

#[test]
fn another_password_in_the_same_file_reconnects_its_camera() {
    let logins = BTreeSet::from([CameraId::new("yard").unwrap()]);
    let difference = Difference::new(&settings(TWO), &settings(TWO), &logins);
    assert_eq!(difference.lines(), ["camera yard: changed; it reconnects"]);
}
