//! SIGTERM at random moments, loading included: an end within ten seconds, and nothing that was taken is lost.

use crate::figure;
use crate::load::Load;
use crate::report::Figure;
use crate::share_of;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::signal;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// True unless it is gone, or has ended and waits for its new parent to take notice.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let settings = camera("yard", yard.url(), 10);
    let (mut slowest, mut lost, mut left, mut unclean) = (0.0_f64, 0.0, 0, 0);
    let stops = share_of(100);
    for stop in 0..stops {
        let mut daemon = Daemon::start(broker.port, &settings);
        let load = Load::start(daemon.http_port(), 40.0);
        // From before the settings are read to long after the camera streams.
        std::thread::sleep(Duration::from_millis(20 + (stop as u64 * 797) % 2_500));
        let children = [daemon.units(), daemon.captures()].concat();
        let begun = Instant::now();
        signal(daemon.pid(), Signal::TERM);
        let status = daemon.wait_exit(Duration::from_secs(20));
        slowest = slowest.max(begun.elapsed().as_secs_f64());
        let answers = load.finish();
        // A signal that comes before it is handled ends the process as any other; there is nothing to lose yet.
        let log = daemon.log();
        if let Some(line) = log.lines().rfind(|line| line.contains(" stopped ")) {
            unclean += usize::from(!status.success() || !line.contains("ledger_closes=true"));
            let detected =
                line.split("images_detected=").nth(1).and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
            lost += (detected.unwrap_or(f64::NAN) - answers.detected_ms.len() as f64).abs();
        }
        std::thread::sleep(Duration::from_millis(100));
        left += children.iter().filter(|pid| is_running(**pid)).count();
    }
    let method = "SIGTERM 20 ms to 2.5 s after the start, with a camera and 40 images a second";
    figures.extend([
        figure("stops: how many", stops as f64, "", None, method),
        figure("stops: slowest", slowest, "s", Some(10.0), method),
        figure("stops: images that were looked at and not answered", lost, "", Some(0.0), method),
        figure("stops: unclean", unclean as f64, "", Some(0.0), method),
        figure("stops: processes left", left as f64, "", Some(0.0), method),
    ]);
}
