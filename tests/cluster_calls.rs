//! Calls in a cluster: real daemons behind a real HAProxy, which hand each other what they would refuse.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "cluster_calls/models.rs"]
mod models;
#[path = "cluster_calls/site.rs"]
mod site;
mod support;

use rustix::process::Signal;
use serde_json::Value;
use site::{LIMIT, Site};
use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::balancer::{check_keepalived, said};
use support::{root, signal, wait_for};

/// What a run of the callers has printed.
fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn agent_answer(port: u16) -> Option<String> {
    let mut answer = String::new();
    TcpStream::connect(("127.0.0.1", port)).ok()?.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn haproxy_knows_the_room_of_each_box_and_sends_nothing_to_one_that_drains() {
    let site = Site::start(100);
    let agent = site.ports[0].agent;
    let idle = wait_for("room", LIMIT, || agent_answer(agent).filter(|answer| answer == "ready up 100%\n"));
    assert_eq!(idle.lines().count(), 1);
    let balancer = site.balancer();
    let state = |number: &str| balancer.boxes()[number].clone();
    wait_for("all boxes", LIMIT, || {
        balancer.boxes().values().all(|(state, weight)| state == "UP" && *weight == 100).then_some(())
    });
    site.succeed(0, &["ctl", "drain"]);
    wait_for("the drain", LIMIT, || (state("box-1").0 == "DRAIN (agent)" || state("box-1").0 == "DRAIN").then_some(()));
    assert_eq!(agent_answer(agent).as_deref(), Some("drain\n"));
    assert_eq!(state("box-2").0, "UP");
    site.succeed(0, &["ctl", "undrain"]);
    wait_for("the end of the drain", LIMIT, || (state("box-1").0 == "UP").then_some(()));
    // Calls that keep its unit busy leave less of it.
    wait_for("less room", LIMIT, || {
        site.call_in_parallel(1, 8);
        (state("box-2").1 < 100).then_some(())
    });
    // What box-2 could not take on a busy machine may have gone to box-3.
    wait_for("the room of box-3", LIMIT, || (state("box-3") == ("UP".to_owned(), 100)).then_some(()));
}

#[test]
fn keepalived_takes_the_example() {
    let example = root().join("configs/keepalived.conf");
    let output = check_keepalived(&example);
    assert!(output.status.success(), "{}", said(&output));
    let home = tempfile::tempdir().unwrap();
    let broken = home.path().join("broken.conf");
    let text = std::fs::read_to_string(example).unwrap();
    std::fs::write(&broken, text.replace("virtual_router_id 51", "virtual_router_id 5100")).unwrap();
    assert!(!check_keepalived(&broken).status.success(), "the check finds mistakes");
}

/// The first box allows two calls a second, the others a hundred.
fn narrow_first() -> Site {
    let site = Site::start_with(|name| format!("tps_limit = {}\n", if name == "box-a" { 2 } else { 100 }));
    wait_for("the others' room", LIMIT, || {
        let dump = site.etcd.dump();
        (dump.matches("\"free_tps\"").count() >= 3).then_some(())
    });
    site
}

#[test]
fn what_one_box_has_no_room_for_another_answers_and_a_box_that_does_not_answer_costs_little() {
    let site = narrow_first();
    // Few enough that the others have room on a slow machine too.
    let statuses = site.call_in_parallel(0, 8);
    assert_eq!(statuses, [200; 8], "{:?}", site.boxes[0].metrics("ocelli_cluster_calls"));
    let answered = site.count(0, "handed_on_total{outcome=\"answered\"}");
    assert!(answered >= 4.0, "{answered} were handed on");
    assert_eq!(site.count(1, "taken_total") + site.count(2, "taken_total"), answered);
    assert_eq!(site.count(1, "handed_on") + site.count(2, "handed_on"), 0.0, "what came from a box stays");
    // The one with more room takes a call: which that is follows from how busy they are.
    wait_for("a share of both", LIMIT, || {
        site.call_in_parallel(0, 4);
        (site.count(1, "taken_total") > 0.0 && site.count(2, "taken_total") > 0.0).then_some(())
    });
    // Both others stand still, and etcd does not know yet: a caller is refused within bounded time.
    signal(site.boxes[1].pid(), Signal::STOP);
    signal(site.boxes[2].pid(), Signal::STOP);
    let begun = Instant::now();
    let statuses = site.call_in_parallel(0, 12);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(statuses.iter().all(|status| [200, 429].contains(status)) && statuses.contains(&429), "{statuses:?}");
    let lost = ["timed_out", "unreachable"].map(|why| site.count(0, &format!("handed_on_total{{outcome=\"{why}\"}}")));
    assert!(lost.iter().sum::<f64>() >= 1.0, "{:?}", site.boxes[0].metrics("ocelli_cluster_calls"));
    wait_for("nobody to ask", LIMIT, || {
        site.call_in_parallel(0, 4);
        (site.count(0, "handed_on_total{outcome=\"no_peer\"}") > 0.0).then_some(())
    });
    signal(site.boxes[1].pid(), Signal::CONT);
    signal(site.boxes[2].pid(), Signal::CONT);
    wait_for("the others again", LIMIT, || {
        site.call_in_parallel(0, 4).iter().all(|status| *status == 200).then_some(())
    });
    site.boxes.iter().for_each(|daemon| daemon.assert_ledger_closes());
}

#[test]
fn what_came_from_a_box_stays_there_when_that_has_no_room_either() {
    let site = Site::start(1);
    wait_for("the others' room", LIMIT, || (site.etcd.dump().matches("\"free_tps\"").count() >= 3).then_some(()));
    let statuses = site.call_in_parallel(0, 12);
    assert!(statuses.contains(&429), "{statuses:?}");
    let (asked, refused) = (site.count(0, "handed_on_total"), site.count(0, "handed_on_total{outcome=\"refused\"}"));
    let taken = site.count(1, "taken_total") + site.count(2, "taken_total");
    assert!(refused > 0.0 && taken <= asked, "{refused} refused of {asked} handed on, {taken} taken");
    assert_eq!(site.count(1, "handed_on_total") + site.count(2, "handed_on_total"), 0.0);
}

#[test]
fn boxes_take_calls_from_those_alone_that_have_a_certificate_of_their_authority() {
    let site = Site::start(100);
    let stranger = support::certificates::Authority::new("another").sign(&["127.0.0.1"], support::certificates::VALID);
    let ask = |identity: Option<(&str, &str)>| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "--data", "x"]);
        curl.args(["--cacert", &site.authority.file()]);
        if let Some((certificate, key)) = identity {
            curl.args(["--cert", certificate, "--key", key]);
        }
        let output = curl.arg(format!("https://127.0.0.1:{}/cluster/v1/calls", site.peers[0])).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(ask(Some((&site.identity.certificate, &site.identity.key))), (true, "400".to_owned()));
    assert!(!ask(None).0, "without a certificate");
    assert!(!ask(Some((&stranger.certificate, &stranger.key))).0, "of another authority");
}

#[test]
fn sdks_see_no_error_while_one_box_dies_and_another_drains_and_are_refused_only_when_all_are_full() {
    let site = Site::start(4);
    let balancer = site.balancer();
    wait_for("all boxes", LIMIT, || balancer.boxes().values().all(|(state, _)| state == "UP").then_some(()));
    let full = told(&site.callers(&balancer, &["16", "12", "0", "1"]).output().unwrap());
    let tps = full["answers_a_second"].as_f64().unwrap();
    assert!(tps > 2.0 * 4.0, "two boxes cannot do that: {full}");
    let errors: Vec<&String> = full["ended"].as_object().unwrap().keys().filter(|how| *how != "ok").collect();
    assert_eq!(errors, ["ProvisionedThroughputExceededException"], "{full}");

    // What one box alone can carry.
    let mut callers = site.callers(&balancer, &["16", "24", "3", "3"]);
    let callers = callers.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let taken = |box_number: usize| site.boxes[box_number].sum("ocelli_images_detected");
    let (before, mut first) = (taken(2), 0.0);
    wait_for("calls", LIMIT, || {
        first = taken(2);
        (first > before).then_some(())
    });
    site.succeed(1, &["ctl", "drain"]);
    wait_for("the drain", LIMIT, || balancer.boxes()["box-2"].0.starts_with("DRAIN").then_some(()));
    wait_for("more calls", LIMIT, || (taken(2) > first).then_some(()));
    signal(site.boxes[2].pid(), Signal::KILL);
    let ended = told(&callers.wait_with_output().unwrap());
    assert_eq!(ended["ended"].as_object().unwrap().keys().collect::<Vec<_>>(), ["ok"], "{ended}");
    assert!(ended["calls"].as_u64().unwrap() >= 70, "{ended}");
    println!("three full boxes of 4 TPS: {tps:.1} answers a second; one left of three: {ended}");
}
