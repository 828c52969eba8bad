//! Live video, from a real RTSP camera over a real daemon into a real browser.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use support::browser::Browser;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{free_port, wait_for};
use tungstenite::{Message, WebSocket};

/// The browser of a test has the box to itself: called late, it reads the pixels of the frame behind.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const LIMIT: Duration = Duration::from_secs(90);

/// Frames a second of the numbered clip, and its frames. The browser reads the number from the pixels.
const FPS: u32 = 15;
const FRAMES: u32 = 256;

/// Players in a page: `add` starts one and notes each frame that it shows, with the number in its pixels.
const PLAYERS: &str = "
    const { LivePlayer } = await import('/page/live.js');
    window.players = {};
    window.add = (name, camera, mode) => {
        const host = document.createElement('div');
        host.style.width = '320px';
        host.style.height = '240px';
        document.body.append(host);
        const player = new LivePlayer(host, camera, { mode });
        const noted = { player, host, statuses: [], frames: [] };
        const context = new OffscreenCanvas(160, 120).getContext('2d', { willReadFrequently: true });
        player.onstatus = (text) => noted.statuses.push(text);
        player.onframe = ({ pts, exact, boxes }) => {
            context.drawImage(host.querySelector('video'), 0, 0, 160, 120);
            let number = 0;
            for (let bit = 0; bit < 8; bit++)
                if (context.getImageData(bit * 20 + 10, 60, 1, 1).data[0] > 128) number |= 1 << bit;
            noted.frames.push([pts, number, exact, boxes.length]);
        };
        window.players[name] = noted;
        player.start();
    };
    true";

fn start(cameras: &[(&str, &str)]) -> Daemon {
    let cameras: Vec<String> = cameras.iter().map(|(id, url)| camera(id, url, 2)).collect();
    let daemon =
        Daemon::start(0, &format!("[http]\nlocal_api = \"open\"\n[mqtt]\nenabled = false\n{}", cameras.concat()));
    daemon.wait_ready();
    wait_for("the cameras", LIMIT, || {
        let health: Value = serde_json::from_str(&daemon.get("/api/cameras")?.1).ok()?;
        let streams = |camera: &Value| camera["state"] == "streaming";
        health["cameras"].as_object()?.values().all(streams).then_some(())
    });
    daemon
}

/// Frames of the first two seconds, in which GStreamer measures the pace of the camera's clock: their distances are not yet those
/// of the camera, by which the numbers are judged.
const SETTLING: usize = 30;

fn browse(daemon: &Daemon) -> Browser {
    let mut browser = Browser::start();
    browser.open(&format!("http://localhost:{}/", daemon.http_port()));
    browser.evaluate(&format!("(async () => {{ {PLAYERS} }})()"));
    browser
}

/// The frames that a player has shown: place on the timeline in microseconds, number in the pixels, whether it had its own
/// boxes, and how many.
fn frames(browser: &mut Browser, player: &str) -> Vec<(f64, u32, bool, u64)> {
    let noted = browser.evaluate(&format!("players.{player}.frames"));
    let frame = |frame: &Value| {
        let number = u32::try_from(frame[1].as_u64().unwrap()).unwrap();
        (frame[0].as_f64().unwrap(), number, frame[2].as_bool().unwrap(), frame[3].as_u64().unwrap())
    };
    noted.as_array().unwrap().iter().map(frame).collect()
}

/// A clip of raw frames, each of which shows its number in eight bars.
fn write_numbers(directory: &Path) {
    for number in 0..FRAMES {
        let bar = |x: usize| if number >> (x / 20) & 1 == 1 { 235 } else { 16 };
        let row = |y: usize| (0..160).map(move |x| if (40..80).contains(&y) { bar(x) } else { 90 });
        let luma = (0..120).flat_map(row);
        let frame: Vec<u8> = luma.chain(std::iter::repeat_n(128, 160 * 120 / 2)).collect();
        std::fs::write(directory.join(format!("n{number:03}")), frame).unwrap();
    }
}

fn numbered(directory: &Path, encoder: &str) -> String {
    format!(
        "multifilesrc location={}/n%03d loop=true start-index=0 stop-index={} \
         ! rawvideoparse width=160 height=120 format=i420 framerate={FPS}/1 ! identity sync=true \
         ! {encoder} ! rtph264pay name=pay0 pt=96 config-interval=-1",
        directory.display(),
        FRAMES - 1
    )
}

/// How many of these frames show the number that belongs to their place on the timeline. Frame and number go on at the same pace,
/// so their difference is the same for all: that of the most.
fn right(frames: &[(f64, u32, bool, u64)]) -> usize {
    let period = f64::from(FRAMES) / f64::from(FPS);
    let start = |(pts, number, ..): &(f64, u32, bool, u64)| {
        (pts / 1e6 - f64::from(*number) / f64::from(FPS)).rem_euclid(period)
    };
    let is_near = |a: f64, b: f64| {
        let apart = (a - b).rem_euclid(period);
        apart.min(period - apart) < 0.5 / f64::from(FPS)
    };
    let agree = |one: &(f64, u32, bool, u64)| frames.iter().filter(|other| is_near(start(one), start(other))).count();
    frames.iter().map(agree).max().unwrap_or(0)
}

#[test]
fn each_frame_is_shown_at_its_own_time_with_and_without_b_frames_and_to_two_viewers() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    write_numbers(directory.path());
    let plain = numbered(directory.path(), "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 threads=1");
    let b_frames =
        numbered(directory.path(), "x264enc bframes=2 speed-preset=superfast key-int-max=30 threads=1 rc-lookahead=5");
    let rtsp = RtspCamera::start(&["--launch", &plain, "--launch", &b_frames]);
    let daemon = start(&[("plain", &rtsp.urls[0]), ("reordered", &rtsp.urls[1])]);
    let mut browser = browse(&daemon);
    browser.evaluate("add('one', 'plain', 'exact'); add('two', 'plain', 'newest'); add('three', 'reordered', 'exact')");
    for player in ["one", "two", "three"] {
        let enough = format!("players.{player}.frames.length >= {}", SETTLING + 300);
        wait_for(&format!("300 frames of {player}"), LIMIT, || browser.evaluate(&enough).as_bool().filter(|is| *is));
        let shown = frames(&mut browser, player).split_off(SETTLING);
        let (right, exact) = (right(&shown), shown.iter().filter(|(.., is_exact, _)| *is_exact).count());
        println!("{player}: {right} of {} frames are right, {exact} were analysed", shown.len());
        // At the newest frame the picture hurries after what comes, and on a busy box the browser may call the page when the next
        // frame is there already.
        let least = if player == "two" { 95 } else { 99 };
        assert!(right * 100 >= shown.len() * least, "{player}: {right} of {}: {shown:?}", shown.len());
        // Two a second are analysed.
        assert!(player == "two" || exact > 5, "{player}: {exact} of {}", shown.len());
        let statuses = browser.evaluate(&format!("players.{player}.statuses"));
        assert_eq!(statuses, json!(["connecting", "live"]), "{player}");
    }
    assert_eq!(daemon.sum("ocelli_live_viewers"), 3.0);
    assert_eq!(browser.console_errors(), Vec::<String>::new());
    browser.evaluate("Object.values(players).forEach(({ player }) => player.stop())");
    wait_for("the end of watching", LIMIT, || (daemon.sum("ocelli_live_viewers") == 0.0).then_some(()));
    let (sent, detected) = (daemon.sum("ocelli_live_bytes"), daemon.sum("ocelli_frames_detected"));
    wait_for("more frames", LIMIT, || (daemon.sum("ocelli_frames_detected") > detected + 3.0).then_some(()));
    assert_eq!(daemon.sum("ocelli_live_bytes"), sent);
    daemon.assert_ledger_closes();
}

#[test]
fn a_camera_that_is_lost_and_comes_back_is_shown_again_with_the_people_in_it() {
    let _turn = turn();
    let port = free_port();
    let mut rtsp = RtspCamera::surveillance(port);
    let daemon = start(&[("yard", &rtsp.urls[0].clone())]);
    let mut browser = browse(&daemon);
    browser.evaluate("add('one', 'yard', 'exact')");
    let has_people = "players.one.frames.some(([pts, number, exact, boxes]) => exact && boxes > 0)";
    browser.wait("people on their own frames", has_people);
    rtsp.kill();
    browser.wait("word of the loss", "players.one.statuses.at(-1) !== 'live' && players.one.statuses.at(-1)");
    browser.evaluate("players.one.frames.length = 0");
    let _rtsp = RtspCamera::surveillance(port);
    browser.wait("the picture again", "players.one.frames.length > 20 && players.one.statuses.at(-1) === 'live'");
    browser.wait("people again", has_people);
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn the_page_of_a_camera_plays_it() {
    let _turn = turn();
    let rtsp = RtspCamera::surveillance(0);
    let daemon = start(&[("yard", rtsp.url())]);
    let mut browser = Browser::start();
    browser.open(&format!("http://localhost:{}/#/cameras/yard", daemon.http_port()));
    browser.wait("the video", "document.querySelector('.player video')?.readyState >= 2");
    browser.wait("word of it", "document.querySelector('.playing').textContent === 'live'");
    if let Some(file) = std::env::var_os("OCELLI_SCREENSHOT") {
        browser.wait(
            "some seconds of it",
            "document.querySelector('.player video').getVideoPlaybackQuality().totalVideoFrames > 60",
        );
        browser.screenshot(Path::new(&file));
    }
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn what_the_browser_does_not_play_is_shown_in_snapshots_and_said() {
    let _turn = turn();
    let of = |codec: &str| RtspCamera::start(&["--codec", codec, "--size", "320x240"]);
    let (h265, mjpeg) = (of("h265"), of("mjpeg"));
    let daemon = start(&[("newer", h265.url()), ("older", mjpeg.url())]);
    let mut browser = browse(&daemon);
    browser.evaluate("add('one', 'newer', 'exact'); add('two', 'older', 'exact')");
    for (player, why) in [("one", "H.265"), ("two", "mjpeg")] {
        let said =
            format!("players.{player}.statuses.at(-1).startsWith('snapshots: ') && players.{player}.statuses.at(-1)");
        let said = browser.wait("the reason", &said);
        assert!(said.as_str().unwrap().contains(why), "{said}");
        browser.wait("a snapshot", &format!("players.{player}.host.querySelector('img').naturalWidth > 0"));
    }
    let (status, body) = daemon.get("/api/cameras/none/live").unwrap();
    assert!(status >= 400, "{body}");
}

/// A viewer without a browser.
fn connect(daemon: &Daemon, camera: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", daemon.http_port())).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let url = format!("ws://localhost:{}/api/cameras/{camera}/live", daemon.http_port());
    tungstenite::client(url, stream).unwrap().0
}

#[test]
fn a_viewer_who_does_not_read_loses_frames_up_to_a_keyframe_and_nobody_else_does() {
    let _turn = turn();
    let noise = "videotestsrc is-live=true pattern=snow ! video/x-raw,format=I420,width=320,height=240,framerate=15/1 \
                 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 pass=quant quantizer=4 threads=1 \
                 ! rtph264pay name=pay0 pt=96 config-interval=-1";
    let rtsp = RtspCamera::start(&["--launch", noise]);
    let daemon = start(&[("yard", rtsp.url())]);
    let (mut slow, mut quick) = (connect(&daemon, "yard"), connect(&daemon, "yard"));
    let dropped = || daemon.sum("ocelli_live_frames_dropped_total{place=\"viewer\"");
    let mut quick_dropped = 0;
    wait_for("frames that are left out", LIMIT, || {
        for _ in 0..20 {
            quick_dropped += u32::from(is_dropped(&quick.read().unwrap()));
        }
        (dropped() > 0.0).then_some(())
    });
    assert_eq!(quick_dropped, 0);
    let detected = daemon.sum("ocelli_frames_detected");
    wait_for("more detections", LIMIT, || (daemon.sum("ocelli_frames_detected") > detected).then_some(()));
    // It reads again: what comes behind the gap begins with a keyframe.
    wait_for("word of the gap", LIMIT, || is_dropped(&slow.read().unwrap()).then_some(()));
    let next = wait_for("the frame behind it", LIMIT, || {
        let Message::Binary(fragment) = slow.read().unwrap() else { return None };
        Some(fragment)
    });
    assert_eq!(next[96..100], [2, 0, 0, 0], "the flags of a keyframe");
    daemon.assert_ledger_closes();
}

fn is_dropped(message: &Message) -> bool {
    matches!(message, Message::Text(text) if text.contains("\"type\":\"dropped\""))
}
