//! Three boxes of a cluster that answer calls, and what calls them.

use crate::support::balancer::{BalancedBox, Balancer};
use crate::support::broker::Broker;
use crate::support::certificates::{Authority, Identity, VALID};
use crate::support::daemon::Daemon;
use crate::support::etcd::Etcd;
use crate::support::{free_port, from_setup, root, wait_for};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// How long anything may take on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

pub const BOXES: [&str; 3] = ["box-a", "box-b", "box-c"];

/// Three of them, each with one unit.
pub struct Site {
    pub boxes: Vec<Daemon>,
    pub ports: [BalancedBox; 3],
    /// Where each takes calls of the others.
    pub peers: [u16; 3],
    pub etcd: Etcd,
    pub authority: Authority,
    pub identity: Identity,
    _broker: Broker,
}

impl Site {
    /// With so many transactions a second that each box allows.
    pub fn start(tps: u32) -> Self {
        Self::start_with(|_| format!("tps_limit = {tps}\n"))
    }

    /// With these lines for the model of each box.
    pub fn start_with(of_model: impl Fn(&str) -> String) -> Self {
        Self::start_boxes(of_model, "", "")
    }

    /// Which run their models together, each with room for so many units.
    pub fn start_sharing(units: u32) -> Self {
        Self::start_boxes(|_| String::new(), "share_models = true\n", &format!("[units]\nmax_units = {units}\n"))
    }

    fn start_boxes(of_model: impl Fn(&str) -> String, of_cluster: &str, more: &str) -> Self {
        let (etcd, broker, authority) = (Etcd::start(1), Broker::start(), Authority::new("site"));
        let identity = authority.sign(&["127.0.0.1", "localhost"], VALID);
        let ports = BOXES.map(|_| BalancedBox { public: free_port(), agent: free_port() });
        let peers = BOXES.map(|_| free_port());
        let start = |(name, (ports, peers)): (&&str, (&BalancedBox, &u16))| {
            let Identity { certificate, key } = &identity;
            let settings = format!(
                "box_id = \"{name}\"\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n{}\
                 [[access_keys]]\naccess_key_id = \"AKIDOPERATOR\"\nsecret = \"operator-secret\"\nrole = \"operator\"\n\
                 [http]\nlocal_api = \"open\"\npublic_address = \"127.0.0.1\"\npublic_port = {}\n\
                 [http.tls]\ncertificate_file = \"{certificate}\"\nkey_file = \"{key}\"\n\
                 [cluster]\nname = \"hall\"\nendpoints = {}\nagent_listen = \"127.0.0.1:{}\"\n{of_cluster}\
                 [cluster.peers]\nlisten = \"127.0.0.1:{}\"\ncertificate_file = \"{certificate}\"\nkey_file = \"{key}\"\n\
                 ca_file = \"{}\"\n{more}",
                of_model(name),
                ports.public,
                etcd.endpoints(),
                ports.agent,
                peers,
                authority.file(),
            );
            Daemon::start(broker.port, &settings)
        };
        let boxes: Vec<Daemon> = BOXES.iter().zip(ports.iter().zip(&peers)).map(start).collect();
        boxes.iter().for_each(Daemon::wait_ready);
        let site = Self { boxes, ports, peers, etcd, authority, identity, _broker: broker };
        wait_for("the boxes", LIMIT, || (site.status()["boxes"].as_object()?.len() == BOXES.len()).then_some(()));
        site
    }

    /// HAProxy before the boxes.
    pub fn balancer(&self) -> Balancer {
        let Identity { certificate, key } = &self.identity;
        let site = [certificate, key].map(|file| std::fs::read_to_string(file).unwrap()).concat();
        Balancer::start(&self.ports, &site, &self.authority.file())
    }

    /// The sum of a metric of a box over these labels.
    pub fn count(&self, number: usize, metric: &str) -> f64 {
        self.boxes[number].sum(&format!("ocelli_cluster_calls_{metric}"))
    }

    /// boto3 before HAProxy: `tests/conformance/load/cluster.py` with these arguments.
    pub fn callers(&self, balancer: &Balancer, arguments: &[&str]) -> Command {
        let mut command = Command::new(from_setup(".setup/venv/bin/python"));
        command.arg(root().join("tests/conformance/load/cluster.py")).args(arguments);
        command.env("OCELLI_ENDPOINT", format!("https://localhost:{}", balancer.port));
        command.env("OCELLI_CERTIFICATE", self.authority.file()).env("OCELLI_PHOTO", from_setup("testdata/photo.jpg"));
        // Nothing of the machine's own configuration counts.
        command.env("AWS_CONFIG_FILE", "/nonexistent").env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// The cluster as the first box that answers sees it.
    pub fn status(&self) -> Value {
        let shown = self.boxes.iter().find_map(|daemon| serde_json::from_str(&daemon.get("/api/cluster")?.1).ok());
        shown.unwrap_or_default()
    }

    pub fn succeed(&self, number: usize, arguments: &[&str]) {
        let (status, text) = self.boxes[number].subcommand(arguments);
        assert!(status.success(), "{arguments:?}: {text}");
    }

    /// The status codes of so many images that are sent to a box at once.
    pub fn call_in_parallel(&self, number: usize, calls: usize) -> Vec<u16> {
        let (image, daemon) = (std::fs::read(from_setup("testdata/photo.jpg")).unwrap(), &self.boxes[number]);
        std::thread::scope(|scope| {
            let call = || daemon.post_image("/api/models/coco-ssd/detect", &image).map_or(0, |(status, ..)| status);
            let callers: Vec<_> = (0..calls).map(|_| scope.spawn(call)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        })
    }
}
