//! Why a file tells nothing of itself, and how what it says is shown to people.

use std::path::PathBuf;

/// The largest model, its external weights included: an edge box runs models of a few megabytes.
pub(super) const MAX_BYTES: u64 = 512 << 20;

/// Why a file tells nothing, or nothing that can be believed.
#[derive(Debug, thiserror::Error)]
pub enum OnnxFileError {
    /// It is not there, no file, or not readable.
    #[error("{0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It has no bytes.
    #[error("it is empty: download or export it again")]
    Empty,
    /// More than a box like this runs.
    #[error("it has more than {} MiB with its external weights; that is more than an edge box can run", MAX_BYTES >> 20)]
    TooLarge,
    /// Something else.
    #[error("it is not an ONNX model but {0}")]
    Foreign(&'static str),
    /// The beginning of a model.
    #[error("it ends too early, {missing} bytes are missing: copy or download it again")]
    Truncated {
        /// Of the part that is cut.
        missing: u64,
    },
    /// Nothing that is known.
    #[error("it is not an ONNX model, or it is damaged: download or export it again")]
    Malformed(#[source] prost::DecodeError),
    /// A shell without a model.
    #[error("it has no graph, so it is not an ONNX model, or it is damaged: download or export it again")]
    NoGraph,
    /// A graph for another purpose.
    #[error("it has no {0}: it is not a model that looks at pictures")]
    Nothing(&'static str),
    /// A graph for another purpose.
    #[error("it has {count} {what}s; the limit is {limit}")]
    TooMany {
        /// Input or output.
        what: &'static str,
        /// So many.
        count: usize,
        /// And no more than these.
        limit: usize,
    },
    /// An input or output that cannot be one here.
    #[error("the {what} `{name}`: {why}")]
    Tensor {
        /// Input or output.
        what: &'static str,
        /// As far as it can be shown.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Weights that are not there.
    #[error("the weights `{name}` cannot be: it {why}; the file is damaged or made to deceive")]
    Weights {
        /// As far as it can be shown.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Weights that should lie in another file.
    #[error("its weights in the file `{location}`: {why}")]
    External {
        /// As far as it can be shown.
        location: String,
        /// What is wrong.
        why: String,
    },
}

/// At most so many bytes of a text, without control characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if text.len() <= most {
        return text.chars().map(clean).collect();
    }
    let mark = '…';
    let end = (0..=most.saturating_sub(mark.len_utf8())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].chars().map(clean).chain([mark]).collect()
}

/// A name from the file, for a message.
pub(super) fn for_people(name: &str) -> String {
    cut(name, 200)
}
