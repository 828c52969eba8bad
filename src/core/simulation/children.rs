//! Simulated children: what an inference unit and a capture process do, and what is wrong with them.

use crate::admission::Work;
use crate::ipc::messages::{CameraIndex, RegionId, RequestId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What is wrong with a unit's process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum UnitFault {
    /// It answers nothing any more.
    Hangs,
    /// It answers a request that it was not given.
    Lies,
    /// Its outputs are invalid.
    Invalid,
    /// It cannot be killed for a while.
    Undead,
}

/// A unit's process.
#[derive(Debug)]
pub(super) struct SimUnit {
    /// Processes of the simulation are numbered, so that what an earlier one had planned is recognised.
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

/// What the main loop of a capture process is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Open(CameraIndex, usize, RegionId, u16),
    Close(CameraIndex),
    Release(CameraIndex, u16),
    Pace(CameraIndex, f32),
}

/// A connection of a capture process to its camera.
#[derive(Debug)]
pub(super) struct Connection {
    /// Position among all cameras.
    pub(super) camera: usize,
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
    /// Its main loop hangs, while its streaming threads go on.
    pub(super) is_hung: bool,
    /// It never gets GStreamer started.
    pub(super) cannot_start: bool,
    pub(super) is_undead: bool,
    /// It has announced a slot that it does not own.
    pub(super) has_lied: bool,
    pub(super) connections: BTreeMap<CameraIndex, Connection>,
    /// What its hung main loop has not read.
    pub(super) unread: VecDeque<Order>,
}

/// A camera itself.
#[derive(Clone, Debug, Default)]
pub(super) struct SimCamera {
    /// Unreachable until then.
    pub(super) down_until: u64,
    /// Connected, but sends nothing until then.
    pub(super) silent_until: u64,
}
