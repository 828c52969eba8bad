//! Models that three boxes share.

use crate::site::{BOXES, LIMIT, Site};
use crate::support::balancer::said;
use crate::support::{from_setup, root, signal, wait_for};
use rustix::process::Signal;
use serde_json::Value;
use std::process::Command;

/// The model as a box sees it on all boxes together.
fn shared(site: &Site, number: usize) -> Value {
    let answer = site.boxes[number].get("/api/models/coco-ssd").map_or_else(String::new, |(_, answer)| answer);
    serde_json::from_str::<Value>(&answer).unwrap_or_default()["cluster"].clone()
}

/// Units in service of the boxes with these numbers, as each says itself.
fn in_service(site: &Site, numbers: &[usize]) -> Vec<u64> {
    let units = |number: &usize| {
        let answer = site.boxes[*number].get("/api/models/coco-ssd")?.1;
        serde_json::from_str::<Value>(&answer).ok()?["in_service_inference_units"].as_u64()
    };
    numbers.iter().map(|number| units(number).unwrap_or_default()).collect()
}

/// Every box tells the same hours of all boxes.
fn assert_hours(site: &Site) {
    let told = |number: usize| -> Option<(Vec<String>, f64)> {
        let answer: Value = serde_json::from_str(&site.boxes[number].get("/api/cluster/hours")?.1).ok()?;
        let boxes = answer["hours"].as_array()?.first()?["boxes"].as_object()?.keys().cloned().collect();
        Some((boxes, answer["inference_hours"].as_f64()?))
    };
    wait_for("hours of three boxes", LIMIT, || {
        let all: Vec<_> = (0..3).map(told).collect::<Option<_>>()?;
        // Three answers come one after the other, and units add to the hours meanwhile.
        let is_same =
            all.iter().all(|(boxes, hours)| *boxes == BOXES && *hours > 0.0 && (hours - all[0].1).abs() < 0.01);
        is_same.then_some(())
    });
    let (status, text) = site.boxes[2].subcommand(&["cluster", "hours"]);
    assert!(status.success() && BOXES.iter().all(|name| text.contains(name)), "{text}");
}

#[test]
fn units_are_spread_over_the_boxes_by_the_api_of_aws_and_a_stop_is_one_everywhere() {
    let mut site = Site::start_sharing(2);
    let balancer = site.balancer();
    let run = |part: &str| {
        let mut script = Command::new(from_setup(".setup/venv/bin/python"));
        script.arg(root().join("tests/cluster_calls/models.py")).arg(part);
        script.arg(format!("https://localhost:{}", balancer.port));
        script.args(site.ports.iter().map(|ports| format!("https://localhost:{}", ports.public)));
        script.env("OCELLI_CERTIFICATE", site.authority.file()).env("OCELLI_PHOTO", from_setup("testdata/photo.jpg"));
        let output = script.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    run("stop");
    // No box has a unit, and HAProxy still passes on the call that starts the model.
    wait_for("boxes without units", LIMIT, || {
        balancer.boxes().values().all(|(state, weight)| state == "UP" && *weight == 1).then_some(())
    });
    run("start");
    assert_hours(&site);

    // Two units of the box that dies are needed elsewhere: the others have room for exactly those.
    let before = in_service(&site, &[0, 1, 2]);
    assert_eq!(before.iter().sum::<u64>(), 4, "{before:?}");
    signal(site.boxes[2].pid(), Signal::KILL);
    wait_for("the units of the dead box", LIMIT, || (in_service(&site, &[0, 1]) == [2, 2]).then_some(()));
    // What a box says of all is as old as what the others last wrote to etcd.
    wait_for("their sum at one box", LIMIT, || (shared(&site, 0)["in_service_inference_units"] == 4).then_some(()));

    // One unit of all: at one box, and the other hands its calls on.
    site.succeed(0, &["ctl", "scale", "coco-ssd", "--min", "1", "--wait"]);
    wait_for("one unit", LIMIT, || {
        let mut units = in_service(&site, &[0, 1]);
        units.sort_unstable();
        (units == [0, 1]).then_some(())
    });
    wait_for("its room", LIMIT, || {
        let statuses = [0, 1].map(|number| site.call_in_parallel(number, 1)[0]);
        (statuses == [200, 200]).then_some(())
    });
    let units = |what: &str| {
        let name = format!("ocelli_cluster_model_units{{model=\"coco-ssd\",units=\"{what}\"}}");
        site.boxes[1].metrics("ocelli_cluster_model_units").get(&name).copied()
    };
    wait_for("metrics of it", LIMIT, || {
        ([units("wanted"), units("in_service"), units("missing")] == [Some(1.0), Some(1.0), Some(0.0)]).then_some(())
    });
    wait_for("both boxes to call it running", LIMIT, || {
        [0, 1].iter().all(|number| shared(&site, *number)["state"] == "RUNNING").then_some(())
    });

    // Until the next command each box runs it by itself.
    site.succeed(1, &["cluster", "models", "release", "coco-ssd"]);
    wait_for("no order", LIMIT, || (shared(&site, 0).is_null() && shared(&site, 1).is_null()).then_some(()));
    assert_eq!(in_service(&site, &[0, 1]).iter().sum::<u64>(), 1);
    wait_for("no metrics of it", LIMIT, || units("wanted").is_none().then_some(()));
    let (status, text) = site.boxes[1].subcommand(&["cluster", "models", "release", "coco-ssd"]);
    assert!(!status.success() && text.contains("nothing is wanted of a model `coco-ssd`"), "{text}");

    // Without etcd nothing is started or stopped at one box alone.
    site.etcd.kill(0);
    let (status, text) = site.boxes[0].subcommand(&["ctl", "stop", "coco-ssd"]);
    assert!(!status.success() && text.contains("etcd"), "{text}");
    assert_eq!(in_service(&site, &[0, 1]).iter().sum::<u64>(), 1);
    site.boxes.truncate(2);
    site.boxes.iter().for_each(|daemon| daemon.assert_ledger_closes());
}
