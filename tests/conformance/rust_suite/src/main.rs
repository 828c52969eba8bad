//! Prints PASS or FAIL a line each.

use aws_sdk_rekognition::Client;
use aws_sdk_rekognition::client::Waiters;
use aws_sdk_rekognition::config::retry::RetryConfig;
use aws_sdk_rekognition::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_rekognition::error::ProvideErrorMetadata;
use aws_sdk_rekognition::primitives::Blob;
use aws_sdk_rekognition::types::{Image, OutputConfig, S3Object};
use std::time::Duration;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn client(id: &str, secret: &str, attempts: u32) -> Client {
    let config = aws_sdk_rekognition::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(std::env::var("OCELLI_ENDPOINT").unwrap())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(id, secret, None, None, "suite"))
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .build();
    Client::from_conf(config)
}

fn operator() -> Client {
    client("AKIDOPERATOR", "operator-secret", 1)
}

fn photo() -> Image {
    let bytes = std::fs::read(std::env::var("OCELLI_PHOTO").unwrap()).unwrap();
    Image::builder().bytes(Blob::new(bytes)).build()
}

fn output() -> OutputConfig {
    OutputConfig::builder().s3_bucket("files").s3_key_prefix("edge").build()
}

/// The version of the settings.
async fn configured(client: &Client) -> Result<String, Box<dyn std::error::Error>> {
    let projects = client.describe_projects().project_names("coco-ssd").send().await?;
    let project = projects.project_descriptions()[0].project_arn().unwrap();
    let versions = client.describe_project_versions().project_arn(project).send().await?;
    let version = &versions.project_version_descriptions()[0];
    assert!(version.creation_timestamp().unwrap().secs() > 1_700_000_000);
    Ok(version.project_version_arn().unwrap().to_owned())
}

fn is_refused<T, E: ProvideErrorMetadata>(result: Result<T, E>, code: &str) -> Outcome {
    match result {
        Ok(_) => Err(format!("it was not refused with {code}").into()),
        Err(error) if error.code() == Some(code) => Ok(()),
        Err(error) => Err(format!("{:?} instead of {code}: {:?}", error.code(), error.message()).into()),
    }
}

async fn detection() -> Outcome {
    let client = operator();
    let arn = configured(&client).await?;
    let found = client.detect_custom_labels().project_version_arn(&arn).image(photo()).send().await?;
    let person = found.custom_labels().iter().find(|label| label.name() == Some("person")).ok_or("no person")?;
    assert!(person.geometry().and_then(|geometry| geometry.bounding_box()).is_some());
    let object = S3Object::builder().bucket("files").name("photo.jpg").build();
    let image = Image::builder().s3_object(object).build();
    let same = client.detect_custom_labels().project_version_arn(&arn).image(image).send().await?;
    assert_eq!(same.custom_labels(), found.custom_labels());
    let labels = client.detect_labels().image(photo()).max_labels(3).send().await?;
    assert!(labels.labels().iter().any(|label| label.name() == Some("Person")));
    Ok(())
}

async fn errors() -> Outcome {
    let client_of = |id: &str, secret: &str| client(id, secret, 1);
    let client = operator();
    let arn = configured(&client).await?;
    let garbage = Image::builder().bytes(Blob::new(b"no picture".to_vec())).build();
    let detect = |image| client.detect_custom_labels().project_version_arn(&arn).image(image);
    is_refused(detect(garbage).send().await, "InvalidImageFormatException")?;
    is_refused(detect(photo()).min_confidence(101.0).send().await, "ValidationException")?;
    let start = client.start_project_version().project_version_arn(&arn).min_inference_units(0);
    is_refused(start.send().await, "ValidationException")?;
    is_refused(client.detect_faces().image(photo()).send().await, "AccessDeniedException")?;
    let camera = client_of("AKIDCAMERA", "camera-secret");
    is_refused(camera.describe_projects().send().await, "AccessDeniedException")?;
    let guessing = client_of("AKIDOPERATOR", "guessed");
    is_refused(guessing.describe_projects().send().await, "InvalidSignatureException")
}

async fn life() -> Outcome {
    let client = operator();
    let lab = client.create_project().project_name("lab").send().await?.project_arn.unwrap();
    let edge = client.create_project().project_name("edge").send().await?.project_arn.unwrap();
    let create = client.create_project_version().project_arn(&lab).version_name("v1").output_config(output());
    let arn = create.tags("stage", "lab").send().await?.project_version_arn.unwrap();
    status(&client, &lab, "TRAINING_COMPLETED").await?;
    let minute = Duration::from_secs(60);
    client.wait_until_project_version_training_completed().project_arn(&lab).wait(minute).await?;
    let copy = client
        .copy_project_version()
        .source_project_arn(&lab)
        .source_project_version_arn(&arn)
        .destination_project_arn(&edge)
        .version_name("v1")
        .output_config(output())
        .send()
        .await?;
    let copy = copy.project_version_arn.unwrap();
    status(&client, &edge, "COPYING_COMPLETED").await?;
    client.start_project_version().project_version_arn(&copy).min_inference_units(1).send().await?;
    status(&client, &edge, "RUNNING").await?;
    client.wait_until_project_version_running().project_arn(&edge).wait(minute).await?;
    let camera = self::client("AKIDCAMERA", "camera-secret", 1);
    camera.detect_custom_labels().project_version_arn(&copy).image(photo()).send().await?;
    let stopped = client.stop_project_version().project_version_arn(&copy).send().await?;
    assert_eq!(stopped.status().map(|status| status.as_str()), Some("STOPPING"));
    status(&client, &edge, "STOPPED").await?;
    client.tag_resource().resource_arn(&arn).tags("a", "1").send().await?;
    client.untag_resource().resource_arn(&arn).tag_keys("stage").send().await?;
    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await?;
    assert_eq!(tags.tags().unwrap().len(), 1);
    for version in [&copy, &arn] {
        client.delete_project_version().project_version_arn(version).send().await?;
    }
    for project in [&lab, &edge] {
        client.delete_project().project_arn(project).send().await?;
    }
    Ok(())
}

/// Waits for the only version of a project.
async fn status(client: &Client, project: &str, wanted: &str) -> Outcome {
    for _ in 0..300 {
        let found = client.describe_project_versions().project_arn(project).send().await?;
        if found.project_version_descriptions()[0].status().map(|status| status.as_str()) == Some(wanted) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("it is never {wanted}").into())
}

async fn pages() -> Outcome {
    let client = operator();
    let mut made = Vec::new();
    for index in 0..5 {
        let project = client.create_project().project_name(format!("rust-{index}")).send().await?;
        made.push(project.project_arn.unwrap());
    }
    let mut pages = client.describe_projects().into_paginator().page_size(2).send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        seen.extend(page?.project_descriptions().iter().filter_map(|project| project.project_arn().map(str::to_owned)));
    }
    for project in &made {
        assert!(seen.contains(project));
        client.delete_project().project_arn(project).send().await?;
    }
    Ok(())
}

async fn retries() -> Outcome {
    let arn = configured(&operator()).await?;
    let calls = (0..12).map(|_| {
        let (client, arn) = (client("AKIDOPERATOR", "operator-secret", 8), arn.clone());
        tokio::spawn(async move { client.detect_custom_labels().project_version_arn(arn).image(photo()).send().await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await??;
    }
    Ok(())
}

fn tell(name: &str, outcome: Outcome) -> bool {
    match &outcome {
        Ok(()) => println!("PASS {name}"),
        Err(error) => println!("FAIL {name}: {error:?}"),
    }
    outcome.is_ok()
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let all = [
        tell("detection", detection().await),
        tell("errors", errors().await),
        tell("pages", pages().await),
        tell("a version from import to deletion, with waiters and tags", life().await),
        tell("retries after the time that the box names", retries().await),
    ];
    if all.into_iter().all(|passed| passed) { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
