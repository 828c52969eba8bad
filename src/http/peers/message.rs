//! What boxes say to each other about an image. The boxes of a cluster may have different versions: a call of which one does not know
//! all is not taken, and what it cannot read is no answer.

use crate::control::images::ImageReply;
use crate::model::package::Package;
use crate::supervisor::Answer;
use crate::vision::detection::Detection;
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::{FailureCause, ShedReason};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The header with a [`HandedCall`] in JSON. The body is the image.
pub(super) const CALL_HEADER: &str = "ocelli-call";

/// The path below which models are.
pub(super) const PATH: &str = "/cluster/v1/calls";

/// The longest image: that of an object in a bucket.
pub(super) const MAX_IMAGE_BYTES: usize = 15 << 20;

/// What a box says of an image that it hands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandedCall {
    /// The model.
    pub(super) model: String,
    /// The digest of the package by whose labels the answer is read.
    pub(super) digest: String,
    /// How long the caller still waits, in milliseconds.
    pub(super) patience_ms: u64,
    /// How the model is to analyse it.
    pub(super) options: LookOptions,
    /// Its caller says that it was not refused before.
    pub(super) is_first_try: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HandedReply {
    /// The result of a unit.
    Detected {
        /// Most confident first.
        detections: Vec<Detection>,
        /// Width and height of the picture in pixels.
        size: (u32, u32),
        /// Time until a unit got it, in microseconds.
        queued_us: u64,
        /// Of the unit's time, in microseconds.
        decode_us: u32,
        /// Of the unit's time, in microseconds.
        inference_us: u32,
    },
    /// No unit analysed it.
    Shed {
        /// The reason.
        reason: ShedReason,
        /// Retry after this time, in milliseconds.
        retry_after_ms: u64,
    },
    /// A unit tried it without giving a result.
    Failed(FailureCause),
    /// The box does not run that package.
    OtherPackage,
}

impl HandedReply {
    /// Of the reply of this box's units.
    pub(super) fn of(reply: ImageReply, wanted: &str) -> Self {
        match reply {
            // The package may have been replaced meanwhile.
            ImageReply::Detected(_, package) if package.digest != wanted => Self::OtherPackage,
            ImageReply::Detected(answer, _) => Self::Detected {
                size: answer.size,
                queued_us: u64::try_from(answer.queued.as_micros()).unwrap_or(u64::MAX),
                decode_us: answer.timing.decode_us,
                inference_us: answer.timing.inference_us,
                detections: answer.detections,
            },
            ImageReply::Shed(reason, after) => {
                Self::Shed { reason, retry_after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX) }
            }
            ImageReply::Failed(cause) => Self::Failed(cause),
            ImageReply::NoModel => Self::OtherPackage,
        }
    }

    /// The reply for the caller, who was refused with `refusal` here; `None` if the box could not take it at all.
    ///
    /// Refused by both, the caller is told the longer of both times: by then it has a place at either box, wherever it comes.
    pub(super) fn into_reply(self, package: &Arc<Package>, refusal: &ImageReply) -> Option<ImageReply> {
        Some(match self {
            Self::Detected { detections, size, queued_us, decode_us, inference_us } => {
                let mut answer =
                    Answer { detections, size, queued: Duration::from_micros(queued_us), ..Answer::default() };
                (answer.timing.decode_us, answer.timing.inference_us) = (decode_us, inference_us);
                ImageReply::Detected(answer, Arc::clone(package))
            }
            Self::Shed {
                reason: reason @ (ShedReason::Throttled | ShedReason::NoUnits | ShedReason::Expired),
                retry_after_ms,
            } => {
                let own = if let ImageReply::Shed(_, after) = refusal { *after } else { Duration::ZERO };
                ImageReply::Shed(reason, own.max(Duration::from_millis(retry_after_ms).min(LONGEST_RETRY)))
            }
            Self::Failed(cause) => ImageReply::Failed(cause),
            // It stops, or its model does: nothing that concerns the caller.
            Self::Shed { .. } | Self::OtherPackage => return None,
        })
    }
}

/// No box asks for more.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn package(digest: &str) -> Arc<Package> {
        Arc::new(Package { digest: digest.into(), ..Package::default() })
    }

    fn there_and_back(reply: ImageReply) -> Option<ImageReply> {
        let text = serde_json::to_string(&HandedReply::of(reply, "d1")).unwrap();
        let refusal = ImageReply::Shed(ShedReason::Throttled, Duration::from_millis(300));
        serde_json::from_str::<HandedReply>(&text).unwrap().into_reply(&package("d1"), &refusal)
    }

    #[test]
    fn an_answer_crosses_as_it_is_and_names_the_package_of_this_box() {
        let answer = Answer { size: (640, 480), queued: Duration::from_micros(1500), ..Answer::default() };
        let reply = ImageReply::Detected(answer, package("d1"));
        assert_eq!(there_and_back(reply.clone()), Some(reply));
        assert_eq!(there_and_back(ImageReply::Detected(Answer::default(), package("d2"))), None, "swapped meanwhile");
        let failed = ImageReply::Failed(FailureCause::InvalidImage);
        assert_eq!(there_and_back(failed.clone()), Some(failed));
    }

    #[test]
    fn refused_by_both_a_caller_is_told_the_longer_time() {
        let shed = |reason, ms| ImageReply::Shed(reason, Duration::from_millis(ms));
        assert_eq!(there_and_back(shed(ShedReason::Throttled, 100)), Some(shed(ShedReason::Throttled, 300)));
        assert_eq!(there_and_back(shed(ShedReason::NoUnits, 900)), Some(shed(ShedReason::NoUnits, 900)));
        assert_eq!(there_and_back(shed(ShedReason::Draining, 900)), None);
        assert_eq!(there_and_back(ImageReply::NoModel), None);
    }
}
