//! Members of a real etcd on loopback.

use super::{free_port, from_setup, signal, wait_for};
use rustix::process::Signal;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Some members that know each other.
pub struct Etcd {
    members: Vec<Member>,
}

struct Member {
    name: String,
    client: String,
    arguments: Vec<String>,
    home: TempDir,
    process: Option<Child>,
}

impl Etcd {
    /// Starts so many members, and waits until they have elected a leader.
    pub fn start(count: usize) -> Self {
        let ports: Vec<(u16, u16)> = (0..count).map(|_| (free_port(), free_port())).collect();
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let all = ports.iter().enumerate().map(|(index, (_, peer))| format!("m{index}={}", url(*peer)));
        let all = all.collect::<Vec<_>>().join(",");
        let member = |(index, (client, peer)): (usize, &(u16, u16))| {
            let (name, client, peer) = (format!("m{index}"), url(*client), url(*peer));
            let arguments = [
                ["--name", &name],
                ["--listen-client-urls", &client],
                ["--advertise-client-urls", &client],
                ["--listen-peer-urls", &peer],
                ["--initial-advertise-peer-urls", &peer],
                ["--initial-cluster", &all],
                ["--heartbeat-interval", "50"],
                ["--election-timeout", "500"],
            ];
            let arguments = arguments.into_iter().flatten().map(str::to_owned).collect();
            Member { name, client, arguments, home: tempfile::tempdir().unwrap(), process: None }
        };
        let mut etcd = Self { members: ports.iter().enumerate().map(member).collect() };
        (0..count).for_each(|index| etcd.spawn(index));
        etcd.wait_healthy();
        etcd
    }

    fn spawn(&mut self, index: usize) {
        let member = &mut self.members[index];
        let data = member.home.path().join("data");
        let log = std::fs::File::options().append(true).create(true).open(member.home.path().join("log")).unwrap();
        let mut command = Command::new(from_setup(".setup/etcd/usr/bin/etcd"));
        command.args(&member.arguments).arg("--data-dir").arg(&data).stdout(Stdio::null()).stderr(log);
        member.process = Some(command.spawn().unwrap());
    }

    /// Waits until a write is agreed on.
    pub fn wait_healthy(&self) {
        wait_for("etcd", Duration::from_secs(30), || self.ctl(&["endpoint", "health"]).status.success().then_some(()));
    }

    /// The endpoints as settings have them.
    pub fn endpoints(&self) -> String {
        let all: Vec<String> = self.members.iter().map(|member| format!("\"{}\"", member.client)).collect();
        format!("[{}]", all.join(", "))
    }

    /// Where the members listen.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.members.iter().filter_map(|member| member.client.rsplit(':').next()?.parse().ok())
    }

    /// Everything that is kept, as one text.
    pub fn dump(&self) -> String {
        let output = self.ctl(&["get", "", "--from-key"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `etcdctl` with the members that run.
    pub fn ctl(&self, arguments: &[&str]) -> std::process::Output {
        let running = self.members.iter().filter(|member| member.process.is_some());
        let endpoints: Vec<&str> = running.map(|member| member.client.as_str()).collect();
        self.ctl_at(&endpoints.join(","), arguments)
    }

    fn ctl_at(&self, endpoints: &str, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(from_setup(".setup/etcd/usr/bin/etcdctl"));
        command.env("ETCDCTL_API", "3").arg("--endpoints").arg(endpoints).args(arguments);
        command.output().unwrap()
    }

    /// The member that leads.
    pub fn leader(&self) -> usize {
        let leads = |member: &Member| {
            let output = self.ctl_at(&member.client, &["endpoint", "status", "-w", "json"]);
            let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let status = &status[0]["Status"];
            status["leader"].is_u64() && status["leader"] == status["header"]["member_id"]
        };
        wait_for("etcd's leader", Duration::from_secs(30), || self.members.iter().position(leads))
    }

    /// Kills a member.
    pub fn kill(&mut self, index: usize) {
        if let Some(mut process) = self.members[index].process.take() {
            drop(process.kill());
            drop(process.wait());
        }
    }

    /// Starts a member again with what it has kept.
    pub fn start_again(&mut self, index: usize) {
        self.spawn(index);
    }

    /// Stops all members for a while, as if their network were gone.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, which: Signal) {
        let processes = self.members.iter().filter_map(|member| member.process.as_ref());
        processes.for_each(|process| signal(process.id(), which));
    }

    /// The log of a member, for a test that fails.
    pub fn log(&self, index: usize) -> String {
        let path: &Path = self.members[index].home.path();
        format!("{}:\n{}", self.members[index].name, std::fs::read_to_string(path.join("log")).unwrap_or_default())
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|index| self.kill(index));
    }
}
