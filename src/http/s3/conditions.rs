//! Conditions of a request on the object that is there (RFC 9110, section 13), and the tag that they compare.

use crate::http::auth::sigv4::single;
use crate::http::s3::error::{Code, S3Error};
use crate::model::manifest::hexadecimal;
use crate::os::clock::http_date;
use crate::os::object_directory::ObjectFacts;
use axum::http::HeaderMap;
use sha2::{Digest as _, Sha256};

/// The `ETag` of an object, with its quotes.
///
/// It names the file as it lies on the disk, so that a listing need not read all files. The `-1` tells clients, as that of a
/// multipart upload does, that it is no MD5 for them to compare.
pub(super) fn etag(facts: &ObjectFacts) -> String {
    let text = format!("{} {} {} {}", facts.inode, facts.bytes, facts.modified_ms, facts.nanoseconds);
    let hash = Sha256::digest(text);
    format!("\"{}-1\"", hexadecimal(&hash[..16]))
}

/// The conditions of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    /// For reading: the time as the box would write it.
    if_modified_since: Option<String>,
}

impl Conditions {
    /// # Errors
    /// [`S3Error`] for a header that is repeated, and for a condition that the box does not judge.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, S3Error> {
        if headers.contains_key("if-unmodified-since") {
            return Err(S3Error::not_implemented("If-Unmodified-Since: use If-Match"));
        }
        let read = |name| single(headers, name).map(|value| value.map(str::to_owned));
        let (if_match, if_none_match) = (read("if-match")?, read("if-none-match")?);
        Ok(Self { if_match, if_none_match, if_modified_since: read("if-modified-since")? })
    }

    /// Judges a request that reads an object.
    ///
    /// # Errors
    /// [`Code::PreconditionFailed`] and [`Code::NotModified`].
    pub(super) fn allow_reading(&self, facts: &ObjectFacts) -> Result<(), S3Error> {
        let tag = etag(facts);
        if self.if_match.as_deref().is_some_and(|tags| !names(tags, &tag)) {
            return Err(failed("If-Match"));
        }
        // The time has whole seconds, and a client has it from the box: the same text means the same object.
        let is_same = match (&self.if_none_match, &self.if_modified_since) {
            (Some(tags), _) => names(tags, &tag),
            (None, Some(time)) => *time == http_date(facts.modified_ms),
            (None, None) => false,
        };
        if is_same { Err(S3Error::new(Code::NotModified, "Not Modified")) } else { Ok(()) }
    }

    /// Judges a request that replaces an object; `None`: there is none.
    ///
    /// # Errors
    /// [`Code::PreconditionFailed`], and [`Code::NoSuchKey`] where `If-Match` names an object that is not there.
    pub(super) fn allow_writing(&self, facts: Option<&ObjectFacts>) -> Result<(), S3Error> {
        match (facts.map(etag), &self.if_match, &self.if_none_match) {
            (None, Some(_), _) => Err(S3Error::no_such_key()),
            (Some(tag), Some(tags), _) if !names(tags, &tag) => Err(failed("If-Match")),
            (Some(tag), _, Some(tags)) if names(tags, &tag) => Err(failed("If-None-Match")),
            _ => Ok(()),
        }
    }
}

/// True if a list of tags has this one, or is `*`.
fn names(tags: &str, tag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    tags.split(',').any(|other| other.trim() == "*" || bare(other) == bare(tag))
}

fn failed(header: &str) -> S3Error {
    let what = format!("At least one of the pre-conditions you specified did not hold: {header}");
    S3Error::new(Code::PreconditionFailed, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: ObjectFacts =
        ObjectFacts { bytes: 5, modified_ms: 1_796_000_000_123, nanoseconds: 123_456_789, inode: 7 };

    fn conditions(header: &'static str, value: &str) -> Conditions {
        Conditions::of(&HeaderMap::from_iter([(header.parse().unwrap(), value.parse().unwrap())])).unwrap()
    }

    #[test]
    fn a_tag_names_one_version_of_one_file_and_is_no_md5() {
        let tag = etag(&FACTS);
        assert!(tag.len() == 36 && tag.ends_with("-1\""), "{tag}");
        for other in [
            ObjectFacts { bytes: 6, ..FACTS },
            ObjectFacts { modified_ms: 1_796_000_000_124, ..FACTS },
            ObjectFacts { nanoseconds: 123_456_790, ..FACTS },
            ObjectFacts { inode: 8, ..FACTS },
        ] {
            assert_ne!(etag(&other), tag);
        }
    }

    #[test]
    fn what_a_client_has_is_not_sent_again_and_what_it_has_not_seen_not_replaced() {
        let (tag, code) = (etag(&FACTS), |result: Result<(), S3Error>| result.err().map(|error| error.code));
        let bare = tag.trim_matches('"').to_owned();
        for (header, value, read, replaced, made) in [
            ("if-none-match", tag.clone(), Some(Code::NotModified), Some(Code::PreconditionFailed), None),
            ("if-none-match", format!("\"x\", {tag}"), Some(Code::NotModified), Some(Code::PreconditionFailed), None),
            ("if-none-match", "*".into(), Some(Code::NotModified), Some(Code::PreconditionFailed), None),
            ("if-none-match", "\"x\"".into(), None, None, None),
            ("if-match", bare, None, None, Some(Code::NoSuchKey)),
            (
                "if-match",
                "\"x\"".into(),
                Some(Code::PreconditionFailed),
                Some(Code::PreconditionFailed),
                Some(Code::NoSuchKey),
            ),
            ("if-modified-since", http_date(FACTS.modified_ms), Some(Code::NotModified), None, None),
            ("if-modified-since", http_date(0), None, None, None),
        ] {
            let conditions = conditions(header, &value);
            assert_eq!(code(conditions.allow_reading(&FACTS)), read, "{header}: {value}");
            assert_eq!(code(conditions.allow_writing(Some(&FACTS))), replaced, "{header}: {value}");
            assert_eq!(code(conditions.allow_writing(None)), made, "{header}: {value}");
        }
    }
}
