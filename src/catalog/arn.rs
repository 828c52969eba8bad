//! ARNs of projects and versions.
//!
//! `arn:aws:rekognition:<region>:<account>:project/<project>[/version/<version>]/<created ms>`, by the service
//! model of Rekognition (2016-06-27), `ProjectArn` and `ProjectVersionArn`.

use std::fmt;

/// The region and account in the ARNs of this box, from the settings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Realm {
    /// A region such as `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

/// A project, or one of its versions.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Resource {
    /// The project's name.
    pub project: String,
    /// The version's name. `None` means the project itself.
    pub version: Option<String>,
    /// When it was created, in milliseconds since 1970. Tells a deleted resource from a new one of the same name. For models of
    /// the settings, which cannot be deleted, [`CONFIGURED_MS`].
    pub created_ms: i64,
}

/// The number in the ARNs of models of the settings, 2020-01-01: the same on every box, so that a client's ARN stays valid when a
/// box is replaced or set up anew. Any other number is accepted too.
pub const CONFIGURED_MS: i64 = 1_577_836_800_000;

/// The text is not an ARN of a project or version.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not the ARN of a project or of a project version")]
pub struct NotAnArn;

/// The longest ARN.
const MAX_BYTES: usize = 2048;

impl Realm {
    /// The ARN of a project or version of this box.
    pub fn arn(&self, resource: &Resource) -> String {
        format!("arn:aws:rekognition:{}:{}:{resource}", self.region, self.account)
    }

    /// Parses an ARN. `Ok(None)` means well-formed, but for another account or region: not found here.
    ///
    /// # Errors
    /// [`NotAnArn`].
    pub fn parse(&self, text: &str) -> Result<Option<Resource>, NotAnArn> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "rekognition", region, account, rest] = parts[..] else { return Err(NotAnArn) };
        let is_word = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if text.len() > MAX_BYTES || !is_word(partition) || !is_word(region) || !is_account {
            return Err(NotAnArn);
        }
        let (project, version, created) = match rest.split('/').collect::<Vec<_>>()[..] {
            ["project", project, created] => (project, None, created),
            ["project", project, "version", version, created] => (project, Some(version), created),
            _ => return Err(NotAnArn),
        };
        let is_number = !created.is_empty() && created.bytes().all(|byte| byte.is_ascii_digit());
        if !is_name(project) || !version.is_none_or(is_name) || !is_number {
            return Err(NotAnArn);
        }
        let (project, version) = (project.to_owned(), version.map(str::to_owned));
        // No resource has a number that is too large.
        let created_ms = created.parse().unwrap_or(i64::MAX);
        let is_here = region == self.region && account == self.account;
        Ok(is_here.then_some(Resource { project, version, created_ms }))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project, version, created_ms } = self;
        match version {
            Some(version) => write!(out, "project/{project}/version/{version}/{created_ms}"),
            None => write!(out, "project/{project}/{created_ms}"),
        }
    }
}

/// True for the name of a project or version: 1 to 255 of `[a-zA-Z0-9_.\-]`.
pub fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn realm() -> Realm {
        Realm { region: "us-east-1".into(), account: "123456789012".into() }
    }

    #[test]
    fn a_malformed_arn_is_refused_and_one_of_another_account_or_region_is_not_found() {
        let good = "arn:aws:rekognition:us-east-1:123456789012:project/edge/version/v.1/1704067200000";
        let resource = realm().parse(good).unwrap().unwrap();
        assert_eq!((resource.project.as_str(), resource.version.as_deref()), ("edge", Some("v.1")));
        for elsewhere in [good.replace("us-east-1", "eu-west-1"), good.replace("123456789012", "999999999999")] {
            assert_eq!(realm().parse(&elsewhere), Ok(None), "{elsewhere}");
        }
        for bad in [
            "",
            "edge",
            "arn:aws:s3:us-east-1:123456789012:project/edge/1",
            "arn:aws:rekognition:us-east-1:12:project/edge/1",
            "arn:aws:rekognition:us-east-1:123456789012:project/edge",
            "arn:aws:rekognition:us-east-1:123456789012:project/edge/version/v/",
            "arn:aws:rekognition:us-east-1:123456789012:project/../1",
            "arn:aws:rekognition:us-east-1:123456789012:project/a b/1",
            "arn:aws:rekognition:us-east-1:123456789012:collection/edge/1",
            "arn:aws:rekognition:US:123456789012:project/edge/1",
        ] {
            let parsed = realm().parse(bad);
            // The service model allows the name `..`. It is harmless, because no name becomes a path.
            assert!(parsed.is_err() || bad.contains(".."), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_arn_is_parsed_as_it_was_written(
            project in "[a-zA-Z0-9_.-]{1,40}",
            version in prop::option::of("[a-zA-Z0-9_.-]{1,40}"),
            created_ms in 0i64..4_000_000_000_000,
        ) {
            let resource = Resource { project, version, created_ms };
            prop_assert_eq!(realm().parse(&realm().arn(&resource)), Ok(Some(resource)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            drop(realm().parse(&text));
        }
    }
}
