//! `ocelli discover`: finds cameras by WS-Discovery, and asks each over ONVIF for its streams.
//!
//! What a camera answers is a stranger's XML. This process sends, receives and bounds; a confined child
//! (`reader_child`) turns the bytes into `answers`, one child for what a probe finds and one for each camera, so that a
//! hostile camera can harm only what is said of itself. What is decided (requests, choice of streams, names, whose URLs are
//! believed) is plain code in the other files.

pub(crate) mod answers;
pub(crate) mod ask_error;
mod bounded_text;
pub(crate) mod camera;
pub(crate) mod camera_block;
pub(crate) mod camera_id;
pub(crate) mod conversation;
pub(crate) mod device_url;
mod envelope;
mod http_post;
mod login_header;
pub(crate) mod own_addresses;
pub(crate) mod probe;
mod read_answer;
mod read_media;
pub(crate) mod reader_child;
pub(crate) mod reader_process;
pub(crate) mod stream_choice;
mod stream_url;
mod xml_tree;
