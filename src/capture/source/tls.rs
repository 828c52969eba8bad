//! Whose certificate is trusted. Cameras make their own, which no authority signs.
//!
//! GStreamer asks about those that the system does not trust. Authorities of the settings are judged by rustls, which the
//! box has anyway, since GStreamer takes them from a file only, and a capture process may read none.

use crate::capture::lock::lock;
use crate::ipc::camera_source::TlsTrust;
use crate::model::manifest::hexadecimal;
use gstreamer::glib;
use gstreamer::prelude::*;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};

/// A longer chain is not looked at.
const MAX_CHAIN: usize = 8;

/// Why a certificate was not trusted; set by the client's thread.
pub(super) type Distrust = Arc<Mutex<Option<String>>>;

/// Has the client of an `rtsps://` camera trust what the settings say.
pub(super) fn trust(client: &gstreamer::Element, host: &str, trust: TlsTrust) -> Distrust {
    let distrust = Distrust::default();
    let (noted, host) = (Arc::clone(&distrust), host.to_owned());
    // Asked only for certificates that the system does not trust.
    client.connect("accept-certificate", false, move |arguments| {
        let certificate = arguments.get(2).and_then(|value| value.get::<glib::Object>().ok());
        let chain = certificate.map(chain_of).unwrap_or_default();
        let fingerprint = chain.first().map(|der| -> [u8; 32] { Sha256::digest(der).into() });
        let problem = match &trust {
            TlsTrust::Anybody => None,
            TlsTrust::Fingerprint(wanted) if fingerprint.as_ref() == Some(wanted) => None,
            TlsTrust::Fingerprint(_) => Some("it is not the one of the settings".to_owned()),
            TlsTrust::Authorities(pem) => judge(pem, &chain, &host).err(),
            TlsTrust::System => Some(in_words(&arguments.get(3).map(problems).unwrap_or_default()).to_owned()),
        };
        let is_trusted = problem.is_none();
        if let Some(problem) = problem {
            let fingerprint = fingerprint.as_ref().map(|bytes| hexadecimal(bytes)).unwrap_or_default();
            let detail = format!("the certificate is not trusted: {problem}; its fingerprint is {fingerprint}");
            *lock(&noted) = Some(detail);
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

fn in_words(problems: &[String]) -> &'static str {
    let has = |problem: &str| problems.iter().any(|found| found == problem);
    match () {
        () if has("unknown-ca") => "no authority that this box knows has signed it",
        () if has("bad-identity") => "it is made for another name",
        () if has("expired") || has("not-activated") => "its time is over, or has not come",
        () => "it is not valid",
    }
}

/// The camera's certificate, and those that it sends with it.
fn chain_of(certificate: glib::Object) -> Vec<Vec<u8>> {
    let (mut chain, mut next) = (Vec::new(), Some(certificate));
    while let Some(certificate) = next.filter(|_| chain.len() < MAX_CHAIN) {
        chain.push(certificate.property::<glib::ByteArray>("certificate").to_vec());
        next = certificate.property::<Option<glib::Object>>("issuer");
    }
    chain
}

/// Judges a chain by the authorities of the settings.
fn judge(pem: &str, chain: &[Vec<u8>], host: &str) -> Result<(), String> {
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("`tls.ca_file` cannot be read: {error}"))?;
        authorities.add(certificate).map_err(|error| format!("`tls.ca_file` holds no authority: {error}"))?;
    }
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let (camera, between) = chain.split_first().ok_or("the camera shows none")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), provider).build();
    let verifier = verifier.map_err(|error| format!("`tls.ca_file` holds no authority: {error}"))?;
    let name = ServerName::try_from(host).map_err(|_| "the URL's host is no name".to_owned())?;
    let judged = verifier.verify_server_cert(camera, between, &name, &[], UnixTime::now());
    judged.map(|_| ()).map_err(|error| match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "no authority of `tls.ca_file` has signed it".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => format!("it is not made for {host}"),
        other => other.to_string(),
    })
}
