//! How a capture process connects to a camera.

use crate::ipc::watch_messages::WatchOrder;
use serde::{Deserialize, Serialize};

/// The variable that holds the most memory of a capture process in MiB; 0 or absent: no limit. Read before the first
/// message, for the limit must be there before anything is allocated.
pub const MEMORY_VARIABLE: &str = "OCELLI_CAPTURE_MEMORY_MIB";

/// The transport of RTP packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum RtpTransport {
    /// TCP; UDP if the camera refuses that.
    Auto,
    /// Interleaved in the RTSP connection.
    Tcp,
    /// In packets of their own.
    Udp,
}

/// Which certificates of `rtsps://` are trusted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum TlsTrust {
    /// Those of the authorities that the box knows, for the camera's name.
    System,
    /// The one with this SHA-256, whoever made it and for whatever name.
    Fingerprint([u8; 32]),
    /// Those that an authority in this PEM text has signed, for the camera's name.
    Authorities(String),
    /// All: whoever answers gets the login.
    Anybody,
}

/// Contains a camera's password, so it is sent over the channel and never in argv.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraSource {
    /// Identifies the camera in the log.
    pub name: String,
    /// `rtsp://`, `rtsps://`, `http://` or `https://` without user and password, or `file://`.
    pub url: String,
    /// User name, sent only when the camera asks for authentication.
    pub user: Option<String>,
    /// Password, sent only when the camera asks for authentication.
    pub password: Option<String>,
    /// The transport of RTP packets.
    pub transport: RtpTransport,
    /// Allows a basic login over an unencrypted connection.
    pub basic_auth: bool,
    /// Follows a camera that redirects to another place. Credentials stay with the host of the URL.
    pub follow_redirects: bool,
    /// The video track that is received, counted from 1; `None`: the first that can be decoded.
    pub video_track: Option<u16>,
    /// Receives the camera's motion events, from its metadata track.
    pub motion_events: bool,
    /// Which certificates are trusted.
    pub tls: TlsTrust,
    /// Frames per second to deliver; 0: every frame.
    pub frames_per_second: f32,
    /// Decode keyframes only, at about a tenth of the CPU time.
    pub keyframes_only: bool,
    /// How it is watched while its scene is still; `None`: every frame is decoded.
    pub watch: Option<WatchOrder>,
    /// Milliseconds for which packets wait for an earlier one; `None`: 0 over TCP and 100 over UDP.
    pub latency_ms: Option<u32>,
    /// Time limit of connecting, in milliseconds.
    pub connect_timeout_ms: u32,
    /// Prefer the decoders of the GPU or SoC.
    pub hardware_decoders: bool,
    /// Keeps the encoded video of so many milliseconds, for clips that begin before their event; 0: no clips are made.
    pub keep_ms: u32,
    /// Keeps the newest group of pictures, for viewers of the live video.
    pub has_live_view: bool,
    /// Polygons in ratios of the picture that are black in snapshots. With any, no video is written, whoever asks.
    pub blackout: Vec<Vec<[f32; 2]>>,
}

impl CameraSource {
    /// True for RTSP inside of TLS.
    pub fn is_tls(&self) -> bool {
        self.url.to_ascii_lowercase().starts_with("rtsps://")
    }
}

impl std::fmt::Debug for CameraSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("CameraSource").field("name", &self.name).finish_non_exhaustive()
    }
}
