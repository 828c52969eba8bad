//! Every refusal of a request for objects, in the form of S3.

use crate::http::auth::sigv4::SignatureError;
use axum::http::StatusCode;
use std::fmt::Display;
use std::io;

/// The codes of S3's errors. Two are the box's own, where S3 has no end of its disks: [`Self::QuotaExceeded`] and
/// [`Self::InsufficientStorage`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// The key, or the bucket, does not allow it.
    AccessDenied,
    /// The `Authorization` header cannot be read.
    AuthorizationHeaderMalformed,
    /// A checksum of the client differs from what arrived.
    BadDigest,
    /// An object is longer than its bucket takes.
    EntityTooLarge,
    /// The body ended early, or is no body of the form that was announced.
    IncompleteBody,
    /// Chunks that are too small.
    InvalidChunkSizeError,
    /// A fault of the box.
    InternalError,
    /// No access key has this id.
    InvalidAccessKeyId,
    /// A value that S3 does not know, or a key that cannot be a file.
    InvalidArgument,
    /// A checksum that is none.
    InvalidDigest,
    /// The part of an object begins behind its end.
    InvalidRange,
    /// Headers that contradict each other.
    InvalidRequest,
    /// The path cannot be decoded.
    InvalidUri,
    /// A key of more than 1024 bytes.
    KeyTooLongError,
    /// The headers behind a body are not those that were announced.
    MalformedTrailerError,
    /// The length of the object is not announced.
    MissingContentLength,
    /// The bucket does not exist.
    NoSuchBucket,
    /// The object does not exist.
    NoSuchKey,
    /// S3 has the operation, and the box has not.
    NotImplemented,
    /// The object is still the one that the client has.
    NotModified,
    /// The object is not the one that the client expects.
    PreconditionFailed,
    /// The bucket is full.
    QuotaExceeded,
    /// The disk is full.
    InsufficientStorage,
    /// The age of the signature.
    RequestTimeTooSkewed,
    /// The body arrives too slowly.
    RequestTimeout,
    /// The signature is not that of the request, or of a chunk of it.
    SignatureDoesNotMatch,
    /// Too much at once.
    SlowDown,
    /// The body is not the one whose hash the request signs.
    XAmzContentSha256Mismatch,
}

impl Code {
    /// As S3 writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::AuthorizationHeaderMalformed => "AuthorizationHeaderMalformed",
            Self::BadDigest => "BadDigest",
            Self::EntityTooLarge => "EntityTooLarge",
            Self::IncompleteBody => "IncompleteBody",
            Self::InvalidChunkSizeError => "InvalidChunkSizeError",
            Self::InternalError => "InternalError",
            Self::InvalidAccessKeyId => "InvalidAccessKeyId",
            Self::InvalidArgument => "InvalidArgument",
            Self::InvalidDigest => "InvalidDigest",
            Self::InvalidRange => "InvalidRange",
            Self::InvalidRequest => "InvalidRequest",
            Self::InvalidUri => "InvalidURI",
            Self::KeyTooLongError => "KeyTooLongError",
            Self::MalformedTrailerError => "MalformedTrailerError",
            Self::MissingContentLength => "MissingContentLength",
            Self::NoSuchBucket => "NoSuchBucket",
            Self::NoSuchKey => "NoSuchKey",
            Self::NotImplemented => "NotImplemented",
            Self::NotModified => "NotModified",
            Self::PreconditionFailed => "PreconditionFailed",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::InsufficientStorage => "InsufficientStorage",
            Self::RequestTimeTooSkewed => "RequestTimeTooSkewed",
            Self::RequestTimeout => "RequestTimeout",
            Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
            Self::SlowDown => "SlowDown",
            Self::XAmzContentSha256Mismatch => "XAmzContentSHA256Mismatch",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::AccessDenied
            | Self::InvalidAccessKeyId
            | Self::QuotaExceeded
            | Self::RequestTimeTooSkewed
            | Self::SignatureDoesNotMatch => StatusCode::FORBIDDEN,
            Self::NoSuchBucket | Self::NoSuchKey => StatusCode::NOT_FOUND,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::InvalidRange => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::MissingContentLength => StatusCode::LENGTH_REQUIRED,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            // SDKs try again after 503, and a full disk does not pass.
            Self::InsufficientStorage => StatusCode::INSUFFICIENT_STORAGE,
            Self::SlowDown => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The label of the metric.
    pub(super) fn result(self) -> &'static str {
        match self {
            Self::SlowDown => "throttled",
            Self::InternalError | Self::InsufficientStorage => "server_error",
            Self::NotModified => "ok",
            _ => "user_error",
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct S3Error {
    /// What SDKs go by.
    pub code: Code,
    /// Must not reveal paths of the box.
    pub message: String,
}

impl S3Error {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn invalid(what: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, what)
    }

    pub(super) fn not_implemented(what: &str) -> Self {
        Self::new(Code::NotImplemented, format!("This box does not have {what}."))
    }

    /// The same for one that does not exist and for what is no object, such as a link, so that callers cannot probe the disk.
    pub(super) fn no_such_key() -> Self {
        Self::new(Code::NoSuchKey, "The specified key does not exist.")
    }

    pub(super) fn slow_down() -> Self {
        Self::new(Code::SlowDown, "Please reduce your request rate.")
    }

    /// A disk that refuses. The log says why, the client only what it can do.
    pub(super) fn disk(what: &str, error: &io::Error) -> Self {
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Self::full();
        }
        tracing::warn!(%error, "S3: {what}");
        Self::new(Code::InternalError, "The disk of this box refused.")
    }

    pub(super) fn full() -> Self {
        Self::new(Code::InsufficientStorage, "The disk of this box is full. Nothing has changed.")
    }

    /// Work that could not be done: it panicked, or the box stops.
    pub(super) fn incomplete(why: &dyn Display) -> Self {
        tracing::error!("S3: a request ended early: {why}");
        Self::new(Code::InternalError, "The request could not be completed.")
    }

    /// The document that SDKs read.
    pub(super) fn xml(&self, resource: &str, request_id: &str, host_id: &str) -> String {
        let (code, message) = (self.code.name(), escape(&self.message));
        let resource = escape(resource);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
             <Resource>{resource}</Resource><RequestId>{request_id}</RequestId><HostId>{host_id}</HostId></Error>"
        )
    }
}

/// False for what no document of XML 1.0 can have, and for the control characters that it discourages.
pub(super) fn is_in_xml(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}')
}

/// Text of a document. What XML has no way to write is left out.
pub(super) fn escape(text: &str) -> String {
    let text: String = text.chars().filter(|letter| is_in_xml(*letter)).collect();
    quick_xml::escape::escape(text.as_str()).into_owned()
}

impl From<SignatureError> for S3Error {
    fn from(error: SignatureError) -> Self {
        let code = match error {
            SignatureError::Missing | SignatureError::NotSigned | SignatureError::NotAccepted(_) => Code::AccessDenied,
            SignatureError::Incomplete(_) => Code::AuthorizationHeaderMalformed,
            SignatureError::UnknownKey => Code::InvalidAccessKeyId,
            SignatureError::Mismatch => Code::SignatureDoesNotMatch,
            SignatureError::Skewed { .. } | SignatureError::Replayed | SignatureError::NoClock => {
                Code::RequestTimeTooSkewed
            }
        };
        Self::new(code, error.to_string())
    }
}
