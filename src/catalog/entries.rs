//! The catalog itself: projects, their versions, and the rules for changing them.

use crate::catalog::arn::{CONFIGURED_MS, Resource};
use crate::catalog::version::{NewVersion, Stage, Tags, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Projects of a box, including those of its settings.
pub const MAX_PROJECTS: usize = 100;
/// Versions of a project.
pub const MAX_VERSIONS: usize = 100;
/// Packages that are imported or copied at a time.
pub const MAX_IMPORTS: usize = 5;
/// Tags of a project or version.
pub const MAX_TAGS: usize = 50;

/// All projects by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    projects: BTreeMap<String, Project>,
    /// The newest creation time that was handed out. No two entries have the same.
    last_ms: i64,
}

/// A name for versions of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Milliseconds since 1970, by the box's clock at that time. Part of the ARN, but for models of the settings.
    pub created_ms: i64,
    /// It is a model of the settings: it cannot be deleted, and one of its versions is the package of that model.
    pub is_configured: bool,
    /// By name.
    pub versions: BTreeMap<String, Version>,
    /// Tags of the caller.
    #[serde(default)]
    pub tags: Tags,
}

impl Project {
    fn new(created_ms: i64, is_configured: bool) -> Self {
        Self { created_ms, is_configured, versions: BTreeMap::new(), tags: Tags::new() }
    }

    /// The number in its ARN.
    pub fn arn_ms(&self) -> i64 {
        if self.is_configured { CONFIGURED_MS } else { self.created_ms }
    }

    /// True if an ARN with this number means it.
    fn is_meant_by(&self, arn_ms: i64) -> bool {
        self.is_configured || self.created_ms == arn_ms
    }
}

/// Why a change was refused. Nothing has changed then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CatalogError {
    /// There is no such project or version.
    #[error("The resource {0} was not found.")]
    NotFound(String),
    /// The name is taken, or the resource to delete is in use.
    #[error("{0}")]
    InUse(String),
    /// A limit of the catalog is reached.
    #[error("{0}")]
    LimitExceeded(String),
    /// The catalog cannot be written.
    #[error("the catalog cannot be written to disk: {0}")]
    Disk(String),
}

impl Catalog {
    /// All projects by name.
    pub fn projects(&self) -> &BTreeMap<String, Project> {
        &self.projects
    }

    /// All versions with their names.
    pub fn versions(&self) -> impl Iterator<Item = (Resource, &Version)> {
        self.projects.iter().flat_map(|(project, entry)| {
            entry.versions.iter().map(move |(name, version)| {
                let (project, name) = (project.clone(), Some(name.clone()));
                (Resource { project, version: name, created_ms: version.arn_ms() }, version)
            })
        })
    }

    /// The project that an ARN names. A new project with the name of a deleted one is another.
    pub fn project(&self, resource: &Resource) -> Option<&Project> {
        self.projects
            .get(&resource.project)
            .filter(|project| resource.version.is_some() || project.is_meant_by(resource.created_ms))
    }

    /// The version that an ARN names.
    pub fn version(&self, resource: &Resource) -> Option<&Version> {
        let version = self.projects.get(&resource.project)?.versions.get(resource.version.as_ref()?)?;
        version.is_meant_by(resource.created_ms).then_some(version)
    }

    fn version_mut(&mut self, resource: &Resource) -> Result<&mut Version, CatalogError> {
        let version =
            resource.version.as_ref().and_then(|name| self.projects.get_mut(&resource.project)?.versions.get_mut(name));
        let is_same = |version: &&mut Version| version.is_meant_by(resource.created_ms);
        version.filter(is_same).ok_or_else(|| CatalogError::NotFound(resource.to_string()))
    }

    /// The tags of the project or version that an ARN names.
    pub fn tags(&self, resource: &Resource) -> Option<&Tags> {
        match resource.version {
            Some(_) => self.version(resource).map(|version| &version.tags),
            None => self.project(resource).map(|project| &project.tags),
        }
    }

    /// Changes the tags of a project or version.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub fn change_tags(&mut self, resource: &Resource, change: impl FnOnce(&mut Tags)) -> Result<(), CatalogError> {
        let tags = match resource.version {
            Some(_) => &mut self.version_mut(resource)?.tags,
            None => {
                let project = self.projects.get_mut(&resource.project);
                let project = project.filter(|project| project.is_meant_by(resource.created_ms));
                &mut project.ok_or_else(|| CatalogError::NotFound(resource.to_string()))?.tags
            }
        };
        change(tags);
        Ok(())
    }

    /// Changes a version.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub fn change_version(
        &mut self,
        resource: &Resource,
        change: impl FnOnce(&mut Version),
    ) -> Result<(), CatalogError> {
        self.version_mut(resource).map(change)
    }

    /// Creates a project.
    ///
    /// # Errors
    /// `InUse` when the name is taken, or `LimitExceeded`.
    pub fn create_project(&mut self, name: &str, now_ms: i64) -> Result<Resource, CatalogError> {
        if self.projects.contains_key(name) {
            return Err(CatalogError::InUse(format!("A project named {name} already exists.")));
        }
        if self.projects.len() >= MAX_PROJECTS {
            return Err(CatalogError::LimitExceeded(format!("This box has {MAX_PROJECTS} projects already.")));
        }
        let created_ms = self.next_ms(now_ms);
        self.projects.insert(name.to_owned(), Project::new(created_ms, false));
        Ok(Resource { project: name.to_owned(), version: None, created_ms })
    }

    /// Removes a project without versions.
    ///
    /// # Errors
    /// `NotFound`, or `InUse` for a project with versions or of the settings.
    pub fn delete_project(&mut self, resource: &Resource) -> Result<(), CatalogError> {
        let project = self.project(resource).ok_or_else(|| CatalogError::NotFound(resource.to_string()))?;
        if project.is_configured {
            let text = "The project is a model of this box's settings; remove it there.";
            return Err(CatalogError::InUse(text.into()));
        }
        if !project.versions.is_empty() {
            return Err(CatalogError::InUse("The project has versions; delete them first.".into()));
        }
        self.projects.remove(&resource.project);
        Ok(())
    }

    /// Creates a version whose package is still to be imported.
    ///
    /// # Errors
    /// `NotFound` without the project, `InUse` when the name is taken, or `LimitExceeded`.
    pub fn create_version(&mut self, new: NewVersion, now_ms: i64) -> Result<Resource, CatalogError> {
        let imports = self.projects.values().flat_map(|project| project.versions.values());
        if imports.filter(|version| version.stage.is_coming()).count() >= MAX_IMPORTS {
            return Err(CatalogError::LimitExceeded(format!("{MAX_IMPORTS} versions are being imported already.")));
        }
        let created_ms = self.next_ms(now_ms);
        let missing = || CatalogError::NotFound(format!("project/{}", new.project));
        let project = self.projects.get_mut(&new.project).ok_or_else(missing)?;
        if project.versions.contains_key(&new.name) {
            let text = format!("A version named {} already exists in the project.", new.name);
            return Err(CatalogError::InUse(text));
        }
        if project.versions.len() >= MAX_VERSIONS {
            return Err(CatalogError::LimitExceeded(format!("The project has {MAX_VERSIONS} versions already.")));
        }
        let NewVersion { project: project_name, name, stage, output, description, source, tags } = new;
        let output = Some(output);
        let version = Version { output, description, source, tags, ..Version::new(created_ms, stage) };
        project.versions.insert(name.clone(), version);
        Ok(Resource { project: project_name, version: Some(name), created_ms })
    }

    /// Records the end of an import. `Err` is the reason of a failure.
    ///
    /// # Errors
    /// `NotFound` when the version has been deleted in the meantime.
    pub fn finish_version(
        &mut self,
        resource: &Resource,
        result: Result<(), String>,
        now_ms: i64,
    ) -> Result<(), CatalogError> {
        let version = self.version_mut(resource)?;
        version.finished_ms = Some(now_ms);
        version.stage = match (version.stage, &result) {
            (Stage::Importing, Ok(())) => Stage::Imported,
            (Stage::Importing, Err(_)) => Stage::ImportFailed,
            (Stage::Copying, Ok(())) => Stage::Copied,
            (Stage::Copying, Err(_)) => Stage::CopyFailed,
            (stage, _) => stage,
        };
        version.failure = result.err();
        Ok(())
    }

    /// Removes a version. The caller makes sure that it does not run.
    ///
    /// # Errors
    /// `NotFound`, or `InUse` for a version that is being imported or of the settings.
    pub fn delete_version(&mut self, resource: &Resource) -> Result<(), CatalogError> {
        let version = self.version_mut(resource)?;
        if version.stage.is_coming() {
            return Err(CatalogError::InUse("The version is still being imported.".into()));
        }
        if version.stage == Stage::Configured {
            let text = "The version is the model of this box's settings; remove it there.";
            return Err(CatalogError::InUse(text.into()));
        }
        if let (Some(project), Some(name)) = (self.projects.get_mut(&resource.project), &resource.version) {
            project.versions.remove(name);
        }
        Ok(())
    }

    /// Undoes a change of a version. `None` means that the version did not exist before it.
    pub fn restore_version(&mut self, resource: &Resource, before: Option<Version>) {
        let project = self.projects.get_mut(&resource.project);
        if let (Some(project), Some(name)) = (project, &resource.version) {
            match before {
                Some(version) => project.versions.insert(name.clone(), version),
                None => project.versions.remove(name),
            };
        }
    }

    /// Brings the catalog in line with the settings (name of each model, version of its package), and marks imports that a
    /// restart has interrupted as failed.
    pub fn reconcile(&mut self, configured: &[(String, String)], now_ms: i64) {
        for (name, project) in &mut self.projects {
            if !configured.iter().any(|(model, _)| model == name) {
                project.is_configured = false;
                project.versions.retain(|_, version| version.stage != Stage::Configured);
            }
            for version in project.versions.values_mut().filter(|version| version.stage.is_coming()) {
                let is_copy = version.stage == Stage::Copying;
                version.stage = if is_copy { Stage::CopyFailed } else { Stage::ImportFailed };
                version.failure = Some("the daemon was stopped during the import".into());
                version.finished_ms = Some(now_ms);
            }
        }
        for (model, version) in configured {
            self.configure(model, version, now_ms);
        }
    }

    /// Records that a model of the settings runs this version of its package. The ARN stays the same until the version
    /// changes.
    pub fn configure(&mut self, model: &str, version: &str, now_ms: i64) {
        let created_ms = self.next_ms(now_ms);
        let project = self.projects.entry(model.to_owned());
        let project = project.or_insert(Project::new(created_ms, true));
        project.is_configured = true;
        let mut name = name_of(version);
        while project.versions.get(&name).is_some_and(|taken| taken.stage != Stage::Configured) {
            name += "-settings";
        }
        let known = project.versions.remove(&name);
        project.versions.retain(|_, version| version.stage != Stage::Configured);
        project.versions.insert(name, known.unwrap_or_else(|| Version::new(created_ms, Stage::Configured)));
    }

    /// Unique, even if the clock stands still or goes back.
    fn next_ms(&mut self, now_ms: i64) -> i64 {
        self.last_ms = now_ms.max(self.last_ms + 1);
        self.last_ms
    }
}

/// Turns the version of a manifest, which is free text, into the name of a version.
fn name_of(version: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name: String = version.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(200).collect();
    if name.is_empty() { "1".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
