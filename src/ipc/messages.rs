//! Every message between the parent and its children.
//!
//! A descriptor travels beside the message that names it: `AttachRegion`, `Open` and `Snapshot` carry one.

use crate::ipc::snapshot_messages::{SnapshotAnswer, SnapshotOrder};
use crate::model::execution_provider::{ExecutionProvider, NodeCounts};
use crate::model::model_facts::ModelFacts;
use crate::vision::detection::Detection;
use crate::vision::frame::{Frame, SlotContent};
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::FailureCause;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use crate::ipc::ids::{CameraIndex, RegionId, RequestId};
pub use crate::ipc::load_model::LoadModel;

/// Goes first in every packet. Parent and children are one binary, so another version means a broken update.
pub const PROTOCOL_VERSION: u16 = 8;

/// One picture that a unit is to look at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectItem {
    /// Named in the answer.
    pub request: RequestId,
    /// Attached before.
    pub region: RegionId,
    /// The slot to read.
    pub slot: u16,
    /// What lies there.
    pub content: SlotContent,
    /// How it is to be looked at.
    pub options: LookOptions,
}

/// From the parent to an inference unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToUnit {
    /// Answered by `Ready` or `LoadFailed`.
    Load(LoadModel),
    /// Maps a region (its read-only descriptor comes beside the message).
    AttachRegion {
        /// Its name from now on.
        region: RegionId,
        /// How many slots it has.
        slots: u16,
    },
    /// Forgets a region.
    DetachRegion {
        /// Which.
        region: RegionId,
    },
    /// Each item is answered by its own `Detected` or `Failed`.
    Detect {
        /// To be looked at together where the model can.
        items: Vec<DetectItem>,
    },
    /// Answered by `Pong`: shows that the unit reads the slot where it was written.
    Ping {
        /// Named in the answer.
        request: RequestId,
        /// Attached before.
        region: RegionId,
        /// The slot to read.
        slot: u16,
    },
    /// Answered by `Inspected` or `LoadFailed`. The process confines itself to the directory of the file first, and
    /// ends itself afterwards.
    Inspect {
        /// A model, by its absolute path, without symbolic links.
        file: PathBuf,
    },
    /// Ends the process with code 0.
    Stop,
}

/// Where the time inside a unit went, in microseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct UnitTiming {
    /// Decoding an API image; 0 for a frame.
    pub decode_us: u32,
    /// Resize, colour conversion, normalisation.
    pub preprocess_us: u32,
    /// ONNX Runtime alone.
    pub inference_us: u32,
    /// Tensor decoder and NMS.
    pub postprocess_us: u32,
}

/// From an inference unit to the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromUnit {
    /// The first message.
    Hello {
        /// Its process number.
        pid: u32,
    },
    /// The model is loaded and warmed up.
    Ready {
        /// From `Load` to here.
        load_ms: u32,
        /// The cached graph was used.
        from_cache: bool,
        /// What was asked for to compute.
        execution_provider: ExecutionProvider,
        /// What computes: how many nodes of the graph each provider got.
        providers: NodeCounts,
        /// Which build of ONNX Runtime computes.
        runtime_version: String,
        /// Pictures that it takes together at most.
        batch: u16,
        /// Why the model cache cannot be used, with the cure, for the operator; the unit works without it.
        cache_problem: Option<String>,
    },
    /// What a file says of itself.
    Inspected(Box<ModelFacts>),
    /// It cannot be loaded, or tells nothing of itself; the process ends itself.
    LoadFailed {
        /// Names the thing and the cure.
        reason: String,
    },
    /// The answer to an item of `Detect`.
    Detected {
        /// From the request.
        request: RequestId,
        /// Most confident first, at most the manifest's limit.
        detections: Vec<Detection>,
        /// Where the time went.
        timing: UnitTiming,
        /// Width and height of the picture in pixels, after EXIF orientation.
        size: (u32, u32),
    },
    /// The other answer to an item of `Detect`.
    Failed {
        /// From the request.
        request: RequestId,
        /// Counted.
        cause: FailureCause,
        /// For the log.
        detail: String,
    },
    /// The answer to `Ping`.
    Pong {
        /// From the request.
        request: RequestId,
        /// The first byte of the slot.
        first_byte: u8,
    },
}

/// How a camera is reached; holds its password, so it goes over the channel and never into argv.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraSource {
    /// For log lines.
    pub name: String,
    /// `rtsp://` or `rtsps://`, without user and password.
    pub url: String,
    /// Given to the camera when it asks.
    pub user: Option<String>,
    /// Given to the camera when it asks.
    pub password: Option<String>,
    /// RTP over UDP instead of interleaved in the RTSP connection.
    pub udp: bool,
    /// Frames a second to hand over; 0: each one.
    pub frames_per_second: f32,
    /// Decode keyframes only, which costs about a tenth.
    pub keyframes_only: bool,
    /// Milliseconds a connection may take.
    pub connect_timeout_ms: u32,
    /// Decoders of the GPU or SoC first.
    pub hardware_decoders: bool,
}

impl std::fmt::Debug for CameraSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("CameraSource").field("name", &self.name).finish_non_exhaustive()
    }
}

/// From the parent to a capture process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToCapture {
    /// Connects a camera (the writable descriptor of its region comes beside the message).
    /// Answered by `Streaming` or `Lost`.
    Open {
        /// Its name from now on.
        camera: CameraIndex,
        /// How to reach it.
        source: Box<CameraSource>,
        /// How many slots the region has.
        slots: u16,
    },
    /// A slot may be written again.
    Release {
        /// Whose slot.
        camera: CameraIndex,
        /// Which.
        slot: u16,
    },
    /// Hands over so many frames a second from now on; 0: each one.
    Pace {
        /// Which.
        camera: CameraIndex,
        /// Frames a second.
        frames_per_second: f32,
    },
    /// Answered by `Snapshot` (the region that it is written to comes beside the message).
    Snapshot(Box<SnapshotOrder>),
    /// Disconnects a camera; silently ignored if it is not open.
    Close {
        /// Which.
        camera: CameraIndex,
    },
    /// Ends the process with code 0.
    Stop,
}

/// What is known of a stream once it runs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// `h264`, `h265` or `mjpeg`.
    pub codec: String,
    /// The GStreamer element that decodes it.
    pub decoder: String,
    /// Pixels a row, as the camera sends it.
    pub width: u32,
    /// Rows, as the camera sends them.
    pub height: u32,
    /// Thousandths of frames a second as the stream declares them; 0 when it does not.
    pub frame_rate_milli: u32,
}

/// Why a stream ended; decides when it is tried again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub enum LossKind {
    /// 401 or 403: cameras lock accounts, so this has its own slow lane.
    AuthFailed,
    /// 404: the path is wrong.
    NotFound,
    /// Refused, no route, no answer, or the name does not resolve.
    Unreachable,
    /// 453 or 503: the camera has no session left.
    Busy,
    /// No frame was decoded for too long.
    Stalled,
    /// The stream ended; a live one never does.
    Ended,
    /// It cannot be decoded here.
    Codec,
    /// The capture process died.
    ProcessDied,
    /// Anything else.
    Other,
}

/// From a capture process to the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromCapture {
    /// The first message, sent before GStreamer is started.
    Hello {
        /// Its process number.
        pid: u32,
    },
    /// GStreamer runs: from here on the process is silent for no longer than a heartbeat.
    Initialized,
    /// The main loop turns. Sent each [`HEARTBEAT`](crate::ipc::heartbeat::HEARTBEAT), with and without cameras.
    Alive,
    /// The first frame of a connection was decoded, or the stream changed its size.
    Streaming {
        /// Which.
        camera: CameraIndex,
        /// What is known.
        info: StreamInfo,
    },
    /// A frame lies ready; its slot is the parent's until `Release`.
    Frame {
        /// Whose.
        camera: CameraIndex,
        /// Where and what.
        frame: Frame,
    },
    /// A frame was due and no slot was free.
    Dropped {
        /// Whose.
        camera: CameraIndex,
        /// Its number.
        sequence: u64,
    },
    /// How far an open camera has come. Sent each [`HEARTBEAT`](crate::ipc::heartbeat::HEARTBEAT).
    Progress {
        /// Whose.
        camera: CameraIndex,
        /// Frames decoded since `Open`.
        decoded: u64,
        /// RTP packets received since `Open`: grows as long as the camera sends, also while a decoder waits for a keyframe.
        received: u64,
    },
    /// The answer to `Snapshot`.
    Snapshot(SnapshotAnswer),
    /// The stream ended or never began. The camera is closed; all its slots but the lent ones are free.
    Lost {
        /// Which.
        camera: CameraIndex,
        /// Decides when to try again.
        kind: LossKind,
        /// For log lines and the camera's state; without credentials.
        detail: String,
    },
}
