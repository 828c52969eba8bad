//! The endpoint for AWS SDKs: the operations of Amazon Rekognition Custom Labels that run a trained model, and
//! `DetectLabels`, over awsJson1_1. Each operation, or a few that belong together, has a file.
//!
//! Decisions of this box where AWS documents nothing, or means something that a box does not have:
//!
//! | question | answer |
//! |---|---|
//! | `MaxResults` 0 | no limit |
//! | `MaxLabels` 0, or above 1000 | 1000 |
//! | `MinConfidence` | `>=`; 0 gives everything, up to the manifest's `max_detections` |
//! | no `MinConfidence` | each label's threshold in the manifest; for `DetectLabels` 55 |
//! | 4 MB | 4 MiB, the size of a slot |
//! | maximum below minimum | `InvalidParameterException` |
//! | start of a model that runs, starts or stops | `ResourceInUseException` |
//! | stop of a stopped model | `InvalidParameterException`; of a model that is stopping, `ResourceInUseException` |
//! | more units or models than the box can run | `LimitExceededException` |
//! | units after a stop | the numbers of the last start stay; before the first, those of the settings |
//! | `AutoUpdate` `ENABLED` | `InvalidParameterException` |
//! | `CreateProjectVersion` | imports the package that `OutputConfig` names; with training data `AccessDeniedException` |
//! | start after COPYING_COMPLETED or FAILED | as after STOPPED |
//! | FAILED | no unit can be started; a running model that loses units stays RUNNING |
//! | stop with calls in progress | they finish |
//! | images | at most 22 million pixels ([`MAX_PIXELS`](crate::vision::image_limits::MAX_PIXELS)); sides as in `RULES` of each operation |
//! | bodies | 8 MB with an image, 256 kB without |
//! | malformed JSON | `SerializationException` |
//! | operations of the cloud that a box does not have | `AccessDeniedException` |
//! | clock not synchronised | a signature is valid for `max_clock_skew_seconds` after it was first received |
//! | model of the settings | a project with one version, neither of which can be deleted |
//! | order of checks | key of the signature, length of the body, signature, operation, role, JSON, bounds, resource, versions of the role, state, length of the image, a free slot, base64, throughput; then in the unit: format, pixels |
//! | unit hours | from RUNNING to STOPPED |
//! | disk that refuses a change | `InternalServerError`, and nothing has changed |

mod bring_in_version;
mod call;
mod delete_project_version;
mod describe_project_versions;
mod detect_custom_labels;
mod detect_labels;
mod error;
mod handle;
mod held;
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
pub use state::{EndpointRules, RekognitionState};

#[cfg(test)]
mod tests;
