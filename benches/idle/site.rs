//! Sixty cameras on one box, of which one in twenty sees something at any time: what they cost, and what is seen of it by a box
//! that analyses every frame of some of them.

use crate::events::{Appearance, appearances};
use crate::memory::proportional_mb;
use crate::processor::processor_ms;
use crate::report::Figure;
use crate::seconds;
use crate::support::broker::{Broker, Subscriber};
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use std::time::Duration;

use crate::clips::Site;

/// Cameras that a second box looks at without watching.
const COMPARED: [usize; 3] = [4, 25, 46];

/// Appearances that last longer must be seen, in seconds.
const LONG: f64 = 2.0;

/// A frame period of `fps = 5` and a bit more.
const BEGAN_WITHIN: f64 = 0.4;

/// Sub streams.
pub(crate) fn measure(figures: &mut Vec<Figure>) {
    measure_site(Site { size: (640, 360), fps: 15, kilobits: 500 }, 60, "60 cameras of 640x360", figures);
}

/// Main streams.
pub(crate) fn measure_full_hd(figures: &mut Vec<Figure>) {
    measure_site(Site { size: (1920, 1080), fps: 25, kilobits: 2000 }, 24, "24 cameras of 1080p", figures);
}

fn measure_site(site: Site, count: usize, what: &str, figures: &mut Vec<Figure>) {
    let servers: Vec<RtspCamera> = site
        .clips()
        .iter()
        .map(|clip| {
            let fps = site.fps.to_string();
            RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", &fps, "--count", "3"])
        })
        .collect();
    let url = |number: usize| &servers[number % servers.len()].urls[number / servers.len()];
    let name = |number: usize| format!("cam{number}");
    let blocks = |numbers: &mut dyn Iterator<Item = usize>| -> String {
        numbers.map(|number| camera(&name(number), url(number), 5)).collect()
    };
    let (broker, plain_broker) = (Broker::start(), Broker::start());
    let topic = "ocelli/box/cameras/+/events";
    let (watched, followed) = (broker.subscribe(topic), plain_broker.subscribe(topic));
    let settings = format!("[capture]\nwatch = \"auto\"\ncameras_per_process = 0\n{}", blocks(&mut (0..count)));
    let daemon = Daemon::start(broker.port, &settings);
    let compared: Vec<usize> = COMPARED.into_iter().filter(|number| *number < count).collect();
    let reference = Daemon::start(plain_broker.port, &blocks(&mut compared.iter().copied()));
    daemon.wait_ready();
    reference.wait_ready();
    std::thread::sleep(Duration::from_secs_f64(seconds(60.0).max(45.0)));
    drop((watched.take(), followed.take()));

    let processes = [daemon.captures(), vec![daemon.pid()], daemon.units()];
    let used = || processes.each_ref().map(|pids| pids.iter().map(|pid| processor_ms(*pid)).sum::<f64>());
    let counts = || {
        let (_, body) = daemon.get("/api/cameras").unwrap();
        let cameras: serde_json::Value = serde_json::from_str(&body).unwrap();
        let sum = |of: fn(&serde_json::Value) -> &serde_json::Value| {
            cameras["cameras"].as_object().unwrap().values().filter_map(|camera| of(camera).as_f64()).sum::<f64>()
        };
        [
            sum(|camera| &camera["stream"]["received"]),
            sum(|camera| &camera["decoded"]),
            sum(|camera| &camera["outcomes"]["detected"]),
            sum(|camera| &camera["stream"]["skipped"]["behind"]),
        ]
    };
    let (used_before, before) = (used(), counts());
    let time = seconds(300.0);
    std::thread::sleep(Duration::from_secs_f64(time));
    let (used_after, after) = (used(), counts());
    // What has begun ends at the latest now.
    std::thread::sleep(Duration::from_secs(15));
    let seen = Seen::compare(&watched, &followed, &compared.iter().map(|number| name(*number)).collect::<Vec<_>>());

    let method = "still street without people, with sensor noise, 10 s of movement in 200 s at another time for each twentieth; three cameras are \
                  analysed frame by frame by a second daemon at the same time";
    let mut push = |name: &str, value, unit, bar| {
        let name: &'static str = format!("{what}: {name}").leak();
        figures.push(Figure { name, value, unit, bar, method });
    };
    let rate = |which: usize| (after[which] - before[which]) / time;
    let cores = |which: usize| (used_after[which] - used_before[which]) / (time * 10.0);
    push("appearances over 2 s that are reported too", seen.share, "ratio", Some(0.98));
    push("  appearances over 2 s", seen.appearances, "", None);
    push("  of them began within 0.4 s of the other", seen.timely, "ratio", Some(0.95));
    push("  reported, and not by the other", seen.others, "", None);
    push("processor time of capture processes", cores(0), "%", None);
    push("  of the daemon", cores(1), "%", None);
    push("  of the units", cores(2), "%", None);
    push("frames received", rate(0), "1/s", None);
    push("  decoded", rate(1), "1/s", None);
    push("  analysed", rate(2), "1/s", None);
    push("  skipped, behind", rate(3), "1/s", None);
    let megabytes = processes[..2].iter().flatten().map(|pid| proportional_mb(*pid)).sum::<f64>();
    push("memory beside the units", megabytes, "MB", Some(1000.0));
}

/// What the watching box has of the other's appearances.
struct Seen {
    appearances: f64,
    share: f64,
    timely: f64,
    others: f64,
}

impl Seen {
    fn compare(watched: &Subscriber, followed: &Subscriber, cameras: &[String]) -> Self {
        let (watched, followed) = (appearances(watched), appearances(followed));
        let (mut all, mut found, mut timely, mut others) = (0.0_f64, 0.0, 0.0, 0.0);
        for camera in cameras {
            let of = |all: &std::collections::BTreeMap<String, Vec<Appearance>>| {
                all.get(camera).cloned().unwrap_or_default()
            };
            let (ours, theirs) = (of(&watched), of(&followed));
            let overlap = |a: &Appearance, b: &Appearance| a.began < b.ended + 0.5 && b.began < a.ended + 0.5;
            for appearance in theirs.iter().filter(|it| it.ended - it.began > LONG) {
                all += 1.0;
                found += f64::from(ours.iter().any(|it| overlap(it, appearance)));
                timely += f64::from(ours.iter().any(|it| (it.began - appearance.began).abs() <= BEGAN_WITHIN));
            }
            others += ours.iter().filter(|it| !theirs.iter().any(|their| overlap(their, it))).count() as f64;
        }
        Self { appearances: all, share: found / all.max(1.0), timely: timely / all.max(1.0), others }
    }
}
