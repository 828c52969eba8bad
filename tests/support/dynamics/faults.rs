//! All faults at the same time, each at a camera of its own, beside one that nothing happens to.

use super::extent::Extent;
use super::figure::Figure;
use super::site::{Place, Site, launch, url};
use crate::support::camera::RtspCamera;
use crate::support::link::{Line, Link};
use crate::support::{signal, wait_for};
use rustix::process::Signal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A camera's own frames are back so many seconds after it is well again.
const BACK_BAR: f64 = 5.0;
/// Counts come each second, and a box may be busy with other things.
const GAP_BAR: f64 = 3.0;

/// A reset is noticed at once; its report may take a second.
const LOSS_LIMIT: Duration = Duration::from_secs(20);

const CODECS: [(&str, &[&str]); 3] = [
    ("another size", &["--size", "640x480"]),
    ("H.265", &["--codec", "h265", "--size", "320x240"]),
    ("JPEG", &["--codec", "mjpeg", "--size", "320x240"]),
];

/// A line to a camera that is well, and the camera.
fn behind_a_line(place: &Place) -> (RtspCamera, Link) {
    let (camera, link) = (place.start(), Link::to(place.port));
    link.set(Line::Open);
    (camera, link)
}

/// Runs the faults and returns what they did.
pub fn run(extent: &Extent) -> Vec<Figure> {
    let [killed, frozen, changed, steady] = [(); 4].map(|()| Place::new());
    let (mut killed_camera, frozen_camera, mut changed_camera) = (killed.start(), frozen.start(), changed.start());
    let _steady = RtspCamera::start(&["--port", &steady.port.to_string(), "--launch", &launch(640, 480)]);
    let lines = [(); 4].map(|()| behind_a_line(&Place::new()));
    let [(_, cut), (_, silent), (_, narrow), (_, resetting)] = &lines;
    let site = Site::start(&[
        ("killed", killed.url()),
        ("frozen", frozen.url()),
        ("changed", changed.url()),
        ("steady", steady.url()),
        ("cut", url(cut.port)),
        ("silent", url(silent.port)),
        ("narrow", url(narrow.port)),
        ("resetting", url(resetting.port)),
    ]);

    let outage = extent.outage;
    let after_line = |id: &str, link: &Link, line: Line| {
        link.set(line);
        std::thread::sleep(outage);
        link.set(Line::Open);
        site.seconds_until_back(id)
    };
    let is_over = AtomicBool::new(false);
    let (mut figures, noticed) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| site.watch("steady", &is_over));
        let faults = [
            scope.spawn(|| {
                killed_camera.kill();
                std::thread::sleep(outage);
                killed_camera = killed.start();
                vec![back("killed", site.seconds_until_back("killed"), outage)]
            }),
            scope.spawn(|| {
                signal(frozen_camera.pid(), Signal::STOP);
                std::thread::sleep(outage);
                signal(frozen_camera.pid(), Signal::CONT);
                vec![back("frozen", site.seconds_until_back("frozen"), outage)]
            }),
            scope.spawn(|| vec![back("cut off, connections end", after_line("cut", cut, Line::Cut), outage)]),
            scope.spawn(|| vec![back("cut off in silence", after_line("silent", silent, Line::Silent), outage)]),
            scope.spawn(|| vec![back("at 10 kB/s", after_line("narrow", narrow, Line::Narrow), outage)]),
            scope.spawn(|| reset(&site, resetting, extent)),
            scope.spawn(|| change(&site, &changed, &mut changed_camera)),
        ];
        let figures: Vec<Figure> = faults.into_iter().flat_map(|fault| fault.join().unwrap()).collect();
        is_over.store(true, Ordering::Relaxed);
        (figures, watcher.join().unwrap())
    });
    let method = "a camera of the same capture process, by its counts, while all this happens";
    figures.push(Figure::new(
        "a neighbour: no frame received",
        noticed.longest_gap.as_secs_f64(),
        "s",
        GAP_BAR,
        method,
    ));
    figures.push(Figure::new("a neighbour: connections lost", noticed.reconnects as f64, "", 0.0, method));
    figures.push(Figure::new("a neighbour: packets lost, frames damaged", noticed.losses as f64, "", 0.0, method));
    figures.push(Figure::new("capture processes restarted", restarts(&site), "", 0.0, "metrics"));
    figures
}

fn back(what: &str, seconds: f64, outage: Duration) -> Figure {
    let name = format!("{what} for {} s: until frames are back", outage.as_secs());
    Figure::new(
        name,
        seconds,
        "s",
        BACK_BAR,
        "gst-rtsp-server, 1 Mbit/s; from the moment it is well to a decoded picture",
    )
}

/// A server that resets each connection after a while.
fn reset(site: &Site, line: &Link, extent: &Extent) -> Vec<Figure> {
    let times = (0..extent.resets).map(|_| {
        std::thread::sleep(extent.between_resets);
        line.set(Line::Reset);
        // All connections have ended once the state says so; a new one would be reset too.
        wait_for("the loss", LOSS_LIMIT, || (site.look("resetting")["state"] != "streaming").then_some(()));
        line.set(Line::Open);
        site.seconds_until_back("resetting")
    });
    let longest = times.fold(0.0, f64::max);
    let name = format!("reset each {} s: until frames are back, the longest", extent.between_resets.as_secs());
    vec![Figure::new(name, longest, "s", BACK_BAR, format!("gst-rtsp-server, {} resets", extent.resets))]
}

/// The same address sends other codecs and sizes, one after the other.
fn change(site: &Site, place: &Place, camera: &mut RtspCamera) -> Vec<Figure> {
    let port = place.port.to_string();
    let to = |(name, arguments): (&str, &[&str])| {
        camera.kill();
        *camera = RtspCamera::start(&[&["--port", &port], arguments].concat());
        let seconds = site.seconds_until_back("changed");
        let now = site.look("changed");
        let is_right = match name {
            "another size" => now["width"] == 640 && now["height"] == 480,
            "H.265" => now["codec"] == "h265",
            _ => now["codec"] == "mjpeg",
        };
        assert!(is_right, "{name}: {now}");
        Figure::new(format!("replaced by {name}: until frames are back"), seconds, "s", BACK_BAR, "gst-rtsp-server")
    };
    CODECS.map(to).into()
}

fn restarts(site: &Site) -> f64 {
    site.daemon.metrics("ocelli_capture_restarts").into_values().next().expect("the metric is there")
}
