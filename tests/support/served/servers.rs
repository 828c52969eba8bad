//! Servers that others wrote: VLC, aio-rtsp-toolkit and rtsp-rs, as `setup/cameras.sh` installs them.

use super::case::{Case, Wanted};
use super::clips::{self, Clip};
use crate::support::{free_port, root, wait_for};
use ocelli::ipc::camera_source::RtpTransport;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Three minutes, so that no server comes to its end while others are watched.
const CLIPS: [Clip; 2] = [
    Clip {
        file: "h264.mp4",
        elements: "video/x-raw,format=I420,width=640,height=480,framerate=10/1 \
                   ! x264enc speed-preset=ultrafast threads=1 key-int-max=20 bframes=0",
        pictures: 1800,
    },
    Clip {
        file: "h265.mp4",
        elements: "video/x-raw,format=I420,width=640,height=480,framerate=10/1 \
                   ! x265enc speed-preset=ultrafast key-int-max=20",
        pictures: 1800,
    },
];

/// Pictures that must come of each: four seconds, two groups of pictures.
const LEAST: u64 = 40;
/// A cold start of Python, or of VLC, on a busy box.
const START_LIMIT: Duration = Duration::from_secs(40);

/// The running servers. They end with the value.
pub struct Servers {
    processes: Vec<Child>,
}

impl Servers {
    /// Starts all of them.
    ///
    /// # Panics
    /// Where one is not installed, or does not start.
    pub fn start(directory: &Path) -> (Self, Vec<Case>) {
        clips::encode(directory, &CLIPS);
        open_to_others(directory);
        let mut servers = Self { processes: Vec::new() };
        let [h264, h265] = [CLIPS[0], CLIPS[1]].map(|clip| clip.path(directory));
        let cases = [
            servers.vlc(directory, &h264, "h264"),
            servers.vlc(directory, &h265, "h265"),
            servers.aio_rtsp_toolkit(directory),
            servers.rtsp_rs(directory, &h264),
        ];
        (servers, cases.concat())
    }

    /// Sends over UDP only, which it says with a 461.
    fn vlc(&mut self, directory: &Path, clip: &Path, codec: &'static str) -> Vec<Case> {
        let program = installed("VLC", Path::new("/usr/bin/cvlc"));
        let port = free_port();
        let mut command = if rustix::process::geteuid().is_root() {
            // It refuses to run as root.
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let output = format!("#rtp{{sdp=rtsp://127.0.0.1:{port}/v}}");
        command.args(["-I", "dummy", "--loop", "--sout-keep", "--sout", &output]).arg(clip).env("HOME", directory);
        self.spawn("VLC", command, port);
        let url = format!("rtsp://127.0.0.1:{port}/v");
        let pictures = pictures(codec);
        match codec {
            "h264" => vec![
                case("VLC", "H.264, transport = \"auto\"", &url, RtpTransport::Auto, pictures),
                case("VLC", "H.264, transport = \"udp\"", &url, RtpTransport::Udp, pictures),
                case("VLC", "H.264, transport = \"tcp\"", &url, RtpTransport::Tcp, refuses_tcp()),
            ],
            _ => vec![case("VLC", "H.265, transport = \"auto\"", &url, RtpTransport::Auto, pictures)],
        }
    }

    /// Sends over TCP only.
    fn aio_rtsp_toolkit(&mut self, directory: &Path) -> Vec<Case> {
        let program = installed("aio-rtsp-toolkit", &root().join(".setup/cameras/bin/rtsp-server"));
        let (port, control) = (free_port(), free_port());
        let mut command = Command::new(program);
        command.arg("--dir").arg(directory).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--control-port", &control.to_string()]);
        self.spawn("aio-rtsp-toolkit", command, port);
        let url = |file: &str| format!("rtsp://127.0.0.1:{port}/{file}");
        let server = "aio-rtsp-toolkit";
        vec![
            case(server, "H.264", &url("h264.mp4"), RtpTransport::Tcp, pictures("h264")),
            case(server, "H.265", &url("h265.mp4"), RtpTransport::Tcp, pictures("h265")),
            case(server, "H.264, transport = \"auto\"", &url("h264.mp4"), RtpTransport::Auto, pictures("h264")),
            case(server, "no such file", &url("none.mp4"), RtpTransport::Tcp, Wanted::Lost("NotFound", "path")),
        ]
    }

    /// Sends over UDP only.
    fn rtsp_rs(&mut self, directory: &Path, clip: &Path) -> Vec<Case> {
        let program = installed("the camera of rtsp-rs", &root().join("target/rtsp_rs_camera/debug/rtsp_rs_camera"));
        let bytes = directory.join("h264.bytes");
        let pipeline =
            "qtdemux ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! filesink";
        let status = Command::new("gst-launch-1.0")
            .args(["-q", "filesrc"])
            .arg(format!("location={}", clip.display()))
            .arg("!")
            .args(pipeline.split_whitespace())
            .arg(format!("location={}", bytes.display()))
            .status();
        assert!(status.unwrap().success());
        let port = free_port();
        let mut command = Command::new(program);
        command.arg(port.to_string()).arg(bytes);
        self.spawn("rtsp-rs", command, port);
        let url = format!("rtsp://127.0.0.1:{port}/stream");
        vec![
            case("rtsp-rs", "H.264, transport = \"auto\"", &url, RtpTransport::Auto, pictures("h264")),
            case("rtsp-rs", "H.264, transport = \"udp\"", &url, RtpTransport::Udp, pictures("h264")),
            case("rtsp-rs", "H.264, transport = \"tcp\"", &url, RtpTransport::Tcp, refuses_tcp()),
        ]
    }

    fn spawn(&mut self, name: &str, mut command: Command, port: u16) {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for(&format!("the start of {name}"), START_LIMIT, || {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "{name} ended at its start: {ended:?}");
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        self.processes.push(process);
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

/// What `setup/cameras.sh` has installed: no server is left out where it is missing.
fn installed(name: &str, program: &Path) -> PathBuf {
    assert!(
        program.exists(),
        "{name} is missing ({}): run setup/cameras.sh, as `make cameras` does",
        program.display()
    );
    program.to_owned()
}

fn case(server: &'static str, name: &'static str, url: &str, transport: RtpTransport, wanted: Wanted) -> Case {
    Case { name, server, url: url.to_owned(), transport, wanted }
}

fn pictures(codec: &'static str) -> Wanted {
    Wanted::Pictures { codec, size: (640, 480), least: LEAST }
}

fn refuses_tcp() -> Wanted {
    Wanted::Lost("Transport", "transport = \"udp\"")
}

/// A server that runs as another user must read the clips, and have a home to write to.
fn open_to_others(directory: &Path) {
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o777)).unwrap();
}
