//! The messages between the parent and its children.
//!
//! `AttachRegion`, `Quantize`, `File`, `Open`, `Live`, `Clip` and `Snapshot` are sent together with a file descriptor (`SCM_RIGHTS`).

use crate::ipc::quantize_messages::{Observed, QuantizeOrder, Quantized};
use crate::ipc::snapshot_messages::{SnapshotAnswer, SnapshotOrder};
use crate::model::execution_provider::{ExecutionProvider, NodeCounts};
use crate::model::model_facts::ModelFacts;
use crate::model::model_file::ModelVariant;
use crate::vision::detection::Detection;
use crate::vision::frame::{Frame, SlotContent};
use crate::vision::look_options::LookOptions;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::FailureCause;
use crate::vision::stream_counts::StreamCounts;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use crate::ipc::camera_source::CameraSource;
pub use crate::ipc::ids::{CameraIndex, RegionId, RequestId};
pub use crate::ipc::load_model::LoadModel;
pub use crate::ipc::loss_kind::LossKind;
pub use crate::ipc::watch_messages::{Sight, WatchOrder};

/// Starts every packet. Parent and children are one binary, so a different version means a broken update.
pub const PROTOCOL_VERSION: u16 = 15;

/// One picture to run inference on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectItem {
    /// Repeated in the reply.
    pub request: RequestId,
    /// A region that `AttachRegion` has named.
    pub region: RegionId,
    /// Index of the slot in the region.
    pub slot: u16,
    /// Format and size of the slot's content.
    pub content: SlotContent,
    /// Region of interest, tiles and confidence threshold of this request.
    pub options: LookOptions,
}

/// From the parent to an inference unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToUnit {
    /// Answered by `Ready` or `LoadFailed`.
    Load(LoadModel),
    /// Maps a region. Sent with the region's read-only descriptor.
    AttachRegion {
        /// Names the region in later messages.
        region: RegionId,
        /// Number of slots, 1..=[`MAX_SLOTS`](crate::ipc::frame_slots::MAX_SLOTS).
        slots: u16,
    },
    /// Unmaps a region.
    DetachRegion {
        /// The region, as `AttachRegion` named it.
        region: RegionId,
    },
    /// Each item is answered by its own `Detected` or `Failed`.
    Detect {
        /// They share a run where the model accepts batches.
        items: Vec<DetectItem>,
    },
    /// Answered by `Pong`. Proves that the unit reads shared memory in place.
    Ping {
        /// Repeated in the reply.
        request: RequestId,
        /// The region, as `AttachRegion` named it.
        region: RegionId,
        /// Index of the slot in the region.
        slot: u16,
    },
    /// Answered by `Inspected` or `LoadFailed`. The process first confines itself to the file's directory, and exits
    /// after the reply.
    Inspect {
        /// Absolute path of a model, without symbolic links.
        file: PathBuf,
    },
    /// Answered by `Quantized` or `LoadFailed`. Sent with the writable descriptor of the file that is to be written. The process
    /// first confines itself to the directory of the model, and exits after the reply.
    Quantize(Box<QuantizeOrder>),
    /// Answered by `Observed`.
    Observe,
    /// Ends the process with code 0.
    Stop,
}

/// Processing times of one picture in a unit, in microseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct UnitTiming {
    /// Decoding an API image; 0 for a frame.
    pub decode_us: u32,
    /// Resize, colour conversion, normalisation.
    pub preprocess_us: u32,
    /// ONNX Runtime alone; in a batch, this picture's equal share of the run.
    pub inference_us: u32,
    /// Tensor decoder and NMS.
    pub postprocess_us: u32,
}

/// From an inference unit to the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromUnit {
    /// The first message.
    Hello {
        /// Process ID.
        pid: u32,
    },
    /// The model is loaded and warmed up.
    Ready {
        /// Milliseconds from `Load` to `Ready`.
        load_ms: u32,
        /// True if the graph came from the model cache.
        from_cache: bool,
        /// The file that was loaded.
        variant: ModelVariant,
        /// The execution provider that `Load` asked for.
        execution_provider: ExecutionProvider,
        /// How many nodes of the graph each provider computes.
        providers: NodeCounts,
        /// Git commit of the loaded ONNX Runtime, or its whole build info.
        runtime_version: String,
        /// The most pictures per run.
        batch: u16,
        /// Microseconds of a run with one picture, measured after the first one; 0 if it was not measured.
        run_us: u32,
        /// Why the model cache cannot be used, with the remedy, for the operator. The unit works without it.
        cache_problem: Option<String>,
    },
    /// The result of `Inspect`.
    Inspected(Box<ModelFacts>),
    /// The reply to `Quantize`: what was written.
    Quantized(Quantized),
    /// The reply to `Observe`: for each value that the graph shows, in its order.
    Observed(Vec<Observed>),
    /// The model cannot be loaded, or the file cannot be inspected. The process exits after this message.
    LoadFailed {
        /// For the operator: the cause, with the remedy.
        reason: String,
    },
    /// The reply to an item of `Detect`.
    Detected {
        /// From the item.
        request: RequestId,
        /// Most confident first, at most the manifest's `max_detections`.
        detections: Vec<Detection>,
        /// Below the model's thresholds, if the item asks for them, for the tracker alone. As many at most.
        weak: Vec<Detection>,
        /// Processing times.
        timing: UnitTiming,
        /// Width and height of the picture in pixels, after EXIF orientation.
        size: (u32, u32),
    },
    /// The reply to an item of `Detect` that has no result.
    Failed {
        /// From the item.
        request: RequestId,
        /// The cause, as it is counted.
        cause: FailureCause,
        /// Details for the log.
        detail: String,
    },
    /// The reply to `Ping`.
    Pong {
        /// From the request.
        request: RequestId,
        /// The first byte of the slot.
        first_byte: u8,
    },
}

/// From the parent to a capture process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToCapture {
    /// Hands over the file of a `file://` camera, whose `Open` follows. Sent with its descriptor: the process may not open it.
    File {
        /// The connection that `Open` begins.
        camera: CameraIndex,
    },
    /// Connects to a camera. Sent with the writable descriptor of its region. Answered by `Streaming` or `Lost`.
    Open {
        /// Names the connection in later messages.
        camera: CameraIndex,
        /// How to connect.
        source: Box<CameraSource>,
        /// Number of slots of the region.
        slots: u16,
    },
    /// Connects to the main stream of a camera that has two: its keyframes are kept for snapshots, and nothing is decoded
    /// meanwhile. Answered by `Streaming` with the first keyframe, or `Lost`.
    OpenMain {
        /// Names the connection in later messages.
        camera: CameraIndex,
        /// How to connect.
        source: Box<CameraSource>,
    },
    /// Returns a slot to the capture process, which may overwrite it.
    Release {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// Index of the slot in the camera's region.
        slot: u16,
    },
    /// Changes the frame rate of a camera.
    Pace {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// Frames per second to deliver; 0: every frame.
        frames_per_second: f32,
        /// Those that it would deliver if there were units for all. Less is had by decoding less.
        wanted: f32,
    },
    /// What a unit saw in a frame of a camera that is watched.
    Seen {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// What it saw. If something moves, the camera is followed.
        sight: Sight,
    },
    /// Somebody watches the camera: its frames are written, as [`live_packets`](crate::ipc::live_packets) says, into the
    /// pipe that this is sent with, from the newest keyframe on, until nobody reads it any more. Closes the pipe at once if the
    /// camera is not open.
    Live {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
    },
    /// A clip is made of the camera: as `Live`, beside it, with a timeline of its own, whose first frame is shown at 1 s, and from as long before as
    /// [`CameraSource::keep_ms`](crate::ipc::camera_source::CameraSource::keep_ms) says.
    Clip {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
    },
    /// Answered by `Snapshot`. Sent with the writable descriptor of the region that receives the JPEG.
    Snapshot(Box<SnapshotOrder>),
    /// Disconnects from a camera. Ignored if it is not open.
    Close {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
    },
    /// Ends the process with code 0.
    Stop,
}

/// Properties of a running stream.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// `h264`, `h265` or `mjpeg`.
    pub codec: String,
    /// The GStreamer element that decodes it; empty for a main stream.
    pub decoder: String,
    /// In pixels, as the camera sends it.
    pub width: u32,
    /// In pixels, as the camera sends it.
    pub height: u32,
    /// Declared frame rate in thousandths of a frame per second; 0 if the stream declares none.
    pub frame_rate_milli: u32,
}

/// From a capture process to the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromCapture {
    /// The first message, sent before GStreamer is started.
    Hello {
        /// Process ID.
        pid: u32,
    },
    /// GStreamer is initialised. From here on the process sends heartbeats.
    Initialized,
    /// The main loop runs. Sent every [`HEARTBEAT`](crate::ipc::heartbeat::HEARTBEAT), with and without cameras.
    Alive,
    /// The first frame of a connection was decoded, or the size of the stream has changed.
    Streaming {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// Properties of the stream.
        info: StreamInfo,
    },
    /// A frame is ready. The parent owns its slot until `Release`.
    Frame {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// Its slot, format, size and capture time.
        frame: Frame,
    },
    /// A frame was due, but no slot was free.
    Dropped {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// The sequence number that the frame would have had.
        sequence: u64,
    },
    /// A frame was due and was not handed over, because the scene is as it was.
    Still {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// The sequence number that the frame would have had.
        sequence: u64,
        /// When its last packet arrived.
        captured_at: Monotonic,
    },
    /// Counters of an open camera. Sent every [`HEARTBEAT`](crate::ipc::heartbeat::HEARTBEAT).
    Progress {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// Since `Open`.
        counts: StreamCounts,
    },
    /// The reply to `Snapshot`.
    Snapshot(SnapshotAnswer),
    /// The stream ended or never started. The camera is closed. Its slots are free, except those that the parent holds.
    Lost {
        /// The connection, as `Open` numbered it.
        camera: CameraIndex,
        /// Selects the backoff.
        kind: LossKind,
        /// For the log and the camera's state. Contains no credentials.
        detail: String,
    },
}
