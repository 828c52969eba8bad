//! A unit alone: round trip, preprocessing, start, memory; and the admission decision.

use crate::report::Figure;
use crate::statistics::median;
use crate::support::{from_setup, root};
use ocelli::admission::{Controller, FrameWork, Gate, ImageQueue};
use ocelli::ipc::channel::Channel;
use ocelli::ipc::frame_slots::{Region, SlotWriter};
use ocelli::ipc::messages::{DetectItem, FromUnit, LoadModel, RegionId, RequestId, ToUnit};
use ocelli::model::manifest::Manifest;
use ocelli::model::package::Package;
use ocelli::supervisor::model_version::ModelVersion;
use ocelli::supervisor::pool::{Pool, UnitBounds, UnitDeadlines};
use ocelli::supervisor::unit_state::Readiness;
use ocelli::supervisor::zones::Zones;
use ocelli::supervisor::{Answer, BoxLimits, Fleet, SupervisorAction, ZonePlacement};
use ocelli::unit::input_tensor::InputTensor;
use ocelli::unit::preprocess::Preprocessor;
use ocelli::vision::camera_id::CameraId;
use ocelli::vision::frame::{Colorimetry, Frame, Picture, PixelFormat, SlotContent};
use ocelli::vision::framing::Framing;
use ocelli::vision::geometry::NormalizedBox;
use ocelli::vision::look_options::LookOptions;
use ocelli::vision::monotonic::Monotonic;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let picture = Picture::new(PixelFormat::I420, 1920, 1080, Colorimetry::default()).unwrap();
    measure_unit(figures, picture);
    measure_preprocessing(figures, picture);
    measure_admission(figures);
}

struct Unit {
    process: Child,
    channel: Channel,
}

fn start(load: bool) -> Unit {
    let (ours, theirs) = Channel::pair().unwrap();
    let process = Command::new(env!("CARGO_BIN_EXE_ocelli"))
        .arg("unit")
        .env_clear()
        .envs([("MALLOC_MMAP_THRESHOLD_", "65536"), ("MALLOC_TRIM_THRESHOLD_", "131072")])
        .stdin(Stdio::from(theirs.into_socket()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let unit = Unit { process, channel: ours };
    assert!(matches!(unit.receive(), FromUnit::Hello { .. }));
    if load {
        let model = load_model();
        unit.channel.send(&ToUnit::Load(model), None).unwrap();
        assert!(matches!(unit.receive(), FromUnit::Ready { .. }));
    }
    unit
}

fn load_model() -> LoadModel {
    LoadModel {
        directory: root().join("models/coco-ssd"),
        intra_op_threads: 1,
        max_batch: 1,
        runtime_library: from_setup("lib/libonnxruntime.so"),
        cache_directory: Some(root().join("target/model-cache")),
        ..LoadModel::default()
    }
}

impl Unit {
    fn receive(&self) -> FromUnit {
        self.channel.receive().unwrap().0
    }

    fn ask(&self, message: &ToUnit) -> FromUnit {
        self.channel.send(message, None).unwrap();
        self.receive()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Kilobytes of a process that no other shares.
pub(crate) fn private_kb(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("Private_"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).sum()
}

fn measure_unit(figures: &mut Vec<Figure>, picture: Picture) {
    drop(start(true));
    let starts = (0..5).map(|_| {
        let started = Instant::now();
        drop(start(true));
        started.elapsed().as_secs_f64()
    });
    figures.push(Figure {
        name: "unit: start to ready",
        value: median(starts.collect()),
        unit: "s",
        bar: Some(0.5),
        method: "spawn to Ready with the cached, mapped graph; median of 5",
    });

    let unit = start(true);
    let region = Region::create("bench", 1).unwrap();
    let mut writer = SlotWriter::new(region.writable(), 1).unwrap();
    writer.slot_mut(0).unwrap()[..picture.bytes()].fill(100);
    let attach = ToUnit::AttachRegion { region: RegionId(0), slots: 1 };
    unit.channel.send(&attach, Some(region.read_only().as_fd())).unwrap();
    let (content, options) = (SlotContent::Raw(picture), LookOptions::default());
    let item = DetectItem { request: RequestId(0), region: RegionId(0), slot: 0, content, options };
    let detect = ToUnit::Detect { items: vec![item] };
    for _ in 0..20 {
        assert!(matches!(unit.ask(&detect), FromUnit::Detected { .. }));
    }
    figures.push(Figure {
        name: "unit: private memory",
        value: private_kb(unit.process.id()) / 1024.0,
        unit: "MB",
        bar: Some(60.0),
        method: "Private_Clean + Private_Dirty after 20 frames of 1080p",
    });

    let ping = ToUnit::Ping { request: RequestId(1), region: RegionId(0), slot: 0 };
    let trips = (0..20_000).map(|_| {
        let started = Instant::now();
        unit.ask(&ping);
        started.elapsed().as_secs_f64() * 1e6
    });
    figures.push(Figure {
        name: "unit: round trip, 3.1 MB frame in place",
        value: median(trips.collect()),
        unit: "us",
        bar: Some(50.0),
        method: "Ping to Pong over the channel, the unit reads the slot; p50 of 20,000",
    });
    figures.push(Figure {
        name: "  its limit: one byte to another process and back",
        value: bare_round_trip(),
        unit: "us",
        bar: None,
        method: "write and read on a bare socket pair, a process that does nothing else; p50 of 20,000",
    });
}

/// Microseconds of one byte to another process and back.
fn bare_round_trip() -> f64 {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut echo = Command::new(std::env::current_exe().unwrap());
    let theirs = Stdio::from(std::os::fd::OwnedFd::from(theirs));
    let mut echo = echo.arg("bare-echo").stdin(theirs).spawn().unwrap();
    let mut byte = [7];
    let trips = (0..20_000).map(|_| {
        let started = Instant::now();
        ours.write_all(&byte).unwrap();
        ours.read_exact(&mut byte).unwrap();
        started.elapsed().as_secs_f64() * 1e6
    });
    let trip = median(trips.collect());
    drop(ours);
    echo.wait().unwrap();
    trip
}

/// Sends back what comes, until nothing does.
pub(crate) fn echo() {
    let stream = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let (mut stream, mut byte) = (UnixStream::from(stream), [0]);
    while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
}

fn measure_preprocessing(figures: &mut Vec<Figure>, picture: Picture) {
    let manifest = Manifest::load(&root().join("models/coco-ssd")).unwrap();
    let mut tensor = InputTensor::new(&manifest.input, 1);
    let mut preprocessor = Preprocessor::new(manifest.input);
    let samples: Vec<u8> = (0..picture.bytes()).map(|at| at.to_le_bytes()[0].wrapping_mul(31)).collect();
    let mut time = || {
        let started = Instant::now();
        preprocessor.prepare_raw(picture, &samples, NormalizedBox::WHOLE).unwrap();
        tensor.write(0, preprocessor.rgb());
        started.elapsed().as_secs_f64() * 1e3
    };
    time();
    let milliseconds = median((0..300).map(|_| time()).collect());
    figures.push(Figure {
        name: "preprocessing 1080p I420 to 300x300",
        value: milliseconds,
        unit: "ms",
        bar: Some(1.5),
        method: "resize planes, convert, normalise, on one core; median of 300",
    });
    let mut target = vec![0_u8; samples.len()];
    let copies = (0..300).map(|_| {
        let started = Instant::now();
        target.copy_from_slice(std::hint::black_box(&samples));
        std::hint::black_box(&target);
        started.elapsed().as_secs_f64() * 1e3
    });
    figures.push(Figure {
        name: "  its limit: one copy of the frame",
        value: median(copies.collect()),
        unit: "ms",
        bar: None,
        method: "memcpy of 3.1 MB; median of 300",
    });
}

fn measure_admission(figures: &mut Vec<Figure>) {
    let now = Monotonic::from_nanos(1_000_000_000);
    let cameras: Vec<CameraId> = (0..8).map(|index| CameraId::new(format!("camera-{index}")).unwrap()).collect();
    let gate = Gate::new(Controller::new(Duration::from_secs(1)), ImageQueue::new(Duration::from_secs(1)), 0.5);
    let limits = BoxLimits { units: 2, models: 1, reserve_bytes: 0 };
    let zones = Zones::new(vec!["cpu".into()], Duration::from_secs(60));
    let mut fleet = Fleet::new(vec![ZonePlacement::default()], zones, limits);
    let load = load_model();
    let package = Arc::new(Package { model: "m".into(), ..Package::default() });
    let version = ModelVersion { id: fleet.next_version(), package, load };
    let deadlines = UnitDeadlines { load: Duration::from_secs(60), inference: Duration::from_secs(10) };
    fleet.add_model(Pool::new(version, UnitBounds { min: 2, max: None }, gate, None, deadlines, now));
    cameras.iter().for_each(|camera| fleet.add_camera(camera.clone(), 1, "m"));
    fleet.start("m", None).unwrap();
    for action in fleet.tick(now) {
        let SupervisorAction::Start { unit, .. } = action else { continue };
        fleet.unit_ready(unit, Readiness { batch: 1, ..Readiness::default() }, now);
    }
    let picture = Picture::new(PixelFormat::I420, 640, 480, Colorimetry::default()).unwrap();
    let (mut busy, mut times) = (Vec::new(), Vec::new());
    for number in 0..50_000_u64 {
        let camera = cameras[(number % 8) as usize].clone();
        let frame = Frame {
            sequence: number,
            captured_at: now,
            decoded_at: now,
            camera_ms: None,
            media_us: 0,
            slot: 0,
            picture,
        };
        let (region, framing) = (RegionId(0), Framing::default());
        let work = FrameWork { camera, number, frame, region, framing, attempts: 0, failed_in: None };
        let started = Instant::now();
        let actions = fleet.frame_captured(work, now);
        times.push(started.elapsed().as_secs_f64() * 1e6);
        let mut actions = actions;
        if number % 3 == 0 && !busy.is_empty() {
            let (unit, request) = busy.remove(0);
            let answer = Answer {
                detections: Vec::new(),
                weak: Vec::new(),
                timing: Default::default(),
                queued: Duration::ZERO,
                size: (640, 480),
            };
            actions.extend(fleet.unit_answered(unit, request, Ok(answer), now));
        }
        for action in &actions {
            if let SupervisorAction::Dispatch { unit, items } = action {
                busy.extend(items.iter().map(|(request, _)| (*unit, *request)));
            }
        }
    }
    figures.push(Figure {
        name: "admission decision",
        value: median(times),
        unit: "us",
        bar: Some(2.0),
        method: "a frame to its place and the choice of the next, 8 cameras, 2 units; median of 50,000",
    });
}
