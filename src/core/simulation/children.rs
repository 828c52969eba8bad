//! The state of simulated child processes, with their faults.

use crate::admission::Work;
use crate::ipc::messages::{CameraIndex, RegionId, RequestId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A fault of a unit's process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum UnitFault {
    /// It replies to no request any more.
    Hangs,
    /// It replies to a request that it did not get.
    Lies,
    /// Its outputs are invalid.
    Invalid,
    /// It cannot be killed for a while.
    Undead,
}

/// A unit's process.
#[derive(Debug)]
pub(super) struct SimUnit {
    /// The number of the process, so that planned actions of an earlier process are ignored.
    pub(super) generation: u64,
    /// The package that it loads.
    pub(super) package: Arc<str>,
    pub(super) is_ready: bool,
    pub(super) is_killed: bool,
    pub(super) is_stopping: bool,
    pub(super) fault: Option<UnitFault>,
    /// Its load cannot succeed.
    pub(super) cannot_load: bool,
    pub(super) work: Vec<(RequestId, Work)>,
    pub(super) bytes: u64,
}

/// An order for the main loop of a capture process.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Open(CameraIndex, usize, RegionId, u16),
    OpenMain(CameraIndex, usize),
    Close(CameraIndex),
    Release(CameraIndex, u16),
    Pace(CameraIndex, f32),
}

/// A connection of a capture process to its camera.
#[derive(Debug)]
pub(super) struct Connection {
    /// Position among all cameras.
    pub(super) camera: usize,
    /// It is that of the camera's main stream, which has no region and no frames.
    pub(super) is_main: bool,
    pub(super) region: RegionId,
    /// Slots that are lent to the parent.
    pub(super) lent: Vec<bool>,
    pub(super) fps: f64,
    pub(super) is_streaming: bool,
    pub(super) decoded: u64,
    pub(super) sequence: u64,
}

/// A capture process.
#[derive(Debug, Default)]
pub(super) struct SimCapture {
    pub(super) generation: u64,
    pub(super) is_alive: bool,
    pub(super) is_killed: bool,
    /// Its main loop hangs; its streaming threads continue.
    pub(super) is_hung: bool,
    /// It cannot start GStreamer.
    pub(super) cannot_start: bool,
    pub(super) is_undead: bool,
    /// It has announced a slot that it does not own.
    pub(super) has_lied: bool,
    pub(super) connections: BTreeMap<CameraIndex, Connection>,
    /// Orders that its hung main loop has not read.
    pub(super) unread: VecDeque<Order>,
}

/// A camera.
#[derive(Clone, Debug, Default)]
pub(super) struct SimCamera {
    /// Unreachable until then.
    pub(super) down_until: u64,
    /// Connected, but sends nothing until then.
    pub(super) silent_until: u64,
}
