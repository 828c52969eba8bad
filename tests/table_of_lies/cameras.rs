//! Cameras that deliver nothing, or that nobody looks at.

use crate::lie::{Lie, PATIENCE, assert_told, assert_well, json_of, wait_up};
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::refusing_camera::refuses_transport;
use crate::support::{free_port, signal, wait_within};
use rustix::process::Signal;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;

/// The port of a server that answers everything in HTTP, until the test ends.
fn answers_http() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            // Whoever asks may be gone.
            drop(client.read(&mut [0; 4096]));
            drop(client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    port
}

#[test]
fn no_blind_camera_is_green() {
    let (broker, good) = (Broker::start(), RtspCamera::surveillance(0));
    let locked = RtspCamera::start(&["--user", "u", "--password", "right"]);
    let frozen = RtspCamera::surveillance(0);
    let gone = format!("rtsp://127.0.0.1:{}/cam0", free_port());
    let cameras = [
        camera("good", good.url(), 5),
        camera("locked", &locked.url().replace("://", "://u:wrong-password@"), 5),
        camera("shut", locked.url(), 5),
        camera("lost", &good.url().replace("cam0", "nowhere"), 5),
        camera("gone", &gone, 5),
        camera("unknown", "rtsp://camera.invalid/x", 5),
        camera("udp-only", &refuses_transport(), 5),
        camera("web", &format!("rtsp://127.0.0.1:{}/x", answers_http()), 5),
        camera("frozen", frozen.url(), 5),
        camera("off", good.url(), 5) + "enabled = false\n",
        camera("misspelt", good.url(), 5) + "scene = { labels = [\"persn\"] }\n",
    ]
    .concat();
    let daemon = Daemon::start(broker.port, &cameras);
    wait_up(&daemon);
    wait_within(PATIENCE, || (daemon.sum("ocelli_camera_up{camera=\"frozen\"}") == 1.0).then_some(()));
    signal(frozen.pid(), Signal::STOP);
    let up = |id: &str| format!("ocelli_camera_up{{camera=\"{id}\"}}");
    let blind = [
        ("a wrong password", "locked", "refuses user and password"),
        ("no password", "shut", "wants a user and a password"),
        ("a wrong path", "lost", "404"),
        ("a camera that is not there", "gone", "refuses connections"),
        ("a name that nobody knows", "unknown", "camera.invalid"),
        ("a camera that streams over UDP alone", "udp-only", "transport"),
        ("something else at the port", "web", ""),
        ("a camera that hangs", "frozen", ""),
    ];
    let texts: Vec<[String; 3]> = blind
        .iter()
        .map(|(_, id, _)| [format!("camera {id} does not stream: "), up(id), format!("camera {id}")])
        .collect();
    let lies: Vec<Lie<'_>> = blind
        .iter()
        .zip(&texts)
        .map(|((what, _, words), [reason, metric, subject])| {
            let summary = "2 of 2 units, 2 of 10 cameras, broker connected";
            Lie { what, reason, summary, readyz: 200, metric: (metric, 0.0), check: (subject, words) }
        })
        .collect();
    let misspelt = Lie {
        what: "a label that the model does not know",
        reason: "camera misspelt looks for `persn`",
        summary: "2 of 10 cameras",
        readyz: 200,
        metric: (&up("misspelt"), 1.0),
        check: ("camera misspelt", "did you mean `person`"),
    };
    assert_told(&daemon, Some(&broker), &lies.into_iter().chain([misspelt]).collect::<Vec<_>>());
    for (id, why) in [
        ("locked", "refuses the login"),
        ("lost", "no such path"),
        ("gone", "refuses the connection"),
        ("unknown", "host name"),
    ] {
        let (_, view) = json_of(&daemon, &format!("/api/cameras/{id}"));
        assert!(view["reason"].as_str().unwrap().contains(why), "{id}: {view}");
    }
    // Where nobody answers, the reason is the network's, and the process that looked for it lives.
    assert_eq!(daemon.sum("ocelli_capture_restarts_total"), 0.0, "{}", daemon.log());
    let (_, status) = json_of(&daemon, "/api/status");
    assert!(status["last_trouble"]["what"].as_str().unwrap().contains("camera "), "{status}");
    signal(frozen.pid(), Signal::CONT);

    let (_, all) = json_of(&daemon, "/api/cameras");
    assert_eq!((&all["box_id"], all["cameras"].as_object().unwrap().len()), (&json!("box"), 11));
    assert_eq!(all["cameras"]["off"]["state"], "disabled");
    let view = &all["cameras"]["good"];
    assert_eq!(
        (&view["state"], &view["width"], &view["model"]),
        (&json!("streaming"), &json!(768), &json!("coco-ssd"))
    );
    assert!(
        view["outcomes"]["detected"].as_u64().unwrap() > 0 && view["decoded_fps"].as_f64().unwrap() > 0.5,
        "{view}"
    );
    assert_eq!(json_of(&daemon, "/api/cameras/other").0, 404);

    for id in ["locked", "shut", "lost", "gone", "unknown", "udp-only", "web", "misspelt"] {
        let said = daemon.succeed(&["ctl", "disable", id]);
        assert_eq!(said.trim(), format!("box box: {id}: disabled"));
    }
    assert_well(&daemon, "2 of 2 units, 2 of 2 cameras, broker connected");
    let shown = daemon.succeed(&["ctl", "models"]);
    assert!(shown.starts_with("box box\n"), "{shown}");

    daemon.succeed(&["ctl", "stop", "coco-ssd", "--wait"]);
    let reason = "camera good is not analysed: its model coco-ssd is STOPPED";
    let metric = ("ocelli_in_service_inference_units", 0.0);
    let summary = "0 of 0 units, 2 of 2 cameras, broker connected; camera";
    let what = "a model that was stopped";
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check: ("", "") }]);
    assert!(!daemon.log().contains("wrong-password"));
    assert!(daemon.stop().0.success());
}
