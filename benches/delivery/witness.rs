//! Who sees what arrives: `mosquitto_sub`, which knows nothing of us.
//!
//! It subscribes without acknowledgements: it then never writes, so that what a killed broker has sent is always read to
//! its end, and it sees each repetition.

use crate::support::wait_for;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An event's arrival.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) id: String,
    pub(crate) camera: String,
    /// The payload without what the outbox adds at sending.
    pub(crate) content: Value,
    /// From when it happened to its arrival, milliseconds.
    pub(crate) delay_ms: f64,
    /// The fault before it, from 1; 0 before the first.
    pub(crate) fault: u64,
}

/// See the module.
pub(crate) struct Witness {
    broker_port: u16,
    process: Child,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    probe: Arc<AtomicU64>,
    probes_sent: u64,
    fault: Arc<AtomicU64>,
}

impl Witness {
    /// Subscribes to the events of all cameras.
    pub(crate) fn of(broker_port: u16) -> Self {
        let mut process = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &broker_port.to_string(), "-q", "0"])
            .args(["-t", "ocelli/box/cameras/+/events", "-t", "probe", "-F", "%p"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto_sub is missing: run `make setup`");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let arrivals: Arc<Mutex<Vec<Arrival>>> = Arc::default();
        let (probe, fault): (Arc<AtomicU64>, Arc<AtomicU64>) = (Arc::default(), Arc::default());
        let (sink, seen, current) = (Arc::clone(&arrivals), Arc::clone(&probe), Arc::clone(&fault));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match line.strip_prefix("probe ") {
                    Some(number) => seen.store(number.parse().unwrap(), Ordering::Release),
                    None => sink.lock().unwrap().push(arrival(&line, current.load(Ordering::Acquire))),
                }
            }
        });
        Self { broker_port, process, arrivals, probe, probes_sent: 0, fault }
    }

    /// Waits until what is published now arrives: it has subscribed, also at a broker that was started again.
    pub(crate) fn wait_there(&mut self) {
        let port = self.broker_port.to_string();
        self.probes_sent += 1;
        let number = self.probes_sent;
        wait_for("the witness", Duration::from_secs(30), || {
            let payload = format!("probe {number}");
            let arguments = ["-h", "127.0.0.1", "-p", &port, "-t", "probe", "-m", &payload];
            drop(Command::new("mosquitto_pub").args(arguments).stderr(Stdio::null()).status());
            (self.probe.load(Ordering::Acquire) == number).then_some(())
        });
    }

    /// What arrives from now on comes after this fault.
    pub(crate) fn fault(&self, number: u64) {
        self.fault.store(number, Ordering::Release);
    }

    /// How many have come.
    pub(crate) fn count(&self) -> usize {
        self.arrivals.lock().unwrap().len()
    }

    /// The newest.
    pub(crate) fn newest(&self) -> Option<Arrival> {
        self.arrivals.lock().unwrap().last().cloned()
    }

    /// All that have come, in that order.
    pub(crate) fn take(self) -> Vec<Arrival> {
        std::mem::take(&mut *self.arrivals.lock().unwrap())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn arrival(line: &str, fault: u64) -> Arrival {
    let mut content: Value = serde_json::from_str(line).unwrap();
    content.as_object_mut().unwrap().remove("dropped");
    let text = |name: &str| content[name].as_str().unwrap().to_owned();
    let at: jiff::Timestamp = text("at").parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let delay_ms = now.as_secs_f64() * 1e3 - at.as_millisecond() as f64;
    Arrival { id: text("id"), camera: text("camera"), delay_ms, fault, content }
}
