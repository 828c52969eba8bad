//! The operations of the service: those of this box, and those that only the cloud has.

/// The operations of this box.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    CopyProjectVersion,
    CreateProject,
    CreateProjectVersion,
    DeleteProject,
    DeleteProjectVersion,
    DescribeProjects,
    DescribeProjectVersions,
    DetectCustomLabels,
    DetectLabels,
    ListTagsForResource,
    StartProjectVersion,
    StopProjectVersion,
    TagResource,
    UntagResource,
}

/// The name of each after the dot of `X-Amz-Target`.
const OPERATIONS: [(&str, Operation); 14] = [
    ("CopyProjectVersion", Operation::CopyProjectVersion),
    ("CreateProject", Operation::CreateProject),
    ("CreateProjectVersion", Operation::CreateProjectVersion),
    ("DeleteProject", Operation::DeleteProject),
    ("DeleteProjectVersion", Operation::DeleteProjectVersion),
    ("DescribeProjects", Operation::DescribeProjects),
    ("DescribeProjectVersions", Operation::DescribeProjectVersions),
    ("DetectCustomLabels", Operation::DetectCustomLabels),
    ("DetectLabels", Operation::DetectLabels),
    ("ListTagsForResource", Operation::ListTagsForResource),
    ("StartProjectVersion", Operation::StartProjectVersion),
    ("StopProjectVersion", Operation::StopProjectVersion),
    ("TagResource", Operation::TagResource),
    ("UntagResource", Operation::UntagResource),
];

/// Operations that only the cloud has: training data, faces, text, stored video.
const ELSEWHERE: [&str; 61] = [
    "AssociateFaces",
    "CompareFaces",
    "CreateCollection",
    "CreateDataset",
    "CreateFaceLivenessSession",
    "CreateStreamProcessor",
    "CreateUser",
    "DeleteCollection",
    "DeleteDataset",
    "DeleteFaces",
    "DeleteProjectPolicy",
    "DeleteStreamProcessor",
    "DeleteUser",
    "DescribeCollection",
    "DescribeDataset",
    "DescribeStreamProcessor",
    "DetectFaces",
    "DetectModerationLabels",
    "DetectProtectiveEquipment",
    "DetectText",
    "DisassociateFaces",
    "DistributeDatasetEntries",
    "GetCelebrityInfo",
    "GetCelebrityRecognition",
    "GetContentModeration",
    "GetFaceDetection",
    "GetFaceLivenessSessionResults",
    "GetFaceSearch",
    "GetLabelDetection",
    "GetMediaAnalysisJob",
    "GetPersonTracking",
    "GetSegmentDetection",
    "GetTextDetection",
    "IndexFaces",
    "ListCollections",
    "ListDatasetEntries",
    "ListDatasetLabels",
    "ListFaces",
    "ListMediaAnalysisJobs",
    "ListProjectPolicies",
    "ListStreamProcessors",
    "ListUsers",
    "PutProjectPolicy",
    "RecognizeCelebrities",
    "SearchFaces",
    "SearchFacesByImage",
    "SearchUsers",
    "SearchUsersByImage",
    "StartCelebrityRecognition",
    "StartContentModeration",
    "StartFaceDetection",
    "StartFaceSearch",
    "StartLabelDetection",
    "StartMediaAnalysisJob",
    "StartPersonTracking",
    "StartSegmentDetection",
    "StartStreamProcessor",
    "StartTextDetection",
    "StopStreamProcessor",
    "UpdateDatasetEntries",
    "UpdateStreamProcessor",
];

/// The operation named by `X-Amz-Target`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    Ours(Operation),
    Elsewhere,
    Unknown,
}

impl Target {
    /// Parses `X-Amz-Target`.
    pub(super) fn of(target: &str) -> Self {
        let Some(name) = target.strip_prefix("RekognitionService.") else { return Self::Unknown };
        match OPERATIONS.iter().find(|(operation, _)| *operation == name) {
            Some((_, operation)) => Self::Ours(*operation),
            None if ELSEWHERE.contains(&name) => Self::Elsewhere,
            None => Self::Unknown,
        }
    }

    /// The label of the metric. A name made up by a caller must not become one.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours(operation) => operation.name(),
            Self::Elsewhere => "elsewhere",
            Self::Unknown => "unknown",
        }
    }
}

impl Operation {
    /// Its name in the API.
    pub(super) fn name(self) -> &'static str {
        OPERATIONS.iter().find(|(_, operation)| *operation == self).map_or("", |(name, _)| name)
    }

    /// False for operations that read or detect.
    pub(super) fn changes_something(self) -> bool {
        !matches!(
            self,
            Self::DescribeProjects
                | Self::DescribeProjectVersions
                | Self::DetectCustomLabels
                | Self::DetectLabels
                | Self::ListTagsForResource
        )
    }

    /// True if its body may hold an image.
    pub(super) fn takes_image(self) -> bool {
        matches!(self, Self::DetectCustomLabels | Self::DetectLabels)
    }

    /// True for the operation that a camera client may call, with the versions of its key.
    pub(super) fn is_detection(self) -> bool {
        self == Self::DetectCustomLabels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_ours_elsewhere_or_unknown() {
        for (name, operation) in OPERATIONS {
            assert_eq!(Target::of(&format!("RekognitionService.{name}")), Target::Ours(operation));
            assert_eq!(operation.name(), name);
        }
        assert_eq!(Target::of("RekognitionService.DetectFaces"), Target::Elsewhere);
        for unknown in ["RekognitionService.Reboot", "S3.DetectLabels", "DetectLabels", ""] {
            assert_eq!(Target::of(unknown), Target::Unknown, "{unknown}");
        }
    }
}
