//! Model packages: manifest, labels, input and output layouts, execution providers.
//!
//! Reads the small text files of a package and hashes its model. The model itself is parsed in child processes only.

pub mod canary;
pub mod description;
pub mod execution_provider;
pub mod input_layout;
pub mod labels;
pub mod manifest;
pub mod model_facts;
pub mod model_file;
pub mod output_layout;
pub mod package;
pub mod provider_setting;
pub mod recognition;
pub mod taxonomy;
