//! The operations of the service: those of this box, and those that a client may know from the cloud.

/// What this box does.
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

/// Each by the name behind the dot of `X-Amz-Target`.
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

/// Operations of the cloud that a box at the edge does not have: training data, faces, texts, stored video.
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

/// What a target names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    Ours(Operation),
    Elsewhere,
    Unknown,
}

impl Target {
    /// By `X-Amz-Target`.
    pub(super) fn of(target: &str) -> Self {
        let Some(name) = target.strip_prefix("RekognitionService.") else { return Self::Unknown };
        match OPERATIONS.iter().find(|(operation, _)| *operation == name) {
            Some((_, operation)) => Self::Ours(*operation),
            None if ELSEWHERE.contains(&name) => Self::Elsewhere,
            None => Self::Unknown,
        }
    }

    /// For metrics, which have no names that callers make up.
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

    /// False for what only reads, or has a picture looked at.
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

    /// True for what a camera client may do, with the versions that it was given.
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
