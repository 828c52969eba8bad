//! The shipped binary.

use super::status_line::StatusLine;
use super::{children, free_port, from_setup, root, signal, small_disk, wait_for};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running `ocelli run`.
pub struct Daemon {
    process: Child,
    http_port: u16,
    status_line: StatusLine,
    home: TempDir,
}

impl Daemon {
    /// Starts with two units and these settings (beside those of units and HTTP).
    pub fn start(broker_port: u16, settings: &str) -> Self {
        Self::start_with(broker_port, settings, &[])
    }

    /// [`Self::start`] with further arguments.
    pub fn start_with(broker_port: u16, settings: &str, arguments: &[&str]) -> Self {
        let (home, http_port, status_line) = prepare(broker_port, settings);
        let process = spawn(&home, arguments);
        Self { process, http_port, status_line, home }
    }

    /// [`Self::start`] with these variables in its environment.
    pub fn start_with_variables(broker_port: u16, settings: &str, variables: &[(&str, &str)]) -> Self {
        let (home, http_port, status_line) = prepare(broker_port, settings);
        let mut command = binary(&home);
        command.args(run_arguments(&home)).envs(variables.iter().copied()).stdout(Stdio::piped());
        Self { process: command.spawn().unwrap(), http_port, status_line, home }
    }

    /// [`Self::start`] with a file system of its own for what it keeps: a tmpfs with these options, as `size=4m`.
    pub fn start_on_disk(broker_port: u16, settings: &str, options: &str) -> Self {
        let (home, http_port, status_line) = prepare(broker_port, settings);
        let process = small_disk::spawn(&binary(&home), &run_arguments(&home), &home.path().join("state"), options);
        Self { process, http_port, status_line, home }
    }

    /// [`Self::start`] with a file system of its own at this place.
    pub fn start_with_disk_at(broker_port: u16, settings: &str, place: &Path, options: &str) -> Self {
        let (home, http_port, status_line) = prepare(broker_port, settings);
        let process = small_disk::spawn(&binary(&home), &run_arguments(&home), place, options);
        Self { process, http_port, status_line, home }
    }

    /// Starts with everything that it writes below its state directory, its log and GStreamer's registry too. With
    /// `options` that is a file system of its own, as of [`Self::start_on_disk`]; without, `fill` may put things there.
    pub fn start_all_in_state(
        broker_port: u16,
        settings: &str,
        options: Option<&str>,
        fill: impl FnOnce(&Path),
    ) -> Self {
        let (home, http_port, status_line) = prepare(broker_port, settings);
        let state = home.path().join("state");
        let mut command = binary(&home);
        command.env("GST_REGISTRY", state.join("registry/registry.bin"));
        let mut arguments = run_arguments(&home);
        arguments[4] = state.join("log").into();
        let process = match options {
            Some(options) => small_disk::spawn(&command, &arguments, &state, options),
            None => {
                std::fs::create_dir(&state).unwrap();
                fill(&state);
                command.args(arguments).stdout(Stdio::piped()).spawn().unwrap()
            }
        };
        Self { process, http_port, status_line, home }
    }

    /// Where the test sees what a daemon on a disk of its own keeps.
    pub fn disk(&self) -> PathBuf {
        small_disk::seen_from_outside(self.pid(), &self.home.path().join("state"))
    }

    /// Mounts the disk of its own anew with these options.
    pub fn remount(&self, options: &str) {
        small_disk::remount(self.pid(), &self.home.path().join("state"), options);
    }

    /// Where it works: its settings, and what it keeps.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Stops it and starts it again with what it has kept.
    pub fn restart(&mut self) {
        signal(self.pid(), Signal::TERM);
        let status = wait_for("the stop", Duration::from_secs(10), || self.process.try_wait().unwrap());
        assert!(status.success());
        self.process = spawn(&self.home, &[]);
    }

    /// Starts it again after it has died, with what it has kept.
    pub fn start_again(&mut self) {
        self.process.wait().unwrap();
        self.process = spawn(&self.home, &[]);
    }

    /// Runs another command of the same binary with the same settings: its exit status and all that it printed.
    pub fn command(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let (command, rest) = arguments.split_first().unwrap();
        let output = binary(&self.home)
            .args([command, "--config", self.home.path().join("ocelli.toml").to_str().unwrap()])
            .args(rest)
            .output()
            .unwrap();
        (output.status, String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// [`Self::command`] for commands that have commands themselves.
    pub fn subcommand(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let settings = self.home.path().join("ocelli.toml");
        let output = binary(&self.home).env("OCELLI_CONFIG_FILE", settings).args(arguments).output().unwrap();
        (output.status, String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// [`Self::command`] that must succeed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let (status, text) = self.command(arguments);
        assert!(status.success(), "{arguments:?}: {text}");
        text
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The line that `systemctl status` would show.
    pub fn status_line(&self) -> String {
        self.status_line.last()
    }

    pub fn http_port(&self) -> u16 {
        self.http_port
    }

    /// Waits until the process has ended.
    pub fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        wait_for("the end", limit, || self.process.try_wait().unwrap())
    }

    /// Status code and body of a POST of JSON, or `None` while nobody answers.
    pub fn post_json(&self, path: &str, body: &serde_json::Value) -> Option<(u16, serde_json::Value)> {
        let body = body.to_string();
        let kind = "Content-Type: application/json\r\n";
        let (status, _, answer) = self.post(path, kind, body.as_bytes())?;
        Some((status, answer))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    pub fn log_path(&self) -> PathBuf {
        self.home.path().join("log")
    }

    pub fn units(&self) -> Vec<u32> {
        children(self.pid(), "unit")
    }

    pub fn captures(&self) -> Vec<u32> {
        children(self.pid(), "capture")
    }

    /// Status code and body of a GET, or `None` while nobody answers.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let (status, _, body) = self.get_raw(path)?;
        Some((status, String::from_utf8(body).ok()?))
    }

    /// Status code, head in lower case and body of a GET, or `None` while nobody answers.
    pub fn get_raw(&self, path: &str) -> Option<(u16, String, Vec<u8>)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let body = answer.split_off(end + 4);
        let head = String::from_utf8(answer).ok()?.to_ascii_lowercase();
        Some((head.get(9..12)?.parse().ok()?, head, body))
    }

    /// Status code, head and body of a POST of an image to a model, or `None` while nobody answers.
    pub fn post_image(&self, path: &str, image: &[u8]) -> Option<(u16, String, serde_json::Value)> {
        self.post(path, "", image)
    }

    fn post(&self, path: &str, headers: &str, body: &[u8]) -> Option<(u16, String, serde_json::Value)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let length = body.len();
        let common = "Host: localhost\r\nConnection: close\r\n";
        let head = format!("POST {path} HTTP/1.1\r\n{common}{headers}Content-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        // A refusal may come before the last byte has gone.
        drop(stream.write_all(body));
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((
            head.get(9..12)?.parse().ok()?,
            head.to_ascii_lowercase(),
            serde_json::from_str(body).unwrap_or_default(),
        ))
    }

    pub fn wait_ready(&self) {
        wait_for("readiness", Duration::from_secs(60), || self.get("/readyz").filter(|(status, _)| *status == 200));
    }

    /// The metrics whose name begins so, with their labels, by line.
    pub fn metrics(&self, prefix: &str) -> BTreeMap<String, f64> {
        let (_, text) = self.get("/metrics").expect("metrics are served");
        let lines = text.lines().filter(|line| line.starts_with(prefix));
        lines
            .filter_map(|line| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap())))
            .collect()
    }

    /// The sum of the metrics whose name begins so.
    pub fn sum(&self, prefix: &str) -> f64 {
        self.metrics(prefix).values().sum()
    }

    /// The ledger's equation over one reading of the metrics.
    pub fn assert_ledger_closes(&self) {
        let all = self.metrics("ocelli_frames_");
        let sum = |name: &str| all.iter().filter(|(key, _)| key.starts_with(name)).map(|(_, value)| value).sum::<f64>();
        let ended = sum("ocelli_frames_detected") + sum("ocelli_frames_shed") + sum("ocelli_frames_failed");
        let open = sum("ocelli_frames_captured") - ended;
        // At most a frame in each unit and one in each camera's place are in flight.
        assert!((0.0..=8.0).contains(&open), "{open} frames have no outcome: {all:#?}");
    }

    /// SIGTERM; fails when it takes longer than a stop may.
    pub fn stop(mut self) -> (ExitStatus, String) {
        signal(self.pid(), Signal::TERM);
        let status = wait_for("the stop", Duration::from_secs(10), || self.process.try_wait().unwrap());
        (status, self.output())
    }

    /// Waits for the end of a run with a duration.
    pub fn wait_end(mut self, limit: Duration) -> (ExitStatus, String) {
        let status = wait_for("the end of the run", limit, || self.process.try_wait().unwrap());
        (status, self.output())
    }

    fn output(&mut self) -> String {
        let mut text = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the daemon's log\n{}", self.log());
        }
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Writes the settings: where, and the port of HTTP. Listens to what the daemon tells its service manager.
fn prepare(broker_port: u16, settings: &str) -> (TempDir, u16, StatusLine) {
    from_setup("lib/libonnxruntime.so");
    from_setup("models/coco-ssd/model.onnx");
    // Another name than `box` comes first.
    let (name, settings) = match settings.split_once('\n').filter(|(first, _)| first.starts_with("box_id = ")) {
        Some(both) => both,
        None => ("box_id = \"box\"", settings),
    };
    let (home, http_port) = (tempfile::tempdir().unwrap(), free_port());
    let file = home.path().join("ocelli.toml");
    let broker = if settings.contains("[mqtt]") { String::new() } else { format!("[mqtt]\nport = {broker_port}\n") };
    let models = match settings.contains("[[models]]") {
        true => "",
        false => "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 2\n",
    };
    let settings = format!("{models}{settings}");
    let (http, port) = ("[http]\n", format!("[http]\nport = {http_port}\n"));
    let settings = match settings.contains(http) {
        true => settings.replacen(http, &port, 1),
        false => format!("{port}{settings}"),
    };
    let text = format!("{name}\n{broker}{settings}").replace("{state}", home.path().join("state").to_str().unwrap());
    std::fs::write(&file, text).unwrap();
    let status_line = StatusLine::listen(&home.path().join(NOTIFY));
    (home, http_port, status_line)
}

/// The socket of the service manager, beside the settings.
const NOTIFY: &str = "notify";

fn binary(home: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    command.current_dir(root()).env("OCELLI_STATE_DIRECTORY", home.path().join("state"));
    command.env("NOTIFY_SOCKET", home.path().join(NOTIFY));
    let settings = std::fs::read_to_string(home.path().join("ocelli.toml")).unwrap_or_default();
    // All tests share the graphs, but those that are about the cache itself.
    if !settings.contains("cache_directory") {
        command.env("OCELLI_UNITS__CACHE_DIRECTORY", root().join("target/model-cache"));
    }
    command
}

fn run_arguments(home: &TempDir) -> [OsString; 5] {
    let (settings, log) = (home.path().join("ocelli.toml"), home.path().join("log"));
    ["run".into(), "--config".into(), settings.into(), "--log-file".into(), log.into()]
}

fn spawn(home: &TempDir, arguments: &[&str]) -> Child {
    binary(home).args(run_arguments(home)).args(arguments).stdout(Stdio::piped()).spawn().unwrap()
}

/// The settings of one camera.
pub fn camera(id: &str, url: &str, fps: u32) -> String {
    format!("[[cameras]]\nid = \"{id}\"\nurl = \"{url}\"\nfps = {fps}.0\n")
}
