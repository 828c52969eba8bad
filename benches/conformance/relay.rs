//! A relay before a box that judges every response by botocore's service models: `tests/conformance/relay`.

use crate::python;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

/// A running relay.
pub(crate) struct Relay {
    process: Child,
    output: BufReader<ChildStdout>,
    port: u16,
}

/// What it saw.
#[derive(Clone, Copy, Default)]
pub(crate) struct Verdict {
    pub(crate) responses: usize,
    pub(crate) wrong: usize,
}

impl Relay {
    /// Before the box that listens on this port.
    pub(crate) fn start(box_port: u16) -> Self {
        let mut command = python("relay", &[&box_port.to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        Self { process, output, port: port.trim().parse().unwrap() }
    }

    /// Where clients are to call.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it, prints what was wrong, and counts.
    pub(crate) fn end(mut self) -> Verdict {
        drop(self.process.stdin.take());
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        assert!(self.process.wait().unwrap().success(), "{text}");
        let verdict: serde_json::Value = serde_json::from_str(&text).unwrap();
        let wrong = verdict["wrong"].as_array().unwrap();
        wrong.iter().for_each(|problem| println!("  not as the service model says: {problem}"));
        let responses = usize::try_from(verdict["responses"].as_u64().unwrap()).unwrap();
        Verdict { responses, wrong: wrong.len() }
    }
}
