//! Whole calls against a catalog on disk and a fleet that obeys or refuses.

use super::*;
use crate::catalog::arn::{Realm, Resource};
use crate::catalog::version::BucketPlace;
use crate::catalog::{CatalogStore, NewVersion, Stage, Version};
use crate::control::images::ImageIntake;
use crate::control::{Accepted, ApplianceStatus, Command, CommandRequest, Control, ControlError, ImportJob};
use crate::http::body::BodyBudget;
use crate::http::cpu_turns::LARGE_BODY_BYTES;
use crate::http::rekognition::settings::{BucketSettings, RekognitionSettings};
use crate::kept::FileKeeper;
use crate::metering::HoursFiles;
use crate::supervisor::{FleetError, ModelState, ModelStatus};
use crate::telemetry::metrics::Metrics;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// The endpoint, with a fleet that is a function.
struct TestBox {
    state: RekognitionState,
    home: tempfile::TempDir,
    status: watch::Sender<ApplianceStatus>,
    commands: Arc<Mutex<Vec<Command>>>,
    imports: mpsc::Receiver<ImportJob>,
}

impl TestBox {
    /// `fleet` answers commands.
    fn new(fleet: fn(&Command) -> Result<Accepted, ControlError>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let realm = Realm { region: "us-east-1".into(), account: "123456789012".into() };
        let catalog =
            CatalogStore::load(&home.path().join("catalog"), home.path(), realm, &[], FileKeeper::start().unwrap());
        let (images, _, _) = ImageIntake::new().unwrap();
        let (status, watched) = watch::channel(ApplianceStatus::default());
        let (control, queues) = Control::new(
            watched,
            HoursFiles::new(home.path()),
            images,
            catalog,
            None,
            crate::live::Relay::without_cameras(),
        );
        let commands: Arc<Mutex<Vec<Command>>> = Arc::default();
        tokio::spawn(obey(queues.commands, fleet, Arc::clone(&commands)));
        let bucket =
            BucketSettings { name: "files".into(), directory: home.path().to_owned(), ..BucketSettings::default() };
        let settings = RekognitionSettings { hold_seconds: 0.0, ..RekognitionSettings::default() };
        let rules = EndpointRules { buckets: vec![bucket], default_model: "m".into(), ..EndpointRules::default() };
        let (_, rules) = watch::channel(rules);
        let state = RekognitionState::new(control, settings, rules, Arc::new(Metrics::new()));
        Self { state, home, status, commands, imports: queues.imports }
    }

    /// A version that was imported, in a project `edge`.
    async fn imported(&self) -> Resource {
        let made = self.state.catalog().change(|catalog, now| {
            catalog.create_project("edge", now)?;
            let (output, tags) = (BucketPlace { bucket: "files".into(), prefix: String::new() }, BTreeMap::new());
            let (project, name, stage) = ("edge".into(), "v1".into(), Stage::Importing);
            let new = NewVersion { project, name, stage, output, description: None, source: None, tags };
            let version = catalog.create_version(new, now)?;
            catalog.finish_version(&version, Ok(()), now)?;
            Ok(version)
        });
        made.await.unwrap()
    }

    /// The fleet shows the model of that version in this state.
    fn show(&self, state: ModelState) {
        let model = ModelStatus { state, ..ModelStatus::default() };
        self.status.send_modify(|status| drop(status.models.insert("edge:v1".into(), model)));
    }

    /// Makes every later write of the catalog fail, for root as well.
    fn refuse_writes(&self) {
        let directory = self.home.path().join("catalog");
        std::fs::remove_dir_all(&directory).unwrap();
        std::fs::write(directory, "in the way").unwrap();
    }

    /// Returns the name of the error, or `ok`.
    async fn call(&self, operation: &str, input: Value) -> String {
        let body = input.to_string();
        let request = Request::post("/").header("x-amz-target", format!("RekognitionService.{operation}"));
        let request = request.header(header::CONTENT_LENGTH, body.len()).body(Body::from(body)).unwrap();
        let answer = handle(&self.state, &BodyBudget::default(), request).await;
        let answer: Value = serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 20).await.unwrap()).unwrap();
        answer["__type"].as_str().unwrap_or("ok").to_owned()
    }

    async fn call_about(&self, operation: &str, version: &Resource) -> String {
        let arn = self.state.catalog().realm.arn(version);
        self.call(operation, json!({"ProjectVersionArn": arn, "MinInferenceUnits": 2})).await
    }

    fn version(&self, resource: &Resource) -> Option<Version> {
        self.state.catalog().read(|catalog| catalog.version(resource).cloned())
    }

    fn commands(&self) -> Vec<Command> {
        self.commands.lock().unwrap().clone()
    }

    fn directory(&self, version: &Resource) -> PathBuf {
        self.state.catalog().package_directory(version)
    }
}

async fn obey(
    mut asked: mpsc::Receiver<CommandRequest>,
    fleet: fn(&Command) -> Result<Accepted, ControlError>,
    commands: Arc<Mutex<Vec<Command>>>,
) {
    while let Some((command, reply)) = asked.recv().await {
        reply.send(fleet(&command)).unwrap();
        commands.lock().unwrap().push(command);
    }
}

fn obeys(_: &Command) -> Result<Accepted, ControlError> {
    Ok(Accepted::default())
}

fn refuses(_: &Command) -> Result<Accepted, ControlError> {
    Err(FleetError::LimitExceeded("the box carries no more".into()).into())
}

#[tokio::test]
async fn a_start_that_cannot_be_kept_starts_nothing() {
    let test = TestBox::new(obeys);
    let version = test.imported().await;
    test.refuse_writes();
    assert_eq!(test.call_about("StartProjectVersion", &version).await, "InternalServerError");
    assert_eq!(test.commands(), []);
    assert!(!test.version(&version).unwrap().is_wanted);
}

#[tokio::test]
async fn a_start_that_the_fleet_refuses_is_not_kept() {
    let test = TestBox::new(refuses);
    let version = test.imported().await;
    let before = test.version(&version).unwrap();
    assert_eq!(test.call_about("StartProjectVersion", &version).await, "LimitExceededException");
    assert!(matches!(test.commands()[..], [Command::RunPackage { .. }]));
    assert_eq!(test.version(&version).unwrap(), before);
}

#[tokio::test]
async fn a_start_that_is_obeyed_is_kept_with_its_units() {
    let test = TestBox::new(obeys);
    let version = test.imported().await;
    assert_eq!(test.call_about("StartProjectVersion", &version).await, "ok");
    let kept = test.version(&version).unwrap();
    assert!(kept.is_wanted && kept.units.is_some_and(|units| units.min == 2));
}

#[tokio::test]
async fn a_stop_that_is_not_kept_or_not_obeyed_leaves_the_version_wanted() {
    for (can_write, error) in [(false, "InternalServerError"), (true, "LimitExceededException")] {
        let test = TestBox::new(refuses);
        let version = test.imported().await;
        let wanted = test.state.catalog().change({
            let version = version.clone();
            move |catalog, _| catalog.change_version(&version, |version| version.is_wanted = true)
        });
        wanted.await.unwrap();
        test.show(ModelState::Running);
        if !can_write {
            test.refuse_writes();
        }
        assert_eq!(test.call_about("StopProjectVersion", &version).await, error);
        assert_eq!(test.commands().len(), usize::from(can_write));
        assert!(test.version(&version).unwrap().is_wanted);
    }
}

#[tokio::test]
async fn a_deletion_that_cannot_be_kept_leaves_model_and_package() {
    let test = TestBox::new(obeys);
    let version = test.imported().await;
    let directory = test.directory(&version);
    test.show(ModelState::Stopped);
    test.refuse_writes();
    assert_eq!(test.call_about("DeleteProjectVersion", &version).await, "InternalServerError");
    assert_eq!(test.commands(), []);
    assert!(test.version(&version).is_some(), "{}", directory.display());
}

#[tokio::test]
async fn a_deletion_that_the_fleet_refuses_leaves_the_version_and_its_package() {
    let test = TestBox::new(refuses);
    let version = test.imported().await;
    let before = test.version(&version);
    let directory = test.directory(&version);
    std::fs::create_dir_all(&directory).unwrap();
    assert_eq!(test.call_about("DeleteProjectVersion", &version).await, "LimitExceededException");
    assert!(matches!(test.commands()[..], [Command::RemoveModel { .. }]));
    assert_eq!(test.version(&version), before);
    assert!(directory.exists());
}

#[tokio::test]
async fn a_version_that_the_fleet_never_knew_can_be_deleted() {
    let test = TestBox::new(|_| Err(FleetError::NotFound("edge:v1".into()).into()));
    let version = test.imported().await;
    assert_eq!(test.call_about("DeleteProjectVersion", &version).await, "ok");
    assert_eq!(test.version(&version), None);
}

#[tokio::test]
async fn an_import_that_is_not_taken_leaves_no_version_behind() {
    let mut test = TestBox::new(obeys);
    test.imported().await;
    let project = test.state.catalog().read(|catalog| catalog.projects()["edge"].created_ms);
    let project = Resource { project: "edge".into(), version: None, created_ms: project };
    let input = json!({
        "ProjectArn": test.state.catalog().realm.arn(&project),
        "VersionName": "v2",
        "OutputConfig": {"S3Bucket": "files", "S3KeyPrefix": "v2"},
    });
    test.imports.close();
    assert_eq!(test.call("CreateProjectVersion", input).await, "ThrottlingException");
    let versions = test.state.catalog().read(|catalog| catalog.projects()["edge"].versions.len());
    assert_eq!(versions, 1);
}

#[tokio::test]
async fn a_large_image_waits_for_its_turn_at_the_processor_and_delays_no_other_call() {
    let test = TestBox::new(obeys);
    let version = test.imported().await;
    test.show(ModelState::Running);
    let turns = test.state.cpu_turns.clone();
    let (end, ended) = std::sync::mpsc::sync_channel::<()>(1);
    let ended = Arc::new(Mutex::new(ended));
    let mut others = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let (turns, ended) = (turns.clone(), Arc::clone(&ended));
        others.spawn(async move { turns.run(LARGE_BODY_BYTES, move || ended.lock().unwrap().recv().is_err()).await });
    }
    tokio::task::yield_now().await;
    let arn = test.state.catalog().realm.arn(&version);
    let image = json!({"ProjectVersionArn": arn, "Image": {"Bytes": "AAAA".repeat(LARGE_BODY_BYTES / 4)}});
    let mut large = std::pin::pin!(test.call("DetectCustomLabels", image));
    assert!(timeout(Duration::from_millis(50), large.as_mut()).await.is_err(), "both turns are taken");
    assert_eq!(test.call("DescribeProjects", json!({})).await, "ok");
    drop(end);
    // No appliance takes images in this test, as in a box that stops.
    assert_eq!(large.await, "ThrottlingException");
    others.join_all().await;
}

#[tokio::test]
async fn an_operation_without_an_image_takes_no_large_body() {
    let test = TestBox::new(obeys);
    let input = json!({"ProjectName": "edge", "Padding": "x".repeat(300_000)});
    assert_eq!(test.call("CreateProject", input).await, "ValidationException");
    assert_eq!(test.call("CreateProject", json!({"ProjectName": "edge", "Padding": "x".repeat(200_000)})).await, "ok");
}
