//! The child that reads what cameras answer. It has no file, no network and 128 MiB of memory.

use crate::discover::answers::ToReader;
use crate::discover::read_answer::read;
use crate::discover::xml_tree::MAX_BYTES;
use crate::ipc::channel::{Channel, ChannelError};
use crate::os::fixed_code;
use crate::os::memfd::copy_start;
use crate::os::sandbox::{Sandbox, SandboxMode};
use crate::os::{child_limits, orphan_guard};
use std::error::Error;
use std::process::ExitCode;

/// The limit of its memory in bytes. A document of 256 KiB takes some megabytes as a tree.
const MEMORY_BYTES: u64 = 128 << 20;

/// The entry point of the process.
pub(crate) fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the process that reads answers of cameras stops");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    child_limits::apply();
    child_limits::cap_memory_at(MEMORY_BYTES);
    let channel = Channel::from_stdin()?;
    Sandbox::default().enter_as(SandboxMode::from_environment())?;
    fixed_code::enter_as(SandboxMode::from_environment())?;
    orphan_guard::arm(channel.try_clone()?.into_socket())?;
    loop {
        let (ToReader { question, bytes }, memory) = match channel.receive() {
            Ok(received) => received,
            Err(ChannelError::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let bytes = usize::try_from(bytes)?;
        let memory = memory.filter(|_| bytes <= MAX_BYTES).ok_or("a document has no descriptor, or is too long")?;
        channel.send(&read(question, &copy_start(&memory, bytes)?), None)?;
    }
}
