//! The endpoint that AWS SDKs know: Amazon Rekognition Custom Labels' "run a trained model" and `DetectLabels`,
//! over awsJson1_1. One file an operation, or a few that belong together.
//!
//! Where AWS says nothing, this box decides:
//!
//! | open | here |
//! |---|---|
//! | `MaxResults` 0 | no limit |
//! | `MaxLabels` 0, or above 1000 | 1000 |
//! | `MinConfidence` | `>=`; 0 gives everything, up to the manifest's `max_detections` |
//! | `MinConfidence` absent | each label's threshold in the manifest; for `DetectLabels` 55 |
//! | 4 MB | 4 MiB, the size of a slot |
//! | maximum below minimum | `InvalidParameterException` |
//! | start of a model that runs, starts or stops | `ResourceInUseException` |
//! | stop of a stopped model | `InvalidParameterException`; of one that stops, `ResourceInUseException` |
//! | more units or models than the box carries | `LimitExceededException` |
//! | units after a stop | those asked for last are kept |
//! | `AutoUpdate` `ENABLED` | `InvalidParameterException` |
//! | `CreateProjectVersion` | imports the package that `OutputConfig` names; training data: `AccessDeniedException` |
//! | a start after COPYING_COMPLETED or FAILED | like one after STOPPED |
//! | FAILED | no unit can be brought up; a running model that loses units stays RUNNING |
//! | a stop with calls under way | they are finished |
//! | images | at most 22 million pixels ([`MAX_PIXELS`](crate::vision::image_limits::MAX_PIXELS)); sides as `RULES` of each operation say |
//! | JSON that cannot be read | `SerializationException` |
//! | operations of the cloud that a box does not have | `AccessDeniedException` |
//! | a clock that the box does not know | a signature is good for `max_clock_skew_seconds` from when it was first seen |
//! | a model of the settings | a project with one version, neither of which can be deleted |
//! | order of checks | signature, operation, role, JSON, bounds, resource, versions of the role, state, length of the image, a place for it, base64, throughput; then the unit: format, pixels |
//! | unit hours | from RUNNING to STOPPED |

mod bring_in_version;
mod call;
mod delete_project_version;
mod describe_project_versions;
mod detect_custom_labels;
mod detect_labels;
mod error;
mod handle;
mod image;
mod operation;
mod page;
mod projects;
mod response;
pub mod settings;
mod start_project_version;
mod state;
mod stop_project_version;
mod tags;
mod version_status;
mod wanted;

pub use handle::handle;
pub(super) use handle::is_meant;
pub use state::RekognitionState;

#[cfg(test)]
mod tests;
