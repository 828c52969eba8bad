//! The daemon, whole, with scripted cameras and units in place of real ones: so many events that a real detector on a
//! small machine could not see them. `make delivery` starts it, kills it and starts it again.
//!
//! Its one argument is a settings file. SIGTERM stops it as it stops `ocelli run`.

#![allow(clippy::unwrap_used, reason = "a test double that cannot go on ends, which is a fault as well")]

use ocelli::appliance::{Appliance, ChildPrograms, Identity, Reporter};
use ocelli::publish::outbox::{Outbox, OutboxRules};
use ocelli::publish::publisher::Publisher;
use ocelli::settings::Settings;
use ocelli::telemetry::logging::{self, LogTarget, Redactor};
use ocelli::telemetry::metrics::Metrics;
use ocelli::telemetry::troubles::Troubles;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let file = PathBuf::from(std::env::args_os().nth(1).expect("the settings file is missing"));
    let settings = Settings::load_with(&[file], HashMap::new()).unwrap();
    logging::init(&settings.log, Redactor::default(), &LogTarget::StandardError, Troubles::default()).unwrap();
    std::fs::create_dir_all(&settings.state_directory).unwrap();

    let rules = OutboxRules::new(&settings.outbox, &settings.state_directory, true);
    let (outbox, sink_end) = Outbox::start(rules).unwrap();
    let metrics = Arc::new(Metrics::new());
    settings.cameras.iter().for_each(|camera| metrics.add_camera(&camera.id));
    let cameras: Vec<_> = settings.cameras.iter().map(|camera| camera.id.clone()).collect();
    let publisher = Publisher::start(&settings.mqtt, &settings.box_id, &cameras, None, sink_end).unwrap();
    let identity = Identity { box_id: settings.box_id.clone() };
    let reporter = Reporter::new(identity, Some(publisher), Some(outbox), metrics);

    let beside = |name: &str| std::env::current_exe().unwrap().with_file_name(name);
    let programs = ChildPrograms { unit: beside("scripted_unit"), capture: beside("scripted_capture") };
    let (appliance, _control, _status) = Appliance::new(settings, BTreeMap::new(), reporter, programs).unwrap();
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    tokio::spawn(async move {
        terminate.recv().await;
        stop.send_replace(true);
    });
    appliance.run(stopped).await;
}
