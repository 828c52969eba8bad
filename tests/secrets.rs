//! A secret of its own in each place where one lives, and everything that a box shows of itself: none of them is in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::json;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::broker::{Broker, Subscriber};
use support::camera::RtspCamera;
use support::canary::{Canary, Collected, ProcessWatch};
use support::certificates::{Authority, Identity, VALID};
use support::daemon::Daemon;
use support::{echoing_camera, free_port, from_setup, root, wait_for, wait_within};

const SECONDS: Duration = Duration::from_secs(1);

/// Why the settings would be refused: lines that people write by mistake, with a secret in each.
const MISTAKES: [(&str, &str); 14] = [
    ("url with a bad escape", "[[cameras]]\nid = \"m\"\nurl = \"rtsp://u:CANARYmiss01%zz@127.0.0.1:1/\"\n"),
    (
        "string without its end",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials.password = \"CANARYmiss02\n",
    ),
    ("unknown key", "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\npasword = \"CANARYmiss03\"\n"),
    (
        "list for a password",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials.password = [\"CANARYmiss04\"]\n",
    ),
    (
        "login twice",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://u:CANARYmiss05@127.0.0.1:1/\"\ncredentials.user = \"v\"\n",
    ),
    ("short key", "[[access_keys]]\naccess_key_id = \"M\"\nrole = \"operator\"\nsecret = \"CNRYm06\"\n"),
    ("one slash", "[[cameras]]\nid = \"m\"\nurl = \"rtsp:/u:CANARYmiss07@127.0.0.1:1/\"\n"),
    ("no scheme", "[[cameras]]\nid = \"m\"\nurl = \"u:CANARYmiss08@127.0.0.1:1/\"\n"),
    ("unknown scheme", "[[cameras]]\nid = \"m\"\nurl = \"rtspx://u:CANARYmiss09@127.0.0.1:1/\"\n"),
    (
        "credentials as text",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials = \"u:CANARYmiss10\"\n",
    ),
    (
        "key twice",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials = { password = \"CANARYmiss11\", password = \"CANARYmiss11\" }\n",
    ),
    ("no quotes", "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials.password = CANARYmiss12\n"),
    (
        "password as a file",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials = { user = \"u\", passwrd = \"CANARYmiss13\" }\n",
    ),
    (
        "two sub streams",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ndetect_url = \"127.0.0.1:1/u:CANARYmiss14@\"\n",
    ),
];

/// The secrets of a run. Those with more around them have everything that must be escaped somewhere.
struct Secrets {
    canaries: Vec<Canary>,
}

impl Secrets {
    fn text(&mut self, place: &str) -> String {
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

struct Scene {
    daemon: Daemon,
    broker: Broker,
    messages: Subscriber,
    collected: Collected,
    secrets: Secrets,
    settings: String,
    monitoring: u16,
    tokens: [String; 2],
    wrong_broker_file: String,
    keys: [String; 2],
    _cameras: [RtspCamera; 2],
    _authority: Authority,
    _home: tempfile::TempDir,
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
    fn start() -> Self {
        let (home, authority) = (tempfile::tempdir().unwrap(), Authority::new("an authority"));
        let mut secrets = Secrets { canaries: Vec::new() };
        let write = |name: &str, text: &str| {
            let path = home.path().join(name);
            fs::write(&path, format!("{text}\n")).unwrap();
            path.display().to_string()
        };
        // The login of a camera, in each of its places.
        let in_url = secrets.text("camera password in a url");
        let in_file = format!("{}\"%:\\z", secrets.text("camera password in a file"));
        let cameras = [camera_with_login(&in_url), camera_with_login(&in_file)];
        let [first, second] = [0, 1].map(|index| cameras[index].url().to_owned());
        let strange = echoing_camera::start();
        let mut blocks = format!(
            "[[cameras]]\nid = \"right-url\"\nurl = \"{}\"\n[[cameras]]\nid = \"right-file\"\nurl = \"{second}\"\n\
             credentials = {{ user = \"viewer\", password_file = \"{}\" }}\n\
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
        let keys = [secrets.text("access key in the settings"), secrets.text("access key in a file")];
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
             [[access_keys]]\naccess_key_id = \"AKIDSECOND\"\nsecret_file = \"{}\"\nrole = \"operator\"\n{blocks}",
            write("token", &monitoring_token),
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
        let debug =
            [("GST_DEBUG", "souphttpsrc:6,souputils:9,rtspconnection:7,rtspsrc:4,default:3"), ("RUST_BACKTRACE", "1")];
        let daemon = Daemon::start_with_variables(broker.port, &settings, &debug);
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
            _home: home,
        }
    }

    /// Keeps and returns the whole answer.
    fn ask(&mut self, port: u16, request: &str, token: &str, body: &str) -> String {
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

    fn ask_own(&mut self, request: &str) -> String {
        let token = self.tokens[0].clone();
        self.ask(self.daemon.http_port(), request, &token, "")
    }

    fn wait_camera(&mut self, id: &str, is_so: impl Fn(&serde_json::Value) -> bool) {
        let answer = wait_within(60 * SECONDS, || {
            let answer = self.ask_own(&format!("GET /api/cameras/{id}"));
            let value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
            is_so(&value).then_some(())
        });
        assert!(answer.is_some(), "camera {id}: {}", self.ask_own(&format!("GET /api/cameras/{id}")));
    }

    fn command(&mut self, arguments: &[&str]) {
        let home = self.daemon.home();
        let settings = home.join("ocelli.toml").display().to_string();
        let mut words = arguments.to_vec();
        // `ctl` takes its options before the action.
        words.splice(if words[0] == "ctl" { 1..1 } else { words.len()..words.len() }, ["--config", &settings]);
        let output = Command::new(env!("CARGO_BIN_EXE_ocelli"))
            .args(words)
            .env("OCELLI_STATE_DIRECTORY", home.join("state"))
            .current_dir(root())
            .output()
            .unwrap();
        self.collected.add(format!("`ocelli {}`", arguments.join(" ")), [output.stdout, output.stderr].concat());
    }

    /// Signed calls of a right and a wrong secret.
    fn call_as_aws(&mut self) {
        let call = "import boto3, os\nfrom botocore.config import Config\n\
                    client = boto3.client('rekognition', endpoint_url=os.environ['OCELLI_ENDPOINT'], region_name='eu-central-1',\n\
                    \x20   config=Config(retries={'total_max_attempts': 1}))\n\
                    try:\n    print(client.describe_projects())\n\
                    except Exception as error:\n    print('refused', error)\n";
        let wrong = self.secrets.text("access key that a caller has wrong");
        let [first, second] = self.keys.clone();
        for (id, secret) in [("AKIDFIRST", first), ("AKIDSECOND", second), ("AKIDFIRST", wrong)] {
            let output = Command::new(from_setup(".setup/venv/bin/python"))
                .args(["-c", call])
                .env("OCELLI_ENDPOINT", format!("http://127.0.0.1:{}", self.daemon.http_port()))
                .envs([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", &secret)])
                .envs([("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")])
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.contains("ProjectDescriptions") || text.contains("refused"), "{text}");
            self.collected.add("what AWS callers are told", text);
        }
    }

    fn reload(&mut self, settings: &str) -> String {
        fs::write(self.daemon.home().join("ocelli.toml"), settings).unwrap();
        let token = self.tokens[0].clone();
        self.ask(self.daemon.http_port(), "POST /api/reload", &token, &json!({}).to_string())
    }
}

/// Core files are refused, and no other process of the same user can look into the daemon.
fn assert_closed(daemon: &Daemon) {
    let children = [daemon.units(), daemon.captures()].concat();
    assert!(children.len() >= 2);
    for pid in children.into_iter().chain([daemon.pid()]) {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let most: Vec<&str> = core.split_whitespace().filter(|word| word.parse::<u64>().is_ok()).collect();
        assert!(most == ["1", "1"] || most == ["0", "0"], "{core}");
    }
    let file = format!("/proc/{}/environ", daemon.pid());
    // Root without capabilities is a user like others.
    let look = Command::new("setpriv").args(["--bounding-set=-all", "--inh-caps=-all", "cat", &file]).output().unwrap();
    assert!(!look.status.success(), "the daemon can be looked into");
}

#[test]
fn no_secret_is_in_anything_that_the_box_shows_of_itself() {
    let processes = ProcessWatch::start();
    let mut scene = Scene::start();
    for id in ["right-url", "right-file", "two"] {
        scene.wait_camera(id, |camera| camera["state"] == "streaming");
    }
    for id in ["wrong", "wrong-detect", "basic", "digest", "forbidden", "http-basic", "redirect", "echo", "http-echo"] {
        scene.wait_camera(id, |camera| {
            camera["state"] != "streaming" && camera["reason"].as_str().is_some_and(|why| !why.is_empty())
        });
    }
    assert_closed(&scene.daemon);
    scene.call_as_aws();
    let (own, monitoring) = (scene.daemon.http_port(), scene.monitoring);
    let wrong = scene.secrets.text("token that a caller has wrong");
    for request in ["GET /metrics", "GET /readyz", "GET /healthz"] {
        let [_, token] = scene.tokens.clone();
        assert!(scene.ask(monitoring, request, &token, "").starts_with("HTTP/1.1 200"), "{request}");
        scene.ask(monitoring, request, &wrong, "");
        scene.ask_own(request);
    }
    assert!(scene.ask(own, "GET /api/status", &wrong, "").starts_with("HTTP/1.1 401"));
    for request in ["GET /api/status", "GET /api/cameras", "GET /api/models", "GET /api/hours", "GET /api/nothing"] {
        scene.ask_own(request);
    }
    let commands: [&[&str]; 9] = [
        &["check"],
        &["check", "--json"],
        &["check", "--offline"],
        &["config", "show"],
        &["cameras"],
        &["status"],
        &["camera", "list"],
        &["ctl", "models"],
        &["hours"],
    ];
    for command in commands {
        scene.command(command);
    }
    let good = scene.settings.clone();
    for (what, text) in MISTAKES {
        let canary = text.split("CANARYmiss").nth(1).map(|rest| format!("CANARYmiss{}", &rest[..2]));
        scene.secrets.canaries.push(Canary::new(what, canary.unwrap_or_else(|| "CNRYm06".into())));
        let answer = scene.reload(&format!("{good}{text}"));
        assert!(!answer.starts_with("HTTP/1.1 200"), "{what}: {answer}");
        scene.command(&["check", "--offline"]);
        scene.command(&["run", "--duration", "1"]);
        scene.command(&["config", "show"]);
    }
    // With a password that the broker refuses.
    let told = |scene: &Scene| scene.daemon.log().matches("the broker is not connected").count();
    let before = told(&scene);
    let right = scene._home.path().join("broker").display().to_string();
    let answer = scene.reload(&good.replace(&right, &scene.wrong_broker_file.clone()));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    wait_for("a refusal", 30 * SECONDS, || (told(&scene) > before).then_some(()));
    scene.ask_own("GET /api/status");
    assert!(scene.broker.connections() > 1);

    let state = scene.daemon.home().join("state");
    scene.collected.add_files(&state, &|name| name == "http-token");
    let log = scene.daemon.log();
    assert!(log.contains("DEBUG") && log.contains("gstrtsp"), "the log is as talkative as it can be");
    // Base64 of `viewer:`, and no more.
    assert!(log.contains("not viewer:*** and not Basic dmlld2VyOk***"), "a login was logged, and hidden");
    scene.collected.add("the log", log);
    for (topic, payload) in scene.messages.take() {
        scene.collected.add("MQTT", format!("{topic} {payload}"));
    }
    for (file, bytes) in processes.end() {
        scene.collected.add(file, bytes);
    }
    let Scene { daemon, mut collected, secrets, .. } = scene;
    collected.add("standard output", daemon.stop().1);
    assert!(collected.bytes() > 100_000);
    let leaks = collected.leaks(&secrets.canaries);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}
