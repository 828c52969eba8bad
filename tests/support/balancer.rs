//! A real HAProxy with `configs/haproxy.cfg`, whose addresses and files are those of a test.

use super::{free_port, from_setup, root, wait_for};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A box as HAProxy sees it: the port of its public address, and that of its agent.
#[derive(Clone, Copy, Debug)]
pub struct BalancedBox {
    pub public: u16,
    pub agent: u16,
}

/// A running HAProxy.
pub struct Balancer {
    process: Child,
    home: TempDir,
    /// Where callers reach it, over TLS.
    pub port: u16,
}

impl Balancer {
    /// Starts it before these boxes. `site`: its own certificate and key in one text; `authority`: who signed those of the boxes.
    pub fn start(boxes: &[BalancedBox; 3], site: &str, authority: &str) -> Self {
        let (home, port) = (tempfile::tempdir().unwrap(), free_port());
        std::fs::write(home.path().join("site.pem"), site).unwrap();
        let path = |name: &str| home.path().join(name).display().to_string();
        let mut text = std::fs::read_to_string(root().join("configs/haproxy.cfg")).unwrap();
        let mut replace = |from: &str, to: &str| {
            assert!(text.contains(from), "configs/haproxy.cfg has no `{from}` any more");
            text = text.replace(from, to);
        };
        replace("/run/haproxy/admin.sock", &path("admin.sock"));
        replace("bind :443", &format!("bind 127.0.0.1:{port}"));
        replace("/etc/haproxy/site.pem", &path("site.pem"));
        replace("/etc/haproxy/boxes.pem", authority);
        for (number, ports) in (1..).zip(boxes) {
            let there = format!("10.0.0.{number}:8443 agent-port 8444");
            replace(&there, &format!("127.0.0.1:{} agent-port {}", ports.public, ports.agent));
        }
        let file = home.path().join("haproxy.cfg");
        std::fs::write(&file, text).unwrap();
        let checked = program("haproxy").arg("-c").arg("-f").arg(&file).output().unwrap();
        assert!(checked.status.success(), "{}", said(&checked));
        assert!(!said(&checked).contains("WARNING"), "{}", said(&checked));
        let log = std::fs::File::create(home.path().join("log")).unwrap();
        let mut command = program("haproxy");
        command.arg("-f").arg(&file).stdout(Stdio::null()).stderr(log);
        let balancer = Self { process: command.spawn().unwrap(), home, port };
        wait_for("HAProxy", Duration::from_secs(10), || balancer.ask("show info"));
        balancer
    }

    /// Each box with its state in words and its weight.
    pub fn boxes(&self) -> BTreeMap<String, (String, u32)> {
        let table = self.ask("show stat").unwrap();
        let mut lines = table.lines();
        let head: Vec<&str> = lines.next().unwrap().trim_start_matches("# ").split(',').collect();
        let column = |name: &str| head.iter().position(|title| *title == name).unwrap();
        let (name, status, weight) = (column("svname"), column("status"), column("weight"));
        let rows = lines.map(|line| line.split(',').collect::<Vec<_>>()).filter(|row| row.len() > weight);
        rows.filter(|row| row[name].starts_with("box-"))
            .map(|row| (row[name].to_owned(), (row[status].to_owned(), row[weight].parse().unwrap())))
            .collect()
    }

    fn ask(&self, command: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.home.path().join("admin.sock")).ok()?;
        writeln!(stream, "{command}").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A program of `setup/balancer.sh`, with its libraries.
pub fn program(name: &str) -> Command {
    let home: PathBuf = from_setup(".setup/balancer");
    let machine = format!("{}-linux-gnu", std::env::consts::ARCH);
    let libraries = ["usr/lib", "lib"].map(|place| home.join(place).join(&machine).display().to_string());
    let mut command = Command::new(home.join("usr/sbin").join(name));
    command.env("LD_LIBRARY_PATH", libraries.join(":"));
    command
}

/// Whether keepalived takes a file.
pub fn check_keepalived(file: &Path) -> Output {
    program("keepalived").arg("--config-test").arg("--log-console").arg("-f").arg(file).output().unwrap()
}

/// All that a program has printed.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}
