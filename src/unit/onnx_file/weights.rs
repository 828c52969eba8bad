//! Checks that a model's weights exist and are within the file or its directory.
//!
//! ONNX Runtime would notice too, but only after it has trusted the sizes, and it opens files by names from the
//! untrusted model.

use crate::os::beneath;
use crate::unit::onnx_file::error::{MAX_BYTES, OnnxFileError, for_people};
use crate::unit::onnx_file::messages::{GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto};
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The most axes of a tensor.
pub(super) const MAX_AXES: usize = 16;

/// The most external files. Exporters write one file; old exporters write one per tensor.
const MAX_EXTERNAL_FILES: usize = 16;

/// Value of `data_location` for data in another file.
const EXTERNAL: i32 = 1;

/// Visits all tensors of a model.
pub(super) struct Weights<'a> {
    directory: &'a Path,
    /// The values that the file can still contain outside of `raw_data`, where each takes at least one byte.
    unpacked_left: u64,
    /// External files with their sizes.
    files: BTreeMap<String, u64>,
}

impl<'a> Weights<'a> {
    /// Creates a checker for a model of `file_bytes` in `directory`.
    pub(super) fn new(directory: &'a Path, file_bytes: u64) -> Self {
        Self { directory, unpacked_left: file_bytes, files: BTreeMap::new() }
    }

    /// Checks every tensor, also in attributes and nested graphs. Returns the external files with their sizes.
    pub(super) fn check(mut self, model: &ModelProto) -> Result<BTreeMap<String, u64>, OnnxFileError> {
        if let Some(graph) = &model.graph {
            self.graph(graph)?;
        }
        for function in &model.functions {
            self.nodes(&function.node)?;
        }
        Ok(self.files)
    }

    /// The recursion is bounded: the parser accepts at most 100 levels.
    fn graph(&mut self, graph: &GraphProto) -> Result<(), OnnxFileError> {
        graph.initializer.iter().try_for_each(|tensor| self.tensor(tensor))?;
        graph.sparse_initializer.iter().try_for_each(|sparse| self.sparse(sparse))?;
        self.nodes(&graph.node)
    }

    fn nodes(&mut self, nodes: &[NodeProto]) -> Result<(), OnnxFileError> {
        for attribute in nodes.iter().flat_map(|node| &node.attribute) {
            attribute.t.iter().try_for_each(|tensor| self.tensor(tensor))?;
            attribute.tensors.iter().try_for_each(|tensor| self.tensor(tensor))?;
            attribute.sparse_tensor.iter().try_for_each(|sparse| self.sparse(sparse))?;
            attribute.sparse_tensors.iter().try_for_each(|sparse| self.sparse(sparse))?;
            attribute.g.iter().try_for_each(|graph| self.graph(graph))?;
            attribute.graphs.iter().try_for_each(|graph| self.graph(graph))?;
        }
        Ok(())
    }

    fn sparse(&mut self, sparse: &SparseTensorProto) -> Result<(), OnnxFileError> {
        sparse.values.iter().chain(&sparse.indices).try_for_each(|tensor| self.tensor(tensor))
    }

    fn tensor(&mut self, tensor: &TensorProto) -> Result<(), OnnxFileError> {
        let wrong = |why: String| OnnxFileError::Weights { name: for_people(&tensor.name), why };
        let elements = elements(&tensor.dims).map_err(wrong)?;
        let bytes = bytes(elements, tensor.data_type)
            .ok_or_else(|| wrong(format!("has {elements} values of type {}", tensor.data_type)))?;
        if tensor.data_location == EXTERNAL || !tensor.external_data.is_empty() {
            return self.external(tensor, bytes);
        }
        if let Some(raw) = &tensor.raw_data {
            let has = raw.len() as u64;
            return if has >= bytes { Ok(()) } else { Err(wrong(format!("needs {bytes} bytes and has {has}"))) };
        }
        match self.unpacked_left.checked_sub(elements) {
            Some(left) => self.unpacked_left = left,
            None => return Err(wrong(format!("claims {elements} values, more than the file can hold"))),
        }
        Ok(())
    }

    fn external(&mut self, tensor: &TensorProto, bytes: u64) -> Result<(), OnnxFileError> {
        let entry = |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
        let location = entry("location").map(String::as_str).unwrap_or_default();
        let wrong = |why: String| OnnxFileError::External { location: for_people(location), why };
        let number = |key: &str| {
            let parse = |text: &String| text.parse::<u64>();
            entry(key).map(parse).transpose().map_err(|_| wrong(format!("its {key} is not a number")))
        };
        let offset = number("offset")?.unwrap_or(0);
        let length = number("length")?.unwrap_or(bytes);
        let size = self.size_of(location)?;
        let fits = length >= bytes && offset.checked_add(length).is_some_and(|end| end <= size);
        match fits {
            true => Ok(()),
            false => Err(wrong(format!(
                "`{}` needs {bytes} bytes from offset {offset}, and declares {length}; the file has {size}",
                for_people(&tensor.name)
            ))),
        }
    }

    /// The size of an external file. The kernel confines the path; the names are checked for better error texts only.
    fn size_of(&mut self, location: &str) -> Result<u64, OnnxFileError> {
        if let Some(size) = self.files.get(location) {
            return Ok(*size);
        }
        let wrong = |why: String| OnnxFileError::External { location: for_people(location), why };
        let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if location.is_empty() || !Path::new(location).components().all(is_plain) {
            return Err(wrong("it must lie in the model's own directory, under a plain name".to_owned()));
        }
        if location != for_people(location) {
            return Err(wrong("its name is too long, or has characters that cannot be shown".to_owned()));
        }
        if self.files.len() == MAX_EXTERNAL_FILES {
            let cure = "save the model again with its weights in one file";
            return Err(wrong(format!("weights in more than {MAX_EXTERNAL_FILES} files: {cure}")));
        }
        let file = beneath::open_file(self.directory, location).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => wrong("it is not beside the model: put it there".to_owned()),
            _ => wrong(format!("it cannot be opened there ({error}); a symbolic link is not followed")),
        })?;
        let size = file.metadata().map_err(|error| wrong(error.to_string()))?.len();
        if size.saturating_add(self.files.values().sum()) > MAX_BYTES {
            return Err(OnnxFileError::TooLarge);
        }
        self.files.insert(location.to_owned(), size);
        Ok(size)
    }
}

/// The number of values of a tensor with these sizes.
fn elements(sizes: &[i64]) -> Result<u64, String> {
    if sizes.len() > MAX_AXES {
        return Err(format!("has {} axes; the limit is {MAX_AXES}", sizes.len()));
    }
    let multiply = |product: u64, size: &i64| u64::try_from(*size).ok().and_then(|size| product.checked_mul(size));
    sizes.iter().try_fold(1, multiply).ok_or_else(|| format!("has impossible sizes: {sizes:?}"))
}

/// The number of bytes of `elements` packed values. `None` on overflow or for an unknown type.
fn bytes(elements: u64, data_type: i32) -> Option<u64> {
    let bits = match data_type {
        // Strings have no fixed length; type 0 (undefined) is that of an omitted tensor.
        0 | 8 => 0,
        25 | 26 => 2,
        21..=23 => 4,
        2 | 3 | 9 | 17..=20 | 24 => 8,
        4 | 5 | 10 | 16 => 16,
        1 | 6 | 12 => 32,
        7 | 11 | 13 | 14 => 64,
        15 => 128,
        _ => return None,
    };
    Some(elements.checked_mul(bits)?.div_ceil(8))
}
