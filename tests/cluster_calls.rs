//! Calls in a cluster: real daemons behind a real HAProxy, which hand each other what they would refuse.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "cluster_calls/site.rs"]
mod site;
mod support;

use site::{LIMIT, Site};
use std::io::Read;
use std::net::TcpStream;
use support::balancer::{check_keepalived, said};
use support::{root, wait_for};

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
    assert_eq!(state("box-3"), ("UP".to_owned(), 100));
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
