//! ocelli: an edge inference appliance for IP cameras.
//!
//! A capture process a camera receives, decodes and samples its RTSP stream and writes each frame once, into a
//! 4 MiB slot of shared memory. A supervisor hands slots to *inference units*, processes with one ONNX Runtime
//! session each, which read the frame where it lies. Labels and boxes leave over MQTT.
//!
//! ```text
//!  camera ─RTSP─▶ ╔ capture process ════╗ "slot 2 holds frame 421"  ┌ admission: one place a camera, ┐
//!                 ║ receive, decode,    ║──────────────────────────▶│ newest wins, fair by weight     │
//!                 ║ sample, fit 4 MiB   ║◀── "slot 2 is free" ──┐   └───────────────┬────────────────┘
//!                 ╚═════════╤═══════════╝                       │                   ▼
//!                           │ pixels, once             event loop of the    supervisor: dispatch,
//!                           ▼                          daemon (appliance)   deadlines, restarts
//!                   4 MiB slots (memfd)                         │                   │ permit to read slot 2
//!                           │ read in place                     │                   ▼
//!                           └──────────────────────────▶ ╔ inference unit ══════════════════════╗
//!                                                        ║ resize → ONNX Runtime → decode → NMS ║
//!                                                        ╚══════════════╤═══════════════════════╝
//!                                       outcome: detected | shed | failed ▼
//!                                                    publish → MQTT, metrics, live view
//! ```
//!
//! # Where is what
//! * [`vision`], [`secret`]: the vocabulary. No clock, no runtime; no I/O but a secret's own file.
//! * [`model`]: manifests, labels, names of layouts and providers.
//! * [`os`]: descriptors, clocks, mapped memory; the only `unsafe`.
//! * [`ipc`]: messages, packets, slots, children: the process boundary.
//! * [`capture`] and [`unit`](mod@unit): the two kinds of children. They know no parent folder.
//! * [`camera`], [`admission`], [`supervisor`]: the decisions, in plain code that is given `now`, with the thin
//!   shells that start processes beside them. A [`supervisor::Fleet`] has a [`supervisor::pool::Pool`] a model.
//! * [`tracking`]: detections of a camera's frames become objects with a number and a life: began, changed, ended.
//! * [`metering`]: inference hours.
//! * [`catalog`]: projects, versions and tags, as the cloud's API calls models and packages.
//! * [`publish`], [`http`], [`telemetry`]: what the outside sees; [`http::rekognition`] is what AWS SDKs know.
//! * [`settings`], [`appliance`], [`control`], [`cli`]: put together, run, looked at, asked for.
//!
//! # Invariants
//! * The parent never touches a pixel: no pipeline, no model and no decoder runs in it.
//! * No parent folder uses [`capture`] or [`unit`](mod@unit), and they use no parent folder; only [`cli`] names both.
//! * `captured = detected + Σ shed{reason} + Σ failed{cause} + in flight`, per camera, at every moment
//!   ([`admission::Ledger`]; outcomes are given in one place of [`supervisor`] only).
//! * A slot has one owner at a time, and a region outlives its connection until its last frame has ended
//!   ([`camera::lent_slots`]).
//! * Cameras never queue, images wait in a queue bounded in time ([`admission::gate`]); what one of them does not
//!   use of its share is lent to the other.
//! * A snapshot is made by the capture process, from the slot, on an order that goes out before the slot goes back: no
//!   slot is held for it. The parent never looks into the JPEG ([`ipc::snapshot_messages`]).
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
//! * The restart ladder is in [`ipc::restart_policy`], because units and capture processes share it.
//! * Each connection to a camera has an index of its own, never used twice in a process's life: what an earlier
//!   connection still says is recognised without an acknowledgement protocol.
//!
//! `tests/architecture.rs` holds the directions and the homes of libraries as data.

pub mod admission;
pub mod appliance;
pub mod camera;
#[cfg(feature = "capture")]
pub mod capture;
pub mod catalog;
pub mod cli;
pub mod control;
pub mod http;
pub mod ipc;
pub mod metering;
pub mod model;
pub mod os;
pub mod publish;
pub mod secret;
pub mod settings;
pub mod supervisor;
pub mod telemetry;
pub mod tracking;
pub mod unit;
pub mod vision;
