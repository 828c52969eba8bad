//! People at the box's page: passwords, sessions, links, roles, and what is written down about them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind};
use std::time::Duration;
use support::daemon::camera;
use support::http::{Address, Answer};
use support::people::{ANNA, BERT, PeopleBox, viewer};
use support::wait_for;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn a_person_logs_in_over_tls_looks_and_logs_out() {
    let this = PeopleBox::start();
    let public = &this.public;
    for path in ["/api/status", "/api/cameras", "/api/session", "/api/access"] {
        let stranger = public.get(path, "");
        assert_eq!(stranger.status, 401, "{stranger:?}");
        assert_eq!(stranger.json()["login"], json!({"password": true, "link": false}), "{path}");
        assert!(!stranger.body.contains("http-token"), "other hosts learn no paths: {stranger:?}");
    }
    assert_eq!(public.get("/api/status", &this.token()).status, 401, "the token is for the box itself");
    assert_eq!(public.get("/metrics", "").status, 404);

    let welcome = PeopleBox::login(public, "anna", ANNA);
    assert_eq!(welcome.json(), json!({"name": "anna", "role": "viewer", "expires_in_s": 3600}));
    let set = welcome.header("set-cookie").unwrap();
    for attribute in ["__Host-ocelli-", "; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure", "; Max-Age=86400"] {
        assert!(set.contains(attribute), "{attribute} in {set}");
    }
    let anna = welcome.cookie();
    assert_eq!(public.get("/api/session", &anna).json()["role"], "viewer");
    assert_eq!(public.get("/api/status", &anna).json()["box_id"], "box");
    let refused = public.post("/api/reload", &format!("{anna}{}", public.origin()), &json!({}));
    assert!(refused.status == 403 && refused.json()["error"]["code"] == "role", "{refused:?}");
    assert_eq!(public.get("/api/access", &anna).status, 403);
    assert_eq!(this.own.get("/api/status", &anna).status, 401, "a cookie is of one address");

    let bert = PeopleBox::session(public, "bert", BERT);
    let allowed = public.post("/api/reload", &format!("{bert}{}", public.origin()), &json!({}));
    assert_eq!(allowed.status, 200, "{allowed:?}");
    let record = public.get("/api/access", &bert).json();
    let seen = |who: &str, what: &str| {
        let accesses = record["accesses"].as_array().unwrap();
        accesses.iter().any(|it| it["who"] == who && it["what"] == what && it["address"] == "127.0.0.1")
    };
    assert!(seen("anna", "logged_in") && seen("bert", "logged_in") && seen("bert", "changed"), "{record}");
    assert!(!seen("anna", "changed") && record["sessions"] == 2, "{record}");

    let gone = public.post("/logout", &format!("{anna}{}", public.origin()), &json!({}));
    assert!(gone.status == 204 && gone.header("set-cookie").unwrap().contains("Max-Age=0"), "{gone:?}");
    assert_eq!(public.get("/api/status", &anna).status, 401);
    assert_eq!(public.get("/api/status", &bert).status, 200);
    assert!(this.daemon.log().contains("somebody has changed something"));
    assert!(this.daemon.stop().0.success());
}

#[test]
fn other_origins_other_names_and_requests_without_an_origin_get_nothing_with_a_valid_cookie() {
    let this = PeopleBox::start();
    let at = &this.public;
    let bert = PeopleBox::session(at, "bert", BERT);
    let reload = |headers: &str| at.post("/api/reload", &format!("{bert}{headers}"), &json!({}));
    let plain = at.origin().replace("https", "http");
    for origin in ["Origin: https://evil.example\r\n", "Origin: null\r\n", "", &plain] {
        let answer = reload(origin);
        assert!(answer.status == 403 && answer.json()["error"]["code"] == "origin", "{origin:?} {answer:?}");
    }
    assert_eq!(reload(&format!("{}Sec-Fetch-Site: cross-site\r\n", at.origin())).status, 403);
    assert_eq!(reload(&format!("{}Sec-Fetch-Site: same-origin\r\n", at.origin())).status, 200);
    for host in ["Host: evil.example\r\n", "Host: 10.0.0.1\r\n"] {
        assert_eq!(at.get("/api/status", &format!("{bert}{host}")).status, 421, "{host}");
        let login = at.post("/login", host, &json!({"name": "bert", "password": BERT}));
        assert!(login.status == 421 && login.header("set-cookie").is_none(), "{host}");
    }
    let upgrade = format!("{bert}Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n");
    assert_eq!(at.get("/api/status", &upgrade).status, 403, "a WebSocket needs the origin as well");
    assert_eq!(at.get("/api/status", &format!("{upgrade}Origin: https://evil.example\r\n")).status, 403);
    assert_eq!(at.get("/api/status", &format!("{upgrade}{}", at.origin())).status, 200);
    let evil = at.post("/login", "Origin: https://evil.example\r\n", &json!({"name": "bert", "password": BERT}));
    assert_eq!(evil.status, 403);
    let form = at.ask(
        "POST /login",
        &format!("Content-Type: application/x-www-form-urlencoded\r\n{}", at.origin()),
        &format!("name=bert&password={BERT}"),
    );
    assert!(form.status == 415 && !form.body.contains(BERT), "{form:?}");
    assert!(this.daemon.stop().0.success());
}

#[test]
fn a_link_opens_one_session_on_the_box_alone() {
    let this = PeopleBox::start();
    let (at, link) = (&this.own, this.link(&[]));
    let follow = |at: &Address, link: &str| at.post("/login", &at.origin(), &json!({"link": link}));
    assert_eq!(follow(&this.public, &link).status, 401, "a link is no way in from other hosts");
    let welcome = follow(at, &link);
    assert_eq!(welcome.json(), json!({"name": "link", "role": "operator", "expires_in_s": 3600}));
    assert!(!welcome.header("set-cookie").unwrap().contains("Secure"));
    let cookie = welcome.cookie();
    let again = follow(at, &link);
    assert!(again.status == 401 && again.json()["error"]["code"] == "link", "{again:?}");
    assert_eq!(follow(at, &"0".repeat(64)).status, 401);

    let from_page = format!("{cookie}{}", at.origin());
    assert_eq!(at.post("/api/reload", &from_page, &json!({})).status, 200);
    let made = at.post("/api/page-link", &from_page, &json!({}));
    assert_eq!(made.status, 403, "a session makes no further one: {made:?}");
    assert_eq!(at.post("/api/page-link", "", &json!({})).status, 401);
    assert_eq!(at.post("/api/page-link", &this.token(), &json!({"role": "viewer"})).json()["role"], "viewer");
    let renamed = cookie
        .replace("ocelli-", "__Host-ocelli-")
        .replace(&this.daemon.http_port().to_string(), this.public.host().rsplit(':').next().unwrap());
    assert_eq!(this.public.get("/api/status", &renamed).status, 401, "nor is its cookie one elsewhere");

    let lesser = follow(at, &this.link(&["--viewer"])).cookie();
    assert_eq!(at.get("/api/cameras", &lesser).status, 200);
    assert_eq!(at.post("/api/reload", &format!("{lesser}{}", at.origin()), &json!({})).status, 403);
    let public = format!("https://127.0.0.1:{}/", this.public.host().rsplit(':').next().unwrap());
    assert!(this.daemon.succeed(&["page"]).contains(&public));
    assert!(this.daemon.stop().0.success());
}

#[test]
fn guessing_becomes_slow_and_tells_nothing_about_names() {
    let this = PeopleBox::start();
    let at = &this.public;
    let wrong = PeopleBox::login(at, "anna", "a wrong password");
    let unknown = PeopleBox::login(at, "nobody", "a wrong password");
    assert_eq!((wrong.status, &wrong.body), (401, &unknown.body));
    assert!(unknown.status == 401 && wrong.header("set-cookie").is_none());
    let limited = wait_for("the limit", LIMIT, || {
        Some(PeopleBox::login(at, "anna", "a wrong password")).filter(|answer| answer.status == 429)
    });
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&wait) && limited.json()["error"]["code"] == "limit_reached", "{limited:?}");
    let flood: Vec<u16> = (0..20).map(|_| PeopleBox::login(at, "anna", "a wrong password").status).collect();
    assert!(flood.iter().filter(|status| **status == 429).count() >= 15, "{flood:?}");
    assert!(this.daemon.sum("ocelli_http_logins_total{result=\"limited\"}") >= 15.0);
    assert!(this.daemon.sum("ocelli_http_logins_total{result=\"wrong_password\"}") >= 5.0);
    let late = wait_for("the end of the wait", Duration::from_secs(120), || {
        Some(PeopleBox::login(at, "anna", ANNA)).filter(|answer| answer.status == 200)
    });
    assert_eq!(late.json()["name"], "anna", "the right password is enough after the wait");
    assert!(this.daemon.stop().0.success());
}

#[test]
fn people_come_and_go_without_a_restart_and_their_sessions_with_them() {
    let this = PeopleBox::start();
    let reload = || serde_json::from_str::<Value>(this.daemon.succeed(&["reload", "--json"]).lines().last().unwrap());
    let (added, text) = this.user(&["add", "carl", "--role", "operator"], "a third password\n");
    assert!(added && text.contains("viewer-carl.toml") && !text.contains("third"), "{text}");
    assert_eq!(PeopleBox::login(&this.public, "carl", "a third password").status, 401, "not yet in force");
    assert_eq!(reload().unwrap()["changed"], json!(["[[viewers]]: changed"]));
    let carl = PeopleBox::session(&this.public, "carl", "a third password");
    let anna = PeopleBox::session(&this.public, "anna", ANNA);
    let mut followed = BufReader::new(this.public.send("GET /api/events?follow=true", &carl, "").unwrap());
    let mut line = String::new();
    followed.read_line(&mut line).unwrap();
    assert!(line.contains("200"), "{line}");

    let (listed, text) = this.user(&["list"], "");
    assert!(listed && text.contains("carl") && text.contains("operator") && !text.contains("argon2"), "{text}");
    let (short, text) = this.user(&["add", "dora"], "short\n");
    assert!(!short && text.contains("at least 10 characters"), "{text}");
    let (twice, text) = this.user(&["add", "carl"], "a fourth password\n");
    assert!(!twice && text.contains("already") && text.contains("ocelli user password carl"), "{text}");

    assert!(this.user(&["password", "carl"], "a fourth password\n").0);
    reload().unwrap();
    assert_eq!(this.public.get("/api/session", &carl).status, 401, "another password ends the sessions");
    assert_eq!(this.public.get("/api/session", &anna).status, 200, "of this person alone");
    // Events as they come end with the session: with the next line, and there is one every ten seconds.
    loop {
        match followed.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "the daemon ends it, and not our patience");
                break;
            }
        }
    }
    let carl = PeopleBox::session(&this.public, "carl", "a fourth password");
    assert!(this.user(&["remove", "carl"], "").0);
    reload().unwrap();
    assert_eq!(this.public.get("/api/session", &carl).status, 401);
    assert_eq!(PeopleBox::login(&this.public, "carl", "a fourth password").status, 401);
    assert!(this.daemon.stop().0.success());
}

#[test]
fn no_secret_is_in_the_log_the_metrics_or_the_arguments() {
    let this = PeopleBox::start();
    let link = this.link(&[]);
    let followed = this.own.post("/login", &this.own.origin(), &json!({"link": link}));
    let anna = PeopleBox::login(&this.public, "anna", ANNA);
    let typed = "bert's password in the wrong field";
    PeopleBox::login(&this.public, typed, "a wrong password");
    let ticket = |answer: &Answer| answer.cookie().split('=').nth(1).unwrap().trim().to_owned();
    this.public.get("/api/status", &anna.cookie());
    let hash = std::fs::read_to_string(this.daemon.home().join("ocelli.toml")).unwrap();
    let hash = hash.split("password_hash = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", this.daemon.pid())).unwrap();
    let texts = [
        wait_for("the log", LIMIT, || Some(this.daemon.log()).filter(|log| log.contains("a login has failed"))),
        this.daemon.get("/metrics").unwrap().1,
        arguments,
        this.command(&["config", "show"], "").1,
    ];
    assert!(texts[3].contains("viewers"), "{}", texts[3]);
    for secret in [ANNA, typed, "a wrong password", &hash, &link, &ticket(&followed), &ticket(&anna)] {
        for (index, text) in texts.iter().enumerate() {
            assert!(!text.contains(secret), "{secret} in text {index}");
        }
    }
    assert!(this.daemon.stop().0.success());
}

#[test]
fn without_tls_no_login_is_offered_beyond_the_box() {
    let keys = "[[access_keys]]\naccess_key_id = \"K\"\nsecret = \"a-secret-of-some-length\"\nrole = \"operator\"\n";
    let this = PeopleBox::start_with("public_plain = true\n", &format!("{keys}{}", viewer("anna", "viewer", ANNA)));
    assert_eq!(PeopleBox::login(&this.public, "anna", ANNA).status, 404);
    assert_eq!(this.public.get("/api/session", "").status, 404);
    let here = PeopleBox::session(&this.own, "anna", ANNA);
    assert_eq!(this.own.get("/api/session", &here).json()["name"], "anna");
    assert!(this.daemon.stop().0.success());
}

#[test]
fn a_viewer_sees_the_areas_in_force_whatever_the_file_says_and_who_draws_loses_nothing_of_it() {
    let people = format!("{}{}", viewer("anna", "viewer", ANNA), viewer("bert", "operator", BERT));
    let area = "[[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]";
    let camera = format!("{}scene.ignore = [{area}]\n", camera("yard", "rtsp://127.0.0.1:9/", 5));
    let this = PeopleBox::start_with("", &format!("{people}{camera}"));
    let at = &this.own;
    let (anna, bert) = (PeopleBox::session(at, "anna", ANNA), PeopleBox::session(at, "bert", BERT));
    let (file, path) = (this.daemon.home().join("ocelli.toml"), "/api/cameras/yard/scene");
    let settings = std::fs::read_to_string(&file).unwrap();
    let in_force = json!({"regions": [], "include": [], "ignore": [[[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]]});
    std::fs::write(&file, format!("{settings}[[cameras]]\nid = \"a mistake\"\n")).unwrap();
    let shown = at.get(path, &anna);
    assert_eq!((shown.status, shown.json()), (200, in_force.clone()));
    assert_eq!(at.get("/api/cameras/street/scene", &anna).status, 404);

    let drawn = json!({"regions": [], "include": [], "ignore": []});
    let headers = format!("Content-Type: application/json\r\n{bert}{}", at.origin());
    let draw = || at.ask(&format!("PUT {path}"), &headers, &drawn.to_string());
    assert_eq!(draw().status, 422);
    // Somebody has written other areas into the file meanwhile.
    std::fs::write(&file, settings.replace("[0.4, 0.4]]", "[0.4, 0.5]]")).unwrap();
    let refused = draw();
    assert!(refused.status == 409 && refused.json()["error"]["code"] == "outdated", "{refused:?}");
    assert_eq!(at.get(path, &anna).json(), in_force);
    this.daemon.succeed(&["reload"]);
    assert_eq!(at.get(path, &anna).json()["ignore"][0][2], json!([0.4, 0.5]));
    assert_eq!(draw().status, 200);
    assert_eq!(at.get(path, &anna).json(), drawn);
    assert!(this.daemon.stop().0.success());
}
