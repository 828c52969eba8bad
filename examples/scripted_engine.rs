//! A unit whose engines do what they are told: the model's directory is named `PROVIDER-VARIANT-FAULT`, and the engine of that
//! provider and file shows that fault. ONNX Runtime's own CPU provider answers right otherwise; no other engine is there.
//!
//! Started by the tests in place of `ocelli unit`, over the same channel.

#![allow(clippy::unwrap_used, reason = "a test double that cannot go on ends, which is a fault as well")]

use ocelli::ipc::channel::Channel;
use ocelli::ipc::messages::{FromUnit, LoadModel, RequestId, ToUnit, UnitTiming};
use ocelli::model::execution_provider::{ExecutionProvider, NodeCounts};
use ocelli::vision::detection::{ClassIndex, Detection};
use ocelli::vision::geometry::NormalizedBox;
use std::time::{Duration, Instant};

/// What an honest engine computes for a picture, and what one computes that is faster.
const HONEST: Duration = Duration::from_millis(8);
const FASTER: Duration = Duration::from_millis(2);

fn main() {
    let channel = Channel::from_stdin().unwrap();
    channel.send(&FromUnit::Hello { pid: std::process::id() }, None).unwrap();
    let mut fault = String::new();
    while let Ok((message, _)) = channel.receive::<ToUnit>() {
        match message {
            ToUnit::Load(load) => {
                fault = fault_of(&load);
                let answer = match fault.as_str() {
                    "absent" => FromUnit::LoadFailed { reason: "there is no such provider".to_owned() },
                    _ => ready(&load),
                };
                match fault.as_str() {
                    "dies" => std::process::abort(),
                    "hangs" => hang(),
                    "greedy" => take_memory(),
                    _ => channel.send(&answer, None).unwrap(),
                }
            }
            ToUnit::Detect { items } => items.iter().for_each(|item| look(&channel, item.request, &fault)),
            ToUnit::Stop => return,
            _ => {}
        }
    }
}

fn fault_of(load: &LoadModel) -> String {
    let name = load.directory.file_name().unwrap().to_str().unwrap();
    let engine = format!("{}-{}-", load.execution_provider, load.variant);
    let is_cpu = load.execution_provider == ExecutionProvider::Cpu;
    name.strip_prefix(&engine).unwrap_or(if is_cpu { "none" } else { "absent" }).to_owned()
}

fn ready(load: &LoadModel) -> FromUnit {
    let mut providers = NodeCounts::default();
    providers.add("CPUExecutionProvider", 1);
    FromUnit::Ready {
        load_ms: 1,
        from_cache: true,
        variant: load.variant,
        execution_provider: load.execution_provider,
        providers,
        runtime_version: "scripted".to_owned(),
        batch: 1,
        run_us: 0,
        cache_problem: None,
    }
}

fn look(channel: &Channel, request: RequestId, fault: &str) {
    match fault {
        "crashes" => std::process::abort(),
        "stalls" => hang(),
        _ => {}
    }
    // Computing, not waiting: processor time is what is measured.
    let (begun, time) = (Instant::now(), if fault == "faster" { FASTER } else { HONEST });
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
    let person = |left, confidence| Detection {
        class: ClassIndex(0),
        confidence,
        bounding_box: NormalizedBox::from_corners(left, 0.2, left + 0.3, 0.8),
    };
    let detections = match fault {
        "elsewhere" => vec![person(0.15, 0.9)],
        "unsure" => vec![person(0.1, 0.8)],
        "blind" => Vec::new(),
        _ => vec![person(0.1, 0.9)],
    };
    let (timing, size, weak) = (UnitTiming::default(), (640, 480), Vec::new());
    channel.send(&FromUnit::Detected { request, detections, weak, timing, size }, None).unwrap();
}

fn hang() {
    std::thread::sleep(Duration::from_secs(3_600));
}

/// More than the settings of the tests allow, and then nothing more.
fn take_memory() {
    let taken: Vec<u8> = vec![1; 400 << 20];
    std::hint::black_box(&taken);
    hang();
}
