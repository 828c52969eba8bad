//! An authority of the test's own, and what it signs.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use std::path::PathBuf;
use tempfile::TempDir;

/// Years that a certificate is valid in: from the first day of one to the first day of the other.
pub const VALID: (i32, i32) = (2020, 2100);
pub const EXPIRED: (i32, i32) = (2020, 2021);
pub const NOT_YET: (i32, i32) = (2099, 2100);

/// Its files are gone with it.
pub struct Authority {
    home: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The files of a certificate and its key.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(home.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { home, issuer }
    }

    pub fn file(&self) -> String {
        self.path("ca.pem")
    }

    /// Signs a certificate for these names and addresses.
    pub fn sign(&self, hosts: &[&str], (from, to): (i32, i32)) -> Identity {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let file = format!("{}-{from}-{to}", hosts.join("-"));
        let mut params = CertificateParams::new(hosts).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params.distinguished_name.push(DnType::CommonName, file.clone());
        let key = KeyPair::generate().unwrap();
        let (certificate_file, key_file) = (self.path(&format!("{file}.pem")), self.path(&format!("{file}.key")));
        std::fs::write(&certificate_file, params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        Identity { certificate: certificate_file, key: key_file }
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.home.path().join(name);
        path.display().to_string()
    }
}
