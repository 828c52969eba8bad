//! Reads what an ONNX file says of itself, without loading it.
//!
//! The file is a stranger's: it is mapped and not copied, every size in it is checked against what is there, and
//! what is reported of it is bounded. Runs only in a process that is confined to the model's directory and limited in
//! memory, because the first parser is a third-party library.

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

/// Reads a file. Only files of its own directory are looked at, and of those only how long they are.
///
/// # Errors
/// [`OnnxFileError`], which names the cure.
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

/// Understands a file that lies in `directory`.
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
