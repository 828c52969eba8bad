//! From the camera's encoder to the picture in a browser: Chromium plays the page's own player, and the clock of the box says when
//! it is called for a frame. Camera, box and browser are one machine, and the camera's sender reports say when a frame was made.

use crate::report::Figure;
use crate::seconds;
use crate::statistics::percentile;
use crate::support::browser::Browser;
use crate::support::camera::RtspCamera;
use crate::watching;
use std::time::Duration;

/// A player in one of its modes, and a socket that hears when the frames were made.
const PLAYER: &str = "
    const { LivePlayer } = await import('/page/live.js');
    const host = document.createElement('div');
    host.style.width = '640px';
    host.style.height = '360px';
    document.body.replaceChildren(host);
    const player = new LivePlayer(host, 'cam0', { mode: 'MODE' });
    window.shown = [];
    window.made = [];
    const now = () => performance.timeOrigin + performance.now();
    player.onframe = ({ pts }) => window.shown.push([pts, now()]);
    player.start();
    const socket = new WebSocket(`ws://${location.host}/api/cameras/cam0/live`);
    socket.onmessage = ({ data }) => {
        const told = typeof data === 'string' ? JSON.parse(data) : {};
        if (told.camera_time) window.made.push([told.pts, Date.parse(told.camera_time)]);
    };
    window.end = () => { player.stop(); socket.close(); };
    true";

/// Milliseconds from the encoder to the screen, of the frames whose time is known.
fn delays(mode: &str) -> Vec<f64> {
    let server = RtspCamera::start(&["--size", "1280x720", "--fps", "25"]);
    let daemon = watching(&[server.url().to_owned()], 5, "");
    let mut browser = Browser::start();
    browser.open(&format!("http://localhost:{}/", daemon.http_port()));
    browser.evaluate(&format!("(async () => {{ {} }})()", PLAYER.replace("MODE", mode)));
    // The first sender report comes within five seconds, and the player finds its pace.
    std::thread::sleep(Duration::from_secs(15));
    browser.evaluate("shown.length = 0");
    std::thread::sleep(Duration::from_secs_f64(seconds(60.0)));
    let found = browser.evaluate(
        "end(); shown.flatMap(([pts, at]) => {
            const frame = made.find(([other]) => Math.abs(other - pts) <= 2);
            return frame ? [at - frame[1]] : [];
        })",
    );
    found.as_array().unwrap().iter().map(|ms| ms.as_f64().unwrap()).collect()
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let method = "Chromium without a screen plays a camera of 1280x720 at 25 frames a second, five a second analysed; the time \
                  from the encoder's input to the call for the frame";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    let exact = delays("exact");
    push("encoder to screen, exact, p50", percentile(exact.clone(), 0.5), "ms", Some(300.0));
    push("  p95", percentile(exact.clone(), 0.95), "ms", None);
    push("  frames", exact.len() as f64, "", None);
    let newest = delays("newest");
    push("encoder to screen, newest, p50", percentile(newest.clone(), 0.5), "ms", None);
    push("  newest, p95", percentile(newest, 0.95), "ms", None);
}
