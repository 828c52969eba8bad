//! ocelli: an edge inference appliance for IP cameras.
//!
//! A capture process receives, decodes and samples the RTSP streams of its cameras, and writes each frame once, into a 4 MiB
//! slot of shared memory. A supervisor dispatches slots to *inference units*, processes with one ONNX Runtime session each,
//! which read the frame in place. A tracker turns detections into objects. Labels and boxes of a frame are published over
//! MQTT while they are fresh; events are stored on disk until the broker has acknowledged them.
//!
//! ```text
//!  camera ─RTSP─▶ ╔ capture process ════╗ "slot 2 holds frame 421"  ┌ admission: one per camera,     ┐
//!                 ║ receive, decode,    ║──────────────────────────▶│ newest wins, fair by weight     │
//!                 ║ sample, fit 4 MiB   ║◀── "slot 2 is free" ──┐   └───────────────┬────────────────┘
//!                 ╚═════════╤═══════════╝                       │                   ▼
//!                           │ pixels, once             shell (appliance)    supervisor: dispatch,
//!                           ▼                          around the core      deadlines, restarts
//!                   4 MiB slots (memfd)                         │                   │ "analyse slot 2"
//!                           │ read in place                     │                   ▼
//!                           └──────────────────────────▶ ╔ inference unit ══════════════════════╗
//!                                                        ║ resize → ONNX Runtime → decode → NMS ║
//!                                                        ╚══════════════╤═══════════════════════╝
//!                                       outcome: detected | shed | failed ▼
//!                                         │          publish → metrics, live view
//!                                         ├─ detections of a frame ───────────────▶ MQTT, at most once
//!                                         └─ tracking: began, changed, ended
//!                                                └──▶ outbox (own thread, disk) ──▶ MQTT, until acknowledged
//! ```
//!
//! # Where is what
//! * [`vision`], [`secret`]: the vocabulary, with the status of a camera. No clock, no runtime; no I/O but a secret's own file.
//! * [`model`]: manifests, labels, names of layouts and providers. [`model::recognition`] proposes a manifest from the facts
//!   that a confined process ([`supervisor::inspection`]) has read in a model's file.
//! * [`model_store`]: packages on the disk: staged, installed by one rename, rolled back, listed, removed.
//! * [`os`]: descriptors, clocks, mapped memory; the only `unsafe`.
//! * [`ipc`]: messages, packets, slots, children: the process boundary.
//! * [`capture`] and [`unit`](mod@unit): the two kinds of children. They know no parent folder.
//! * [`camera`], [`admission`], [`supervisor`]: the decisions about cameras, waiting work and units, in plain code that is
//!   given `now`, with the files that start processes beside them. A [`supervisor::Fleet`] has one
//!   [`supervisor::pool::Pool`] per model.
//! * `core`: decides for the whole box. [`Core::apply`](crate::core::Core::apply) takes an event and returns effects; it holds no
//!   channel, handle, file or clock, so a day of faults runs in a second of test (`make simulate` runs 5,000 boxes).
//! * [`kept`]: one thread that writes every state file.
//! * [`tracking`]: turns detections of a camera's frames into numbered objects that begin, change and end. Plain code, one
//!   `tracking::CameraTracker` per camera, which also applies its scene (labels, thresholds, regions, masks).
//! * [`metering`]: inference hours.
//! * [`cluster`]: several boxes that look at a site's cameras together. `cluster::member` and [`cluster::placer`] decide, the
//!   session asks etcd; its models are spread over the boxes by `cluster::models`. Without `[cluster]` none of it runs. [`http::peers`] hands calls from one box to another.
//! * [`evaluation`]: compares a model's boxes with annotated pictures, by COCO's figures, and two models with each other.
//! * [`engine_choice`]: measures what computes a model fastest here, and remembers it (`execution_provider = "auto"`).
//! * [`discover`]: finds cameras by WS-Discovery and ONVIF, for the command line. What they answer is read by a confined child.
//! * [`catalog`]: projects, versions and tags, as the cloud's API calls models and packages.
//! * [`live`]: passes live video from capture processes on to viewers, with the detections of its frames.
//! * [`clips`]: keeps the received video of events on the disk, for some days.
//! * [`publish`], [`http`], [`telemetry`]: the outputs. [`http::rekognition`] is the API for AWS SDKs, [`http::s3`] has the
//!   objects of its buckets. [`publish::outbox`] stores events, [`publish::sinks::mqtt`] sends them,
//!   [`publish::home_assistant`] writes what announces a camera.
//! * [`appliance`]: the shell. It waits, lets the core apply what is queued, and performs the effects.
//!   `http::page` has the files of the web page, which asks the native API as every client does.
//! * [`settings`], [`control`], [`cli`]: what the operator sets, what clients may request, the command line.
//!   [`control::judge`] says what is wrong with the box, and [`control::health`] is how all of them show it.
//!
//! # The way of a frame
//! 1. `capture/frame_output.rs` writes it into a slot and announces it.
//! 2. `appliance/shell.rs` takes the message from its queue and passes it to the core as an event.
//! 3. `core/apply.rs` passes it through `cameras`, which lends the slot, to `units`, which dispatches it; its effects go back
//!    to the shell.
//! 4. `unit/main_loop.rs` runs the model and replies.
//! 5. `core/apply.rs` gives it its outcome: tracker, snapshots, the release of its slot, and the report that the shell
//!    publishes.
//!
//! # Invariants
//! * The parent never touches a pixel: no pipeline, no model and no decoder runs in it.
//! * No parent folder uses [`capture`] or [`unit`](mod@unit), and they use no parent folder; only [`cli`] names both.
//! * `received = decoded + Σ skipped{reason} + waiting`, per stream of a camera, at every moment ([`vision::stream_counts`]).
//!   Receiving never waits for decoding.
//! * A camera's main stream is decoded for snapshots alone, and what becomes of it changes nothing for the analysed one. It
//!   connects only while that one streams, and refused logins of both count together (`camera::connection`).
//! * While a scene is still, keyframes alone are decoded, and compared instead of analysed; what came since the last still one
//!   is held, and decoded first when one differs, in its order and no faster than units look at it (`capture::watch`).
//! * A camera that is throttled decodes no more than units look at (`capture::ration`).
//! * `captured = detected + Σ shed{reason} + Σ failed{cause} + in flight`, per camera, at every moment
//!   ([`admission::Ledger`]; outcomes are given in one place of [`supervisor`] only).
//! * A frame that is analysed in tiles is charged one transaction per tile ([`admission::Work::transactions`]) and is one
//!   frame in the equation. No unit waits for a batch to fill, and each item of a batch has its own outcome
//!   ([`supervisor::batch`]).
//! * A slot has one owner at a time, and a region outlives its connection until its last frame has ended
//!   (`camera::lent_slots`).
//! * A camera has one waiting frame, the newest; images wait in a queue bounded in time (`admission::gate`). What one of
//!   the two does not use of its share is lent to the other.
//! * A snapshot is made by the capture process, from the slot, on an order that is sent before the slot is released: no
//!   slot is held for it. The parent never parses the JPEG ([`ipc::snapshot_messages`]).
//! * Live video is not decoded for its viewers, and neither receiving nor decoding nor another viewer waits for one: who is slow
//!   loses frames up to the next keyframe, and is told. The parent never parses it ([`ipc::live_packets`], [`live`]).
//! * A clip is what was received, and costs an event nothing: no event waits for it, and a disk that takes none is told of
//!   ([`clips`]).
//! * What a camera's `blackout` hides is black in the frame before a JPEG is made of it, and its capture process writes no video
//!   (`capture::blackout`).
//! * A frame and its fragment say the same place on the timeline of the video (`capture::media_clock`), so that a box is
//!   shown on its own frame.
//! * Everything that is queued is applied before a deadline is judged, and deadlines move by the time for which the daemon
//!   itself was suspended. The heartbeat of a capture process comes from its main loop only ([`ipc::heartbeat`]).
//! * No thread that logs waits for the log: lines go through a bounded queue to one thread, and what a full queue drops is
//!   counted and logged ([`telemetry::log_queue`]).
//! * No state file is written on the event loop. A command is answered when the disk holds its change. A write that the disk
//!   refuses is reported in the answer and in the state, and retried ([`kept`]).
//! * A unit holds the package that it was started with, so its results get the labels of the model that made them.
//! * One daemon for each state directory ([`os::state_lock`]).
//! * The event loop waits for neither disk nor broker: it hands an event to [`publish::outbox`], which has a thread of its
//!   own. An event is sent after it was written (while the disk refuses: from a ring in memory), and kept until the broker
//!   has acknowledged it, rejects it for good, or there is no room. Dropped events are counted and reported. No promise rests
//!   on the MQTT client's own queue.
//! * An object is in its bucket whole, checked and on the disk, or not at all; what is received of one is never in memory as a
//!   whole ([`http::s3`], [`os::object_directory`]).
//! * The tracker sees a result before the frame's slot is released, so that a snapshot can be made of the frame that shows
//!   an object best. What the scene filters is in no event, no count and no detection.
//! * Every queue is bounded and says what happens when it is full. A child that does not read is hung, and killed.
//! * Nothing that tells of the box's health is green while another thing is not: all of it comes from [`control::judge`].
//! * Being on the box is no identity: over TCP the native API needs a token, if the settings ask for it, and over the Unix socket
//!   the kernel says who may. People have sessions, which end with the process; a viewer's changes nothing, and what a cookie
//!   alone vouches for needs the page's `Origin` (`http::login::gate`). No request for a name that is not the box's reaches a route,
//!   and no page of another origin, but signed calls of pages that the settings name (`http::door`).
//! * A camera of a cluster is published by the box that owns it, with the epoch of its claim. Whether a box may still count as the
//!   owner is judged at the moment of publishing, by a clock that goes on while the machine is suspended (`cluster::Promise`).
//! * Log lines that others can repeat without end are limited and counted ([`vision::line_limit`]).
//! * Beyond loopback every request but `/healthz` needs a signature, over TLS the session of a person, or for metrics and
//!   readiness a token. No name that a
//!   caller gives becomes a path ([`os::beneath`], [`catalog::store`]).
//! * Decisions use monotonic time ([`vision::monotonic`]), labels wall time.
//! * A child never outlives its parent, not even a stopped one ([`os::orphan_guard`]). Its end is noticed by its pidfd, whoever
//!   holds its channel, and a kill reaches its whole group ([`os::pidfd`]).
//! * A child makes the system calls of its list ([`os::system_calls`]), and names no address to the kernel: the parent judges
//!   it and connects the child's socket ([`ipc::call_gate`], `camera::reachable`).
//! * No process that talks to a camera can write the registry of GStreamer's plugins, which all of them believe
//!   (`capture::plugin_registry`).
//! * A model's file is parsed and rewritten in confined processes only; `unit::quantization` writes into one file that the parent
//!   has opened.
//! * A unit on the CPU changes no file from the moment that its model is loaded ([`os::read_only`]).
//! * When a capture process that cameras share dies, each of them gets its own: nothing in a crash says whose stream was the
//!   cause (`core::cameras`).
//!
//! # Where the code differs from the first design
//! * The *parent* creates the regions of slots, and gives the capture process the writable descriptor: so their
//!   size and seals are trusted, and a capture process that dies takes no frame with it that a unit still reads.
//! * The supervisor of the design is a *fleet* (the box) of *pools* (one per model): decisions for the box, such as memory
//!   and zones, are apart from decisions for a model.
//! * A model's *name* and its *package* are two things, so that a version can be swapped under a name that cameras
//!   and commands keep using.
//! * An image longer than a slot (an object of a bucket, up to 15 MiB) is not scaled by the parent, which decodes
//!   nothing: it lies in a region of its own, of as many slots as it needs, which its unit forgets afterwards.
//! * A project of the AWS-compatible API is not a model but a name for versions, each of which runs in a pool of its
//!   own: clients start the new one, switch to it, and stop the old one, as they do in the cloud.
//! * Which provider computes which nodes is read from what ONNX Runtime logs while it makes a session: its interface for
//!   that knows nothing of ORT-format graphs, from which units start (`unit::node_placements`).
//! * The restart ladder is in [`ipc::restart_policy`], because units and capture processes share it.
//! * The outbox is SQLite ([`publish::outbox`] says why, and not redb or fjall). It runs in the parent, since it parses
//!   nothing that strangers send, but on a thread of its own: a commit on an SD card may take seconds.
//! * A backlog of events is sent at twice the rate of new events at most, but at least at 20 a second: after a day without
//!   its broker a box must neither flood it nor, where its cameras are quiet, stay behind for ever. A camera without a
//!   backlog does not wait for one that has some.
//! * In an event `box` is the bounding box, as it is of each thing in a `detections` message, and the appliance is
//!   `box_id`; of a `detections` message itself `box` is the appliance. One JSON object cannot have a name twice.
//! * A sink is not a trait: MQTT is the only one, HTTP reads the outbox itself ([`publish::outbox::EventLog`]), and Home
//!   Assistant reads MQTT.
//! * The client is rumqttc's successor, `rumqttc-v5-next` and `rumqttc-v4-next`, made anew with each connection, and TLS
//!   is ours below it: the client's own brought a certificate check with open advisories.
//! * Each connection to a camera has an index that is never used twice in a process's life: late messages of an earlier
//!   connection are recognised without an acknowledgement protocol.
//!
//! `tests/architecture.rs` holds the directions, circles between files, what deciding code may name, and the homes of
//! libraries as data.

pub mod admission;
pub mod appliance;
pub mod camera;
#[cfg(feature = "capture")]
pub mod capture;
pub mod catalog;
pub mod cli;
pub mod clips;
pub mod cluster;
pub mod control;
pub mod core;
pub mod discover;
pub mod engine_choice;
pub mod evaluation;
pub mod http;
pub mod ipc;
pub mod kept;
pub mod live;
pub mod metering;
pub mod model;
pub mod model_store;
pub mod os;
pub mod publish;
pub mod secret;
pub mod settings;
pub mod supervisor;
pub mod telemetry;
pub mod tracking;
pub mod unit;
pub mod vision;
