//! The daemon with ten scripted cameras: about two hundred events a second.

use crate::support::{root, signal};
use rustix::process::Signal;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use tempfile::TempDir;

/// Each gives ten frames a second, and in each frame somebody begins to be seen and somebody else ends.
pub(crate) const CAMERAS: usize = 10;

/// See the module.
pub(crate) struct EventDaemon {
    home: TempDir,
    process: Option<Child>,
}

impl EventDaemon {
    /// Writes its settings, towards a broker at this port, in a folder on the disk of the build.
    pub(crate) fn new(broker_port: u16) -> Self {
        let target = root().join("target");
        let home = tempfile::tempdir_in(target).unwrap();
        let package = home.path().join("models/crowd");
        std::fs::create_dir_all(&package).unwrap();
        for file in ["manifest.toml", "labels.txt"] {
            std::fs::copy(root().join("models/coco-ssd").join(file), package.join(file)).unwrap();
        }
        let path = home.path().display();
        let mut text = format!(
            "box_id = \"box\"\nstate_directory = \"{path}/state\"\n[http]\nenabled = false\n\
             [mqtt]\nport = {broker_port}\ndetections = \"off\"\n\
             [tracking]\nmin_hits = 1\nlost_seconds = 0.2\n[outbox]\nmax_mib = 1024\n\
             [capture]\ncameras_per_process = 1\n[snapshots]\nper_minute = 0\n\
             [units]\nmodels_directory = \"{path}/models\"\n\
             [[models]]\nname = \"scripted\"\npackage = \"crowd\"\nmin_inference_units = 1\ntps_limit = 1000.0\n"
        );
        for camera in 0..CAMERAS {
            write!(text, "[[cameras]]\nid = \"camera-{camera}\"\nurl = \"rtsp://127.0.0.1/\"\nfps = 10.0\n").unwrap();
        }
        std::fs::write(home.path().join("ocelli.toml"), text).unwrap();
        Self { home, process: None }
    }

    pub(crate) fn start(&mut self) {
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples/event_daemon");
        assert!(program.exists(), "{} is missing: `make delivery` builds it", program.display());
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let process = Command::new(program).arg(self.home.path().join("ocelli.toml")).stderr(log).spawn().unwrap();
        self.process = Some(process);
    }

    /// SIGKILL, and waits for its end.
    pub(crate) fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    /// SIGTERM, and waits for its end.
    pub(crate) fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    fn end(&mut self, how: Signal) {
        if let Some(mut process) = self.process.take() {
            signal(process.id(), how);
            process.wait().unwrap();
        }
    }

    /// Where its events are.
    pub(crate) fn store(&self) -> PathBuf {
        self.home.path().join("state/events.db")
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// Copies its store and its log, for whoever looks into a broken promise.
    pub(crate) fn copy_evidence(&self, directory: &Path) {
        std::fs::create_dir_all(directory).unwrap();
        for file in [self.store(), self.log()] {
            std::fs::copy(&file, directory.join(file.file_name().unwrap())).unwrap();
        }
    }
}

impl Drop for EventDaemon {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            drop(process.kill());
            drop(process.wait());
        }
    }
}
