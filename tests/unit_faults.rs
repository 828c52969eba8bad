//! Every way in which a unit can fail: the whole appliance, with units that fail as they are told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::appliance::{Appliance, ChildPrograms, Identity, Reporter};
use ocelli::control::images::{ImageReply, Waiting};
use ocelli::control::{ApplianceStatus, Command, Control};
use ocelli::settings::Settings;
use ocelli::supervisor::ModelState;
use ocelli::telemetry::metrics::Metrics;
use ocelli::vision::look_options::LookOptions;
use ocelli::vision::outcome::{FailureCause, ShedReason};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::camera::RtspCamera;
use support::memory_cgroup::MemoryCgroup;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// An appliance with two scripted units.
struct ScriptedBox {
    control: Control,
    stop: watch::Sender<bool>,
    running: JoinHandle<ApplianceStatus>,
    _home: tempfile::TempDir,
}

impl ScriptedBox {
    fn start(package: &str) -> Self {
        Self::start_with(package, "")
    }

    fn start_with(package: &str, cameras: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("models").join(package);
        std::fs::create_dir_all(&directory).unwrap();
        for file in ["manifest.toml", "labels.txt"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/coco-ssd").join(file);
            std::fs::copy(source, directory.join(file)).unwrap();
        }
        let text = format!(
            "state_directory = \"{0}/state\"\n[mqtt]\nenabled = false\n[units]\nmodels_directory = \"{0}/models\"\n\
             load_timeout_seconds = 1.0\n[[models]]\nname = \"scripted\"\npackage = \"{package}\"\n\
             min_inference_units = 2\n{cameras}",
            home.path().display()
        );
        let file = home.path().join("ocelli.toml");
        std::fs::write(&file, text).unwrap();
        let settings = Settings::load_with(&[file], HashMap::new()).unwrap();
        let reporter = Reporter::new(Identity { box_id: "box".into() }, None, None, Arc::new(Metrics::new()));
        let (appliance, control, _) = Appliance::new(settings, BTreeMap::new(), reporter, programs()).unwrap();
        let (stop, stopped) = watch::channel(false);
        Self { control, stop, running: tokio::spawn(appliance.run(stopped)), _home: home }
    }

    async fn ready() -> Self {
        let scripted = Self::start("answers");
        scripted.wait("two units", |status| status.is_ready()).await;
        scripted
    }

    async fn wait(&self, what: &str, is_so: impl Fn(&ApplianceStatus) -> bool) {
        let begun = Instant::now();
        while !is_so(&self.control.status()) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{what}: {:?}", self.control.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn send(&self, script: &str) -> ImageReply {
        let mut slot = self.control.images.reserve().unwrap();
        slot.write(script.as_bytes()).unwrap();
        let waiting = Waiting { patience: Duration::from_secs(20), is_first_try: false };
        self.control.images.detect("scripted".into(), slot, waiting, LookOptions::default()).await
    }

    fn restarts(&self) -> u64 {
        self.control.status().models["scripted"].restarts
    }

    /// Both units are there again and work, nothing is left behind, and the stop is clean.
    async fn finish(self, restarts: u64) {
        self.wait("the replacements", |status| status.is_ready() && status.models["scripted"].restarts == restarts)
            .await;
        for _ in 0..4 {
            assert!(matches!(self.send("ok").await, ImageReply::Detected(..)));
        }
        self.stop.send_replace(true);
        let last = self.running.await.unwrap();
        assert!(last.ledger_closes() && last.in_flight == 0, "{last:?}");
        let free: Vec<_> = std::iter::from_fn(|| self.control.images.reserve()).collect();
        assert_eq!(free.len(), 64, "no slot is lost");
    }
}

/// The scripted unit of `target/<profile>/examples`, beside the directory of this test, and the real capture process.
fn programs() -> ChildPrograms {
    let test = std::env::current_exe().unwrap();
    let unit = test.parent().and_then(Path::parent).unwrap().join("examples/scripted_unit");
    ChildPrograms { unit, capture: env!("CARGO_BIN_EXE_ocelli").into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_a_unit_is_tried_once_more_and_not_a_third_time() {
    for fault in ["panic", "abort", "kill", "half a message", "unknown request"] {
        let scripted = ScriptedBox::ready().await;
        assert_eq!(scripted.send(fault).await, ImageReply::Failed(FailureCause::UnitDied), "{fault}");
        scripted.finish(2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_runs_out_of_memory_is_replaced() {
    let scripted = ScriptedBox::ready().await;
    let group = MemoryCgroup::create(64 << 20);
    if let Some(group) = &group {
        scripted.control.status().unit_pids.into_iter().for_each(|pid| group.add(pid));
    }
    assert_eq!(scripted.send("out of memory").await, ImageReply::Failed(FailureCause::UnitDied));
    match &group {
        Some(group) => assert_eq!(group.oom_kills(), 2, "the kernel has ended both"),
        None => eprintln!("without a memory control group the units' own limit has ended them"),
    }
    scripted.finish(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_hangs_is_killed_and_so_is_the_next() {
    let scripted = ScriptedBox::ready().await;
    // A measured service time makes the deadline two seconds.
    assert!(matches!(scripted.send("ok").await, ImageReply::Detected(..)));
    let (hung, well) = (scripted.send("hang"), scripted.send("ok"));
    let (hung, well) = tokio::join!(hung, well);
    assert_eq!(hung, ImageReply::Failed(FailureCause::UnitHung));
    assert!(matches!(well, ImageReply::Detected(..)), "the other unit worked meanwhile: {well:?}");
    scripted.finish(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_a_unit_that_looks_at_several_together_fails_alone() {
    let scripted = ScriptedBox::start_with("answers", "max_batch = 4\n");
    scripted.wait("two units", |status| status.is_ready()).await;
    assert_eq!(scripted.control.status().models["scripted"].batch, 4);
    // Images may wait once it is known how fast the units are.
    for _ in 0..20 {
        assert!(matches!(scripted.send("ok").await, ImageReply::Detected(..)));
    }
    let (one, other, first, bad, last) = tokio::join!(
        scripted.send("slow"),
        scripted.send("slow"),
        scripted.send("ok"),
        scripted.send("abort"),
        scripted.send("ok")
    );
    assert_eq!(bad, ImageReply::Failed(FailureCause::UnitDied));
    let together = |reply: &ImageReply| match reply {
        ImageReply::Detected(answer, _) => answer.size.0,
        _ => panic!("{reply:?}"),
    };
    assert_eq!([&one, &other, &first, &last].map(together), [1, 1, 3, 1], "three together, and the last again alone");
    scripted.finish(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_fails_the_image_and_a_second_answer_the_unit() {
    let scripted = ScriptedBox::ready().await;
    assert_eq!(scripted.send("not a number").await, ImageReply::Failed(FailureCause::InvalidOutput));
    assert_eq!(scripted.restarts(), 0, "a unit may err once");
    assert!(matches!(scripted.send("two answers").await, ImageReply::Detected(..)));
    scripted.finish(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_hangs_while_it_loads_has_failed_and_refuses_at_once() {
    let scripted = ScriptedBox::start("hangs");
    assert!(matches!(scripted.send("ok").await, ImageReply::Shed(ShedReason::NoUnits, _)));
    scripted
        .wait("the failure", |status| {
            status.models.get("scripted").is_some_and(|model| model.state == ModelState::Failed)
        })
        .await;
    scripted.stop.send_replace(true);
    assert!(scripted.running.await.unwrap().ledger_closes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_that_want_more_than_the_units_can_do_are_paced_by_weight_and_let_go_again() {
    // Two units of 200 ms look at ten frames a second; the cameras want fifty.
    let camera = RtspCamera::start(&["--size", "320x240", "--fps", "25", "--count", "2"]);
    let blocks = support::daemon::camera("heavy", &camera.urls[0], 0)
        + "weight = 3\n"
        + &support::daemon::camera("light", &camera.urls[1], 0);
    let scripted = ScriptedBox::start_with("answers", &blocks);
    let is_paced = |status: &ApplianceStatus, camera: &str| {
        status.degraded.iter().any(|reason| reason.contains(camera) && reason.contains("of 2"))
    };
    scripted.wait("the brown-out", |status| is_paced(status, "heavy") && is_paced(status, "light")).await;
    let fps = |camera: &str| {
        let status = scripted.control.status();
        status.cameras.iter().find(|(id, _)| id.as_str() == camera).map(|(_, view)| f64::from(view.state.fps)).unwrap()
    };
    let ratio = fps("heavy") / fps("light");
    assert!((2.0..=4.5).contains(&ratio), "{} and {}", fps("heavy"), fps("light"));
    scripted.control.ask(Command::StopModel { model: "scripted".into() }).await.unwrap();
    scripted.wait("the end of the brown-out", |status| !is_paced(status, "heavy") && !is_paced(status, "light")).await;
    scripted.stop.send_replace(true);
    assert!(scripted.running.await.unwrap().ledger_closes());
}
