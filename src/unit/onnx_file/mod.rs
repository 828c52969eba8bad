//! Inspects an ONNX file without loading it.
//!
//! The file is untrusted. It is mapped and not copied, every size in it is checked against the actual data, and the
//! report is bounded. This runs only in a process that is confined to the model's directory and limited in memory,
//! because the protobuf parser is a third-party library.

mod error;
mod facts;
mod foreign;
mod messages;
mod weights;

pub use error::OnnxFileError;

use crate::model::model_facts::ModelFacts;
use crate::os::mapped_file;
use error::MAX_BYTES;
use messages::ModelProto;
use prost::Message;
use prost::bytes::Bytes;
use std::fs::File;
use std::path::Path;
use weights::Weights;

/// Reads the facts of a model. Of files with external weights only the size is read; they must be in its directory.
///
/// # Errors
/// [`OnnxFileError`], which names the remedy.
pub fn read(path: &Path) -> Result<ModelFacts, OnnxFileError> {
    let unreadable = |error| OnnxFileError::Unreadable(path.to_owned(), error);
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file")));
    }
    if metadata.len() == 0 {
        return Err(OnnxFileError::Empty);
    }
    if metadata.len() > MAX_BYTES {
        return Err(OnnxFileError::TooLarge);
    }
    let mapped = mapped_file::map(&file).map_err(unreadable)?;
    parse(&Bytes::from_owner(mapped), path.parent().unwrap_or(Path::new("/")))
}

/// Parses and checks a model whose external weights are in `directory`.
fn parse(bytes: &Bytes, directory: &Path) -> Result<ModelFacts, OnnxFileError> {
    let size = bytes.len() as u64;
    let model = ModelProto::decode(bytes.clone()).map_err(|error| foreign::explain(bytes, error))?;
    let external_files = Weights::new(directory, size).check(&model)?;
    if external_files.values().sum::<u64>().saturating_add(size) > MAX_BYTES {
        return Err(OnnxFileError::TooLarge);
    }
    facts::facts(&model, size, external_files)
}

#[cfg(test)]
mod tests;
