//! `ocelli run`: parses the settings, builds the parts, and runs them until they are drained.

use crate::appliance::{Appliance, ChildPrograms, ClusterPart, Identity, Reporter};
use crate::appliance::{history_keeper, mqtt_commands, scene_editor, version_starter};
use crate::camera::passwords::CameraPasswords;
use crate::cli::check::exposed_secrets;
use crate::cli::cluster_calls::ClusterCalls;
use crate::cli::config_arguments::{ConfigArguments, EXIT_SETTINGS, load_settings, print_failure};
use crate::cli::keep_health::keep_health;
use crate::cli::live_settings::{BrokerFiles, LiveSettings, endpoint_rules, viewers};
use crate::cli::live_view::{LiveView, print_line};
use crate::cli::lock::lock_state;
use crate::cli::signals::{Signals, Stop};
use crate::control::scenes::SceneClient;
use crate::control::{ApplianceStatus, Control};
use crate::http::local_token;
use crate::http::login::reception::Reception;
use crate::http::rekognition::RekognitionState;
use crate::http::server::{self, HealthReport, HttpState, PageState, ServedCertificate, ServerIdentity, ServerTokens};
use crate::os::clock::monotonic_now;
use crate::os::file_modes;
use crate::os::fixed_code;
use crate::os::random;
use crate::os::sandbox::SandboxMode;
use crate::os::service_manager;
use crate::publish::outbox::{Outbox, OutboxRules, SinkEnd};
use crate::publish::publisher::Publisher;
use crate::secret::SecretError;
use crate::settings::{BoxFacts, Settings};
use crate::telemetry::log_queue::LogQueue;
use crate::telemetry::logging::{self, LevelSwitch, LogTarget, LoggingError, Redactor};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};

#[derive(Debug, clap::Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Show cameras, units and detections in the terminal. Log lines should then go to --log-file.
    #[arg(long)]
    live: bool,
    /// Write log lines to this file instead of standard error.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Stop after this many seconds. The last line is then a JSON report, and the exit code is 0 only if
    /// something was detected and every frame is accounted for.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// With --duration: this label must have been detected.
    #[arg(long, value_name = "LABEL", requires = "duration")]
    expect_label: Option<String>,
}

pub(super) fn run(arguments: &RunArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    file_modes::for_the_owner_alone();
    if settings.sandbox.mode != SandboxMode::Off {
        // Where it is not to be had the service file may have it. Children decide for themselves.
        fixed_code::of_this_process_alone();
    }
    let redactor = Redactor::default();
    let troubles = Troubles::default();
    let logging = logging::init(&settings.log, redactor.clone(), &log_target(arguments), troubles.clone());
    let (log, level) = match logging {
        Ok(logging) => logging,
        Err(error) => {
            print_failure(&format!("ocelli: {}", describe(&error)));
            let is_setting = matches!(error, LoggingError::Level(_));
            return if is_setting { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime cannot be started");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(serve(settings, &redactor, arguments, (log.clone(), level, troubles)));
    // A package that is being copied is not waited for. Its leftovers are removed at the next start.
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Err(error) = &served {
        tracing::error!("{}", describe(error.as_ref()));
    }
    log.flush(LOG_FLUSH_LIMIT);
    match served {
        Ok(status) => report(&status, arguments),
        Err(error) => {
            // In the journal it would stand twice.
            if log_target(arguments) != LogTarget::Journal {
                print_failure(&format!("ocelli: {}", describe(error.as_ref())));
            }
            ExitCode::FAILURE
        }
    }
}

fn log_target(arguments: &RunArguments) -> LogTarget {
    match &arguments.log_file {
        Some(file) => LogTarget::File(file.clone()),
        None if service_manager::journal_reads_standard_error() => LogTarget::Journal,
        None => LogTarget::StandardError,
    }
}

/// Builds the parts and runs them until a signal or the end of the duration.
async fn serve(
    settings: Settings,
    redactor: &Redactor,
    arguments: &RunArguments,
    (log, level, troubles): (LogQueue, LevelSwitch, Troubles),
) -> Result<ApplianceStatus, Box<dyn Error>> {
    let (stop, stopped) = watch::channel(false);
    let (draining, is_draining) = watch::channel(false);
    let (health, health_watch) = watch::channel(HealthReport::starting(monotonic_now()));
    // At once, and on a task of its own: until then a signal ends the process, and a disk may hang below.
    let on_stop = Stop {
        drain: settings.http.drain_time(),
        stop: stop.clone(),
        draining,
        health: health.clone(),
        log: log.clone(),
    };
    let hung_up = Arc::new(Notify::new());
    let on_hang_up = Arc::clone(&hung_up);
    tokio::spawn(Signals::take()?.serve(on_stop, arguments.live, move || on_hang_up.notify_one()));
    // Held until the end. It comes before the rest: whatever is done below belongs to one daemon alone.
    let _lock = lock_state(&settings, &troubles)?;
    let facts = BoxFacts::read();
    let remarks = settings.impossible_here(&facts).into_iter().chain(settings.advice(&facts));
    remarks.for_each(|remark| tracing::warn!("{remark}"));
    for exposed in exposed_secrets(&settings, &arguments.config.files()) {
        tracing::warn!("{exposed}");
    }
    let passwords = resolve_passwords(&settings, redactor)?;
    let identity = Identity { box_id: settings.box_id.clone() };

    let metrics = Arc::new(Metrics::new());
    settings.cameras.iter().for_each(|camera| metrics.add_camera(&camera.id));
    let (outbox, events) = start_outbox(&settings)?;
    let camera_ids: Vec<CameraId> = settings.cameras.iter().map(|camera| camera.id.clone()).collect();
    let broker_files = match settings.mqtt.enabled {
        true => BrokerFiles::read(&settings.mqtt)?,
        false => BrokerFiles::default(),
    };
    broker_files.password.iter().for_each(|password| redactor.register(password));
    settings.cluster.credentials.resolve_password()?.iter().for_each(|password| redactor.register(password));
    let cluster = ClusterPart::start(&settings, &random::word()?)?;
    let link = cluster.as_ref().map(|cluster| cluster.link.clone());
    let mut publisher = match settings.mqtt.enabled {
        true => Some(Publisher::start(&settings.mqtt, &settings.box_id, &camera_ids, link.clone(), events)?),
        false => None,
    };
    let (http, calls) = (settings.http.clone(), ClusterCalls::of(&settings.cluster));
    let rules = endpoint_rules(&settings)?;
    rules.keys.iter().for_each(|key| redactor.register(&key.secret));
    let reception = Reception::new(viewers(&settings, redactor)?, &http.sessions, Arc::clone(&metrics));
    let tokens = server_tokens(&settings, &troubles)?;
    tokens.monitoring.iter().chain(&tokens.local).for_each(|token| redactor.register(token));
    let (rekognition, (endpoint, rules)) = (settings.rekognition.clone(), watch::channel(rules));
    let identity_of_server = ServerIdentity {
        state_directory: settings.state_directory.clone(),
        names: vec![settings.box_id.clone(), format!("{}.local", settings.box_id), "localhost".into()],
        certificate: ServedCertificate::default(),
    };
    let commands = publisher.as_mut().and_then(Publisher::take_commands);
    let reporter =
        Reporter::new(identity, publisher, Some(outbox), Arc::clone(&metrics)).with_log(log, troubles.clone());
    let (scenes, scene_requests) = SceneClient::new();
    let page = PageState { pictures: reporter.pictures(), scenes: Some(scenes), ..PageState::default() };
    let (mut appliance, control, status) = Appliance::new(settings, passwords, reporter, ChildPrograms::default())?;
    if let Some(commands) = commands {
        tokio::spawn(mqtt_commands::serve(control.clone(), commands));
    }
    tokio::spawn(version_starter::resume(control.clone()));
    let asked_of_cluster = cluster.as_ref().map(|cluster| cluster.client.clone());
    let of_calls = asked_of_cluster.clone().map(|client| (client, control.clone(), Arc::clone(&metrics)));
    let attached =
        cluster.map(|cluster| cluster.attach(&control, status.clone(), troubles.clone(), Arc::clone(&metrics)));
    let (cluster_input, cluster_exit) = attached.unzip();
    if let Some(reloader) = appliance.take_reloader() {
        let reloader = match cluster_input {
            Some(input) => reloader.in_cluster(input),
            None => reloader,
        };
        let live = LiveSettings {
            redactor: redactor.clone(),
            level,
            identity: identity_of_server.clone(),
            endpoint,
            reception: reception.clone(),
            control: control.clone(),
            cluster: link,
            broker_files: Arc::new(Mutex::new(broker_files)),
        };
        let prepare = move |old: &Settings, new: &Settings| live.prepare(old, new);
        tokio::spawn(reloader.serve(arguments.config.files(), redactor.clone(), prepare));
    }
    tokio::spawn(reload_when_asked(hung_up, control.clone()));
    tokio::spawn(scene_editor::serve(arguments.config.files(), control.clone(), scene_requests));
    tokio::spawn(history_keeper::keep(status.clone(), page.history.clone()));
    let rekognition = RekognitionState::new(control.clone(), rekognition, rules, Arc::clone(&metrics))
        .keeping_time_in(&identity_of_server.state_directory);
    let page = PageState { clips: Some(appliance.clips()), ..page };
    let state = HttpState::new(metrics, health_watch, control, rekognition).with_page(page);
    let state = state.with_reception(reception).with_cluster(asked_of_cluster);
    let stopped = cluster_exit.as_ref().map_or(stopped.clone(), |exit| exit.after_handover(stopped));
    if let Some((client, control, metrics)) = of_calls {
        let (metrics, stopping) = ((metrics, troubles.clone()), (is_draining.clone(), stopped.clone()));
        calls.start(&client, (&control, status.clone()), metrics, stopping);
    }
    let server = tokio::spawn(server::serve(http, state, identity_of_server, tokens, troubles, stopped.clone()));
    tokio::spawn(keep_health(status.clone(), health, is_draining));
    if let Some(seconds) = arguments.duration {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stop.send_replace(true);
        });
    }
    let view = arguments.live.then(|| tokio::spawn(LiveView::default().show(status)));
    let last = appliance.run(stopped).await;
    if let Some(exit) = &cluster_exit {
        exit.leave().await;
    }
    // It sends its last replies.
    server.await?;
    view.iter().for_each(|view| view.abort());
    Ok(last)
}

/// Starts the outbox; returns it with the end from which a sink takes events.
fn start_outbox(settings: &Settings) -> Result<(Outbox, SinkEnd), Box<dyn Error>> {
    // Without the directory the outbox keeps events in memory, and says so: cameras must be analysed all the same.
    drop(std::fs::create_dir_all(&settings.state_directory));
    Ok(Outbox::start(OutboxRules::new(&settings.outbox, &settings.state_directory, settings.mqtt.enabled))?)
}

/// Reads the token of the monitoring address, and reads or makes that of the native API. Without the second the API is
/// served over the Unix socket alone, and the box says why.
fn server_tokens(settings: &Settings, troubles: &Troubles) -> Result<ServerTokens, SecretError> {
    let monitoring = settings.http.monitoring_token()?;
    if !settings.http.uses_local_token() {
        return Ok(ServerTokens { monitoring, local: None });
    }
    let local = local_token::read_or_make(&settings.state_directory).map_err(|error| {
        let file = local_token::file(&settings.state_directory);
        let trouble =
            format!("the token of the API cannot be kept in {}: {error}; over TCP it is refused", file.display());
        tracing::error!("{trouble}");
        troubles.set("API token", trouble);
    });
    Ok(ServerTokens { monitoring, local: local.ok() })
}

/// Reads the cameras' passwords, and registers them with the log's redactor.
fn resolve_passwords(
    settings: &Settings,
    redactor: &Redactor,
) -> Result<BTreeMap<CameraId, CameraPasswords>, Box<dyn Error>> {
    let mut passwords = BTreeMap::new();
    for camera in &settings.cameras {
        let resolved = CameraPasswords::resolve(camera)?;
        resolved.all().for_each(|password| redactor.register(password));
        passwords.insert(camera.id.clone(), resolved);
    }
    Ok(passwords)
}

/// Reads the settings again at each SIGHUP. The result is in the log. Signals that come during a reload ask for one more.
async fn reload_when_asked(hung_up: Arc<Notify>, control: Control) {
    loop {
        hung_up.notified().await;
        drop(control.reload().await);
    }
}

/// How long the end waits for a log that is slow.
const LOG_FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Prints the JSON line of a run with a duration, and returns its exit code.
fn report(status: &ApplianceStatus, arguments: &RunArguments) -> ExitCode {
    let Some(seconds) = arguments.duration else { return ExitCode::SUCCESS };
    let total = status.total();
    let by_name = |counts: Vec<(&'static str, u64)>| counts.into_iter().collect::<BTreeMap<_, _>>();
    let is_expected = match &arguments.expect_label {
        Some(label) => status.labels_seen.contains_key(label),
        None => !status.labels_seen.is_empty(),
    };
    let closes = status.ledger_closes() && status.in_flight == 0;
    let rounded = |tps: f64| (tps * 10.0).round() / 10.0;
    let line = serde_json::json!({
        "seconds": seconds,
        "captured": total.captured,
        "detected": total.detected,
        "shed": by_name(total.shed.iter().map(|(reason, count)| (reason.name(), *count)).collect()),
        "failed": by_name(total.failed.iter().map(|(cause, count)| (cause.name(), *count)).collect()),
        "labels_seen": status.labels_seen,
        "published": status.published,
        "units": status.units_desired(),
        "tps": rounded(status.models.values().map(|model| model.load_tps).sum()),
        "capacity_tps": rounded(status.models.values().map(|model| model.capacity_tps).sum()),
        "ledger_closes": closes,
        "ok": is_expected && closes,
    });
    print_line(&line.to_string());
    if is_expected && closes { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
