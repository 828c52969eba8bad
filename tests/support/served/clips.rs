//! Encodes what the servers play, with the encoders that the set-up installs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// One clip in a container, which keeps the times of its pictures: a byte stream of B-frames has none.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    /// With its extension, which says the container.
    pub file: &'static str,
    /// From the raw picture's caps to the encoder; in front is a moving pattern.
    pub elements: &'static str,
    pub pictures: u32,
}

impl Clip {
    fn start(&self, directory: &Path) -> Child {
        let muxer =
            if Path::new(self.file).extension().is_some_and(|it| it == "mp4") { "mp4mux" } else { "matroskamux" };
        let parser = match () {
            () if self.elements.contains("x264enc") => "! h264parse",
            () if self.elements.contains("x265enc") => "! h265parse",
            () => "",
        };
        let pipeline = format!(
            "videotestsrc num-buffers={} pattern=ball ! {} {parser} ! {muxer} ! filesink",
            self.pictures, self.elements
        );
        Command::new("gst-launch-1.0")
            .arg("-q")
            .args(pipeline.split_whitespace())
            .arg(format!("location={}", self.path(directory).display()))
            .spawn()
            .expect("gst-launch-1.0 is missing: run `make setup`")
    }

    pub fn path(&self, directory: &Path) -> PathBuf {
        directory.join(self.file)
    }
}

/// Encodes all of them, two at a time: the largest ones take seconds each.
pub fn encode(directory: &Path, clips: &[Clip]) {
    for pair in clips.chunks(2) {
        let encoders: Vec<Child> = pair.iter().map(|clip| clip.start(directory)).collect();
        for (clip, mut encoder) in pair.iter().zip(encoders) {
            assert!(encoder.wait().unwrap().success(), "{} cannot be encoded", clip.file);
        }
    }
}
