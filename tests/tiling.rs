//! Objects that are small beside the picture: one look at all of it misses what its tiles show.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use image::imageops::FilterType;
use image::{ImageFormat, RgbImage};
use std::io::Cursor;
use std::time::Duration;
use support::broker::Broker;
use support::daemon::Daemon;
use support::{from_setup, wait_for};

/// The photo is a sixteenth as wide and as high as the grey picture in which it lies, from 11 and 12 twentieths of it on.
const SHARE: f64 = 1.0 / 16.0;
const LEFT: f64 = 0.55;
const TOP: f64 = 0.6;

fn small_people(format: ImageFormat) -> Vec<u8> {
    let photo = image::open(from_setup("testdata/photo.jpg")).unwrap().to_rgb8();
    let (width, height) = (16 * photo.width() / 2, 16 * photo.height() / 2);
    let small = image::imageops::resize(&photo, photo.width() / 2, photo.height() / 2, FilterType::Triangle);
    let mut picture = RgbImage::from_pixel(width, height, image::Rgb([110, 110, 110]));
    let place = |twentieths: u32, side: u32| i64::from(twentieths * side / 20);
    image::imageops::overlay(&mut picture, &small, place(11, width), place(12, height));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The boxes of people, in ratios of the picture.
fn people(daemon: &Daemon, model: &str, picture: &[u8]) -> Vec<serde_json::Value> {
    let (status, _, answer) = daemon.post_image(&format!("/api/models/{model}/detect"), picture).unwrap();
    assert_eq!(status, 200, "{answer}");
    let found = answer["detections"].as_array().unwrap().iter().filter(|one| one["label"] == "person");
    found.map(|one| one["box"].clone()).collect()
}

#[test]
fn tiles_find_what_one_look_misses_and_count_as_so_many_transactions() {
    let broker = Broker::start();
    let models = "[[models]]\nname = \"once\"\npackage = \"coco-ssd\"\nmin_inference_units = 1\n\
                  [[models]]\nname = \"tiled\"\npackage = \"coco-ssd\"\nmin_inference_units = 1\n\
                  image_tiles = { columns = 8, rows = 8, overlap = 0.25 }\n";
    let daemon = Daemon::start(broker.port, models);
    daemon.wait_ready();
    // A JPEG is decoded no larger than what is looked at needs it.
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let picture = small_people(format);
        assert!(people(&daemon, "once", &picture).is_empty(), "they are too small for one look");
        let found = people(&daemon, "tiled", &picture);
        assert!(!found.is_empty(), "{format:?}");
        for one in found {
            let ratio = |key: &str| one[key].as_f64().unwrap();
            let (right, bottom) = (ratio("left") + ratio("width"), ratio("top") + ratio("height"));
            let is_there = ratio("left") > LEFT - 0.02 && right < LEFT + SHARE + 0.02;
            assert!(is_there && ratio("top") > TOP - 0.02 && bottom < TOP + SHARE + 0.02, "{one}");
        }
    }
    let count = |name: &str, model: &str| daemon.sum(&format!("ocelli_{name}_total{{model=\"{model}\"}}"));
    // The metrics are half a second old at most.
    wait_for("all images in the metrics", Duration::from_secs(10), || {
        (count("images_detected", "once") + count("images_detected", "tiled") == 4.0).then_some(())
    });
    assert_eq!((count("transactions", "once"), count("transactions", "tiled")), (2.0, 130.0));
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}
