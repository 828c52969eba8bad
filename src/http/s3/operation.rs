//! What a request asks for: its operation, bucket and key, from the method, the path and the query.

use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::query::{Query, decode};
use axum::http::{HeaderMap, Method, Uri};

/// The operations that the box has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Sends an object, or a part of it.
    GetObject,
    /// Says what `GetObject` would send.
    HeadObject,
    /// Takes an object.
    PutObject,
    /// Removes one.
    DeleteObject,
    /// Says whether a bucket can be reached.
    HeadBucket,
    /// Lists a bucket's objects.
    ListObjectsV2,
}

/// Parameters that an operation knows.
const OF_OBJECTS: [&str; 2] = ["x-id", "versionId"];
const OF_LISTS: [&str; 9] = [
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "continuation-token",
    "start-after",
    "encoding-type",
    "fetch-owner",
    "x-id",
];

/// What operations of S3 have in their query that no operation of the box has, by the ends of their names.
const SUBRESOURCES: [(&str, &str); 22] = [
    ("accelerate", "AccelerateConfiguration"),
    ("acl", "Acl"),
    ("attributes", "Attributes"),
    ("cors", "Cors"),
    ("encryption", "Encryption"),
    ("legal-hold", "LegalHold"),
    ("lifecycle", "LifecycleConfiguration"),
    ("location", "Location"),
    ("logging", "Logging"),
    ("notification", "NotificationConfiguration"),
    ("object-lock", "LockConfiguration"),
    ("ownershipControls", "OwnershipControls"),
    ("policy", "Policy"),
    ("policyStatus", "PolicyStatus"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("replication", "Replication"),
    ("requestPayment", "RequestPayment"),
    ("retention", "Retention"),
    ("tagging", "Tagging"),
    ("torrent", "Torrent"),
    ("versioning", "Versioning"),
    ("website", "Website"),
];

impl Operation {
    /// The name in S3's documentation.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
            Self::HeadBucket => "HeadBucket",
            Self::ListObjectsV2 => "ListObjectsV2",
        }
    }

    /// True if it changes something.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::PutObject | Self::DeleteObject)
    }
}

/// What a request asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// What is to be done.
    pub operation: Operation,
    /// The bucket, which need not exist.
    pub bucket: String,
    /// The key as the client wrote it; empty for an operation on a bucket.
    pub key: String,
    /// The rest.
    pub query: Query,
}

impl Asked {
    /// Reads the head of a request.
    ///
    /// # Errors
    /// [`S3Error`]; [`Code::NotImplemented`] with the name of an operation that S3 has and the box has not.
    pub fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Self, S3Error> {
        let query = Query::parse(uri.query().unwrap_or_default())?;
        let path = uri.path().strip_prefix('/').unwrap_or_default();
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let (bucket, key) = (decode(bucket)?, decode(key)?);
        let (has_bucket, has_key) = (!bucket.is_empty(), !key.is_empty());
        let missing = |query: &Query| match missing(method, has_bucket, has_key, query) {
            Some(name) => S3Error::not_implemented(&name),
            None => S3Error::invalid("This is no request of S3 that this box knows. Buckets are named in the path."),
        };
        let is_copy = headers.contains_key("x-amz-copy-source");
        let (operation, known): (_, &[&str]) = match *method {
            Method::GET if has_key => (Operation::GetObject, &OF_OBJECTS),
            Method::HEAD if has_key => (Operation::HeadObject, &OF_OBJECTS),
            Method::PUT if has_key && !is_copy => (Operation::PutObject, &OF_OBJECTS),
            Method::DELETE if has_key => (Operation::DeleteObject, &OF_OBJECTS),
            Method::HEAD if has_bucket => (Operation::HeadBucket, &["x-id"]),
            Method::GET if has_bucket && query.get("list-type") == Some("2") => (Operation::ListObjectsV2, &OF_LISTS),
            Method::PUT if is_copy => return Err(S3Error::not_implemented("CopyObject")),
            _ => return Err(missing(&query)),
        };
        if let Some(other) = query.beside(known) {
            let named = missing(&query);
            let named_by = format!("{} with the parameter `{other}`", operation.name());
            let is_named = named.code == Code::NotImplemented;
            return Err(if is_named { named } else { S3Error::not_implemented(&named_by) });
        }
        if query.get("versionId").is_some_and(|version| !version.is_empty() && version != "null") {
            return Err(S3Error::not_implemented("versions of objects"));
        }
        Ok(Self { operation, bucket, key, query })
    }
}

/// The name of an operation that S3 has and the box has not.
fn missing(method: &Method, has_bucket: bool, has_key: bool, query: &Query) -> Option<String> {
    if !has_bucket {
        return (*method == Method::GET).then(|| "ListBuckets".to_owned());
    }
    let verb = match *method {
        Method::GET | Method::HEAD => "Get",
        Method::PUT => "Put",
        Method::DELETE => "Delete",
        _ => "Post",
    };
    let special = match (method, has_key) {
        (&Method::POST, true) if query.has("uploads") => "CreateMultipartUpload",
        (&Method::POST, true) if query.has("uploadId") => "CompleteMultipartUpload",
        (&Method::POST, true) if query.has("select") => "SelectObjectContent",
        (&Method::POST, true) if query.has("restore") => "RestoreObject",
        (&Method::PUT, true) if query.has("uploadId") => "UploadPart",
        (&Method::GET, true) if query.has("uploadId") => "ListParts",
        (&Method::DELETE, true) if query.has("uploadId") => "AbortMultipartUpload",
        (&Method::GET, true) if query.has("partNumber") => "GetObject with PartNumber",
        (&Method::POST, false) if query.has("delete") => "DeleteObjects",
        (&Method::GET, false) if query.has("uploads") => "ListMultipartUploads",
        (&Method::GET, false) if query.has("versions") => "ListObjectVersions",
        _ => "",
    };
    if !special.is_empty() {
        return Some(special.to_owned());
    }
    if let Some((_, end)) = SUBRESOURCES.iter().find(|(parameter, _)| query.has(parameter)) {
        let level = if has_key { "Object" } else { "Bucket" };
        return Some(format!("{verb}{level}{end}"));
    }
    match (method, has_key) {
        (&Method::GET, false) => Some("ListObjects (its version 2 is there)".into()),
        (&Method::PUT, false) => Some("CreateBucket".into()),
        (&Method::DELETE, false) => Some("DeleteBucket".into()),
        (&Method::POST, false) => Some("PostObject".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, uri: &str) -> Result<Asked, S3Error> {
        Asked::of(&method.parse().unwrap(), &uri.parse().unwrap(), &HeaderMap::new())
    }

    #[test]
    fn a_path_names_a_bucket_and_a_key_and_is_decoded_once() {
        for (method, uri, operation, key) in [
            ("GET", "/files/a%20b/%C3%BC%2B.jpg?x-id=GetObject", Operation::GetObject, "a b/ü+.jpg"),
            ("HEAD", "/files/a+b?versionId=null", Operation::HeadObject, "a+b"),
            ("PUT", "/files/%252e%252e/x", Operation::PutObject, "%2e%2e/x"),
            ("DELETE", "/files/%2e%2e%2Fx", Operation::DeleteObject, "../x"),
            ("HEAD", "/files", Operation::HeadBucket, ""),
            ("GET", "/files/?list-type=2&prefix=a", Operation::ListObjectsV2, ""),
        ] {
            let asked = asked(method, uri).unwrap();
            assert_eq!(
                (asked.operation, asked.bucket.as_str(), asked.key.as_str()),
                (operation, "files", key),
                "{uri}"
            );
        }
    }

    #[test]
    fn what_the_box_has_not_is_named() {
        for (method, uri, name) in [
            ("GET", "/", "ListBuckets"),
            ("GET", "/files", "ListObjects "),
            ("PUT", "/files", "CreateBucket"),
            ("GET", "/files?location", "GetBucketLocation"),
            ("GET", "/files/a?acl", "GetObjectAcl"),
            ("PUT", "/files/a?tagging", "PutObjectTagging"),
            ("POST", "/files/a?uploads", "CreateMultipartUpload"),
            ("PUT", "/files/a?partNumber=1&uploadId=x", "UploadPart"),
            ("POST", "/files?delete", "DeleteObjects"),
            ("GET", "/files/a?response-content-type=x", "GetObject with the parameter `response-content-type`"),
            ("GET", "/files/a?versionId=7", "versions of objects"),
        ] {
            let error = asked(method, uri).unwrap_err();
            assert!(error.code == Code::NotImplemented && error.message.contains(name), "{uri}: {error:?}");
        }
        for (method, uri) in [("PATCH", "/files/a"), ("POST", "/"), ("PUT", "/")] {
            assert_eq!(asked(method, uri).unwrap_err().code, Code::InvalidArgument, "{method} {uri}");
        }
        assert_eq!(asked("GET", "/files/%ff").unwrap_err().code, Code::InvalidUri);
    }
}
