//! The frames of a clip, as a capture process would hand them over.

use ocelli::vision::frame::{Colorimetry, Picture, PixelFormat};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// Decodes a clip and hands over the planes of each frame.
pub(super) fn each_frame(clip: &Path, width: u32, height: u32, mut look: impl FnMut(Picture, &[u8])) {
    let pipeline = format!(
        "filesrc location={} ! decodebin ! videoconvert ! video/x-raw,format=I420,width={width},height={height} ! fdsink",
        clip.display()
    );
    let mut decoder = Command::new("gst-launch-1.0")
        .arg("-q")
        .args(pipeline.split_whitespace())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = decoder.stdout.take().unwrap();
    let picture = Picture::new(PixelFormat::I420, width, height, Colorimetry::default()).unwrap();
    let mut planes = vec![0; (width * height * 3 / 2) as usize];
    while stream.read_exact(&mut planes).is_ok() {
        look(picture, &planes);
    }
    assert!(decoder.wait().unwrap().success(), "{} could not be decoded", clip.display());
}
