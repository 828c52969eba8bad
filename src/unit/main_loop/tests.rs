//! The unit without a process: a real channel, real shared memory, a scripted engine.

use super::*;
use crate::ipc::frame_slots::{Region, SlotWriter};
use std::os::fd::AsFd;
use std::thread::JoinHandle;

/// Detects nothing, and fails for a slot whose first byte is 13. The reported width is the number of jobs in the call.
struct ScriptedEngine {
    batch: u16,
}

impl Engine for ScriptedEngine {
    fn detect(&mut self, jobs: &[Job<'_>]) -> Vec<Result<Found, NotFound>> {
        let width = u32::try_from(jobs.len()).unwrap();
        let look = |job: &Job<'_>| match job.slot[0] {
            13 => Err(NotFound::new(FailureCause::InvalidImage, "unlucky")),
            _ => Ok(Found { detections: vec![], weak: vec![], timing: UnitTiming::default(), size: (width, 1) }),
        };
        jobs.iter().map(look).collect()
    }

    fn batch(&self) -> usize {
        usize::from(self.batch)
    }

    fn cache_problem(&self) -> Option<String> {
        None
    }

    fn run_time(&self) -> Duration {
        Duration::from_millis(7)
    }

    fn is_from_cache(&self) -> bool {
        true
    }

    fn providers(&self) -> NodeCounts {
        NodeCounts::default()
    }

    fn runtime_version(&self) -> String {
        "scripted".into()
    }
}

struct Parent {
    channel: Channel,
    unit: JoinHandle<Result<(), UnitError>>,
}

fn start() -> Parent {
    let (ours, theirs) = Channel::pair().unwrap();
    let unit = std::thread::spawn(move || {
        let load = |load: &LoadModel| -> Result<Box<dyn Engine>, LoadError> {
            match load.intra_op_threads {
                0 => Err(LoadError::ExecutionProvider("no threads".into())),
                _ => Ok(Box::new(ScriptedEngine { batch: load.max_batch })),
            }
        };
        let inspect = |file: &Path| Ok(crate::unit::onnx_file::read(file)?);
        run(&theirs, load, inspect, |order, mut file| Ok(crate::unit::quantization::run(order, &mut file)?))
    });
    let parent = Parent { channel: ours, unit };
    assert!(matches!(parent.receive(), FromUnit::Hello { .. }));
    parent
}

impl Parent {
    fn receive(&self) -> FromUnit {
        self.channel.receive().unwrap().0
    }

    fn send(&self, message: &ToUnit) {
        self.channel.send(message, None).unwrap();
    }

    fn load(&self, intra_op_threads: u16) -> FromUnit {
        self.send(&ToUnit::Load(LoadModel {
            directory: "m".into(),
            intra_op_threads,
            max_batch: 4,
            runtime_library: "l".into(),
            ..LoadModel::default()
        }));
        self.receive()
    }

    fn attach(&self, region: &Region) {
        let message = ToUnit::AttachRegion { region: RegionId(1), slots: region.slots() };
        self.channel.send(&message, Some(region.read_only().as_fd())).unwrap();
    }
}

fn item(request: u64, slot: u16) -> DetectItem {
    let (content, options) = (SlotContent::Encoded { bytes: 1 }, LookOptions::default());
    DetectItem { request: RequestId(request), region: RegionId(1), slot, content, options }
}

fn detect(slot: u16) -> ToUnit {
    ToUnit::Detect { items: vec![item(7, slot)] }
}

#[test]
fn a_unit_loads_attaches_detects_and_stops() {
    let parent = start();
    assert!(matches!(parent.load(1), FromUnit::Ready { from_cache: true, batch: 4, .. }));
    let region = Region::create("test", 2).unwrap();
    SlotWriter::new(region.writable(), 2).unwrap().slot_mut(1).unwrap()[0] = 13;
    parent.attach(&region);
    parent.send(&detect(0));
    assert!(matches!(parent.receive(), FromUnit::Detected { request: RequestId(7), .. }));
    parent.send(&detect(1));
    assert!(matches!(parent.receive(), FromUnit::Failed { cause: FailureCause::InvalidImage, .. }));
    parent.send(&ToUnit::Ping { request: RequestId(8), region: RegionId(1), slot: 1 });
    assert_eq!(parent.receive(), FromUnit::Pong { request: RequestId(8), first_byte: 13 });
    parent.send(&ToUnit::Stop);
    assert!(parent.unit.join().unwrap().is_ok());
}

#[test]
fn the_items_of_a_request_share_a_run_and_have_one_reply_each() {
    let parent = start();
    parent.load(1);
    let region = Region::create("test", 3).unwrap();
    SlotWriter::new(region.writable(), 3).unwrap().slot_mut(1).unwrap()[0] = 13;
    parent.attach(&region);
    parent.send(&ToUnit::Detect { items: vec![item(20, 0), item(21, 1), item(22, 2)] });
    assert!(matches!(parent.receive(), FromUnit::Detected { request: RequestId(20), size: (3, 1), .. }));
    let unlucky = parent.receive();
    assert!(matches!(unlucky, FromUnit::Failed { request: RequestId(21), cause: FailureCause::InvalidImage, .. }));
    assert!(matches!(parent.receive(), FromUnit::Detected { request: RequestId(22), size: (3, 1), .. }));
    parent.send(&ToUnit::Detect { items: vec![item(23, 0), item(24, 3)] });
    assert!(matches!(parent.unit.join().unwrap(), Err(UnitError::Protocol(_))), "one of the slots does not exist");
}

#[test]
fn a_unit_that_cannot_load_reports_the_reason_and_ends() {
    let parent = start();
    let FromUnit::LoadFailed { reason } = parent.load(0) else { panic!("it loaded") };
    assert!(reason.contains("no threads"));
    assert!(matches!(parent.unit.join().unwrap(), Err(UnitError::Load(_))));
}

#[test]
fn a_unit_that_cannot_inspect_a_file_reports_the_reason_and_ends() {
    let parent = start();
    parent.send(&ToUnit::Inspect { file: "/no/such/model.onnx".into() });
    let FromUnit::LoadFailed { reason } = parent.receive() else { panic!("it was read") };
    assert!(reason.contains("/no/such/model.onnx cannot be read"), "{reason}");
    assert!(matches!(parent.unit.join().unwrap(), Err(UnitError::Load(_))));
}

#[test]
fn a_slot_that_does_not_exist_ends_the_unit() {
    let parent = start();
    parent.load(1);
    parent.attach(&Region::create("test", 2).unwrap());
    parent.send(&detect(2));
    assert!(matches!(parent.unit.join().unwrap(), Err(UnitError::Protocol(_))));
}

#[test]
fn work_before_the_model_and_a_detached_region_end_the_unit() {
    let parent = start();
    parent.send(&detect(0));
    assert!(matches!(parent.unit.join().unwrap(), Err(UnitError::Protocol(_))));
    let parent = start();
    parent.load(1);
    parent.attach(&Region::create("test", 2).unwrap());
    parent.send(&ToUnit::DetachRegion { region: RegionId(1) });
    parent.send(&detect(0));
    assert!(matches!(parent.unit.join().unwrap(), Err(UnitError::Protocol(_))));
}

#[test]
fn a_unit_whose_parent_has_ended_ends_without_an_error() {
    let Parent { channel, unit } = start();
    drop(channel);
    assert!(unit.join().unwrap().is_ok());
}
