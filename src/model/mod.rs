//! What a model package is: manifest, labels, output layout, and what may compute it.
//!
//! Reads the small text files of a package and hashes its model. Never parses the model itself:
//! that is a unit's work.

pub mod canary;
pub mod execution_provider;
pub mod input_layout;
pub mod labels;
pub mod manifest;
pub mod model_facts;
pub mod output_layout;
pub mod package;
pub mod recognition;
pub mod taxonomy;
