//! The behaviour of simulated child processes over time.

use crate::core::Event;
use crate::core::simulation::children::{Connection, Order, SimUnit, UnitFault};
use crate::core::simulation::world::{MS, Next, World};
use crate::ipc::messages::{CameraIndex, FromCapture, FromUnit, LossKind, RegionId, RequestId, StreamInfo, UnitTiming};
use crate::model::execution_provider::{ExecutionProvider, NodeCounts};
use crate::model::model_file::ModelVariant;
use crate::supervisor::unit_state::UnitId;
use crate::vision::detection::{ClassIndex, Detection};
use crate::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
use crate::vision::geometry::NormalizedBox;
use crate::vision::outcome::FailureCause;
use crate::vision::stream_counts::StreamCounts;

impl World {
    fn unit(&mut self, unit: UnitId, generation: u64) -> Option<&mut SimUnit> {
        self.units.get_mut(&unit).filter(|running| running.generation == generation)
    }

    fn say(&mut self, unit: UnitId, message: FromUnit) {
        self.inbox.push_back(Event::Unit { unit, message });
    }

    pub(super) fn unit_ready(&mut self, unit: UnitId, generation: u64) {
        let Some(running) = self.unit(unit, generation).filter(|running| !running.is_killed) else { return };
        running.is_ready = true;
        let ready = FromUnit::Ready {
            load_ms: 1,
            from_cache: true,
            variant: ModelVariant::Float,
            execution_provider: ExecutionProvider::Cpu,
            providers: NodeCounts::default(),
            runtime_version: String::new(),
            batch: 1,
            run_us: 0,
            cache_problem: None,
        };
        self.say(unit, ready);
    }

    /// The unit reports why it cannot load, and exits.
    pub(super) fn unit_fails(&mut self, unit: UnitId, generation: u64) {
        if self.unit(unit, generation).is_some_and(|running| !running.is_killed) {
            self.say(unit, FromUnit::LoadFailed { reason: "the model is bad".into() });
            self.plan(5 * MS, Next::UnitExits(unit, generation));
        }
    }

    pub(super) fn unit_answers(&mut self, unit: UnitId, generation: u64, request: RequestId) {
        let Some(running) = self.unit(unit, generation).filter(|running| !running.is_killed) else { return };
        let is_given = running.work.iter().any(|(given, _)| *given == request);
        match running.fault {
            Some(UnitFault::Hangs | UnitFault::Undead) => return,
            Some(UnitFault::Lies) => {
                self.say(
                    unit,
                    FromUnit::Failed {
                        request: RequestId(u64::MAX),
                        cause: FailureCause::InvalidOutput,
                        detail: String::new(),
                    },
                );
                return;
            }
            _ if !is_given => return,
            _ => {}
        }
        let is_invalid = running.fault == Some(UnitFault::Invalid);
        let work =
            running.work.iter().position(|(given, _)| *given == request).map(|place| running.work.remove(place).1);
        if is_invalid {
            let cause = FailureCause::InvalidOutput;
            return self.say(unit, FromUnit::Failed { request, cause, detail: String::new() });
        }
        if let Some(work) = work {
            let package = self.units[&unit].package.clone();
            self.books.seen_with.insert((work.region(), work.slot()), package);
        }
        // An object is in view a third of the time.
        let is_in_view = (self.now / (7_000 * MS)).is_multiple_of(3);
        let bounding_box = NormalizedBox::from_corners(0.1, 0.1, 0.3, 0.4);
        let detection = Detection { class: ClassIndex(0), confidence: 0.9, bounding_box };
        let detections = if is_in_view { vec![detection] } else { Vec::new() };
        let (weak, timing) = (Vec::new(), UnitTiming::default());
        self.say(unit, FromUnit::Detected { request, detections, weak, timing, size: (64, 64) });
    }

    pub(super) fn unit_exits(&mut self, unit: UnitId, generation: u64) {
        if self.unit(unit, generation).is_some() {
            self.units.remove(&unit);
            self.inbox.push_back(Event::UnitEnded { unit });
        }
    }

    pub(super) fn capture_starts(&mut self, group: usize, generation: u64) {
        let capture = &self.captures[group];
        if capture.generation != generation || capture.is_killed || capture.cannot_start {
            return;
        }
        self.inbox.push_back(Event::Capture { group, message: FromCapture::Initialized });
        self.plan(1_000 * MS, Next::Heartbeat(group, generation));
    }

    pub(super) fn heartbeat(&mut self, group: usize, generation: u64) {
        let capture = &self.captures[group];
        if capture.generation != generation || capture.is_killed || !capture.is_alive {
            return;
        }
        let late = self.dice.between(0, 200);
        self.plan((1_000 + late) * MS, Next::Heartbeat(group, generation));
        let capture = &self.captures[group];
        if capture.is_hung {
            return;
        }
        self.lose_main_streams(group);
        // Cameras send 25 frames a second, whatever the rate of announced frames.
        let (now, cameras) = (self.now, &self.cameras);
        let capture = &mut self.captures[group];
        for connection in capture.connections.values_mut() {
            let camera = &cameras[connection.camera];
            let sends = connection.is_streaming && camera.silent_until <= now && camera.down_until <= now;
            connection.decoded += if sends { 25 } else { 0 };
        }
        let streaming = capture.connections.iter().filter(|(_, connection)| connection.is_streaming);
        let progress = streaming.map(|(&camera, connection)| {
            let decoded = connection.decoded;
            let counts = StreamCounts { packets: decoded * 10, received: decoded, decoded, ..StreamCounts::default() };
            FromCapture::Progress { camera, counts }
        });
        let messages: Vec<FromCapture> = std::iter::once(FromCapture::Alive).chain(progress).collect();
        self.inbox.extend(messages.into_iter().map(|message| Event::Capture { group, message }));
    }

    /// A main stream has no frames by whose absence its loss would be noticed.
    fn lose_main_streams(&mut self, group: usize) {
        let (now, cameras) = (self.now, &self.cameras);
        let is_lost = |connection: &Connection| {
            connection.is_main && connection.is_streaming && cameras[connection.camera].down_until > now
        };
        let connections = &mut self.captures[group].connections;
        let lost: Vec<_> = connections.extract_if(.., |_, connection| is_lost(connection)).collect();
        for (index, _) in lost {
            let (kind, detail) = (LossKind::Ended, "the stream ended".to_owned());
            self.tell(group, FromCapture::Lost { camera: index, kind, detail });
        }
    }

    pub(super) fn capture_exits(&mut self, group: usize, generation: u64) {
        let capture = &mut self.captures[group];
        if capture.generation == generation && capture.is_alive {
            capture.is_alive = false;
            capture.connections.clear();
            self.inbox.push_back(Event::CaptureEnded { group, detail: "killed".into() });
        } else if capture.generation != generation {
            // The process had been given up and replaced.
            self.inbox.push_back(Event::UndeadCaptureEnded { group });
        }
    }

    /// The main loop of a capture process executes an order.
    pub(super) fn obey(&mut self, group: usize, order: Order) {
        let generation = self.captures[group].generation;
        let connection = |fps, camera, region, slots| Connection {
            camera,
            is_main: slots == 0,
            region,
            lent: vec![false; usize::from(slots)],
            fps,
            is_streaming: false,
            decoded: 0,
            sequence: 0,
        };
        let fps = f64::from(self.settings.fps);
        let capture = &mut self.captures[group];
        match order {
            Order::Open(index, camera, region, slots) => {
                capture.connections.insert(index, connection(fps, camera, region, slots));
                let after = self.dice.between(50, 800);
                self.plan(after * MS, Next::Connects(group, generation, index));
            }
            Order::OpenMain(index, camera) => {
                capture.connections.insert(index, connection(0.0, camera, RegionId(u32::MAX), 0));
                let after = self.dice.between(50, 800);
                self.plan(after * MS, Next::Connects(group, generation, index));
            }
            Order::Close(index) => drop(capture.connections.remove(&index)),
            Order::Release(index, slot) => {
                if let Some(connection) = capture.connections.get_mut(&index) {
                    connection.lent[usize::from(slot)] = false;
                }
            }
            Order::Pace(index, fps) => {
                if let Some(connection) = capture.connections.get_mut(&index) {
                    connection.fps = f64::from(fps);
                }
            }
        }
    }

    fn tell(&mut self, group: usize, message: FromCapture) {
        self.inbox.push_back(Event::Capture { group, message });
    }

    pub(super) fn connects(&mut self, group: usize, generation: u64, index: CameraIndex) {
        let capture = &mut self.captures[group];
        if capture.generation != generation || !capture.is_alive || capture.is_hung {
            return;
        }
        let Some(connection) = capture.connections.get_mut(&index) else { return };
        let camera = connection.camera;
        if self.cameras[camera].down_until > self.now {
            capture.connections.remove(&index);
            let kind = self.dice.pick(&[LossKind::Unreachable, LossKind::Busy, LossKind::Other]);
            return self.tell(group, FromCapture::Lost { camera: index, kind, detail: "no route".into() });
        }
        if self.cameras[camera].silent_until > self.now {
            // The camera accepts the connection and sends nothing.
            return;
        }
        connection.is_streaming = true;
        let is_main = connection.is_main;
        let info = StreamInfo { codec: "h264".into(), decoder: "d".into(), width: 64, height: 64, frame_rate_milli: 0 };
        self.tell(group, FromCapture::Streaming { camera: index, info });
        if !is_main {
            self.plan(MS, Next::Frame(group, generation, index));
        }
    }

    /// A streaming thread decodes a frame, even while the main loop hangs.
    pub(super) fn frame(&mut self, group: usize, generation: u64, index: CameraIndex) {
        let capture = &mut self.captures[group];
        if capture.generation != generation || !capture.is_alive || capture.is_killed {
            return;
        }
        let (has_lied, is_hung) = (capture.has_lied, capture.is_hung);
        let Some(connection) = capture.connections.get_mut(&index) else { return };
        let camera = &self.cameras[connection.camera];
        if camera.down_until > self.now && !is_hung {
            capture.connections.remove(&index);
            let (kind, detail) = (LossKind::Ended, "the stream ended".to_owned());
            return self.tell(group, FromCapture::Lost { camera: index, kind, detail });
        }
        if camera.silent_until > self.now {
            let wait = camera.silent_until - self.now;
            return self.plan(wait, Next::Frame(group, generation, index));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a period of a camera")]
        let period = (1e9 / connection.fps.max(0.01)) as u64;
        let jitter = self.dice.between(0, period / 10 + 1);
        let connection = self.captures[group].connections.get_mut(&index);
        let Some(connection) = connection else { return };
        connection.sequence += 1;
        let sequence = connection.sequence;
        let free = connection.lent.iter().position(|lent| !lent);
        let free = if has_lied { Some(usize::from(u8::MAX)) } else { free };
        match free {
            Some(slot) => {
                if let Some(lent) = connection.lent.get_mut(slot) {
                    *lent = true;
                }
                let slot = u16::try_from(slot).unwrap();
                let picture = Picture::new(PixelFormat::I420, 64, 64, Colorimetry::default()).unwrap();
                let frame = Frame {
                    sequence,
                    captured_at: self.monotonic(),
                    decoded_at: self.monotonic(),
                    camera_ms: None,
                    media_us: 0,
                    slot,
                    picture,
                };
                self.tell(group, FromCapture::Frame { camera: index, frame });
            }
            None => self.tell(group, FromCapture::Dropped { camera: index, sequence }),
        }
        self.plan(period + jitter, Next::Frame(group, generation, index));
    }

    pub(super) fn measure_memory(&mut self) {
        let units: Vec<(UnitId, u64)> = self.units.iter().map(|(unit, running)| (*unit, running.bytes)).collect();
        let is_short = self.trouble.memory > self.now;
        let available_bytes = Some(if is_short { super::box_of::UNIT_BYTES } else { 16 << 30 });
        self.inbox.push_back(Event::Memory { available_bytes, units });
    }
}
