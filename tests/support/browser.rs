//! Headless Chromium, steered over its DevTools protocol: JSON over a WebSocket.

mod hand;

use super::{wait_for, wait_within};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// How long a browser may take to start, or to answer, on a busy box.
const LIMIT: Duration = Duration::from_secs(60);

/// One browser with one page. Both end with the test.
pub struct Browser {
    process: Child,
    _profile: TempDir,
    socket: WebSocket<TcpStream>,
    /// Of the page; empty until it is attached.
    session: String,
    last_id: u64,
    /// What scripts and the page's policy have complained about, in the browser's words.
    console_errors: Vec<String>,
    /// Answers with an error status, as `401 http://...`, and requests that failed.
    failed_requests: Vec<String>,
    /// Every URL that the page has asked for.
    requests: BTreeSet<String>,
}

impl Browser {
    /// Starts a browser with an empty page, in a profile of its own.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// [`Self::start`] with one that takes every certificate: the boxes of tests sign their own.
    pub fn start_trusting() -> Self {
        Self::start_with(&["--ignore-certificate-errors"])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let process = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--hide-scrollbars"])
            .args(["--force-color-profile=srgb", "--autoplay-policy=no-user-gesture-required", "--lang=en-GB"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(arguments)
            .args(["--remote-debugging-port=0", "about:blank"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium is missing: run `setup/browser.sh`");
        let file = profile.path().join("DevToolsActivePort");
        let (port, path) = wait_for("the start of Chromium", LIMIT, || {
            let text = std::fs::read_to_string(&file).ok()?;
            let (port, path) = text.split_once('\n')?;
            (!path.trim().is_empty()).then(|| (port.to_owned(), path.trim().to_owned()))
        });
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).unwrap();
        socket.get_ref().set_read_timeout(Some(LIMIT)).unwrap();
        let mut browser = Self {
            process,
            _profile: profile,
            socket,
            session: String::new(),
            last_id: 0,
            console_errors: Vec::new(),
            failed_requests: Vec::new(),
            requests: BTreeSet::new(),
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser.set_size(1280, 900);
        browser
    }

    /// Runs a script in each document that is opened from now on, before the document's own. The policy of the page does not
    /// hold for it.
    pub fn before_each_document(&mut self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", &json!({"source": script}));
    }

    /// Goes to a URL, and waits until the document and its scripts are loaded. One that differs by its fragment only is not
    /// loaded anew.
    pub fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", &json!({"url": url}));
        assert!(opened["errorText"].is_null(), "{url}: {opened}");
        self.wait(
            &format!("the document {url}"),
            "document.readyState === 'complete' && location.href !== 'about:blank'",
        );
    }

    /// The value of a JavaScript expression, as JSON. A promise is awaited.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        self.try_evaluate(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn try_evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &parameters);
        match answer.get("exceptionDetails") {
            None => Ok(answer["result"]["value"].clone()),
            Some(details) => Err(details["exception"]["description"].as_str().unwrap_or("an exception").to_owned()),
        }
    }

    /// Waits until an expression is true, and returns its value. An exception is not true yet.
    pub fn wait(&mut self, what: &str, expression: &str) -> Value {
        let is_true = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0;
        let mut last = Ok(Value::Null);
        let found = wait_within(LIMIT, || {
            last = self.try_evaluate(expression);
            last.clone().ok().filter(is_true)
        });
        found.unwrap_or_else(|| {
            let shown = self.text();
            let errors = (&self.console_errors, &self.failed_requests);
            panic!("{what} did not happen in the page: {last:?}, {errors:?}, it shows: {shown}")
        })
    }

    /// All text that the page shows.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// The size of the window in CSS pixels, of a phone below 600.
    pub fn set_size(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// What the page is told of the person's wish: `light` or `dark`.
    pub fn set_colours(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Writes what the window shows as a PNG.
    pub fn screenshot(&mut self, file: &Path) {
        std::fs::write(file, self.capture(&json!({"format": "png"}))).unwrap();
    }

    /// Writes what the window shows as a JPEG of at most so many bytes, as good as that allows.
    pub fn photograph(&mut self, file: &Path, most_bytes: usize) {
        let mut qualities = (4..=17).rev().map(|step| 5 * step);
        let jpeg = qualities.find_map(|quality| {
            let jpeg = self.capture(&json!({"format": "jpeg", "quality": quality}));
            (jpeg.len() <= most_bytes).then_some(jpeg)
        });
        std::fs::write(file, jpeg.expect("a picture that small")).unwrap();
    }

    fn capture(&mut self, how: &Value) -> Vec<u8> {
        use base64::Engine as _;
        let taken = self.call("Page.captureScreenshot", how);
        base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }

    /// What scripts and the page's policy have complained about. Answers with an error status are not among them.
    pub fn console_errors(&mut self) -> Vec<String> {
        self.evaluate("1");
        self.console_errors.clone()
    }

    /// Requests that failed or were answered with an error status.
    pub fn failed_requests(&mut self) -> Vec<String> {
        self.evaluate("1");
        self.failed_requests.clone()
    }

    /// The URLs that the page has asked for of any host but this (`localhost:8480`), WebSockets too.
    pub fn requests_beside(&mut self, host: &str) -> Vec<String> {
        self.evaluate("1");
        let is_other = |url: &&String| {
            let (scheme, rest) = url.split_once("://").unwrap_or(("", ""));
            let is_own = rest.split(['/', '?', '#']).next() == Some(host);
            let is_made_here = url.starts_with("data:") || url.starts_with("blob:") || *url == "about:blank";
            let is_of_the_web = ["http", "https", "ws", "wss"].contains(&scheme);
            let is_known = is_made_here || (is_own && is_of_the_web);
            !is_known
        };
        self.requests.iter().filter(is_other).cloned().collect()
    }

    /// Calls a method of the protocol, and returns its result.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method} {parameters}: {message}");
                return message["result"].clone();
            }
            self.note(&message);
        }
    }

    /// Takes in an event of the protocol.
    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => self.console_errors.push(parameters["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled"
                if ["error", "warning", "assert"].iter().any(|kind| parameters["type"] == *kind) =>
            {
                self.console_errors.push(parameters["args"].to_string());
            }
            // Answers with an error status come here too, without their status.
            "Log.entryAdded"
                if parameters["entry"]["source"] != "network" && parameters["entry"]["level"] == "error" =>
            {
                self.console_errors.push(parameters["entry"]["text"].to_string());
            }
            "Network.requestWillBeSent" => self.requested(&parameters["request"]["url"]),
            "Network.webSocketCreated" => self.requested(&parameters["url"]),
            "Network.responseReceived" => {
                let response = &parameters["response"];
                if response["status"].as_u64().is_some_and(|status| status >= 400) {
                    let url = response["url"].as_str().unwrap_or_default();
                    self.failed_requests.push(format!("{} {url}", response["status"]));
                }
            }
            // What the page gives up itself has not failed.
            "Network.loadingFailed" if parameters["canceled"] != true => {
                self.failed_requests.push(parameters["errorText"].to_string());
            }
            _ => {}
        }
    }

    fn requested(&mut self, url: &Value) {
        self.requests.extend(url.as_str().map(str::to_owned));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
