//! Models as a service: scaled, swapped, stopped and kept, with real units under load.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{from_setup, root, signal, wait_for};

/// A directory with the packages `coco-ssd`, `coco-ssd-nms`, `broken`, whose model is cut short, and `blind`, which
/// does not see its canary.
fn packages() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (package, source) in
        [("coco-ssd", "coco-ssd"), ("coco-ssd-nms", "coco-ssd-nms"), ("broken", "coco-ssd"), ("blind", "coco-ssd")]
    {
        let target = home.path().join(package);
        std::fs::create_dir(&target).unwrap();
        for entry in std::fs::read_dir(from_setup(&format!("models/{source}"))).unwrap().flatten() {
            std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
        }
    }
    std::fs::write(home.path().join("broken/model.onnx"), b"cut short").unwrap();
    let manifest = home.path().join("blind/manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(manifest, text.replace("label = \"person\"", "label = \"cat\"")).unwrap();
    home
}

fn settings(packages: &Path, camera_url: &str) -> String {
    let models = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 2\n";
    let units = format!("[units]\nmax_units = 4\nmodels_directory = \"{}\"\n", packages.display());
    format!("{models}{units}{}", camera("yard", camera_url, 10))
}

fn model(daemon: &Daemon) -> serde_json::Value {
    serde_json::from_str(&daemon.get("/api/models/coco-ssd").unwrap().1).unwrap()
}

#[test]
fn a_model_is_scaled_and_swapped_under_load_without_losing_a_frame() {
    let (broker, yard, packages) = (Broker::start(), RtspCamera::surveillance(0), packages());
    let daemon = Daemon::start(broker.port, &settings(packages.path(), yard.url()));
    let messages = broker.subscribe("ocelli/box/cameras/yard/detections");
    daemon.wait_ready();
    messages.wait_json("a frame", 30, "detections", |_| true);

    for units in ["3", "1", "2"] {
        daemon.succeed(&["ctl", "scale", "coco-ssd", "--min", units, "--wait"]);
        wait_for("the processes", Duration::from_secs(10), || {
            (daemon.units().len().to_string() == units).then_some(())
        });
    }
    for package in ["coco-ssd-nms", "coco-ssd", "coco-ssd-nms"] {
        let shown = daemon.succeed(&["ctl", "swap", "coco-ssd", "--package", package, "--wait"]);
        assert!(shown.contains("RUNNING") && shown.contains(package), "{shown}");
    }
    messages.take_count("");
    messages.wait_json("a person by the other package", 30, "detections", |json| {
        json["detections"].as_array().unwrap().iter().any(|found| found["label"] == "person")
    });

    for (package, why) in [("broken", "sha256"), ("blind", "canary.jpg shows a cat")] {
        let (status, text) = daemon.command(&["ctl", "swap", "coco-ssd", "--package", package, "--wait"]);
        assert!(!status.success() && text.contains(why), "{text}");
        let view = model(&daemon);
        assert_eq!((&view["state"], &view["package"]), (&"RUNNING".into(), &"coco-ssd-nms".into()));
    }
    for (arguments, word) in [
        (vec!["ctl", "swap", "coco-ssd", "--package", "../coco-ssd"], "not a package"),
        (vec!["ctl", "scale", "coco-ssd", "--min", "9"], "max_units"),
        (vec!["ctl", "start", "coco-ssd"], "RUNNING"),
        (vec!["ctl", "stop", "other"], "no model"),
    ] {
        let (status, text) = daemon.command(&arguments);
        assert!(!status.success() && text.contains(word), "{arguments:?}: {text}");
    }
    assert_eq!(daemon.sum("ocelli_frames_failed"), 0.0);
    assert_eq!(daemon.sum("ocelli_frames_shed_total{camera=\"yard\",reason=\"stale\"}"), 0.0);
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn what_commands_have_changed_and_the_meter_has_counted_outlives_a_restart() {
    let (broker, yard, packages) = (Broker::start(), RtspCamera::surveillance(0), packages());
    let mut daemon = Daemon::start(broker.port, &settings(packages.path(), yard.url()));
    daemon.wait_ready();
    daemon.succeed(&["ctl", "scale", "coco-ssd", "--min", "1", "--max", "3", "--wait"]);
    daemon.succeed(&["ctl", "swap", "coco-ssd", "--package", "coco-ssd-nms", "--wait"]);
    daemon.restart();
    daemon.wait_ready();
    let view = model(&daemon);
    assert_eq!(view["package"], "coco-ssd-nms");
    assert_eq!((&view["min_inference_units"], &view["max_inference_units"]), (&1.into(), &3.into()));
    assert!(daemon.sum("ocelli_inference_hours{model=\"coco-ssd\"") > 0.0, "the meter goes on where it was");

    daemon.succeed(&["ctl", "stop", "coco-ssd", "--wait"]);
    assert!(daemon.units().is_empty());
    daemon.restart();
    // The server answers a moment before it has the first status.
    let there = || daemon.get("/api/models/coco-ssd").filter(|got| got.0 == 200);
    wait_for("the daemon", Duration::from_secs(20), there);
    assert_eq!(model(&daemon)["state"], "STOPPED");
    let stopped = daemon.sum("ocelli_inference_hours{model=\"coco-ssd\"");
    wait_for("frames that nobody looks at", Duration::from_secs(20), || {
        (daemon.sum("ocelli_frames_shed_total{camera=\"yard\",reason=\"model_stopped\"}") > 3.0).then_some(())
    });
    assert!((daemon.sum("ocelli_inference_hours{model=\"coco-ssd\"") - stopped).abs() < 1e-12);
    daemon.succeed(&["ctl", "start", "coco-ssd", "--wait"]);

    let shown = daemon.succeed(&["hours"]);
    assert!(shown.contains("PROJECT") && shown.contains("coco-ssd"), "{shown}");
    let metric = daemon.sum("ocelli_inference_hours{model=\"coco-ssd\"");
    // The file is written once a minute. Both are made of one status, not at one instant.
    let seconds = wait_for("hours as fresh as the metric", Duration::from_secs(5), || {
        let csv = daemon.succeed(&["hours", "--csv"]);
        let seconds = csv.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse::<f64>().unwrap());
        Some(seconds.sum::<f64>()).filter(|seconds| seconds / 3600.0 > metric - 1e-6)
    });
    assert!((1.0..600.0).contains(&seconds), "{seconds}");
    let (status, text) = daemon.command(&["hours", "--month", "../../x"]);
    assert!(!status.success() && text.contains("2026-11"), "{text}");
}

#[test]
fn the_plan_measures_this_box_and_a_camera() {
    let (yard, home) = (RtspCamera::surveillance(0), tempfile::tempdir().unwrap());
    let settings = home.path().join("ocelli.toml");
    std::fs::write(&settings, camera("yard", yard.url(), 5)).unwrap();
    let daemon_less = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ocelli"))
            .current_dir(root())
            .env("OCELLI_UNITS__CACHE_DIRECTORY", root().join("target/model-cache"))
            .args(["plan", "--config", settings.to_str().unwrap()])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = daemon_less(&["--seconds", "1", "--max-units", "1", "--tps", "1000000", "--tiles", "2x2", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (tps, units) = (plan["best"]["tps"].as_f64().unwrap(), plan["inference_units"].as_f64().unwrap());
    assert!(tps > 0.1, "{plan}");
    assert!((units - (1e6 / tps).ceil()).abs() < 1.5, "{plan}");
    assert_eq!(plan["transactions_per_frame"], 5);
    assert!((plan["cameras"].as_f64().unwrap() - (0.7 * tps / 25.0).floor()).abs() < 1.5, "{plan}");
    let decoding = &plan["decoding"];
    assert_eq!((decoding["camera"].as_str(), decoding["codec"].as_str()), (Some("yard"), Some("h264")), "{plan}");
    let (busy, idle) = (decoding["busy_cores"].as_f64().unwrap(), decoding["idle_cores"].as_f64().unwrap());
    assert!(0.0 < idle && idle < busy && busy < 2.0, "{plan}");
    let fit = |row: usize| decoding["fit"][row]["cameras"].as_u64().unwrap();
    assert!(fit(0) <= fit(1) && fit(1) <= fit(2) && fit(2) < fit(3), "fewer of them are busy: {plan}");
}

/// The first core that a process may use.
fn core(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    line.trim().to_owned()
}

#[test]
fn a_zone_whose_units_die_is_taken_out_and_comes_back() {
    let cores = ocelli::os::cores::usable();
    let [left, .., right] = cores[..] else {
        eprintln!("skipped: two zones of one core each need two cores");
        return;
    };
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let zones = format!(
        "[[zones]]\nname = \"left\"\ncores = [{left}]\n[[zones]]\nname = \"right\"\ncores = [{right}]\n\
         [units]\nmax_units = 6\nzone_probe_seconds = 3.0\nmodels_directory = \"{}\"\n\
         [[models]]\nname = \"coco-ssd\"\nmin_inference_units = 4\n",
        root().join("models").display()
    );
    let daemon = Daemon::start(broker.port, &(zones + &camera("yard", yard.url(), 5)));
    let messages = broker.subscribe("ocelli/box/cameras/yard/detections");
    daemon.wait_ready();
    let share = |count: u64| serde_json::json!({"left": count, "right": count});
    wait_for("an even spread", Duration::from_secs(20), || (model(&daemon)["zones"] == share(2)).then_some(()));

    wait_for("the zone to be taken out", Duration::from_secs(20), || {
        for unit in daemon.units().into_iter().filter(|pid| core(*pid) == left.to_string()) {
            signal(unit, Signal::KILL);
        }
        (model(&daemon)["zones"] == serde_json::json!({"right": 4})).then_some(())
    });
    messages.take_count("");
    messages.wait_json("frames without the zone", 10, "detections", |_| true);
    wait_for("the zone to be back", Duration::from_secs(40), || (model(&daemon)["zones"] == share(2)).then_some(()));
    assert_eq!(model(&daemon)["state"], "RUNNING");
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}
