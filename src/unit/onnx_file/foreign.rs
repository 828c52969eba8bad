//! Recognises files that are not ONNX, or are truncated, so that the error can name the remedy.

use crate::unit::onnx_file::error::OnnxFileError;
use prost::DecodeError;
use prost::encoding::{WireType, decode_key, decode_varint};

/// Signatures of other formats: offset, bytes, and the text of the error.
const OTHERS: [(usize, &[u8], &str); 12] = [
    (0, b"version https://git-lfs", "a pointer of Git LFS: run `git lfs pull` where it comes from"),
    (
        4,
        b"ORTM",
        "a graph that ONNX Runtime has optimised for one machine (.ort): take the .onnx file it was made from",
    ),
    (4, b"TFL3", "a TensorFlow Lite model: convert it with `tf2onnx`"),
    (0, b"PK\x03\x04", "a ZIP archive, as PyTorch and Keras write: export the model to ONNX, or unpack it"),
    (0, b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (0, b"\x89HDF", "a Keras model (HDF5): convert it with `tf2onnx`"),
    (0, b"\x80\x02", "a PyTorch checkpoint: export the model to ONNX"),
    (0, b"\x7fELF", "a program"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"<", "a web page or XML: the download has not given the model itself"),
    (0, b"{", "JSON"),
];

/// Finds the reason why `bytes` cannot be parsed.
pub(super) fn explain(bytes: &[u8], error: DecodeError) -> OnnxFileError {
    let begins = |at: usize, with: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(with));
    if let Some((.., what)) = OTHERS.iter().find(|(at, with, _)| begins(*at, with)) {
        return OnnxFileError::Foreign(what);
    }
    match missing_bytes(bytes) {
        Some(missing) => OnnxFileError::Truncated { missing },
        None => OnnxFileError::Malformed(error),
    }
}

/// The number of missing bytes of a file that starts as a model and ends within one of its fields.
fn missing_bytes(mut rest: &[u8]) -> Option<u64> {
    let mut graph_begins = false;
    while !rest.is_empty() {
        let (tag, wire_type) = decode_key(&mut rest).ok()?;
        let length = match wire_type {
            WireType::Varint => {
                decode_varint(&mut rest).ok()?;
                continue;
            }
            WireType::LengthDelimited => decode_varint(&mut rest).ok()?,
            // A model has no other fields at this level.
            _ => return None,
        };
        graph_begins |= tag == 7;
        match usize::try_from(length).ok().and_then(|length| rest.get(length..)) {
            Some(beyond) => rest = beyond,
            None if graph_begins => return length.checked_sub(rest.len() as u64),
            None => return None,
        }
    }
    None
}
