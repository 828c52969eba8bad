//! Every refusal of a call: the one place that maps reasons to the errors of AWS.

use crate::catalog::CatalogError;
use crate::control::ControlError;
use crate::http::auth::sigv4::SignatureError;
use crate::http::body::BodyError;
use crate::supervisor::FleetError;
use crate::vision::outcome::{FailureCause, ShedReason};
use axum::http::StatusCode;
use std::time::Duration;

/// The errors, without their suffix `Exception`. Those that the service model does not list come from the front end of
/// the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ErrorKind {
    AccessDenied,
    ImageTooLarge,
    IncompleteSignature,
    InternalServerError,
    InvalidImageFormat,
    InvalidPaginationToken,
    InvalidParameter,
    InvalidS3Object,
    InvalidSignature,
    LimitExceeded,
    MissingAuthenticationToken,
    ProvisionedThroughputExceeded,
    ResourceInUse,
    ResourceNotFound,
    ResourceNotReady,
    Serialization,
    ServiceQuotaExceeded,
    Throttling,
    UnknownOperation,
    UnrecognizedClient,
    Validation,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    pub(super) kind: ErrorKind,
    /// Must not reveal paths or processes of the box.
    pub(super) message: String,
    /// When to retry.
    pub(super) retry_after: Option<Duration>,
}

impl ErrorKind {
    /// The name in `__type`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::ImageTooLarge => "ImageTooLargeException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InternalServerError => "InternalServerError",
            Self::InvalidImageFormat => "InvalidImageFormatException",
            Self::InvalidPaginationToken => "InvalidPaginationTokenException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidS3Object => "InvalidS3ObjectException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::LimitExceeded => "LimitExceededException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::ProvisionedThroughputExceeded => "ProvisionedThroughputExceededException",
            Self::ResourceInUse => "ResourceInUseException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ResourceNotReady => "ResourceNotReadyException",
            Self::Serialization => "SerializationException",
            Self::ServiceQuotaExceeded => "ServiceQuotaExceededException",
            Self::Throttling => "ThrottlingException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::Validation => "ValidationException",
        }
    }

    /// The label of the metric.
    pub(super) fn result(self) -> &'static str {
        match self {
            Self::ProvisionedThroughputExceeded | Self::Throttling => "throttled",
            Self::InternalServerError => "server_error",
            _ => "user_error",
        }
    }

    /// 400 for everything except faults of the box.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl ApiError {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// A value outside its bounds, with the text of the service's front end.
    pub(super) fn constraint(value: &dyn std::fmt::Display, at: &str, constraint: &str) -> Self {
        let value: String = value.to_string().chars().take(100).collect();
        let message = format!(
            "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {constraint}"
        );
        Self::new(ErrorKind::Validation, message)
    }

    pub(super) fn throughput(retry_after: Duration) -> Self {
        let kind = ErrorKind::ProvisionedThroughputExceeded;
        Self { kind, message: "Provisioned Rate exceeded.".into(), retry_after: Some(retry_after) }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::ResourceNotFound, format!("The resource {what} was not found."))
    }

    /// No unit looked at the image.
    pub(super) fn shed(reason: ShedReason, retry_after: Duration) -> Self {
        match reason {
            // A running model without units has lost its capacity for a while. A retry makes sense.
            ShedReason::Throttled
            | ShedReason::NoUnits
            | ShedReason::Superseded
            | ShedReason::Still
            | ShedReason::Stale
            | ShedReason::NoFreeSlot
            | ShedReason::CameraRemoved => Self::throughput(retry_after),
            ShedReason::ModelStopped => {
                let kind = ErrorKind::ResourceNotReady;
                Self { kind, message: "The model is not ready.".into(), retry_after: Some(retry_after) }
            }
            ShedReason::Expired | ShedReason::Draining => {
                Self { kind: ErrorKind::Throttling, message: "Slow down.".into(), retry_after: Some(retry_after) }
            }
        }
    }

    /// A unit tried the image and gave no result.
    pub(super) fn failed(cause: FailureCause) -> Self {
        match cause {
            FailureCause::InvalidImage => Self::new(ErrorKind::InvalidImageFormat, "Request has invalid image format"),
            FailureCause::ImageTooLarge => Self::new(
                ErrorKind::ImageTooLarge,
                "The image has more pixels, or is longer on a side, than this operation takes.",
            ),
            FailureCause::ImageTooSmall => Self::new(
                ErrorKind::InvalidParameter,
                "Request has invalid parameters: the image is smaller, or narrower, than this operation takes.",
            ),
            FailureCause::UnitDied
            | FailureCause::UnitHung
            | FailureCause::InferenceError
            | FailureCause::InvalidOutput => {
                Self::new(ErrorKind::InternalServerError, "The image could not be analyzed.")
            }
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLong => {
                let constraint = format!("Member must have length less than or equal to {}", 5 << 20);
                Self::constraint(&"java.nio.HeapByteBuffer", "image.bytes", &constraint)
            }
            BodyError::NoRoom => Self::throughput(Duration::from_millis(500)),
            BodyError::NoLength | BodyError::TooSlow | BodyError::Broken => {
                Self::new(ErrorKind::Serialization, error.to_string())
            }
        }
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> Self {
        let kind = match error {
            CatalogError::NotFound(_) => ErrorKind::ResourceNotFound,
            CatalogError::InUse(_) => ErrorKind::ResourceInUse,
            CatalogError::LimitExceeded(_) => ErrorKind::LimitExceeded,
            CatalogError::Disk(_) => {
                tracing::error!(%error, "a call failed");
                return Self::new(ErrorKind::InternalServerError, "The change could not be written to disk.");
            }
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let kind = match &error {
            ControlError::Fleet(FleetError::NotFound(_)) | ControlError::NoSuchCamera(_) => ErrorKind::ResourceNotFound,
            ControlError::Fleet(FleetError::WrongState { .. }) => ErrorKind::ResourceInUse,
            ControlError::Fleet(FleetError::LimitExceeded(_)) => ErrorKind::LimitExceeded,
            ControlError::Fleet(FleetError::Invalid(_)) => ErrorKind::InvalidParameter,
            ControlError::Package(_) => {
                tracing::error!(%error, "a call failed");
                return Self::new(ErrorKind::InternalServerError, "The model's package cannot be used.");
            }
            // SDKs try again after this one.
            ControlError::Cluster(_) => ErrorKind::InternalServerError,
            ControlError::Busy => {
                let retry_after = Some(Duration::from_secs(1));
                return Self { kind: ErrorKind::Throttling, message: "Slow down.".into(), retry_after };
            }
        };
        Self::new(kind, error.to_string())
    }
}

impl From<SignatureError> for ApiError {
    fn from(error: SignatureError) -> Self {
        let kind = match error {
            SignatureError::Missing => ErrorKind::MissingAuthenticationToken,
            SignatureError::Incomplete(_) | SignatureError::NotSigned | SignatureError::NotAccepted(_) => {
                ErrorKind::IncompleteSignature
            }
            SignatureError::UnknownKey => ErrorKind::UnrecognizedClient,
            SignatureError::Mismatch
            | SignatureError::Skewed { .. }
            | SignatureError::Replayed
            | SignatureError::NoClock => ErrorKind::InvalidSignature,
        };
        Self::new(kind, error.to_string())
    }
}
