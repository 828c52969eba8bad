//! Each view of the page at the widths of a phone and of a screen, in light and in dark: nothing is cut off. `make
//! page-pictures` writes what it looks like to `docs/pictures/`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;
use std::time::Duration;
use support::browser::Browser;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::picture_file::write_small;
use support::{free_port, root, wait_for};

/// How long it takes until there is something to see, on a busy box.
const LIMIT: Duration = Duration::from_secs(120);

/// The largest picture of a view with pictures of cameras.
const MOST_BYTES: usize = 145_000;

/// The name of the picture, the address of the view, and what is there once it is complete.
const VIEWS: [(&str, &str, &str); 6] = [
    (
        "cameras",
        "cameras",
        "document.querySelectorAll('.camera img:not([hidden])').length >= 2 && document.querySelector('.chips')",
    ),
    (
        "camera",
        "cameras/yard",
        "document.querySelector('.playing').textContent === 'live' && document.querySelector('.player video').getVideoPlaybackQuality().totalVideoFrames > 40 && document.querySelector('.log li') && document.querySelector('.areas text') && ((drawn) => drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height).data.some((one) => one > 0))(document.querySelector('.player canvas'))",
    ),
    ("events", "events", "document.querySelectorAll('.event').length >= 4"),
    ("models", "models", "document.querySelector('.model .meter')"),
    ("numbers", "numbers", "document.querySelector('figure .key.first b')?.textContent > '0'"),
    ("box", "box", "document.querySelector('.sections .facts')"),
];

/// Two cameras that see something, and one that is not there.
fn box_with_cameras() -> (Vec<RtspCamera>, Daemon) {
    let cameras = [RtspCamera::surveillance(free_port()), RtspCamera::surveillance(free_port())];
    let scene = "[cameras.scene]\n\
        regions = [{ name = \"path\", points = [[0.02, 0.45], [0.55, 0.3], [0.75, 0.98], [0.02, 0.98]] }]\n\
        ignore = [[[0.78, 0.02], [0.99, 0.02], [0.99, 0.2], [0.78, 0.2]]]\n";
    let settings = format!(
        "{}{scene}{}{}",
        camera("yard", cameras[0].url(), 5),
        camera("gate", cameras[1].url(), 2),
        camera("street", "rtsp://127.0.0.1:9/", 5)
    );
    let daemon = Daemon::start(0, &format!("[http]\nlocal_api = \"open\"\n[mqtt]\nenabled = false\n{settings}"));
    wait_for("events", LIMIT, || {
        let (_, events) = daemon.get("/api/events?since_seconds=600")?;
        (events.matches("\"began\"").count() >= 4).then_some(())
    });
    (cameras.into(), daemon)
}

#[test]
fn every_view_fits_a_phone_and_a_screen() {
    // With `OCELLI_WRITE_PICTURES` there is more to see: numbers over a while.
    let directory = std::env::var_os("OCELLI_WRITE_PICTURES").map(|_| root().join("docs/pictures"));
    let (_cameras, daemon) = box_with_cameras();
    if directory.is_some() {
        wait_for("numbers of three minutes", Duration::from_secs(300), || {
            let history: serde_json::Value = serde_json::from_str(&daemon.get("/api/history")?.1).ok()?;
            let known = history["box"]["memory_bytes"].as_array()?.iter().filter(|sample| !sample.is_null()).count();
            (known > 18).then_some(())
        });
    }
    let mut browser = Browser::start();
    for (width, height, colours) in [(1280, 860, "light"), (390, 844, "light"), (1280, 860, "dark"), (390, 844, "dark")]
    {
        browser.set_size(width, height);
        browser.set_colours(colours);
        for (name, view, is_complete) in VIEWS {
            browser.open(&format!("http://localhost:{}/#/{view}", daemon.http_port()));
            browser.wait(name, is_complete);
            let cut = browser.evaluate(
                "[...document.querySelectorAll('body *')].filter((it) => it.getBoundingClientRect().right > innerWidth + 1 && \
                 !it.closest('.skip, svg')).map((it) => it.outerHTML.slice(0, 120))",
            );
            assert_eq!(cut, serde_json::json!([]), "{name} at {width} px");
            if let Some(directory) = &directory
                && colours == "light"
            {
                write(&mut browser, directory, &format!("{name}-{width}"));
            }
        }
    }
    if let Some(directory) = &directory {
        browser.open(&format!("http://localhost:{}/#/cameras", daemon.http_port()));
        browser.set_size(1280, 860);
        browser.wait("cameras in the dark", VIEWS[0].2);
        write(&mut browser, directory, "cameras-dark-1280");
    }
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

/// Writes a picture of what the window shows: of views with pictures of cameras as a JPEG.
fn write(browser: &mut Browser, directory: &Path, name: &str) {
    std::fs::create_dir_all(directory).unwrap();
    let is_photograph = name.starts_with("camera");
    let file = directory.join(format!("{name}.{}", if is_photograph { "jpg" } else { "png" }));
    if is_photograph {
        browser.photograph(&file, MOST_BYTES);
    } else {
        browser.screenshot(&file);
        write_small(&file);
    }
    let bytes = std::fs::metadata(&file).unwrap().len();
    eprintln!("{} {bytes} bytes", file.display());
}
