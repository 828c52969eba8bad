//! The web page of the box, in a real browser before a real daemon.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::browser::Browser;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{free_port, wait_for};

/// How long the first people take to be seen, on a busy box.
const LIMIT: Duration = Duration::from_secs(90);

/// A daemon with these cameras, whose API asks for no token.
fn open_daemon(cameras: &str) -> Daemon {
    let daemon = Daemon::start(0, &format!("[http]\nlocal_api = \"open\"\n[mqtt]\nenabled = false\n{cameras}"));
    wait_for("the API", LIMIT, || daemon.get("/api/cameras").filter(|(code, _)| *code == 200));
    daemon
}

/// A daemon with a camera that shows people, once something was seen.
fn watching_daemon() -> (RtspCamera, Daemon) {
    let rtsp = RtspCamera::surveillance(free_port());
    let daemon = open_daemon(&camera("yard", rtsp.url(), 5));
    wait_for("the first event", LIMIT, || {
        let (_, events) = daemon.get("/api/events?since_seconds=600")?;
        events.contains("\"began\"").then_some(())
    });
    (rtsp, daemon)
}

fn address(daemon: &Daemon) -> String {
    format!("http://localhost:{}", daemon.http_port())
}

/// The page has complained of nothing, was refused nothing and has asked no other host.
fn assert_content(browser: &mut Browser, daemon: &Daemon) {
    assert_eq!(browser.console_errors(), Vec::<String>::new());
    assert_eq!(browser.requests_beside(&format!("localhost:{}", daemon.http_port())), Vec::<String>::new());
    assert_eq!(browser.failed_requests(), Vec::<String>::new());
}

#[test]
fn the_page_loads_without_an_error_and_asks_no_other_host() {
    let daemon = open_daemon("");
    let mut browser = Browser::start();
    browser.open(&address(&daemon));
    browser.wait("the name of the box", "document.querySelector('.box-name').textContent === 'box'");
    browser.wait("what to do without cameras", "document.body.innerText.includes('ocelli camera add')");
    assert_content(&mut browser, &daemon);
}

#[test]
fn the_policy_of_the_page_lets_in_no_script_no_style_and_no_other_host() {
    let daemon = open_daemon("");
    let mut browser = Browser::start();
    browser.open(&address(&daemon));
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
    assert_eq!(ran, json!([false, "", false, false]));
    assert!(browser.console_errors().iter().any(|error| error.contains("Content Security Policy")));
}

#[test]
fn each_view_shows_what_the_api_says() {
    let (_rtsp, daemon) = watching_daemon();
    let mut browser = Browser::start();
    browser.open(&address(&daemon));
    browser.wait("a picture", "document.querySelector('.camera img:not([hidden])')?.naturalWidth > 300");
    browser.wait("the state", "document.querySelector('.camera .pill').textContent === 'Streaming'");
    browser.wait(
        "what is in view, as the API has it",
        "(async () => {
            const { seen } = await (await fetch('/api/cameras/yard')).json();
            const shown = [...document.querySelectorAll('.camera .chips li')].map((chip) => chip.textContent).sort();
            return JSON.stringify(shown) === JSON.stringify(Object.entries(seen).map(([label, count]) => `${count} ${label}`).sort());
        })()",
    );
    browser.wait("the last event", "/^Last: (person|car)/.test(document.querySelector('.last').textContent)");

    browser.click(".camera h2 a");
    browser.wait("the picture of one camera", "document.querySelector('.player img, .player video')");
    browser.wait("the stream", "document.body.innerText.includes('H.264, 768 × 576')");
    browser.wait("the connections", "document.querySelector('.log li .pill.good')");
    // The hour in numbers is nobody's here: it is asked for when the connection is another.
    let asked = |of: &str| {
        format!("performance.getEntriesByType('resource').filter(({{ name }}) => name.endsWith('/api/{of}')).length")
    };
    browser.wait("some time", &format!("{} > 5", asked("status")));
    assert!(browser.evaluate(&asked("history")).as_u64().unwrap() <= 2);

    browser.click("nav a[href='#/events']");
    browser.wait(
        "the objects, as the API has them",
        "(async () => {
            const lines = (await (await fetch('/api/events?since_seconds=3600')).text()).trim().split('\\n').map(JSON.parse);
            const objects = new Set(lines.map(({ camera, track }) => `${camera} ${track}`));
            return document.querySelectorAll('.event').length === objects.size;
        })()",
    );
    browser.click(".event");
    browser.wait("what is known of it", "document.querySelector('dialog').innerText.includes('coco-ssd')");
    browser.press("Escape");
    browser.wait("the end of the dialog", "!document.querySelector('dialog')");

    browser.click("nav a[href='#/models']");
    browser.wait("the units", "document.querySelector('.model').innerText.includes('2 of 2 wanted')");
    browser.click("nav a[href='#/numbers']");
    browser.wait(
        "the frames a second, as the API has them",
        "(async () => {
            const { cameras } = await (await fetch('/api/history')).json();
            const newest = cameras.yard.analysed_fps.at(-1);
            const shown = document.querySelector('figure .key.first b')?.textContent;
            return newest > 0 && Math.abs(Number(shown) - newest) < 0.06;
        })()",
    );
    browser.click("nav a[href='#/box']");
    let (_, status) = daemon.get("/api/status").unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    for shown in [&status["version"], &status["sandbox"], &status["box_id"]] {
        browser.wait("the facts of the box", &format!("document.querySelector('#main').innerText.includes({shown})"));
    }
    assert_content(&mut browser, &daemon);
}

#[test]
fn a_picture_of_an_event_is_shown_when_a_person_looks_at_it() {
    let (_rtsp, daemon) = watching_daemon();
    wait_for("a picture of an event", LIMIT, || {
        daemon.get("/api/events/pictures").filter(|(_, list)| list.contains('-'))
    });
    let mut browser = Browser::start();
    browser.open(&format!("{}/#/events", address(&daemon)));
    let row = browser.wait(
        "an event with its picture",
        "(async () => {
            const { events } = await (await fetch('/api/events/pictures')).json();
            const boot = events[0].split('-')[0];
            const lines = (await (await fetch('/api/events?since_seconds=3600')).text()).trim().split('\\n').map(JSON.parse);
            const { camera, track } = lines.find(({ id }) => id === events[0]);
            const row = `${boot} ${camera} ${track}`;
            return document.querySelector(`[data-object='${row}']`) && row;
        })()",
    );
    browser.click(&format!("[data-object={row}]"));
    browser.wait("the picture", "document.querySelector('dialog img')?.naturalWidth > 300");
    assert_content(&mut browser, &daemon);
}

#[test]
fn a_region_that_is_drawn_with_the_mouse_is_in_the_settings_and_in_the_next_event() {
    let (_rtsp, daemon) = watching_daemon();
    let mut browser = Browser::start();
    browser.open(&format!("{}/#/cameras/yard", address(&daemon)));
    browser
        .wait("the size of the picture", "document.querySelector('.areas').getAttribute('viewBox') === '0 0 768 576'");
    browser.click("[data-edit]");
    browser.click("[data-add=regions]:enabled");
    browser.drag_in(".areas", (0.01, 0.01), (0.99, 0.99));
    browser.wait("a rectangle", "document.querySelector('.area-list li')?.innerText.includes('4 corners')");
    browser.click(".area-list input");
    browser.evaluate("document.querySelector('.area-list input').select()");
    browser.write("court");
    // A mask with the keyboard, so small that nobody stands in it.
    browser.click("[data-add=ignore]");
    for key in ["Enter", "ArrowRight", "Enter", "ArrowUp", "Enter"] {
        browser.press(key);
    }
    browser.wait("its corners", "document.querySelector('.area-list .ignore').innerText.includes('3 corners so far')");
    browser.click(".editor .primary");
    browser.wait("the end of the editor", "!document.querySelector('.editor')");

    let settings = std::fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap();
    assert!(
        settings.contains("court") && settings.contains("ignore = [[[0.5, 0.5], [0.51, 0.5], [0.51, 0.49]]]"),
        "{settings}"
    );
    let (_, scene) = daemon.get("/api/cameras/yard/scene").unwrap();
    let scene: Value = serde_json::from_str(&scene).unwrap();
    assert_eq!(scene["regions"][0]["name"], "court");
    let corner = &scene["regions"][0]["points"][2];
    assert!(corner[0].as_f64().unwrap() > 0.97 && corner[1].as_f64().unwrap() > 0.97, "{scene}");
    wait_for("an event in the region", LIMIT, || {
        daemon.get("/api/events?since_seconds=60").filter(|(_, events)| events.contains("\"regions\":[\"court\"]"))
    });
    browser.click("nav a[href='#/events']");
    browser.wait(
        "the region in the view",
        "[...document.querySelectorAll('.event .chip')].some((chip) => chip.textContent === 'court')",
    );
    assert_content(&mut browser, &daemon);
}

#[test]
fn a_mistake_in_a_region_is_said_with_its_cure_and_changes_nothing() {
    let daemon = open_daemon(&camera("yard", "rtsp://127.0.0.1:9/", 5));
    let before = std::fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap();
    let mut browser = Browser::start();
    browser.open(&format!("{}/#/cameras/yard", address(&daemon)));
    browser.click("[data-edit]");
    browser.click("[data-add=regions]:enabled");
    browser.drag_in(".areas", (0.2, 0.2), (0.8, 0.8));
    browser.click(".area-list input");
    browser.evaluate("document.querySelector('.area-list input').select()");
    browser.write("The <b>Gate</b>");
    browser.click(".editor .primary");
    browser
        .wait("the cure", "document.querySelector('.editor .notice')?.textContent.includes('must be 1 to 64 of a-z')");
    assert_eq!(std::fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap(), before);
}

#[test]
fn a_press_that_another_window_takes_moves_nothing_and_a_click_behind_a_name_hits_what_it_is_for() {
    let daemon = open_daemon(&camera("yard", "rtsp://127.0.0.1:9/", 5));
    let mut browser = Browser::start();
    browser.open(&format!("{}/#/cameras/yard", address(&daemon)));
    browser.click("[data-edit]");
    browser.click("[data-add=regions]:enabled");
    browser.drag_in(".areas", (0.2, 0.2), (0.6, 0.6));
    let corners = "document.querySelector('.areas polygon').getAttribute('points')";
    let drawn = browser.wait("a rectangle", corners);
    // A corner on its way, and half a rectangle.
    browser.press_in(".areas", (0.6, 0.6), (0.9, 0.9));
    browser.wait("a corner that is moved", &format!("{corners} !== {drawn}"));
    browser.evaluate("window.dispatchEvent(new Event('blur'))");
    browser.move_in(".areas", 0.7, 0.9);
    assert_eq!(browser.evaluate(corners), drawn);
    browser.click("[data-add=ignore]");
    browser.press_in(".areas", (0.1, 0.7), (0.3, 0.9));
    browser.wait("half a rectangle", "document.querySelectorAll('.areas polygon').length === 2");
    browser.move_in(".areas", 0.5, 0.5);
    assert_eq!(browser.evaluate("document.querySelectorAll('.areas polygon').length"), 1);
    browser.drag_in(".areas", (0.1, 0.7), (0.3, 0.9));
    browser.wait("the mask", "document.querySelector('.area-list .ignore').innerText.includes('4 corners')");
    // The name that was just written loses the focus to the button.
    browser.click(".area-list .regions input");
    browser.evaluate("document.querySelector('.area-list .regions input').select()");
    browser.write("court");
    browser.wait("the name over the picture", "document.querySelector('.areas .region text').textContent === 'court'");
    browser.click(".area-list .ignore button");
    browser.wait("one area", "document.querySelectorAll('.area-list li').length === 1");
    assert_content(&mut browser, &daemon);
}

/// Answers of the box that are changed on their way to the page: what strangers could bring into them.
const DOCTORED: &str = r#"
    const real = window.fetch;
    const evil = '<img src=x onerror="window.hurt = 1">';
    const changes = {
        "/api/session": () => ({ name: evil, role: "ROLE", expires_in_s: 60 }),
        "/api/status": (status) => {
            const [camera] = Object.values(status.cameras);
            Object.assign(camera, { state: "streaming", reason: `no route to ${evil}`, seen: { [evil]: 2 }, codec: evil, model: evil });
            status.cameras = { [evil]: camera };
            return { ...status, box_id: evil, summary: evil, sandbox: evil, reasons: [evil, "javascript:window.hurt = 1"] };
        },
        "/api/models": (models) => ({ models: { [evil]: { ...Object.values(models.models)[0], degraded: [evil], package: evil } } }),
        "/api/history": (history) => ({ ...history, at_ms: 1, cameras: { [evil]: { received_fps: [1, 2], analysed_fps: [1, null] } }, models: {}, connections: { [evil]: [{ at_ms: 1, state: evil, reason: evil }] } }),
    };
    window.fetch = async (path, options) => {
        const address = String(path).split("?")[0];
        if (address === "/api/events") {
            const event = { id: "a-1", seq: 1, type: "began", camera: evil, track: 1, label: evil, began_at: new Date().toISOString(), at: new Date().toISOString(), confidence: 0.5, regions: [evil], model: evil, model_version: evil };
            return new Response(JSON.stringify(event) + "\n");
        }
        if (address.endsWith("/scene")) return Response.json({ regions: [{ name: evil, points: [[0, 0], [1, 0], [1, 1]] }], include: [], ignore: [] });
        const answer = await real(path, options);
        if (!changes[address]) return answer;
        return Response.json(changes[address](answer.ok ? await answer.json() : {}));
    };
"#;

#[test]
fn what_strangers_bring_is_shown_as_text() {
    let daemon = open_daemon(&camera("yard", "rtsp://127.0.0.1:9/", 5));
    let mut browser = Browser::start();
    browser.before_each_document(&DOCTORED.replace("ROLE", "operator"));
    browser.open(&address(&daemon));
    let evil = "<img src=x onerror=";
    let see = |browser: &mut Browser, view: &str| {
        browser.wait(view, &format!("document.querySelector('#main').innerText.includes('{evil}')"));
        let found = browser.evaluate("[window.hurt ?? null, document.querySelectorAll('img[src=x]').length]");
        assert_eq!(found, json!([null, 0]), "{view}");
    };
    see(&mut browser, "cameras");
    browser.click(".camera h2 a");
    browser.wait("the connections", "document.querySelector('.log li')");
    browser.wait("the region", &format!("document.querySelector('.areas text').textContent.includes('{evil}')"));
    see(&mut browser, "one camera");
    for view in ["events", "models", "numbers", "box"] {
        browser.click(&format!("nav a[href='#/{view}']"));
        see(&mut browser, view);
    }
    browser.click("nav a[href='#/events']");
    browser.click(".event");
    browser.wait("the dialog", &format!("document.querySelector('dialog').innerText.includes('{evil}')"));
    assert_eq!(browser.evaluate("window.hurt ?? null"), Value::Null);
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}
