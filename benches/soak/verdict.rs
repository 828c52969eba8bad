//! What the minutes say together.

use crate::minute::Minute;
use crate::report::Figure;
use crate::site::Site;
use crate::slope::{growth, settled, slope};
use crate::statistics::median;

/// In fewer minutes the noise of a single one is a slope.
const LEAST_MINUTES: usize = 60;

/// MB an hour.
const MOST_SLOPE: f64 = 1.0;

const METHOD: &str = "8 cameras of 768x576 at 10 frames a second, analysed at 2 to 3; each minute begins with one of 10 disturbances or \
                      none, in turn; looked at when the minute ends";

pub(crate) fn figures(site: &Site, minutes: &[Minute]) -> Vec<Figure> {
    let series = |of: fn(&Minute) -> f64| minutes.iter().map(of).collect::<Vec<f64>>();
    let middle = |of| median(settled(&series(of)).to_vec());
    let an_hour = |of| 60.0 * slope(&series(of));
    let (hours, is_long) = (minutes.len() as f64 / 60.0, minutes.len() >= LEAST_MINUTES);
    let if_long = |bar: f64| is_long.then_some(bar);
    let all: fn(&Minute) -> f64 = |minute| minute.daemon_mb + minute.captures_mb + minute.units_mb;
    let ill = minutes.iter().filter(|minute| minute.recovered.is_none()).count();
    let slowest = minutes.iter().filter_map(|minute| minute.recovered).fold(0.0, f64::max);
    let latencies = series(|minute| minute.latency_p50);
    let (first, last) = (minutes.first().unwrap(), minutes.last().unwrap());
    let written = (last.written_mb - first.written_mb) / (hours - 1.0 / 60.0);
    let dropped = site.daemon.sum("ocelli_outbox_events{result=\"dropped\"");
    let rows: [(&str, f64, &str, Option<f64>); 17] = [
        ("time", hours, "h", None),
        ("disturbances after which the box was not well again", ill as f64, "", Some(0.0)),
        ("  slowest until it was", slowest, "s", None),
        ("memory of the daemon", middle(|minute| minute.daemon_mb), "MB", None),
        ("  its slope", an_hour(|minute| minute.daemon_mb), "MB/h", if_long(MOST_SLOPE)),
        ("memory of all processes", middle(all), "MB", None),
        ("  its slope ", an_hour(all), "MB/h", if_long(MOST_SLOPE)),
        ("descriptors of the daemon", middle(|minute| minute.descriptors), "", None),
        ("  their growth", growth(&series(|minute| minute.descriptors)), "", if_long(0.0)),
        ("threads of the daemon", middle(|minute| minute.threads), "", None),
        ("  their growth ", growth(&series(|minute| minute.threads)), "", if_long(0.0)),
        ("state directory at the end", last.state_mb, "MB", None),
        ("written by the daemon", written, "MB/h", None),
        ("a frame to its message, p50 of minutes", median(settled(&latencies).to_vec()), "ms", None),
        ("  its growth", growth(&latencies), "ms", None),
        ("messages", minutes.iter().map(|minute| minute.messages as f64).sum(), "", None),
        ("events dropped", dropped, "", Some(0.0)),
    ];
    rows.into_iter().map(|(name, value, unit, bar)| Figure { name, value, unit, bar, method: METHOD }).collect()
}
