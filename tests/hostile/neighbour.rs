//! A daemon with a camera that behaves, whose frames an attack must not cost.

use crate::hostile::cost::{self, Neighbour};
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::wait_for;
use serde_json::json;
use std::fs;
use std::time::Duration;

pub const NEIGHBOUR: Neighbour = Neighbour { id: "good", fps: 10.0 };

pub struct Site {
    pub daemon: Daemon,
    /// What it was started with.
    settings: String,
    _camera: RtspCamera,
}

/// Starts both and waits until the camera streams.
pub fn start(settings: &str) -> Site {
    let good = RtspCamera::start(&["--size", "320x240", "--fps", "10"]);
    let daemon = Daemon::start(0, &format!("{settings}{}", camera(NEIGHBOUR.id, good.url(), 1)));
    let settings = fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap();
    let is_streaming = || cost::decoded(&daemon, NEIGHBOUR.id).filter(|frames| *frames > 20.0);
    wait_for("the neighbour", Duration::from_secs(100), is_streaming);
    Site { daemon, settings, _camera: good }
}

impl Site {
    /// Goes on with the settings of the start and `more`.
    pub fn reload(&self, more: &str) {
        self.reload_changed(|settings| format!("{settings}{more}"));
    }

    /// Goes on with the settings of the start, changed.
    pub fn reload_changed(&self, change: impl FnOnce(&str) -> String) {
        fs::write(self.daemon.home().join("ocelli.toml"), change(&self.settings)).unwrap();
        let (status, answer) = self.daemon.post_json("/api/reload", &json!({})).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
}
