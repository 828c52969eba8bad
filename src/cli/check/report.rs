//! What `ocelli check` has found: lines for a person, or one JSON object, and the exit code.

use crate::cli::config_arguments::EXIT_SETTINGS;
use crate::cli::live_view::print_line;
use crate::settings::{Mistake, Place, Places, Remark, Subject};
use serde::Serialize;
use std::process::ExitCode;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// It works.
    Ok,
    /// It works, but badly or not for long.
    Warning,
    /// It does not work now; the settings may be right.
    Failed,
    /// The settings, or files that they name, are wrong.
    Mistake,
}

impl Severity {
    fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok     ",
            Self::Warning => "warning",
            Self::Failed => "FAILED ",
            Self::Mistake => "MISTAKE",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// What was looked at, such as `broker` or `camera yard`.
    pub(super) subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    camera: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// What sets it: a settings file or a variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line in the file, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The setting to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    pub(super) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<String>,
}

impl Finding {
    pub(super) fn new(severity: Severity, subject: impl Into<String>, what: impl Into<String>) -> Self {
        let (subject, what) = (subject.into(), what.into());
        Self { severity, subject, camera: None, model: None, file: None, line: None, key: None, what, cure: None }
    }

    pub(super) fn ok(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Severity::Ok, subject, what)
    }

    /// A finding about a camera, by its id.
    pub(super) fn of_camera(severity: Severity, id: &str, what: impl Into<String>) -> Self {
        Self { camera: Some(id.to_owned()), ..Self::new(severity, format!("camera {id}"), what) }
    }

    /// A finding about a model, by its name. `part` is what of it was looked at, such as `package of`, or empty.
    pub(super) fn of_model(severity: Severity, part: &str, name: &str, what: impl Into<String>) -> Self {
        let subject = if part.is_empty() { format!("model {name}") } else { format!("{part} {name}") };
        Self { model: Some(name.to_owned()), ..Self::new(severity, subject, what) }
    }

    /// A finding about whatever a subject of the settings is.
    pub(super) fn about(severity: Severity, subject: &Subject, else_about: &str, what: impl Into<String>) -> Self {
        match subject {
            Subject::Box => Self::new(severity, else_about, what),
            Subject::Camera(id) => Self::of_camera(severity, id, what),
            Subject::Model(name) => Self::of_model(severity, "", name, what),
        }
    }

    pub(super) fn of_remark(severity: Severity, remark: Remark) -> Self {
        let Remark { key, subject, what, cure } = remark;
        Self::about(severity, &subject, "settings", what).key(key).cure(cure)
    }

    pub(super) fn of_mistake(mistake: Mistake) -> Self {
        let Mistake { origin, line, key, what } = mistake;
        let key = (!key.is_empty()).then_some(key);
        Self { file: Some(origin), line, key, ..Self::new(Severity::Mistake, "settings", what) }
    }

    pub(super) fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    pub(super) fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()).filter(|cure: &String| !cure.is_empty()), ..self }
    }

    /// True if it is about this setting.
    pub(super) fn has_key(&self, key: &str) -> bool {
        self.key.as_deref() == Some(key)
    }

    /// Says of which stream of its camera it is.
    pub(super) fn of_stream(self, stream: &str) -> Self {
        Self { what: format!("{stream}: {}", self.what), ..self }
    }

    /// The first line is what is found; the lines below it say where and what to do.
    fn in_lines(&self) -> String {
        let mut text = format!("{} {}: {}", self.severity.mark(), self.subject, self.what);
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let file = self.file.as_ref().map(|file| format!("{file}{line}"));
        let place = match (&self.key, &file) {
            (Some(key), Some(file)) => Some(format!("`{key}` in {file}")),
            (Some(key), None) => Some(format!("`{key}`")),
            (None, Some(file)) => Some(file.clone()),
            (None, None) => None,
        };
        for (name, value) in [("where", &place), ("cure", &self.cure)] {
            if let Some(value) = value {
                text.push_str(&format!("\n        {name}: {value}"));
            }
        }
        text
    }
}

/// All findings so far. A person sees each at once.
#[derive(Debug)]
pub(super) struct Report {
    is_json: bool,
    /// Where everything is set, once the settings are read.
    places: Option<Places>,
    box_id: Option<String>,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, places: None, box_id: None, findings: Vec::new() }
    }

    /// Takes the id of the box, and the places that later findings name.
    pub(super) fn know(&mut self, box_id: &str, places: Places) {
        self.box_id = Some(box_id.to_owned());
        self.places = Some(places);
    }

    /// Adds a finding. Its key has the index of an entry of a list, and is shown with the entry's name and its place.
    pub(super) fn add(&mut self, mut finding: Finding) {
        if let (Some(places), Some(key)) = (&self.places, &finding.key) {
            (finding.file, finding.line) = match places.near(key) {
                Place::Line { file, line } => (Some(file), Some(line)),
                Place::Variable(name) => (Some(format!("the variable {name}")), None),
                Place::Default => (None, None),
            };
            finding.key = Some(places.shown_key(key));
            finding.what = places.shown_text(&finding.what);
        }
        if !self.is_json {
            print_line(&finding.in_lines());
        }
        self.findings.push(finding);
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    /// Prints the JSON object, if one is wanted, and returns the exit code.
    pub(super) fn finish(&self) -> ExitCode {
        let code = self.code();
        if self.is_json {
            let object = serde_json::json!({
                "box_id": self.box_id,
                "ok": code == 0,
                "exit_code": code,
                "findings": self.findings,
            });
            print_line(&object.to_string());
        }
        ExitCode::from(code)
    }

    /// 78: something must be corrected in a file. 1: something does not work now. 0: neither.
    fn code(&self) -> u8 {
        let has = |severity| self.findings.iter().any(|finding| finding.severity == severity);
        match (has(Severity::Mistake), has(Severity::Failed)) {
            (true, _) => EXIT_SETTINGS,
            (false, true) => 1,
            (false, false) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_where_and_the_cure() {
        let finding = Finding::of_camera(Severity::Mistake, "yard", "is odd").key("cameras[yard].fps").cure("set 5");
        let mut report = Report::new(true);
        report.add(Finding { file: Some("yard.toml".into()), line: Some(3), ..finding });
        let expected =
            "MISTAKE camera yard: is odd\n        where: `cameras[yard].fps` in yard.toml:3\n        cure: set 5";
        assert_eq!(report.findings[0].in_lines(), expected);
        assert_eq!(Finding::ok("clock", "is set").in_lines(), "ok      clock: is set");
    }

    #[test]
    fn a_mistake_weighs_more_than_a_failure_and_a_warning_nothing() {
        let code = |severities: &[Severity]| {
            let mut report = Report::new(true);
            report.extend(severities.iter().map(|severity| Finding::new(*severity, "x", "y")));
            report.code()
        };
        assert_eq!(code(&[Severity::Ok, Severity::Warning]), 0);
        assert_eq!(code(&[Severity::Ok, Severity::Failed]), 1);
        assert_eq!(code(&[Severity::Mistake, Severity::Failed]), 78);
    }
}
