//! Whose certificate is trusted. Cameras make their own, which no authority signs.

use crate::ipc::camera_source::TlsTrust;
use gstreamer::glib;
use gstreamer::prelude::*;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// Why a certificate was not trusted; set by the client's thread.
pub(super) type Distrust = Arc<Mutex<Option<String>>>;

/// Has the client of an `rtsps://` camera trust what the settings say.
pub(super) fn trust(client: &gstreamer::Element, trust: TlsTrust) -> Distrust {
    let distrust = Distrust::default();
    let noted = Arc::clone(&distrust);
    // Asked only for certificates that the system does not trust.
    client.connect("accept-certificate", false, move |arguments| {
        let certificate = arguments.get(2).and_then(|value| value.get::<glib::Object>().ok());
        let der = certificate.map(|certificate| certificate.property::<glib::ByteArray>("certificate"));
        let fingerprint = der.map(|der| -> [u8; 32] { Sha256::digest(&*der).into() });
        let is_trusted = match (&trust, &fingerprint) {
            (TlsTrust::Anybody, _) => true,
            (TlsTrust::Fingerprint(wanted), Some(found)) => wanted == found,
            _ => false,
        };
        if !is_trusted {
            let problems = arguments.get(3).map(problems).unwrap_or_default();
            let detail = why(&problems, fingerprint.as_ref(), &trust);
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(detail);
        }
        Some(is_trusted.to_value())
    });
    distrust
}

/// What the system finds wrong: `unknown-ca`, `bad-identity`, `expired`.
fn problems(flags: &glib::Value) -> Vec<String> {
    let found = glib::FlagsValue::from_value(flags);
    found.map(|(_, flags)| flags.iter().map(|flag| flag.nick().to_owned()).collect()).unwrap_or_default()
}

fn why(problems: &[String], fingerprint: Option<&[u8; 32]>, trust: &TlsTrust) -> String {
    let has = |problem: &str| problems.iter().any(|found| found == problem);
    let problem = match trust {
        TlsTrust::Fingerprint(_) => "it is not the one of the settings",
        _ if has("unknown-ca") => "no authority that this box knows has signed it",
        _ if has("bad-identity") => "it is made for another name",
        _ if has("expired") || has("not-activated") => "its time is over, or has not come",
        _ => "it is not valid",
    };
    let fingerprint = fingerprint.map(hex).unwrap_or_default();
    format!("the certificate is not trusted: {problem}; its fingerprint is {fingerprint}")
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
