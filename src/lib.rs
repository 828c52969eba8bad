//! ocelli: an edge inference appliance for IP cameras.
//!
//! A capture process a camera receives, decodes and samples its RTSP stream and writes each frame once, into a
//! 4 MiB slot of shared memory. A supervisor hands slots to *inference units*, processes with one ONNX Runtime
//! session each, which read the frame where it lies. A tracker makes objects of what they see. Labels and boxes of each
//! frame leave over MQTT while they are fresh, events when the broker is there: until then they are on disk.
//!
//! ```text
//!  camera ─RTSP─▶ ╔ capture process ════╗ "slot 2 holds frame 421"  ┌ admission: one place a camera, ┐
//!                 ║ receive, decode,    ║──────────────────────────▶│ newest wins, fair by weight     │
//!                 ║ sample, fit 4 MiB   ║◀── "slot 2 is free" ──┐   └───────────────┬────────────────┘
//!                 ╚═════════╤═══════════╝                       │                   ▼
//!                           │ pixels, once             shell (appliance)    supervisor: dispatch,
//!                           ▼                          around the core      deadlines, restarts
//!                   4 MiB slots (memfd)                         │                   │ "look at slot 2"
//!                           │ read in place                     │                   ▼
//!                           └──────────────────────────▶ ╔ inference unit ══════════════════════╗
//!                                                        ║ resize → ONNX Runtime → decode → NMS ║
//!                                                        ╚══════════════╤═══════════════════════╝
//!                                       outcome: detected | shed | failed ▼
//!                                         │          publish → metrics, live view
//!                                         ├─ detections of a frame ───────────────▶ MQTT, now or not at all
//!                                         └─ tracking: began, changed, ended
//!                                                └──▶ outbox (own thread, disk) ──▶ MQTT, until acknowledged
//! ```
//!
//! # Where is what
//! * [`vision`], [`secret`]: the vocabulary, with the status of a camera. No clock, no runtime; no I/O but a secret's own file.
//! * [`model`]: manifests, labels, names of layouts and providers. [`model::recognition`] proposes a manifest from what a
//!   confined process ([`supervisor::inspection`]) has read in a model's file.
//! * [`model_store`]: packages on the disk: staged, put in place in one rename, rolled back, listed, removed.
//! * [`os`]: descriptors, clocks, mapped memory; the only `unsafe`.
//! * [`ipc`]: messages, packets, slots, children: the process boundary.
//! * [`capture`] and [`unit`](mod@unit): the two kinds of children. They know no parent folder.
//! * [`camera`], [`admission`], [`supervisor`]: the decisions about cameras, waiting work and units, in plain code that is
//!   given `now`, with the files that start processes beside them. A [`supervisor::Fleet`] has a
//!   [`supervisor::pool::Pool`] a model.
//! * `core`: decides for the whole box. [`Core::apply`](crate::core::Core::apply) takes an event and returns effects; it holds no
//!   channel, handle, file or clock, so a day of faults runs in a second of test (`make simulate` runs 5,000).
//! * [`kept`]: one thread that writes every state file.
//! * [`tracking`]: detections of a camera's frames become objects with a number and a life: began, changed, ended. Plain
//!   code, a `tracking::CameraTracker` a camera; its scene (labels, thresholds, regions, masks) is applied there.
//! * [`metering`]: inference hours.
//! * [`evaluation`]: how good a model's boxes are, by COCO's figures, against annotated pictures.
//! * [`catalog`]: projects, versions and tags, as the cloud's API calls models and packages.
//! * [`publish`], [`http`], [`telemetry`]: what the outside sees; [`http::rekognition`] is what AWS SDKs know.
//!   [`publish::outbox`] keeps events, [`publish::sinks::mqtt`] takes them away, [`publish::home_assistant`] says what
//!   announces a camera.
//! * [`appliance`]: the shell. It waits, has the core apply what is queued, and carries out the effects.
//! * [`settings`], [`control`], [`cli`]: what the operator sets, what the outside may ask for, the command line.
//!
//! # The way of a frame
//! 1. `capture/camera_stream.rs` writes it into a slot and announces it.
//! 2. `appliance/shell.rs` takes the message from its queue and hands it to the core as an event.
//! 3. `core/apply.rs` has the cameras lend the slot and the units take the frame; its effects go back to the shell.
//! 4. `unit/main_loop.rs` looks at it and answers.
//! 5. `core/apply.rs` gives it its outcome: tracker, snapshots, the slot goes back, and the reporter publishes it.
//!
//! # Invariants
//! * The parent never touches a pixel: no pipeline, no model and no decoder runs in it.
//! * No parent folder uses [`capture`] or [`unit`](mod@unit), and they use no parent folder; only [`cli`] names both.
//! * `captured = detected + Σ shed{reason} + Σ failed{cause} + in flight`, per camera, at every moment
//!   ([`admission::Ledger`]; outcomes are given in one place of [`supervisor`] only).
//! * What is looked at in tiles is charged as so many transactions ([`admission::Work::transactions`]) and is one frame in
//!   the equation. No unit waits for a batch to fill, and each item of one has its own outcome ([`supervisor::batch`]).
//! * A slot has one owner at a time, and a region outlives its connection until its last frame has ended
//!   (`camera::lent_slots`).
//! * Cameras never queue, images wait in a queue bounded in time (`admission::gate`); what one of them does not
//!   use of its share is lent to the other.
//! * A snapshot is made by the capture process, from the slot, on an order that goes out before the slot goes back: no
//!   slot is held for it. The parent never looks into the JPEG ([`ipc::snapshot_messages`]).
//! * All that is queued is applied before a deadline is judged, and deadlines move by the time that the daemon itself was
//!   suspended. A sign of life of a capture process comes from its main loop only ([`ipc::heartbeat`]).
//! * No thread that logs waits for the log: lines go through a bounded queue to one thread, and what a full queue drops is
//!   counted and logged ([`telemetry::log_queue`]).
//! * No state file is written on the event loop. A command is answered when the disk holds its change; a disk that refuses
//!   is told in the answer and in the state, and tried again ([`kept`]).
//! * A unit holds the package that it was started with, so a result is read with the labels of the model that made it.
//! * One daemon for each state directory ([`os::state_lock`]).
//! * The event loop waits for neither disk nor broker to tell an event: it hands it to [`publish::outbox`], which has a
//!   thread of its own. An event leaves after it was written (while the disk refuses: from a ring of memory), and waits
//!   until the broker has acknowledged it, will never take it, or there is no room; what is dropped is counted and told.
//!   The MQTT client is trusted with nothing.
//! * The tracker is asked before a frame's slot goes back, so that a picture can be had of the frame that shows an object
//!   best. What it filters is in no event, no count and no detection.
//! * Every queue is bounded and says what happens when it is full. A child that does not read is hung, and killed.
//! * Nobody beyond loopback is answered without a signature but by `/healthz`. No name that a caller gives becomes a path
//!   ([`os::beneath`], [`catalog::store`]).
//! * Monotonic time decides ([`vision::monotonic`]), wall time labels.
//! * A child never outlives its parent, not even a stopped one ([`os::orphan_guard`]).
//!
//! # Where the code differs from the first design
//! * The *parent* creates the regions of slots, and gives the capture process the writable descriptor: so their
//!   size and seals are trusted, and a capture process that dies takes no frame with it that a unit still reads.
//! * The supervisor of the design is a *fleet* (the box) of *pools* (a model each): what is decided for the box,
//!   as memory and zones, is apart from what is decided for a model.
//! * A model's *name* and its *package* are two things, so that a version can be swapped under a name that cameras
//!   and commands keep using.
//! * An image longer than a slot (an object of a bucket, up to 15 MiB) is not scaled by the parent, which decodes
//!   nothing: it lies in a region of its own, of as many slots as it needs, which its unit forgets afterwards.
//! * A project of the AWS-compatible API is not a model but a name for versions, each of which runs in a pool of its
//!   own: clients start the new one, turn to it, and stop the old one, as they do in the cloud.
//! * Which provider computes which nodes is read from what ONNX Runtime logs while it makes a session: its interface for
//!   that knows nothing of ORT-format graphs, from which units start (`unit::node_placements`).
//! * The restart ladder is in [`ipc::restart_policy`], because units and capture processes share it.
//! * The outbox is SQLite ([`publish::outbox`] says why, and not redb or fjall). It is in the parent, since it parses
//!   nothing that strangers send, but on a thread of its own: a commit may take as long as an SD card likes.
//! * What was kept while the broker was away leaves at most at twice the rate of new events, with a floor of 20 a second:
//!   a box that comes back after a day must neither flood its broker nor, where its cameras are quiet, stay behind for
//!   ever. A camera that is not behind does not wait for one that is.
//! * In an event `box` is the bounding box, as it is of each thing in a `detections` message, and the appliance is
//!   `box_id`; of a `detections` message itself `box` is the appliance. One JSON object cannot have a name twice.
//! * A sink is not a trait: MQTT is the only one, HTTP reads the outbox itself ([`publish::outbox::EventLog`]), and Home
//!   Assistant reads MQTT.
//! * The client is rumqttc's successor, `rumqttc-v5-next` and `rumqttc-v4-next`, made anew with each connection, and TLS
//!   is ours below it: the client's own brought a certificate check with open advisories.
//! * Each connection to a camera has an index of its own, never used twice in a process's life: what an earlier
//!   connection still says is recognised without an acknowledgement protocol.
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
pub mod control;
pub mod core;
pub mod evaluation;
pub mod http;
pub mod ipc;
pub mod kept;
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
