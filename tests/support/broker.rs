//! mosquitto with its own configuration, and `mosquitto_sub` as an independent client.

use super::{free_port, wait_for, wait_within};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// How many messages a failed wait shows.
const MAX_SHOWN: usize = 12;

/// A broker on loopback.
pub struct Broker {
    pub port: u16,
    home: TempDir,
    process: Child,
    client_options: Vec<String>,
}

impl Broker {
    /// Open to everybody.
    pub fn start() -> Self {
        Self::start_with("allow_anonymous true\n", &[])
    }

    /// With these lines in its configuration; `client_options` let `mosquitto_sub` in.
    pub fn start_with(lines: &str, client_options: &[&str]) -> Self {
        let (port, home) = (free_port(), tempfile::tempdir().unwrap());
        let configuration = format!("listener {port} 127.0.0.1\nuser root\nlog_dest file log\nlog_type all\n{lines}");
        std::fs::write(home.path().join("mosquitto.conf"), configuration).unwrap();
        let process = spawn(home.path(), port);
        let client_options = client_options.iter().map(|option| (*option).to_owned()).collect();
        Self { port, home, process, client_options }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How many have connected so far, by TCP at least.
    pub fn connections(&self) -> usize {
        // One that never gets as far as TLS is no connection in its log.
        self.logged("New connection from").max(self.logged("Client connection from"))
    }

    /// How many subscriptions it has granted so far, without those of a daemon.
    pub fn subscriptions(&self) -> usize {
        self.logged("Sending SUBACK").saturating_sub(self.logged("Sending SUBACK to box"))
    }

    /// How often its log says this.
    fn logged(&self, text: &str) -> usize {
        let log = std::fs::read(self.home.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).matches(text).count()
    }

    /// Publishes a message as another client would.
    pub fn publish(&self, topic: &str, payload: &str) {
        self.send(topic, payload, &[]);
    }

    /// Publishes a retained message as another client would.
    pub fn retain(&self, topic: &str, payload: &str) {
        self.send(topic, payload, &["-r"]);
    }

    fn send(&self, topic: &str, payload: &str, options: &[&str]) {
        let port = self.port.to_string();
        let arguments = ["-p", &port, "-q", "1", "-t", topic, "-m", payload];
        assert!(Command::new("mosquitto_pub").args(arguments).args(options).status().unwrap().success());
    }

    /// The retained topics that match, with the sizes of their payloads.
    pub fn retained(&self, topics: &str) -> BTreeMap<String, String> {
        self.retained_in(topics, "%t %l")
    }

    /// The retained topics that match, with their payloads, which must be a line of text.
    pub fn retained_texts(&self, topics: &str) -> BTreeMap<String, String> {
        self.retained_in(topics, "%t %p")
    }

    /// What is retained on one topic, byte by byte; empty if nothing is.
    pub fn retained_bytes(&self, topic: &str) -> Vec<u8> {
        let arguments = ["-p", &self.port.to_string(), "-t", topic, "--retained-only", "-C", "1", "-W", "1", "-N"];
        Command::new("mosquitto_sub").args(arguments).output().unwrap().stdout
    }

    fn retained_in(&self, topics: &str, format: &str) -> BTreeMap<String, String> {
        let arguments = ["-p", &self.port.to_string(), "-t", topics, "--retained-only", "-W", "1", "-F", format];
        let output = Command::new("mosquitto_sub").args(arguments).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().filter_map(|line| line.split_once(' ')).map(|(topic, size)| (topic.into(), size.into())).collect()
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn restart(&mut self) {
        self.process = spawn(self.home.path(), self.port);
    }

    /// Subscribes with mosquitto's own client, to all but pictures: its lines are text.
    pub fn subscribe(&self, topic: &str) -> Subscriber {
        self.subscribe_in(topic, "%t %p")
    }

    /// [`Self::subscribe`] that returns when the broker has granted it: nothing that is published then is missed.
    pub fn settled_subscriber(&self, topic: &str) -> Subscriber {
        let before = self.subscriptions();
        let subscriber = self.subscribe(topic);
        wait_for("the subscription", Duration::from_secs(10), || (self.subscriptions() > before).then_some(()));
        subscriber
    }

    /// [`Self::subscribe`] with another form of lines: the topic, a space, what is to be seen.
    pub fn subscribe_in(&self, topic: &str, format: &str) -> Subscriber {
        let mut process = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-t", topic, "-F", format])
            .args(["-T", "+/+/cameras/+/snapshot"])
            .args(&self.client_options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("mosquitto_sub is missing: run `make setup`");
        let output = BufReader::new(process.stdout.take().unwrap());
        let messages = Arc::new(Mutex::new(VecDeque::new()));
        let sink = Arc::clone(&messages);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let (topic, payload) = line.split_once(' ').unwrap_or((&line, ""));
                sink.lock().unwrap().push_back((topic.to_owned(), payload.to_owned()));
            }
        });
        Subscriber { process, messages }
    }
}

fn spawn(home: &Path, port: u16) -> Child {
    let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let mut process = Command::new(program)
        .args(["-c", "mosquitto.conf"])
        .current_dir(home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mosquitto is missing: run `make setup`");
    wait_for("the broker", Duration::from_secs(10), || {
        assert!(process.try_wait().unwrap().is_none(), "mosquitto ended: is port {port} taken?");
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    process
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a subscriber has received and nobody has looked at yet.
pub struct Subscriber {
    process: Child,
    messages: Arc<Mutex<VecDeque<(String, String)>>>,
}

impl Subscriber {
    /// Waits for a message of which `matches` is true; earlier ones are passed over.
    pub fn wait(&self, what: &str, limit: Duration, mut matches: impl FnMut(&str, &str) -> bool) -> String {
        let mut passed_over = VecDeque::new();
        wait_within(limit, || {
            while let Some((topic, payload)) = self.messages.lock().unwrap().pop_front() {
                if matches(&topic, &payload) {
                    return Some(payload);
                }
                passed_over.push_front(format!("{topic} {payload}"));
                passed_over.truncate(MAX_SHOWN);
            }
            None
        })
        .unwrap_or_else(|| {
            panic!("{what} did not happen within {limit:?}; before that, latest first: {passed_over:#?}")
        })
    }

    /// Waits for a JSON message on a topic that ends so.
    pub fn wait_json(
        &self,
        what: &str,
        seconds: u64,
        topic_end: &str,
        mut matches: impl FnMut(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let mut found = serde_json::Value::Null;
        self.wait(what, Duration::from_secs(seconds), |topic, payload| {
            topic.ends_with(topic_end)
                && serde_json::from_str(payload).is_ok_and(|json| {
                    found = json;
                    matches(&found)
                })
        });
        found
    }

    /// Topic and payload of what came since anybody looked last.
    pub fn take(&self) -> VecDeque<(String, String)> {
        std::mem::take(&mut *self.messages.lock().unwrap())
    }

    /// How many messages came on topics that end so, since anybody looked last.
    pub fn take_count(&self, topic_end: &str) -> usize {
        let messages = std::mem::take(&mut *self.messages.lock().unwrap());
        messages.iter().filter(|(topic, _)| topic.ends_with(topic_end)).count()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
