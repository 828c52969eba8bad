//! Starts unit processes and talks to them, as the supervisor decides.

use crate::admission::FrameWork;
use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildHandle, ChildSpec, Spawner};
use crate::ipc::frame_slots::Region;
use crate::ipc::messages::{FromUnit, LoadModel, RegionId, RequestId, ToUnit};
use crate::vision::frame::SlotContent;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// What a unit said, or that it ended.
#[derive(Debug)]
pub struct UnitEvent {
    /// Which unit.
    pub unit: usize,
    /// Which of its processes.
    pub generation: u64,
    /// What.
    pub event: ChildEvent<FromUnit>,
}

/// A unit's process that could not be started or talked to.
#[derive(Debug, thiserror::Error)]
pub enum UnitProcessError {
    /// No process could be had.
    #[error("an inference unit could not be started")]
    Spawn(#[source] std::io::Error),
    /// It does not listen.
    #[error("an inference unit cannot be talked to")]
    Channel(#[from] ChannelError),
    /// There is no process.
    #[error("the inference unit is not running")]
    NotRunning,
}

#[derive(Debug)]
struct Running {
    handle: ChildHandle,
    generation: u64,
    attached: BTreeSet<RegionId>,
}

/// The processes of all units of one model.
#[derive(Debug)]
pub struct UnitProcesses {
    spawner: Spawner,
    program: PathBuf,
    environment: BTreeMap<String, String>,
    load: LoadModel,
    running: Vec<Option<Running>>,
    generations: u64,
    events: mpsc::Sender<UnitEvent>,
}

impl UnitProcesses {
    /// None of the `units` processes runs yet. `environment` is all that they get.
    pub fn new(
        spawner: Spawner,
        program: PathBuf,
        environment: BTreeMap<String, String>,
        load: LoadModel,
        units: usize,
        events: mpsc::Sender<UnitEvent>,
    ) -> Self {
        let running = (0..units).map(|_| None).collect();
        Self { spawner, program, environment, load, running, generations: 0, events }
    }

    /// Starts a unit's process and tells it to load the model.
    ///
    /// # Errors
    /// [`UnitProcessError`] when there is no process now; then no event will come either.
    pub fn start(&mut self, unit: usize) -> Result<(), UnitProcessError> {
        self.generations += 1;
        let generation = self.generations;
        let spec = ChildSpec {
            program: self.program.clone(),
            arguments: vec!["unit".into(), "--name".into(), format!("unit-{unit}")],
            environment: self.environment.clone(),
            name: format!("unit-{unit}"),
        };
        let wrap = move |event| UnitEvent { unit, generation, event };
        let handle = self.spawner.spawn(&spec, self.events.clone(), wrap).map_err(UnitProcessError::Spawn)?;
        handle.send(&ToUnit::Load(self.load.clone()), None)?;
        self.running[unit] = Some(Running { handle, generation, attached: BTreeSet::new() });
        Ok(())
    }

    /// True if the event comes from the process that runs now.
    pub fn is_current(&self, event: &UnitEvent) -> bool {
        self.running[event.unit].as_ref().is_some_and(|running| running.generation == event.generation)
    }

    /// Hands work to a unit. The region travels along the first time.
    ///
    /// # Errors
    /// [`UnitProcessError`]; the process has been killed then and its end will be reported.
    pub fn dispatch(
        &mut self,
        unit: usize,
        request: RequestId,
        work: &FrameWork,
        region: &Region,
    ) -> Result<(), UnitProcessError> {
        let running = self.running[unit].as_mut().ok_or(UnitProcessError::NotRunning)?;
        let result = running.dispatch(request, work, region);
        if result.is_err() {
            running.handle.kill();
        }
        Ok(result?)
    }

    /// Has all units forget a region.
    pub fn detach(&mut self, region: RegionId) {
        for running in self.running.iter_mut().flatten() {
            if running.attached.remove(&region)
                && let Err(error) = running.handle.send(&ToUnit::DetachRegion { region }, None)
            {
                tracing::debug!(%error, pid = running.handle.pid(), "a unit could not be told to forget a region");
            }
        }
    }

    /// Ends a process at once; its end will be reported.
    pub fn kill(&self, unit: usize) {
        if let Some(running) = &self.running[unit] {
            running.handle.kill();
        }
    }

    /// Forgets a process that has ended.
    pub fn ended(&mut self, unit: usize) {
        self.running[unit] = None;
    }

    /// Ends all processes.
    pub fn stop_all(&mut self) {
        for running in self.running.iter_mut() {
            *running = None;
        }
    }

    /// Process numbers, for memory figures and fault tests.
    pub fn pids(&self) -> Vec<u32> {
        self.running.iter().flatten().map(|running| running.handle.pid()).collect()
    }
}

impl Running {
    fn dispatch(&mut self, request: RequestId, work: &FrameWork, region: &Region) -> Result<(), ChannelError> {
        if !self.attached.contains(&work.region) {
            let attach = ToUnit::AttachRegion { region: work.region, slots: region.slots() };
            self.handle.send(&attach, Some(region.read_only().as_fd()))?;
            self.attached.insert(work.region);
        }
        let content = SlotContent::Raw(work.frame.picture);
        let detect = ToUnit::Detect { request, region: work.region, slot: work.frame.slot, content };
        self.handle.send(&detect, None)
    }
}
