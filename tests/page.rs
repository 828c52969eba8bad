//! The web page of the box, in a real browser before a real daemon.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::Duration;
use support::browser::Browser;
use support::daemon::Daemon;

/// A daemon with one camera that is not there, and whose API asks for no token.
fn daemon() -> Daemon {
    let camera = support::daemon::camera("yard", "rtsp://127.0.0.1:9/", 5);
    let daemon = Daemon::start(0, &format!("[http]\nlocal_api = \"open\"\n[mqtt]\nenabled = false\n{camera}"));
    support::wait_for("the API", Duration::from_secs(30), || {
        daemon.get("/api/cameras").filter(|(code, _)| *code == 200)
    });
    daemon
}

#[test]
fn the_page_loads_without_an_error_and_asks_no_other_host() {
    let daemon = daemon();
    let host = format!("localhost:{}", daemon.http_port());
    let mut browser = Browser::start();
    browser.open(&format!("http://{host}/"));
    browser.wait("the name of the box", "document.body.innerText.includes('box')");
    assert_eq!(browser.console_errors(), Vec::<String>::new());
    assert_eq!(browser.failed_requests(), Vec::<String>::new());
    assert_eq!(browser.requests_beside(&host), Vec::<String>::new());
}

#[test]
fn the_policy_of_the_page_lets_in_no_script_no_style_and_no_other_host() {
    let daemon = daemon();
    let mut browser = Browser::start();
    browser.open(&format!("http://127.0.0.1:{}/", daemon.http_port()));
    let ran = browser.evaluate(
        "(async () => {
            const script = document.createElement('script');
            try { script.textContent = 'window.ran = true'; document.head.append(script); } catch { /* refused */ }
            const style = document.createElement('style');
            style.textContent = 'body { --styled: yes }';
            document.head.append(style);
            try { document.body.insertAdjacentHTML('beforeend', '<b id=hostile>'); } catch { /* refused */ }
            let loaded = false;
            try { loaded = (await fetch('http://127.0.0.1:9/')).ok; } catch { /* refused */ }
            const styled = getComputedStyle(document.body).getPropertyValue('--styled').trim();
            return [window.ran ?? false, styled, document.querySelector('#hostile') !== null, loaded];
        })()",
    );
    assert_eq!(ran, serde_json::json!([false, "", false, false]));
    assert!(browser.console_errors().iter().any(|error| error.contains("Content Security Policy")));
}
