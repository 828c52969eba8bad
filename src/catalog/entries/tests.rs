//! Creating, finding, changing and deleting entries.

use super::*;
use crate::catalog::version::BucketPlace;

fn place() -> BucketPlace {
    BucketPlace { bucket: "models".into(), prefix: "edge/".into() }
}

fn new_version(project: &str, name: &str) -> NewVersion {
    let (stage, output) = (Stage::Importing, place());
    let (project, name) = (project.to_owned(), name.to_owned());
    NewVersion { project, name, stage, output, description: None, source: None, tags: Tags::new() }
}

#[test]
fn a_project_can_be_deleted_without_versions_only() {
    let mut catalog = Catalog::default();
    let project = catalog.create_project("edge", 5).unwrap();
    assert!(matches!(catalog.create_project("edge", 6), Err(CatalogError::InUse(_))));
    let version = catalog.create_version(new_version("edge", "v1"), 6).unwrap();
    assert!(matches!(catalog.create_version(new_version("edge", "v1"), 7), Err(CatalogError::InUse(_))));
    assert!(matches!(catalog.create_version(new_version("other", "v1"), 7), Err(CatalogError::NotFound(_))));
    assert!(matches!(catalog.delete_project(&project), Err(CatalogError::InUse(_))));
    assert!(matches!(catalog.delete_version(&version), Err(CatalogError::InUse(_))), "it is being imported");
    catalog.finish_version(&version, Err("no such directory".into()), 8).unwrap();
    assert_eq!(catalog.version(&version).unwrap().stage, Stage::ImportFailed);
    catalog.delete_version(&version).unwrap();
    catalog.delete_project(&project).unwrap();
    assert!(catalog.projects().is_empty());
    assert!(matches!(catalog.delete_project(&project), Err(CatalogError::NotFound(_))));
}

#[test]
fn a_project_created_again_is_another_one() {
    let mut catalog = Catalog::default();
    let first = catalog.create_project("edge", 5).unwrap();
    catalog.delete_project(&first).unwrap();
    let second = catalog.create_project("edge", 5).unwrap();
    assert_ne!(first.created_ms, second.created_ms, "even when the clock stands still");
    assert!(catalog.project(&first).is_none() && catalog.project(&second).is_some());
}

#[test]
fn the_number_of_imports_at_a_time_is_limited() {
    let mut catalog = Catalog::default();
    catalog.create_project("edge", 0).unwrap();
    for index in 0..MAX_IMPORTS {
        catalog.create_version(new_version("edge", &format!("v{index}")), 0).unwrap();
    }
    let refused = catalog.create_version(new_version("edge", "more"), 0);
    assert!(matches!(refused, Err(CatalogError::LimitExceeded(_))));
}

#[test]
fn the_number_of_projects_and_of_versions_is_limited() {
    let mut catalog = Catalog::default();
    let full = |result: Result<Resource, CatalogError>| matches!(result, Err(CatalogError::LimitExceeded(_)));
    let projects: Vec<_> =
        (0..MAX_PROJECTS).map(|index| catalog.create_project(&format!("p{index}"), 0).unwrap()).collect();
    assert!(full(catalog.create_project("more", 0)));
    catalog.delete_project(&projects[0]).unwrap();
    catalog.create_project("more", 0).unwrap();

    for index in 0..MAX_VERSIONS {
        let version = catalog.create_version(new_version("more", &format!("v{index}")), 0).unwrap();
        catalog.finish_version(&version, Ok(()), 0).unwrap();
    }
    assert!(full(catalog.create_version(new_version("more", "v"), 0)));
    catalog.create_version(new_version("p1", "v"), 0).unwrap();
}

#[test]
fn projects_and_versions_have_tags_of_their_own() {
    let mut catalog = Catalog::default();
    let project = catalog.create_project("edge", 0).unwrap();
    let version = catalog.create_version(new_version("edge", "v1"), 0).unwrap();
    let tag = |tags: &mut Tags| drop(tags.insert("site".into(), "gate".into()));
    catalog.change_tags(&project, tag).unwrap();
    assert_eq!(catalog.tags(&project).unwrap().len(), 1);
    assert!(catalog.tags(&version).unwrap().is_empty());
    let other = Resource { created_ms: project.created_ms + 9, ..project };
    assert!(catalog.tags(&other).is_none() && catalog.change_tags(&other, tag).is_err());
    let kept = r#"{"projects": {"old": {"created_ms": 1, "is_configured": false, "versions": {}}}, "last_ms": 1}"#;
    let kept: Catalog = serde_json::from_str(kept).unwrap();
    assert!(kept.projects()["old"].tags.is_empty(), "the catalog is older than tags of projects");
}

#[test]
fn models_of_the_settings_keep_their_arns_and_cannot_be_deleted() {
    let mut catalog = Catalog::default();
    let settings = [("coco-ssd".to_owned(), "1 beta".to_owned())];
    catalog.reconcile(&settings, 5);
    let created = |catalog: &Catalog| catalog.projects()["coco-ssd"].versions["1-beta"].created_ms;
    let first = created(&catalog);
    catalog.reconcile(&settings, 50);
    assert_eq!(created(&catalog), first, "a restart changes nothing");
    let arn_ms = |at: i64| {
        let mut other = Catalog::default();
        other.reconcile(&settings, at);
        (other.projects()["coco-ssd"].arn_ms(), other.versions().next().unwrap().0.created_ms)
    };
    assert_eq!(arn_ms(5), arn_ms(5_000), "every box has the same ARNs");
    let version = Resource { project: "coco-ssd".into(), version: Some("1-beta".into()), created_ms: first };
    assert!(matches!(catalog.delete_version(&version), Err(CatalogError::InUse(_))));
    let project_ms = catalog.projects()["coco-ssd"].created_ms;
    let project = Resource { project: "coco-ssd".into(), version: None, created_ms: project_ms };
    assert!(matches!(catalog.delete_project(&project), Err(CatalogError::InUse(_))));

    catalog.configure("coco-ssd", "2", 60);
    assert!(catalog.version(&version).is_none(), "a swap has replaced it");
    catalog.create_version(new_version("coco-ssd", "3"), 70).unwrap();
    catalog.configure("coco-ssd", "3", 80);
    let names: Vec<&String> = catalog.projects()["coco-ssd"].versions.keys().collect();
    assert_eq!(names, ["3", "3-settings"], "an imported version is never replaced");
}

#[test]
fn an_import_interrupted_by_a_restart_has_failed() {
    let mut catalog = Catalog::default();
    catalog.create_project("edge", 0).unwrap();
    let version = catalog.create_version(new_version("edge", "v1"), 0).unwrap();
    let text = serde_json::to_string(&catalog).unwrap();
    let mut kept: Catalog = serde_json::from_str(&text).unwrap();
    assert_eq!(kept, catalog);
    kept.reconcile(&[], 9);
    let version = kept.version(&version).unwrap();
    assert_eq!((version.stage, version.finished_ms), (Stage::ImportFailed, Some(9)));
    assert!(version.failure.as_ref().unwrap().contains("stopped"));
}

#[test]
fn a_change_of_a_version_can_be_undone() {
    let mut catalog = Catalog::default();
    catalog.create_project("edge", 0).unwrap();
    let version = catalog.create_version(new_version("edge", "v1"), 0).unwrap();
    catalog.finish_version(&version, Ok(()), 0).unwrap();
    let before = catalog.clone();
    let deleted = catalog.version(&version).cloned();
    catalog.delete_version(&version).unwrap();
    catalog.restore_version(&version, deleted);
    assert_eq!(catalog, before);
    catalog.restore_version(&version, None);
    assert!(catalog.version(&version).is_none());
}
