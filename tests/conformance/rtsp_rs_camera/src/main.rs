//! Sends an H.264 byte stream in a loop, ten pictures a second, with the server of rtsp-rs: `rtsp_rs_camera PORT FILE`.

use std::time::{Duration, Instant};

const BETWEEN_PICTURES: Duration = Duration::from_millis(100);
/// 90,000 a second.
const TIME_STEP: u32 = 9_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, port, file] = <[String; 3]>::try_from(std::env::args().collect::<Vec<String>>())
        .map_err(|_| "usage: rtsp_rs_camera PORT FILE")?;
    let pictures = pictures(&std::fs::read(file)?);
    let mut server = rtsp::Server::new(&format!("127.0.0.1:{port}"));
    server.start()?;
    let mut due = Instant::now();
    for picture in pictures.iter().cycle() {
        server.send_frame(picture, TIME_STEP)?;
        due += BETWEEN_PICTURES;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Err("there is no picture in the file".into())
}

/// Cuts a byte stream in front of each access unit delimiter.
fn pictures(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = (0..bytes.len().saturating_sub(4))
        .filter(|at| bytes[*at..*at + 4] == [0, 0, 0, 1] && bytes.get(at + 4).is_some_and(|first| first & 31 == 9))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| bytes[*start..end].to_vec()).collect()
}
