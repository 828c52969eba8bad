//! Starts the unit processes and sends them messages, as the supervisor decides.

use crate::admission::Work;
use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildHandle, ChildSpec, Spawner};
use crate::ipc::frame_slots::Region;
use crate::ipc::messages::{DetectItem, FromUnit, LoadModel, RegionId, RequestId, ToUnit};
use crate::supervisor::unit_state::UnitId;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// A message from a unit's process, or its end.
#[derive(Debug)]
pub struct UnitEvent {
    /// The unit.
    pub unit: UnitId,
    /// The unit's process, by the number that [`UnitProcesses`] gave it.
    pub generation: u64,
    /// The message, or the end of the process.
    pub event: ChildEvent<FromUnit>,
}

/// Why a process could not be started, or did not get its work.
#[derive(Debug, thiserror::Error)]
pub enum UnitProcessError {
    /// The process could not be created.
    #[error("an inference unit could not be started")]
    Spawn(#[source] std::io::Error),
    /// A message could not be sent to the process.
    #[error("an inference unit accepts no messages")]
    Channel(#[from] ChannelError),
    /// The unit has no process.
    #[error("the inference unit is not running")]
    NotRunning,
}

#[derive(Debug)]
struct Running {
    handle: ChildHandle,
    generation: u64,
    attached: BTreeSet<RegionId>,
}

/// The processes of all units.
#[derive(Debug)]
pub struct UnitProcesses {
    spawner: Spawner,
    program: PathBuf,
    environment: BTreeMap<String, String>,
    running: BTreeMap<UnitId, Running>,
    generations: u64,
    events: mpsc::Sender<UnitEvent>,
}

impl UnitProcesses {
    /// Starts no process yet. Processes get `environment` and no other variables.
    pub fn new(
        spawner: Spawner,
        program: PathBuf,
        environment: BTreeMap<String, String>,
        events: mpsc::Sender<UnitEvent>,
    ) -> Self {
        Self { spawner, program, environment, running: BTreeMap::new(), generations: 0, events }
    }

    /// Gives this environment to the processes that start from now on.
    pub(crate) fn set_environment(&mut self, environment: BTreeMap<String, String>) {
        self.environment = environment;
    }

    /// Starts a unit's process and sends it the model to load. `model` is the name of the model, for `ps` and the log.
    ///
    /// # Errors
    /// [`UnitProcessError`] if there is no process. Then no event follows.
    pub fn start(&mut self, unit: UnitId, model: &str, load: LoadModel) -> Result<(), UnitProcessError> {
        self.generations += 1;
        let generation = self.generations;
        let spec = ChildSpec {
            program: self.program.clone(),
            arguments: vec!["unit".into()],
            environment: self.environment.clone(),
            title: format!("unit {model} {}", unit.0),
        };
        let wrap = move |event| UnitEvent { unit, generation, event };
        let handle = self.spawner.spawn(&spec, self.events.clone(), wrap).map_err(UnitProcessError::Spawn)?;
        handle.send(&ToUnit::Load(load), None)?;
        self.running.insert(unit, Running { handle, generation, attached: BTreeSet::new() });
        Ok(())
    }

    /// Asks a unit to exit. An event reports the end.
    pub fn stop(&self, unit: UnitId) {
        if let Some(running) = self.running.get(&unit)
            && running.handle.send(&ToUnit::Stop, None).is_err()
        {
            running.handle.kill();
        }
    }

    /// True if the event comes from the process that runs now.
    pub fn is_current(&self, event: &UnitEvent) -> bool {
        self.running.get(&event.unit).is_some_and(|running| running.generation == event.generation)
    }

    /// Sends work to a unit. `regions` has the region of each item; a region that the unit does not have yet is
    /// attached.
    ///
    /// # Errors
    /// [`UnitProcessError`]. The process has been killed then, and an event reports the end.
    pub fn dispatch(
        &mut self,
        unit: UnitId,
        items: &[(RequestId, Work)],
        regions: &[&Region],
    ) -> Result<(), UnitProcessError> {
        let running = self.running.get_mut(&unit).ok_or(UnitProcessError::NotRunning)?;
        let result = running.dispatch(items, regions);
        if result.is_err() {
            running.handle.kill();
        }
        Ok(result?)
    }

    /// Detaches a region from all units.
    pub fn detach(&mut self, region: RegionId) {
        for running in self.running.values_mut() {
            if running.attached.remove(&region)
                && let Err(error) = running.handle.send(&ToUnit::DetachRegion { region }, None)
            {
                tracing::debug!(%error, pid = running.handle.pid(), "a region could not be detached from a unit");
            }
        }
    }

    /// Kills a unit's process. An event reports the end.
    pub fn kill(&self, unit: UnitId) {
        if let Some(running) = self.running.get(&unit) {
            running.handle.kill();
        }
    }

    /// Removes a process that has ended.
    pub fn ended(&mut self, unit: UnitId) {
        self.running.remove(&unit);
    }

    /// Kills all processes.
    pub fn stop_all(&mut self) {
        self.running.clear();
    }

    /// The process ids, to measure memory and for fault tests.
    pub fn pids(&self) -> BTreeMap<UnitId, u32> {
        self.running.iter().map(|(unit, running)| (*unit, running.handle.pid())).collect()
    }
}

impl Running {
    fn dispatch(&mut self, items: &[(RequestId, Work)], regions: &[&Region]) -> Result<(), ChannelError> {
        for ((_, work), region) in items.iter().zip(regions) {
            if !self.attached.contains(&work.region()) {
                let attach = ToUnit::AttachRegion { region: work.region(), slots: region.slots() };
                self.handle.send(&attach, Some(region.read_only().as_fd()))?;
                self.attached.insert(work.region());
            }
        }
        let item = |(request, work): &(RequestId, Work)| DetectItem {
            request: *request,
            region: work.region(),
            slot: work.slot(),
            content: work.content(),
            options: work.options(),
        };
        self.handle.send(&ToUnit::Detect { items: items.iter().map(item).collect() }, None)
    }
}
