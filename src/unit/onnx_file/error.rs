//! Errors of inspecting a model, and how its texts are made safe to display.

use std::path::PathBuf;

/// The largest model, including external weights. An edge box runs models of a few megabytes.
pub(super) const MAX_BYTES: u64 = 512 << 20;

/// Why a file was refused. The texts name the remedy.
#[derive(Debug, thiserror::Error)]
pub enum OnnxFileError {
    /// The file is missing, is not a regular file, or cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The file is empty.
    #[error("it is empty: download or export it again")]
    Empty,
    /// The model and its external weights exceed the size limit.
    #[error("it has more than {} MiB with its external weights, which an edge box cannot run", MAX_BYTES >> 20)]
    TooLarge,
    /// The file has a different, known format.
    #[error("it is not an ONNX model but {0}")]
    Foreign(&'static str),
    /// The file starts as a model, but is incomplete.
    #[error("it ends too early, {missing} bytes are missing: copy or download it again")]
    Truncated {
        /// Missing bytes of the truncated field.
        missing: u64,
    },
    /// The file cannot be parsed and has no known format.
    #[error("it is not an ONNX model, or it is damaged: download or export it again")]
    Malformed(#[source] prost::DecodeError),
    /// The file can be parsed, but contains no graph.
    #[error("it has no graph, so it is not an ONNX model, or it is damaged: download or export it again")]
    NoGraph,
    /// The graph has no inputs or no outputs.
    #[error("it has no {0}: it is not a model for pictures")]
    Nothing(&'static str),
    /// The graph has too many inputs or outputs.
    #[error("it has {count} {what}s; the limit is {limit}")]
    TooMany {
        /// `input` or `output`.
        what: &'static str,
        /// Number in the graph.
        count: usize,
        /// Largest number accepted.
        limit: usize,
    },
    /// An input or output is not supported.
    #[error("the {what} `{name}`: {why}")]
    Tensor {
        /// `input` or `output`.
        what: &'static str,
        /// The tensor's name, safe to display.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A tensor's sizes, type and data contradict each other.
    #[error("the weights `{name}` are impossible: the tensor {why}; the file is damaged or malicious")]
    Weights {
        /// The tensor's name, safe to display.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// External weights are missing, too short or outside of the model's directory.
    #[error("its weights in the file `{location}`: {why}")]
    External {
        /// File name in the model, safe to display.
        location: String,
        /// What is wrong.
        why: String,
    },
}

/// Truncates a text to `most` bytes and replaces control characters with spaces.
pub(super) fn cut(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if text.len() <= most {
        return text.chars().map(clean).collect();
    }
    let mark = '…';
    let end = (0..=most.saturating_sub(mark.len_utf8())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].chars().map(clean).chain([mark]).collect()
}

/// Makes a name from the file safe to display.
pub(super) fn for_people(name: &str) -> String {
    cut(name, 200)
}
