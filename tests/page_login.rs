//! People at the page, in a real browser: how they get in, what they find, and how they go.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::json;
use support::browser::Browser;
use support::camera::RtspCamera;
use support::daemon::camera;
use support::http::Address;
use support::people::{ANNA, BERT, PeopleBox, viewer};

/// A box with two people, and a camera that is there.
fn start() -> (RtspCamera, PeopleBox) {
    let rtsp = RtspCamera::surveillance(0);
    let people = format!("{}{}", viewer("anna", "viewer", ANNA), viewer("bert", "operator", BERT));
    let this = PeopleBox::start_with("", &format!("{people}{}", camera("yard", rtsp.url(), 5)));
    (rtsp, this)
}

fn url(at: &Address, view: &str) -> String {
    let scheme = if at.origin().contains("https") { "https" } else { "http" };
    format!("{scheme}://{}/#/{view}", at.host())
}

/// Fills in the form with name and password, and sends it.
fn log_in(browser: &mut Browser, name: &str, password: &str) {
    for (field, text) in [("name", name), ("password", password)] {
        write(browser, field, text);
    }
    browser.press("Enter");
}

fn write(browser: &mut Browser, field: &str, text: &str) {
    browser.click(&format!("[name={field}]"));
    browser.evaluate(&format!("document.querySelector('[name={field}]').select()"));
    browser.write(text);
}

fn wait_for_form(browser: &mut Browser) {
    browser.wait("the form", "document.querySelector('.login [name=password]')");
}

fn wait_for_video(browser: &mut Browser) {
    browser.wait("the video", "document.querySelector('.player video')?.readyState >= 2");
    browser.wait("word of it", "document.querySelector('.playing').textContent === 'live'");
}

#[test]
fn a_viewer_and_an_operator_log_in_with_a_password_and_find_what_they_may_do() {
    let (_rtsp, this) = start();
    let mut browser = Browser::start();
    browser.open(&url(&this.own, "cameras/yard"));
    wait_for_form(&mut browser);
    log_in(&mut browser, "anna", "a wrong password");
    browser.wait(
        "word of the mistake",
        "document.querySelector('.login .notice:not([hidden])')?.textContent === 'name or password is wrong'",
    );
    for (name, password, role) in [("anna", ANNA, "viewer"), ("bert", BERT, "operator")] {
        log_in(&mut browser, name, password);
        browser.wait("who it is", &format!("document.querySelector('.person')?.textContent === '{name} ({role})'"));
        for (view, shown) in [("cameras/yard", ".facts"), ("models", ".model .facts"), ("box", ".reasons")] {
            browser.open(&url(&this.own, view));
            browser.wait(view, &format!("document.querySelector('#main {shown}')"));
            let controls = browser.evaluate("document.querySelectorAll('#main button:not(.event), dialog').length");
            assert_eq!(controls != 0, role == "operator", "{role}, {view}: {controls} controls");
        }
        browser.open(&url(&this.own, "cameras/yard"));
        wait_for_video(&mut browser);
        browser.click(".bar button");
        wait_for_form(&mut browser);
    }
    let found = browser
        .evaluate("[location.href.includes('link='), document.cookie, localStorage.length, sessionStorage.length]");
    assert_eq!(found, json!([false, "", 0, 0]), "scripts see no secret");
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn a_link_opens_the_page_once_and_its_secret_leaves_the_address() {
    let (_rtsp, this) = start();
    let link = format!("http://{}/#link={}", this.own.host(), this.link(&[]));
    let mut browser = Browser::start();
    browser.open(&link);
    browser.wait("who it is", "document.querySelector('.person')?.textContent === 'link (operator)'");
    browser.wait("the camera", "document.querySelector('.camera h2')?.textContent === 'yard'");
    assert_eq!(browser.evaluate("location.hash"), "#/");
    assert_eq!(browser.failed_requests(), Vec::<String>::new());
    browser.click(".camera h2 a");
    wait_for_video(&mut browser);

    let mut late = Browser::start();
    late.open(&link);
    late.wait("why not", "document.querySelector('.login .notice:not([hidden])')?.textContent.includes('was used')");
    assert_eq!((late.console_errors(), browser.console_errors()), (vec![], vec![]));
}

#[test]
fn the_token_that_is_typed_in_opens_a_session_with_video() {
    let (_rtsp, this) = start();
    let token = std::fs::read_to_string(this.daemon.home().join("state/http-token")).unwrap();
    let mut browser = Browser::start();
    browser.open(&url(&this.own, "cameras/yard"));
    browser.wait("the way in", "document.querySelector('.login')?.innerText.includes('ocelli page')");
    for (typed, shown) in [("a wrong token", "not the token"), (token.trim(), "Connections")] {
        write(&mut browser, "token", typed);
        browser.press("Enter");
        browser.wait(shown, &format!("document.querySelector('#main').innerText.includes('{shown}')"));
    }
    wait_for_video(&mut browser);
    let places = "location.href + document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)";
    assert!(!browser.evaluate(places).as_str().unwrap().contains(token.trim()));
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn whose_session_ends_while_they_look_is_asked_who_they_are_beyond_the_box_too() {
    let (_rtsp, this) = start();
    this.user(&["add", "carl"], "a third password\n");
    this.daemon.succeed(&["reload"]);
    for at in [&this.own, &this.public] {
        let mut browser = Browser::start_trusting();
        browser.open(&url(at, "cameras/yard"));
        wait_for_form(&mut browser);
        let has_token = browser.evaluate("document.querySelector('[name=token]') !== null");
        assert_eq!(has_token, url(at, "").starts_with("http:"), "a token is for the box itself");
        log_in(&mut browser, "carl", "a third password");
        wait_for_video(&mut browser);

        assert!(this.user(&["password", "carl"], "a fourth password\n").0);
        this.daemon.succeed(&["reload"]);
        wait_for_form(&mut browser);
        browser.wait("why", "document.querySelector('.login .notice').textContent.startsWith('You were logged out')");
        assert_eq!(browser.evaluate("document.querySelector('video')"), json!(null));
        log_in(&mut browser, "carl", "a fourth password");
        wait_for_video(&mut browser);
        assert_eq!(browser.console_errors(), Vec::<String>::new());
        assert!(this.user(&["password", "carl"], "a third password\n").0);
        this.daemon.succeed(&["reload"]);
    }
}
