//! Secrets that are unmistakable, and where they must not be found.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A secret, and where it lives.
pub struct Canary {
    pub place: String,
    text: String,
}

impl Canary {
    /// `text`: what is looked for; the secret may have more around it.
    pub fn new(place: &str, text: impl Into<String>) -> Self {
        Self { place: place.to_owned(), text: text.into() }
    }

    /// As it is, in Base64 wherever it begins, escaped for a URL, as hexadecimal digits.
    fn forms(&self) -> Vec<String> {
        let bytes = self.text.as_bytes();
        let mut forms = vec![self.text.clone()];
        forms.push(bytes.iter().map(|byte| format!("%{byte:02X}")).collect());
        forms.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        for engine in [STANDARD, URL_SAFE] {
            for offset in 0..3 {
                let encoded = engine.encode([vec![b':'; offset].as_slice(), bytes].concat());
                // What does not depend on its neighbours.
                let (first, rest) = ([0, 2, 3][offset], [0, 3, 2][(offset + bytes.len()) % 3]);
                forms.push(encoded[first..encoded.len() - rest].to_owned());
            }
        }
        forms
    }
}

/// What was collected of one run, by where it was found.
#[derive(Default)]
pub struct Collected(BTreeMap<String, Vec<u8>>);

impl Collected {
    pub fn add(&mut self, from: impl Into<String>, bytes: impl AsRef<[u8]>) {
        let entry = self.0.entry(from.into()).or_default();
        entry.extend_from_slice(bytes.as_ref());
        entry.push(b'\n');
    }

    /// Every file below a directory, but those whose name `is_meant` to hold a secret.
    pub fn add_files(&mut self, directory: &std::path::Path, is_meant: &dyn Fn(&str) -> bool) {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                self.add_files(&path, is_meant);
            } else if path.is_file() && !is_meant(&name) {
                self.add(path.display().to_string(), std::fs::read(&path).unwrap_or_default());
            }
        }
    }

    pub fn bytes(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Each place where a canary was found, with what is around it.
    pub fn leaks(&self, canaries: &[Canary]) -> Vec<String> {
        let mut leaks = Vec::new();
        for (from, bytes) in &self.0 {
            let text = String::from_utf8_lossy(bytes);
            for canary in canaries {
                let found = canary.forms().into_iter().find_map(|form| Some((text.find(&form)?, form)));
                if let Some((at, form)) = found {
                    let from_line = text[..at].rfind('\n').map_or(0, |end| end + 1);
                    let line: String = text[from_line..].lines().next().unwrap_or_default().chars().take(600).collect();
                    leaks.push(format!("{} is in {from} as {form}: {line}", canary.place));
                }
            }
        }
        leaks
    }
}

/// Reads arguments and environment of every process of the binary, for as long as it lives.
pub struct ProcessWatch {
    seen: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ProcessWatch {
    pub fn start() -> Self {
        let (seen, is_over) = (Arc::<Mutex<BTreeMap<_, _>>>::default(), Arc::new(AtomicBool::new(false)));
        let (found, over) = (Arc::clone(&seen), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                look(&mut found.lock().unwrap());
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { seen, is_over, thread: Some(thread) }
    }

    /// What it has seen, with the process and the file of each.
    pub fn end(mut self) -> BTreeMap<String, Vec<u8>> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn look(seen: &mut BTreeMap<String, Vec<u8>>) {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_ocelli"));
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.path();
        if std::fs::read_link(process.join("exe")).is_ok_and(|program| program == binary) {
            for file in ["cmdline", "environ", "comm"] {
                let path = process.join(file);
                let bytes = std::fs::read(&path).unwrap_or_default();
                // Titles are set after the start.
                let entry = seen.entry(path.display().to_string()).or_default();
                if !bytes.is_empty() && !entry.ends_with(&bytes) {
                    entry.extend(bytes);
                }
            }
        }
    }
}
