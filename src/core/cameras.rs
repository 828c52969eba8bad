//! The cameras: capture processes, connections, borrowed slots, frame numbers and switches.

mod change;
mod main_streams;
mod pace;
mod separation;

use crate::admission::FrameWork;
use crate::camera::camera_state::Camera;
use crate::camera::capture_action::CaptureAction;
use crate::camera::capture_group::CaptureGroup;
use crate::camera::lent_slots::{GiveBack, LentSlots};
use crate::camera::settings::{CameraSettings, CaptureSettings};
use crate::core::camera_switches::CameraSwitches;
use crate::core::effect::{Effect, SilentStream};
use crate::core::report::Report;
use crate::ipc::messages::{CameraIndex, FromCapture, LossKind, RegionId, Sight};
use crate::vision::camera_id::CameraId;
use crate::vision::frame::Frame;
use crate::vision::monotonic::Monotonic;
use crate::vision::tamper::TamperKind;
use std::collections::BTreeMap;
use std::time::Duration;

/// The cameras and their capture processes.
#[derive(Debug)]
pub(super) struct Cameras {
    groups: Vec<CaptureGroup>,
    slots: LentSlots,
    capture: CaptureSettings,
    /// The number of each camera's newest frame. A camera that was removed keeps it: were it added again, its frames would
    /// get the ids of earlier ones.
    frame_numbers: BTreeMap<CameraId, u64>,
    switches: CameraSwitches,
    /// Whether the settings enable a camera.
    configured: BTreeMap<CameraId, bool>,
}

/// A capture process's report of a frame.
#[derive(Debug)]
pub(super) enum Captured {
    /// The frame is ready for a unit.
    Frame(FrameWork),
    /// A frame was dropped because no slot was free.
    WithoutSlot(CameraId),
    /// A frame that was captured at this time shows nothing new.
    Still(CameraId, Monotonic),
    /// The counts of a camera came, and what was done to it.
    Counts(CameraId, Option<TamperKind>),
}

impl Cameras {
    /// Cameras that connect at the first tick, as many of them in each capture process as the settings say.
    pub(super) fn new(
        cameras: &[CameraSettings],
        capture: &CaptureSettings,
        switches: CameraSwitches,
        now: Monotonic,
    ) -> Self {
        let mut all = Self {
            groups: Vec::new(),
            slots: LentSlots::default(),
            capture: capture.clone(),
            frame_numbers: BTreeMap::new(),
            configured: BTreeMap::new(),
            switches,
        };
        cameras.iter().for_each(|camera| all.place(camera, cameras.len(), now));
        all
    }

    /// All cameras.
    pub(super) fn all(&self) -> impl Iterator<Item = &Camera> {
        self.groups.iter().flat_map(CaptureGroup::cameras)
    }

    /// The camera with this id.
    pub(super) fn find(&self, id: &str) -> Option<&Camera> {
        self.all().find(|camera| camera.settings.id.as_str() == id)
    }

    /// The camera of an open connection, and whether it is that of its main stream.
    pub(super) fn of_connection(&self, group: usize, index: CameraIndex) -> Option<(&CameraId, bool)> {
        let members = self.groups.get(group)?;
        let (position, is_main) = match members.find(index) {
            Some(position) => (position, false),
            None => (members.find_main(index)?, true),
        };
        Some((&members.camera(position).settings.id, is_main))
    }

    /// Capture processes restarted since the daemon started.
    pub(super) fn restarts(&self) -> u64 {
        self.groups.iter().map(CaptureGroup::restarts).sum()
    }

    /// The number of slots that are lent to units.
    pub(super) fn lent_slots(&self) -> u32 {
        self.slots.lent()
    }

    /// Tells the capture process of a camera that is watched what a unit saw in a frame.
    pub(super) fn tell_sight(&self, camera: &CameraId, region: RegionId, sight: Sight, effects: &mut Vec<Effect>) {
        let is_watched = |camera: &Camera| camera.settings.watched(&self.capture).is_some();
        if let Some((group, index)) = self.slots.connection_of(region)
            && self.find(camera.as_str()).is_some_and(is_watched)
        {
            effects.push(Effect::TellSight { group, index, sight });
        }
    }

    /// The group and connection that write to a region; `None` once the connection is closed.
    pub(super) fn connection_of(&self, region: RegionId) -> Option<(usize, CameraIndex)> {
        self.slots.connection_of(region)
    }

    /// True if every camera streams or is switched off.
    pub(super) fn are_at_rest(&self) -> bool {
        self.groups.iter().all(CaptureGroup::is_at_rest)
    }

    /// Does what is due by `now`. Returns the groups whose killed process does not end and was given up.
    pub(super) fn tick(&mut self, now: Monotonic, effects: &mut Vec<Effect>) -> Vec<usize> {
        self.end_separations(now);
        let mut given_up = Vec::new();
        for group in 0..self.groups.len() {
            let (undead, has_worked) = (self.groups[group].undead(), self.groups[group].has_worked());
            let actions = self.groups[group].tick(now);
            self.carry_out(group, actions, effects);
            if self.groups[group].undead() > undead {
                self.close_connections(group, None, effects);
                given_up.push(group);
                if has_worked {
                    self.separate(group, now, effects);
                }
            }
        }
        given_up
    }

    fn carry_out(&mut self, group: usize, actions: Vec<CaptureAction>, effects: &mut Vec<Effect>) {
        for action in actions {
            match action {
                CaptureAction::Start => {
                    let cameras = self.groups[group].cameras().map(|camera| camera.settings.id.clone()).collect();
                    effects.push(Effect::StartCapture { group, cameras });
                }
                CaptureAction::Stop => effects.push(Effect::StopCapture { group }),
                CaptureAction::Kill { why } => effects.push(Effect::KillCapture { group, why }),
                CaptureAction::Open { camera, index } => {
                    let (slots, camera) =
                        (self.capture.slots_per_camera, self.groups[group].camera(camera).settings.id.clone());
                    let region = self.slots.add(slots, group, index);
                    effects.push(Effect::OpenCamera { group, camera, index, region, slots });
                }
                CaptureAction::Close { camera, index } => {
                    let silent = Some(self.silent(group, camera, false));
                    effects.push(Effect::CloseCamera { group, index, silent });
                    self.close_connections(group, Some(index), effects);
                }
                CaptureAction::OpenMain { camera, index } => {
                    let camera = self.groups[group].camera(camera).settings.id.clone();
                    effects.push(Effect::OpenMain { group, camera, index });
                }
                CaptureAction::CloseMain { camera, index } => {
                    let silent = Some(self.silent(group, camera, true));
                    effects.push(Effect::CloseCamera { group, index, silent });
                }
            }
        }
    }

    fn silent(&self, group: usize, camera: usize, is_main: bool) -> SilentStream {
        SilentStream { camera: self.groups[group].camera(camera).settings.id.clone(), is_main }
    }

    /// A capture process sent a message. Only messages of its main loop count as a heartbeat.
    pub(super) fn message(
        &mut self,
        group: usize,
        message: FromCapture,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) -> Option<Captured> {
        if self.main_message(group, &message, now) {
            return None;
        }
        let members = self.groups.get_mut(group)?;
        match message {
            FromCapture::Initialized => members.initialized(now),
            FromCapture::Alive => members.alive(now),
            FromCapture::Streaming { camera, info } => {
                let position = members.find(camera)?;
                members.streaming(position, info, now);
            }
            FromCapture::Progress { camera, counts } => {
                members.alive(now);
                let position = members.find(camera)?;
                members.progress(position, counts, now);
                return Some(Captured::Counts(members.camera(position).settings.id.clone(), counts.tampered));
            }
            FromCapture::Frame { camera, frame } => return self.frame(group, camera, frame, now, effects),
            FromCapture::Dropped { camera, .. } => {
                let position = members.find(camera)?;
                let id = members.camera(position).settings.id.clone();
                self.next_number(&id);
                return Some(Captured::WithoutSlot(id));
            }
            FromCapture::Still { camera, captured_at, .. } => {
                let position = members.find(camera)?;
                let id = members.camera(position).settings.id.clone();
                members.frame_announced();
                self.next_number(&id);
                return Some(Captured::Still(id, captured_at));
            }
            FromCapture::Lost { camera, kind, detail } => {
                members.alive(now);
                let position = members.find(camera)?;
                members.lost(position, kind, detail, now);
                self.close_connections(group, Some(camera), effects);
            }
            // Pictures arrive as `Event::SnapshotMade`.
            FromCapture::Hello { .. } | FromCapture::Snapshot(_) => {}
        }
        None
    }

    fn frame(
        &mut self,
        group: usize,
        index: CameraIndex,
        frame: Frame,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) -> Option<Captured> {
        let members = self.groups.get_mut(group)?;
        let position = members.find(index)?;
        let settings = &members.camera(position).settings;
        let (camera, framing) = (settings.id.clone(), settings.framing());
        let region = self.slots.of_connection(group, index)?;
        if self.slots.lend(region, frame.slot).is_err() {
            let actions = members.kill("it announced a slot that is not there, or is lent to a unit", now);
            self.carry_out(group, actions, effects);
            return None;
        }
        members.frame_announced();
        let number = self.next_number(&camera);
        Some(Captured::Frame(FrameWork { camera, number, frame, region, framing, attempts: 0, failed_in: None }))
    }

    /// A capture process has ended: its cameras are lost.
    pub(super) fn process_ended(&mut self, group: usize, detail: &str, now: Monotonic, effects: &mut Vec<Effect>) {
        self.close_connections(group, None, effects);
        let Some(members) = self.groups.get_mut(group) else { return };
        let has_worked = members.has_worked();
        if members.process_ended(detail, now) {
            effects.push(Effect::Report(Report::CaptureRestarted));
            if has_worked {
                self.separate(group, now, effects);
            }
        }
    }

    /// A process that had been given up has ended.
    pub(super) fn undead_ended(&mut self, group: usize) {
        if let Some(members) = self.groups.get_mut(group) {
            members.undead_ended();
        }
    }

    /// A connection could not be opened.
    pub(super) fn not_opened(
        &mut self,
        group: usize,
        index: CameraIndex,
        (kind, detail): (LossKind, String),
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(members) = self.groups.get_mut(group)
            && let Some(position) = members.find(index)
        {
            members.lost(position, kind, detail, now);
        }
        self.close_connections(group, Some(index), effects);
    }

    /// A frame has its outcome: releases its slot, or the region of a closed connection with its last slot.
    pub(super) fn give_back(&mut self, region: RegionId, slot: u16, effects: &mut Vec<Effect>) {
        match self.slots.give_back(region, slot) {
            GiveBack::Release { group, index } => effects.push(Effect::ReleaseSlot { group, index, slot }),
            GiveBack::Retired => effects.push(Effect::ForgetRegion(region)),
            GiveBack::Nothing => {}
        }
    }

    /// The daemon was suspended for `gap`.
    pub(super) fn paused(&mut self, gap: Duration) {
        self.groups.iter_mut().for_each(|group| group.paused(gap));
    }

    /// Problems of the cameras beside their states, as texts for the operator.
    pub(super) fn degraded(&self) -> Vec<String> {
        let undead: u32 = self.groups.iter().map(CaptureGroup::undead).sum();
        let undead =
            (undead > 0).then(|| format!("{undead} killed capture processes do not end: a decoder's driver hangs"));
        self.all().filter_map(Camera::brown_out).chain(undead).collect()
    }

    fn close_connections(&mut self, group: usize, index: Option<CameraIndex>, effects: &mut Vec<Effect>) {
        effects.extend(self.slots.close(group, index).into_iter().map(Effect::ForgetRegion));
    }

    fn next_number(&mut self, camera: &CameraId) -> u64 {
        let number = self.frame_numbers.entry(camera.clone()).or_default();
        *number += 1;
        *number
    }
}
