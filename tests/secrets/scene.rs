//! A daemon with real cameras, broker and callers, and a secret of its own in each place where one lives.

use crate::support::broker::{Broker, Subscriber};
use crate::support::camera::RtspCamera;
use crate::support::canary::{Canary, Collected};
use crate::support::certificates::{Authority, Identity, VALID};
use crate::support::daemon::Daemon;
use crate::support::{echoing_camera, free_port, from_setup, root, wait_for, wait_within};
use serde_json::json;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SECONDS: Duration = Duration::from_secs(1);

/// The secrets of a run. Those with more around them have everything that must be escaped somewhere.
pub struct Secrets {
    pub canaries: Vec<Canary>,
}

impl Secrets {
    pub fn text(&mut self, place: &str) -> String {
        let text = format!("CANARY{}x{}", self.canaries.len() + 100, place.replace(|c: char| !c.is_alphanumeric(), ""));
        self.canaries.push(Canary::new(place, text.clone()));
        text
    }

    /// A key in PEM: each line of it.
    fn key(&mut self, place: &str, file: &str) {
        let text = fs::read_to_string(file).unwrap();
        let lines = text.lines().filter(|line| !line.contains("---") && line.len() > 20);
        self.canaries.extend(lines.map(|line| Canary::new(place, line)));
    }
}

/// A daemon with a secret in each place, and what was collected of all that it shows.
pub struct Scene {
    pub daemon: Daemon,
    pub broker: Broker,
    pub messages: Subscriber,
    pub collected: Collected,
    pub secrets: Secrets,
    pub settings: String,
    pub monitoring: u16,
    pub tokens: [String; 2],
    pub wrong_broker_file: String,
    pub keys: [String; 3],
    _cameras: [RtspCamera; 3],
    _authority: Authority,
    pub home: tempfile::TempDir,
}

fn camera_with_login(password: &str) -> RtspCamera {
    RtspCamera::start(&["--size", "320x240", "--fps", "5", "--user", "viewer", "--password", password])
}

fn tls_broker(authority: &Authority, server: &Identity, users: &Path, password: &str) -> Broker {
    let (ca, Identity { certificate, key }) = (authority.file(), server);
    let lines = format!(
        "allow_anonymous false\npassword_file {}\ncafile {ca}\ncertfile {certificate}\nkeyfile {key}\nrequire_certificate false\n",
        users.display()
    );
    Broker::start_with(&lines, &["--cafile", &ca, "-u", "ocelli", "-P", password])
}

impl Scene {
    pub fn start() -> Self {
        let (home, authority) = (tempfile::tempdir().unwrap(), Authority::new("an authority"));
        let mut secrets = Secrets { canaries: Vec::new() };
        let write = |name: &str, text: &str| {
            let path = home.path().join(name);
            fs::write(&path, format!("{text}\n")).unwrap();
            path.display().to_string()
        };
        let credentials = home.path().join("credentials");
        fs::create_dir(&credentials).unwrap();
        // The login of a camera, in each of its places.
        let in_url = secrets.text("camera password in a url");
        let in_file = format!("{}\"%:\\z", secrets.text("camera password in a file"));
        let by_systemd = secrets.text("camera password in a credential");
        write("credentials/camera", &by_systemd);
        let cameras = [&in_url, &in_file, &by_systemd].map(|password| camera_with_login(password));
        let [first, second, third] = [0, 1, 2].map(|index| cameras[index].url().to_owned());
        let strange = echoing_camera::start();
        let mut blocks = format!(
            "[[cameras]]\nid = \"right-url\"\nurl = \"{}\"\n[[cameras]]\nid = \"right-file\"\nurl = \"{second}\"\n\
             credentials = {{ user = \"viewer\", password_file = \"{}\" }}\n\
             [[cameras]]\nid = \"right-credential\"\nurl = \"{third}\"\n\
             credentials = {{ user = \"viewer\", password_credential = \"camera\" }}\n\
             [[cameras]]\nid = \"two\"\nurl = \"{second}\"\ndetect_url = \"{first}\"\n\
             credentials = {{ user = \"viewer\", password_file = \"{1}\" }}\n\
             detect_credentials = {{ user = \"viewer\", password = \"{in_url}\" }}\n",
            first.replace("rtsp://", &format!("rtsp://viewer:{in_url}@")),
            write("camera", &in_file),
        );
        let places = [
            ("wrong", first.clone()),
            ("wrong-detect", first),
            ("basic", format!("rtsp://127.0.0.1:{strange}/basic")),
            ("digest", format!("rtsp://127.0.0.1:{strange}/digest")),
            ("forbidden", format!("rtsp://127.0.0.1:{strange}/forbidden")),
            ("redirect", format!("rtsp://127.0.0.1:{strange}/redirect")),
            ("echo", format!("rtsp://127.0.0.1:{strange}/echo")),
            ("http-basic", format!("http://127.0.0.1:{strange}/basic")),
            ("http-forbidden", format!("http://127.0.0.1:{strange}/forbidden")),
            ("http-redirect", format!("http://127.0.0.1:{strange}/redirect")),
            ("http-echo", format!("http://127.0.0.1:{strange}/echo")),
            ("nobody", "rtsp://127.0.0.1:1/x".to_owned()),
        ];
        for (id, url) in places {
            let password = format!("{}\"%:\\z", secrets.text(&format!("password of camera {id}")));
            let (login, detect) = match id {
                "wrong-detect" => ("detect_credentials", format!("detect_url = \"{url}?second\"\n")),
                _ => ("credentials", String::new()),
            };
            blocks += &format!(
                "[[cameras]]\nid = \"{id}\"\nurl = \"{url}\"\n{detect}{login} = {{ user = \"viewer\", password = '{password}' }}\n"
            );
        }
        // The broker's.
        let broker_password = secrets.text("password of the broker");
        let users = home.path().join("users");
        let mut make = Command::new("mosquitto_passwd");
        make.args(["-c", "-b", "users", "ocelli", &broker_password]).current_dir(home.path());
        assert!(make.status().unwrap().success());
        let server = authority.sign(&["localhost", "127.0.0.1"], VALID);
        let [client, public] = ["box", "public"].map(|host| authority.sign(&[host], VALID));
        secrets.key("key of the broker's client", &client.key);
        secrets.key("key of the public address", &public.key);
        let broker = tls_broker(&authority, &server, &users, &broker_password);
        let messages = broker.settled_subscriber("#");
        let wrong_broker_file = write("wrong-broker", &secrets.text("wrong password of the broker"));
        // Those of callers.
        let keys =
            ["the settings", "a file", "a credential"].map(|place| secrets.text(&format!("access key in {place}")));
        write("credentials/key-by-systemd", &keys[2]);
        let monitoring_token = secrets.text("token of the monitoring address");
        let (monitoring, public_port) = (free_port(), free_port());
        let settings = format!(
            "[log]\nlevel = \"trace\"\n[capture]\ncameras_per_process = 1\n\
             [http]\nlocal_api = \"token\"\nmonitoring_address = \"127.0.0.1\"\nmonitoring_port = {monitoring}\n\
             monitoring_plain = true\nmonitoring_token_file = \"{}\"\npublic_address = \"127.0.0.1\"\npublic_port = {public_port}\n\
             [http.tls]\ncertificate_file = \"{}\"\nkey_file = \"{}\"\n\
             [mqtt]\nhost = \"localhost\"\nport = {}\ncredentials = {{ user = \"ocelli\", password_file = \"{}\" }}\n\
             [mqtt.tls]\nenabled = true\nca_file = \"{}\"\ncertificate_file = \"{}\"\nkey_file = \"{}\"\n\
             [[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n\
             [[access_keys]]\naccess_key_id = \"AKIDFIRST\"\nsecret = \"{}\"\nrole = \"operator\"\n\
             [[access_keys]]\naccess_key_id = \"AKIDSECOND\"\nsecret_file = \"{}\"\nrole = \"operator\"\n\
             [[access_keys]]\naccess_key_id = \"AKIDTHIRD\"\nsecret_credential = \"key-by-systemd\"\nrole = \"operator\"\n{blocks}",
            write("credentials/token", &monitoring_token),
            public.certificate,
            public.key,
            broker.port,
            write("broker", &broker_password),
            authority.file(),
            client.certificate,
            client.key,
            keys[0],
            write("key", &keys[1]),
        );
        // No more than a process may log in ten seconds: what is left out shows nothing.
        let credentials = credentials.display().to_string();
        let variables = [
            ("GST_DEBUG", "souphttpsrc:6,souputils:9,rtspconnection:7,rtspsrc:4,default:3"),
            ("RUST_BACKTRACE", "1"),
            // As systemd hands them over.
            ("CREDENTIALS_DIRECTORY", &credentials),
        ];
        let daemon = Daemon::start_with_variables(broker.port, &settings, &variables);
        let token = daemon.home().join("state/http-token");
        let token = wait_for("the token", 30 * SECONDS, || fs::read_to_string(&token).ok()).trim().to_owned();
        secrets.canaries.push(Canary::new("token of the local API", token.clone()));
        let settings = fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap();
        for port in [daemon.http_port(), monitoring] {
            wait_for("its listeners", 30 * SECONDS, || TcpStream::connect(("127.0.0.1", port)).ok());
        }
        Self {
            daemon,
            broker,
            messages,
            collected: Collected::default(),
            secrets,
            settings,
            monitoring,
            tokens: [token, monitoring_token],
            wrong_broker_file,
            keys,
            _cameras: cameras,
            _authority: authority,
            home,
        }
    }

    /// Keeps and returns the whole answer.
    pub fn ask(&mut self, port: u16, request: &str, token: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(20 * SECONDS)).unwrap();
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        self.collected.add(format!("the answer to {request}"), &answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub fn ask_own(&mut self, request: &str) -> String {
        let token = self.tokens[0].clone();
        self.ask(self.daemon.http_port(), request, &token, "")
    }

    pub fn wait_camera(&mut self, id: &str, is_so: impl Fn(&serde_json::Value) -> bool) {
        let answer = wait_within(60 * SECONDS, || {
            let answer = self.ask_own(&format!("GET /api/cameras/{id}"));
            let value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
            is_so(&value).then_some(())
        });
        assert!(answer.is_some(), "camera {id}: {}", self.ask_own(&format!("GET /api/cameras/{id}")));
    }

    pub fn command(&mut self, arguments: &[&str]) {
        let home = self.daemon.home();
        let settings = home.join("ocelli.toml").display().to_string();
        let mut words = arguments.to_vec();
        // `ctl` takes its options before the action.
        words.splice(if words[0] == "ctl" { 1..1 } else { words.len()..words.len() }, ["--config", &settings]);
        let output = Command::new(env!("CARGO_BIN_EXE_ocelli"))
            .args(words)
            .env("OCELLI_STATE_DIRECTORY", home.join("state"))
            .env("CREDENTIALS_DIRECTORY", self.home.path().join("credentials"))
            .current_dir(root())
            .output()
            .unwrap();
        self.collected.add(format!("`ocelli {}`", arguments.join(" ")), [output.stdout, output.stderr].concat());
    }

    /// Signed calls of a right and a wrong secret.
    pub fn call_as_aws(&mut self) {
        let call = "import boto3, os\nfrom botocore.config import Config\n\
                    client = boto3.client('rekognition', endpoint_url=os.environ['OCELLI_ENDPOINT'], region_name='eu-central-1',\n\
                    \x20   config=Config(retries={'total_max_attempts': 1}))\n\
                    try:\n    print(client.describe_projects())\n\
                    except Exception as error:\n    print('refused', error)\n";
        let wrong = self.secrets.text("access key that a caller has wrong");
        let [first, second, third] = self.keys.clone();
        let calls = [("AKIDFIRST", first), ("AKIDSECOND", second), ("AKIDTHIRD", third), ("AKIDFIRST", wrong)];
        for (index, (id, secret)) in calls.into_iter().enumerate() {
            let output = Command::new(from_setup(".setup/venv/bin/python"))
                .args(["-c", call])
                .env("OCELLI_ENDPOINT", format!("http://127.0.0.1:{}", self.daemon.http_port()))
                .envs([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", &secret)])
                .envs([("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")])
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.contains(if index < 3 { "ProjectDescriptions" } else { "refused" }), "{id}: {text}");
            self.collected.add("what AWS callers are told", text);
        }
    }

    pub fn reload(&mut self, settings: &str) -> String {
        fs::write(self.daemon.home().join("ocelli.toml"), settings).unwrap();
        let token = self.tokens[0].clone();
        self.ask(self.daemon.http_port(), "POST /api/reload", &token, &json!({}).to_string())
    }
}
