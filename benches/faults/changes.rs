//! Scale-ins and new versions while images come: not one is lost.

use crate::figure;
use crate::load::Load;
use crate::report::Figure;
use crate::share_of;
use crate::support::broker::Broker;
use crate::support::daemon::Daemon;
use crate::support::wait_for;
use std::time::Duration;

const MODEL: &str = "[units]\nmax_units = 6\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 2\n";
const TPS: f64 = 30.0;

fn model(daemon: &Daemon) -> serde_json::Value {
    let text = wait_for("the daemon", Duration::from_secs(5), || daemon.get("/api/models/coco-ssd"));
    serde_json::from_str(&text.1).unwrap()
}

fn command(daemon: &Daemon, verb: &str, body: &serde_json::Value) {
    let (status, answer) = daemon.post_json(&format!("/api/models/coco-ssd/{verb}"), body).unwrap();
    assert_eq!(status, 202, "{answer}");
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, MODEL);
    daemon.wait_ready();
    let load = Load::start(daemon.http_port(), TPS);
    let scale_ins = share_of(1_000);
    for count in 0..scale_ins {
        for units in [3, 2] {
            command(&daemon, "scale", &serde_json::json!({"min_inference_units": units}));
            wait_for("the units", Duration::from_secs(20), || (daemon.units().len() == units).then_some(()));
        }
        if count % 100 == 99 {
            println!("  {} of {scale_ins} scale-ins", count + 1);
        }
    }
    let answers = load.take();
    let lost = answers.failed.len() + answers.refused_ms.len();
    println!("  {} detected, {lost} not: {:?}", answers.detected_ms.len(), answers.failed.first());
    let method = "2 to 3 and back to 2 units while 30 images a second come";
    figures.push(figure("changes: scale-ins", scale_ins as f64, "", None, method));
    figures.push(figure("changes: requests lost in scale-ins", lost as f64, "", Some(0.0), method));

    let swaps = share_of(200);
    for count in 0..swaps {
        let package = if count % 2 == 0 { "coco-ssd-nms" } else { "coco-ssd" };
        command(&daemon, "swap", &serde_json::json!({"package": package}));
        wait_for("the new version", Duration::from_secs(20), || {
            let view = model(&daemon);
            (view["package"] == package && view["next_version"].is_null()).then_some(())
        });
        if count % 50 == 49 {
            println!("  {} of {swaps} swaps", count + 1);
        }
    }
    let answers = load.finish();
    let lost = answers.failed.len() + answers.refused_ms.len();
    println!("  {} detected, {lost} not: {:?}", answers.detected_ms.len(), answers.failed.first());
    let method = "between two packages while 30 images a second come";
    figures.push(figure("changes: model swaps", swaps as f64, "", None, method));
    figures.push(figure("changes: requests lost in swaps", lost as f64, "", Some(0.0), method));
    daemon.assert_ledger_closes();
}
