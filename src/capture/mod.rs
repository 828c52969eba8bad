//! The capture process: a child that receives, decodes and samples its cameras' streams.
//!
//! ```text
//! camera ──▶ source ── access units ──▶ GOP buffer ──▶ decoder ── pictures ──▶ pace ──▶ slot ──▶ parent
//!            receives, parses           newest ones    takes the next     │             one copy
//!                                           ▲          when it can        │ due ones, or glances
//!                                           └── follow, or keyframes ── watch ── "nothing new" ──▶ parent
//!
//!                           └── while somebody watches: fragments, one a frame ── pipe ──▶ parent
//!
//! its main stream ─▶ source ── keyframes ──▶ the newest ones ── when a snapshot is ordered: decoder ──▶ JPEG ──▶ parent
//! ```
//!
//! What is watched, or kept as a clip, is not decoded for it, and receiving never waits for a viewer or a disk (`live_pipe`).
//!
//! Receives and decodes with GStreamer, whose RTSP client has a hook in `os::rtsp_extension`. Receiving never waits for decoding: what is not decoded is
//! skipped in the GOP buffer and counted by reason. Writes each sampled frame once, into its camera's slots, and says so; makes a JPEG of a
//! frame that is still lent when it is asked for one. When to connect again, and of which frames there are snapshots, is
//! the parent's decision.

mod access_unit;
mod annex_b;
mod arrival;
mod blackout;
mod box_drawing;
mod camera_stream;
mod confinement;
mod decode_ledger;
mod decoder;
mod decoder_choice;
mod fragments;
mod frame_copy;
mod frame_output;
mod gop_buffer;
mod hang_watch;
mod jfif_planes;
mod keyframe_decoder;
mod keyframes;
mod live_output;
mod live_pipe;
mod lock;
pub mod main_loop;
mod main_stream;
mod media_clock;
mod open_stream;
mod plugin_registry;
mod ration;
mod recent_groups;
mod sampler;
mod size_limit;
mod slot_owner;
mod snapshot;
mod snapshot_thread;
mod source;
mod stream_loss;
mod unit_queue;
mod watch;

use crate::ipc::camera_source::MEMORY_VARIABLE;
use crate::ipc::channel::Channel;
use crate::ipc::messages::FromCapture;
use crate::os::fixed_code;
use crate::os::sandbox::{Sandbox, SandboxError, SandboxMode};
use std::process::ExitCode;

/// Confines this process for good. It makes no code at run time, unless drivers of decoders may: programs of GPUs are compiled.
fn enter(sandbox: &Sandbox) -> Result<(), SandboxError> {
    let mode = SandboxMode::from_environment();
    sandbox.enter_as(mode)?;
    if confinement::has_decoders() { Ok(()) } else { fixed_code::enter_as(mode) }
}

/// The whole life of the process that a capture process starts before it is confined: it brings the registry of GStreamer's
/// plugins up to date, which capture processes read and cannot write.
pub fn keep_registry() -> ExitCode {
    crate::os::child_limits::apply();
    if let Err(error) = enter(&confinement::sandbox_of_registry_keeper()) {
        tracing::error!(%error, "the process that looks at GStreamer's plugins cannot be confined");
        return ExitCode::FAILURE;
    }
    plugin_registry::keep()
}

/// The whole life of a capture process.
pub fn main() -> ExitCode {
    crate::os::child_limits::apply();
    let megabytes = std::env::var(MEMORY_VARIABLE).ok().and_then(|megabytes| megabytes.parse::<u64>().ok());
    if let Some(megabytes) = megabytes.filter(|megabytes| *megabytes > 0) {
        crate::os::child_limits::cap_memory_at(megabytes << 20);
    }
    // Before GStreamer is started, which may take a minute at the first start: the parent then knows what takes so long.
    let channel = Channel::from_stdin().and_then(|channel| {
        channel.send(&FromCapture::Hello { pid: std::process::id() }, None).map_err(std::io::Error::other)?;
        Ok(channel)
    });
    plugin_registry::bring_up_to_date();
    // Before the first thread, so that all are confined.
    if let Err(error) = enter(&confinement::sandbox()) {
        tracing::error!(%error, "a capture process cannot be confined");
        return ExitCode::FAILURE;
    }
    let result = channel.and_then(|channel| {
        crate::os::orphan_guard::arm(channel.try_clone()?.into_socket())?;
        Ok(channel)
    });
    let channel = match result {
        Ok(channel) => channel,
        Err(error) => {
            tracing::error!(%error, "a capture process has no channel to its parent; it is started by `ocelli run`");
            return ExitCode::FAILURE;
        }
    };
    match main_loop::run(channel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "a capture process stops");
            ExitCode::FAILURE
        }
    }
}
