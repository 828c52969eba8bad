//! The inference unit: a child process with one ONNX Runtime session.
//!
//! It maps slots read-only, resizes pictures, runs inference and decodes the tensors. It has no network access and
//! measures durations only. It is independent of cameras and policies.

pub mod annotate;
mod assumed_thresholds;
mod canary;
mod confinement;
pub mod engine;
mod execution_providers;
pub mod image_decode;
mod inference;
pub mod input_tensor;
mod jpeg_decode;
pub mod load_error;
pub mod main_loop;
mod model_cache;
mod model_outlets;
#[expect(clippy::result_large_err, reason = "errors of ort's builders contain the builder")]
mod node_placements;
pub mod onnx_file;
pub mod picture_fit;
mod png_decode;
pub mod preprocess;
pub mod quantization;
mod rgb_image;
#[expect(clippy::result_large_err, reason = "errors of ort's builders contain the builder")]
mod session;
pub mod tensor_decoders;
mod time_limit;
mod trial;

use crate::ipc::channel::Channel;
use crate::ipc::messages::LoadModel;
use crate::ipc::quantize_messages::{QuantizeOrder, Quantized};
use crate::model::model_facts::ModelFacts;
use crate::os::sandbox::SandboxMode;
use crate::os::{fixed_code, read_only};
use crate::unit::engine::OnnxEngine;
use crate::unit::load_error::LoadError;
use crate::unit::main_loop::{Engine, InspectError, RewriteError};
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

/// The memory for a model of 512 MiB and what is made of it, in bytes.
const REWRITING_BYTES: u64 = 2 << 30;

/// The entry point of a unit process.
pub fn main() -> ExitCode {
    crate::os::child_limits::apply();
    let channel = match Channel::from_stdin() {
        Ok(channel) => channel,
        Err(error) => {
            tracing::error!(%error, "an inference unit has no channel to its parent; it is started by `ocelli run`");
            return ExitCode::FAILURE;
        }
    };
    let load = |load: &LoadModel| confine_and_load(&channel, load);
    let inspect = |file: &Path| confine_and_inspect(&channel, file);
    match main_loop::run(&channel, load, inspect, |order, file| confine_and_quantize(&channel, order, file)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "an inference unit stops");
            ExitCode::FAILURE
        }
    }
}

/// Enters the sandbox before the first thread starts and the model is opened. Once it is loaded, and before a picture from
/// outside comes, a unit on the CPU loses the right to change files: a picture that takes it over cannot change the cached
/// graph from which other units and later ones start.
fn confine_and_load(channel: &Channel, load: &LoadModel) -> Result<Box<dyn Engine>, LoadError> {
    if !load.cores.is_empty() {
        crate::os::cores::keep_to(&load.cores)?;
    }
    // Drivers of accelerators map more memory than they use.
    let limit = load.memory_limit_bytes.filter(|_| load.computes_on_cores());
    if let Some(bytes) = limit {
        crate::os::child_limits::cap_memory_at(bytes);
    }
    confinement::sandbox(load).enter_as(SandboxMode::from_environment())?;
    if !load.compiles_code() {
        fixed_code::enter_as(SandboxMode::from_environment())?;
    }
    crate::os::orphan_guard::arm(channel.try_clone()?.into_socket())?;
    let engine = OnnxEngine::load(load)?;
    // Accelerators compile kernels at work, and keep them.
    if load.computes_on_cores() {
        read_only::enter_as(SandboxMode::from_environment())?;
    }
    Ok(Box::new(engine))
}

/// Enters a narrower sandbox, with a fixed memory limit because no inference runs here.
fn confine_and_inspect(channel: &Channel, file: &Path) -> Result<ModelFacts, InspectError> {
    crate::os::child_limits::cap_memory();
    confinement::sandbox_of_reader(file).enter_as(SandboxMode::from_environment())?;
    fixed_code::enter_as(SandboxMode::from_environment())?;
    crate::os::orphan_guard::arm(channel.try_clone()?.into_socket())?;
    Ok(onnx_file::read(file)?)
}

/// Enters the sandbox of a reader. The only file that it can write is the one that the parent has opened for it.
fn confine_and_quantize(channel: &Channel, order: &QuantizeOrder, mut target: File) -> Result<Quantized, RewriteError> {
    crate::os::child_limits::cap_memory_at(REWRITING_BYTES);
    confinement::sandbox_of_reader(&order.file).enter_as(SandboxMode::from_environment())?;
    fixed_code::enter_as(SandboxMode::from_environment())?;
    crate::os::orphan_guard::arm(channel.try_clone()?.into_socket())?;
    Ok(quantization::run(order, &mut target)?)
}
