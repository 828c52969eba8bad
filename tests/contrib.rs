//! What contrib/ has for others' programs, against a running box: each metric, label and value that the board and the alerts
//! name is there, and the subscribers see each event once, whatever happens to them and to the broker.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "contrib/queries.rs"]
mod queries;
#[path = "contrib/series.rs"]
mod series;
#[path = "contrib/subscribers.rs"]
mod subscribers;
mod support;

use queries::{Query, alerts, board, queries_of};
use series::Series;
use std::collections::BTreeSet;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::wait_for;

#[test]
fn every_metric_label_and_value_of_board_and_alerts_is_served_by_a_box() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    daemon.wait_ready();
    wait_for("a frame", Duration::from_secs(60), || (daemon.sum("ocelli_frames_detected") > 0.0).then_some(()));
    let series = Series::of(&daemon.get("/metrics").unwrap().1);
    let queries: Vec<Query> = board().into_iter().chain(alerts()).flat_map(|text| queries_of(&text)).collect();
    assert!(queries.len() > 40, "only {} metrics are named", queries.len());
    for query in &queries {
        if let Err(what) = series.has(query) {
            panic!("{query:?}: {what}");
        }
    }
}

#[test]
fn a_query_for_what_no_box_serves_is_found() {
    let served = Series::of("# TYPE ocelli_up gauge\nocelli_up{camera=\"a\",reason=\"b\"} 1\n");
    let judged = |text: &str| served.has(&queries_of(text)[0]).is_ok();
    assert!(judged("sum by (reason) (ocelli_up{camera=\"a\"})"));
    assert!(!judged("ocelli_upp"), "a wrong name");
    assert!(!judged("ocelli_up{cam=\"a\"}"), "a wrong label");
    assert!(!judged("ocelli_up{reason=~\"b|c\"}"), "a wrong value");
    assert!(!judged("sum by (cam) (ocelli_up)"), "a wrong group");
}

#[test]
fn the_board_is_one_that_grafana_takes() {
    let text = std::fs::read_to_string(support::root().join("contrib/grafana/ocelli.json")).unwrap();
    let board: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(board["title"] == "ocelli" && board["uid"] == "ocelli" && board["schemaVersion"].is_u64());
    let panels = board["panels"].as_array().unwrap();
    let mut taken = BTreeSet::new();
    for panel in panels {
        assert!(taken.insert(format!("id {}", panel["id"])), "two panels have the id {}", panel["id"]);
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for (x, y) in (0..place("w")).flat_map(|x| (0..place("h")).map(move |y| (x, y))) {
            let (x, y) = (x + place("x"), y + place("y"));
            assert!(x < 24 && taken.insert(format!("{x} {y}")), "{} lies over another panel", panel["title"]);
        }
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert!(target["expr"].as_str().unwrap().contains("$box"), "{target} is not for the chosen boxes");
        }
    }
}

#[test]
fn every_alert_says_how_grave_it_is_and_the_cure() {
    let text = std::fs::read_to_string(support::root().join("contrib/prometheus/ocelli.rules.yml")).unwrap();
    let rules: Vec<&str> = text.split("- alert: ").skip(1).collect();
    let mut names = BTreeSet::new();
    for rule in &rules {
        let name = rule.lines().next().unwrap();
        assert!(name.starts_with("Ocelli") && names.insert(name), "{name}");
        let severities = ["{ severity: page }", "{ severity: ticket }"];
        assert!(severities.iter().any(|severity| rule.contains(severity)), "{name} has no severity");
        for part in ["expr: ", "summary: \"", "cure: \"", "{{ $labels.instance }}"] {
            assert!(rule.contains(part), "{name} has no `{part}`");
        }
    }
    assert!(rules.len() >= 12 && rules.len() == alerts().len());
}
