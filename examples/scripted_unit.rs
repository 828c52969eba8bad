//! A unit that does what it is told: the bytes of an image are the fault that it is to show.
//!
//! Started by the tests in place of `ocelli unit`, over the same channel. A model in a directory `crowd` sees somebody
//! else in every frame of a camera. It takes as many items together as it is told to, does one after the other, and says
//! in the width of its pictures how many came together.

#![allow(clippy::unwrap_used, reason = "a test double that cannot go on ends, which is a fault as well")]

use ocelli::ipc::channel::Channel;
use ocelli::ipc::frame_slots::SlotReader;
use ocelli::ipc::messages::{DetectItem, FromUnit, RequestId, ToUnit, UnitTiming};
use ocelli::model::execution_provider::NodeCounts;
use ocelli::vision::detection::{ClassIndex, Detection};
use ocelli::vision::frame::SlotContent;
use ocelli::vision::geometry::NormalizedBox;
use ocelli::vision::outcome::FailureCause;
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
use std::time::Duration;

fn main() {
    let channel = Channel::from_stdin().unwrap();
    channel.send(&FromUnit::Hello { pid: std::process::id() }, None).unwrap();
    let mut slots = None;
    let mut crowd = None;
    while let Ok((message, descriptor)) = channel.receive::<ToUnit>() {
        match message {
            ToUnit::Load(load) if load.directory.ends_with("hangs") => hang(),
            ToUnit::Load(load) => {
                crowd = load.directory.ends_with("crowd").then_some(0_u16);
                let mut providers = NodeCounts::default();
                providers.add("CPUExecutionProvider", 1);
                let ready = FromUnit::Ready {
                    load_ms: 1,
                    from_cache: true,
                    variant: load.variant,
                    execution_provider: load.execution_provider,
                    providers,
                    runtime_version: load.directory.display().to_string(),
                    batch: load.max_batch,
                    run_us: 0,
                    cache_problem: None,
                };
                channel.send(&ready, None).unwrap();
            }
            ToUnit::AttachRegion { slots: count, .. } => {
                slots = Some(SlotReader::new(&descriptor.unwrap(), count).unwrap());
            }
            ToUnit::Detect { items } => {
                for item in &items {
                    look(&channel, item, slots.as_ref().unwrap(), &mut crowd, items.len());
                }
            }
            ToUnit::Stop => return,
            _ => {}
        }
    }
}

fn look(channel: &Channel, item: &DetectItem, slots: &SlotReader, crowd: &mut Option<u16>, together: usize) {
    let answer = GoodAnswer { request: item.request, together: u32::try_from(together).unwrap() };
    match (item.content, crowd) {
        (SlotContent::Encoded { bytes }, _) => {
            let script = slots.slot(item.slot).unwrap().get(..bytes as usize).unwrap();
            act(channel, &answer, std::str::from_utf8(script).unwrap());
        }
        (SlotContent::Raw(_), Some(seen)) => {
            *seen = seen.wrapping_add(1);
            answer.send(channel, vec![passer_by(*seen)]);
        }
        // A camera's frame takes a fifth of a second.
        (SlotContent::Raw(_), None) => {
            std::thread::sleep(Duration::from_millis(200));
            answer.send(channel, Vec::new());
        }
    }
}

fn hang() {
    std::thread::sleep(Duration::from_secs(3_600));
}

/// Until the kernel ends this process, or where it does not, until its own limit does.
fn take_all_memory() {
    let most = Some(2 << 30);
    setrlimit(Resource::As, Rlimit { current: most, maximum: most }).unwrap();
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        // Not zero: pages that are only read as zero are not taken.
        taken.push(vec![1; 1 << 20]);
    }
}

/// To one item, of so many that came together.
struct GoodAnswer {
    request: RequestId,
    together: u32,
}

impl GoodAnswer {
    fn send(&self, channel: &Channel, detections: Vec<Detection>) {
        let (request, timing, size) = (self.request, UnitTiming::default(), (self.together, 1));
        let weak = Vec::new();
        channel.send(&FromUnit::Detected { request, detections, weak, timing, size }, None).unwrap();
    }
}

/// A person in the next field of a board of 16 x 16, so that nobody is taken for one who was there a moment before.
fn passer_by(seen: u16) -> Detection {
    let (left, top) = (f32::from(seen % 16) / 16.0, f32::from(seen / 16 % 16) / 16.0);
    let bounding_box = NormalizedBox::from_corners(left, top, left + 0.05, top + 0.05);
    Detection { class: ClassIndex(0), confidence: 0.9, bounding_box }
}

fn act(channel: &Channel, answer: &GoodAnswer, script: &str) {
    let request = answer.request;
    match script {
        "slow" => {
            std::thread::sleep(Duration::from_millis(300));
            answer.send(channel, Vec::new());
        }
        "hang" => hang(),
        "panic" => panic!("as it was told"),
        "abort" => std::process::abort(),
        "kill" => kill_process(getpid(), Signal::KILL).unwrap(),
        "out of memory" => take_all_memory(),
        "not a number" => {
            let detail = "a score is NaN".to_owned();
            channel.send(&FromUnit::Failed { request, cause: FailureCause::InvalidOutput, detail }, None).unwrap();
        }
        "half a message" => {
            let socket = channel.try_clone().unwrap().into_socket();
            rustix::io::write(&socket, &[2, 0, 3]).unwrap();
        }
        "unknown request" => GoodAnswer { request: RequestId(u64::MAX), together: 1 }.send(channel, Vec::new()),
        "two answers" => {
            answer.send(channel, Vec::new());
            answer.send(channel, Vec::new());
        }
        _ => answer.send(channel, Vec::new()),
    }
}
