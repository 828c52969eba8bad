//! Safe wrappers of operating system interfaces: the only folder with `unsafe`.

pub mod access;
pub mod atomic_file;
pub mod beneath;
mod call_filter;
pub mod call_listener;
pub mod child_limits;
pub mod clock;
pub mod confinement;
pub mod core_files;
pub mod cores;
pub mod directories;
pub mod file_modes;
pub mod fixed_code;
pub mod free_space;
pub mod gpus;
pub mod inherited_descriptors;
pub mod interfaces;
pub mod local_socket;
pub mod mapped_file;
pub mod memfd;
pub mod memory;
pub mod object_directory;
pub mod orphan_guard;
pub mod parent_gate;
pub mod password_prompt;
pub mod pidfd;
pub mod pinned_directory;
pub mod pipe_end;
pub mod ports;
pub mod privileges;
pub mod process_title;
pub mod processor_load;
pub mod processor_time;
pub mod random;
pub mod read_only;
pub mod readiness;
pub mod regular_file;
#[cfg(feature = "capture")]
pub mod rtsp_extension;
pub mod sandbox;
pub mod service_manager;
pub mod state_lock;
pub mod system_calls;
pub mod terminal;
pub mod users;

#[cfg(test)]
pub(crate) mod tests;
