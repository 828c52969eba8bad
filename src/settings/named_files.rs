//! The files that the settings name: passwords, keys, certificates, directories of pictures.

use crate::camera::clip_file;
use crate::secret::{Credentials, Secret};
use crate::settings::Settings;
use crate::settings::remark::Subject;
use std::path::{Path, PathBuf};

/// A file or directory that a setting names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NamedFile {
    /// The full key of the setting.
    pub(crate) key: String,
    /// What it belongs to.
    pub(crate) subject: Subject,
    /// As the settings have it.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) kind: FileKind,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileKind {
    /// A password or a private key: for the service alone.
    Secret,
    /// Something that everybody may read.
    Open,
    /// What a camera's `file://` names: without it the daemon runs, as without a camera.
    Clip,
    /// A directory that is read.
    Directory,
}

impl Settings {
    /// Every file and directory that the settings name and that is read only. Packages of models are not among them, nor
    /// directories that are written.
    pub(crate) fn named_files(&self) -> Vec<NamedFile> {
        let mut files = Vec::new();
        for (index, camera) in self.cameras.iter().enumerate() {
            let key = format!("cameras[{index}].credentials.password_file");
            let subject = Subject::Camera(camera.id.to_string());
            files.extend(password(key, subject.clone(), &camera.credentials));
            let clip = clip_file::path_of(&camera.url).filter(|_| camera.enabled);
            let (key, of_clip) = (format!("cameras[{index}].url"), subject.clone());
            files.extend(clip.map(|path| NamedFile { key, subject: of_clip, path, kind: FileKind::Clip }));
            let key = format!("cameras[{index}].detect_credentials.password_file");
            files.extend(password(key, subject.clone(), &camera.detect_credentials));
            let (key, path) = (format!("cameras[{index}].tls.ca_file"), camera.tls.ca_file.clone());
            files.extend(path.map(|path| NamedFile { key, subject, path, kind: FileKind::Open }));
        }
        for (index, key) in self.access_keys.iter().enumerate() {
            let name = format!("access_keys[{index}].secret_file");
            files.extend(of_box(name, key.secret_file.as_deref(), FileKind::Secret));
        }
        for (index, viewer) in self.viewers.iter().enumerate() {
            let name = format!("viewers[{index}].password_hash_file");
            files.extend(of_box(name, viewer.password_hash_file.as_deref(), FileKind::Secret));
        }
        for (index, bucket) in self.buckets.iter().enumerate() {
            let name = format!("buckets[{index}].directory");
            files.extend(of_box(name, Some(bucket.directory.as_path()), FileKind::Directory));
        }
        let (http, tls) = (&self.http, &self.http.tls);
        files.extend(of_box("http.tls.certificate_file", tls.certificate_file.as_deref(), FileKind::Open));
        files.extend(of_box("http.tls.key_file", tls.key_file.as_deref(), FileKind::Secret));
        let token = http.monitoring_token_file.as_deref().filter(|_| http.monitoring_address.is_some());
        files.extend(of_box("http.monitoring_token_file", token, FileKind::Secret));
        if self.mqtt.enabled {
            files.extend(password("mqtt.credentials.password_file", Subject::Box, &self.mqtt.credentials));
            let tls = &self.mqtt.tls;
            if tls.enabled {
                files.extend(of_box("mqtt.tls.ca_file", tls.ca_file.as_deref(), FileKind::Open));
                files.extend(of_box("mqtt.tls.certificate_file", tls.certificate_file.as_deref(), FileKind::Open));
                files.extend(of_box("mqtt.tls.key_file", tls.key_file.as_deref(), FileKind::Secret));
            }
        }
        let cluster = &self.cluster;
        if cluster.is_on() {
            files.extend(of_box("cluster.key_file", cluster.key_file.as_deref(), FileKind::Secret));
            files.extend(password("cluster.credentials.password_file", Subject::Box, &cluster.credentials));
            let tls = &cluster.tls;
            files.extend(of_box("cluster.tls.ca_file", tls.ca_file.as_deref(), FileKind::Open));
            files.extend(of_box("cluster.tls.certificate_file", tls.certificate_file.as_deref(), FileKind::Open));
            files.extend(of_box("cluster.tls.key_file", tls.key_file.as_deref(), FileKind::Secret));
            let peers = &cluster.peers;
            files.extend(of_box("cluster.peers.ca_file", peers.ca_file.as_deref(), FileKind::Open));
            files.extend(of_box("cluster.peers.certificate_file", peers.certificate_file.as_deref(), FileKind::Open));
            files.extend(of_box("cluster.peers.key_file", peers.key_file.as_deref(), FileKind::Secret));
        }
        files.extend(of_box("units.runtime_library", Some(self.units.runtime_library.as_path()), FileKind::Open));
        for library in self.units.runtime_libraries.values() {
            files.extend(of_box("units.runtime_libraries", Some(library.as_path()), FileKind::Open));
        }
        files
    }

    /// The keys of the passwords, their hashes, and secrets that are in the settings themselves: not everybody may read their files.
    pub(crate) fn secret_keys(&self) -> Vec<String> {
        let key = |key: String, secret: &Option<Secret>| secret.is_some().then_some(key);
        let broker = key("mqtt.credentials.password".into(), &self.mqtt.credentials.password);
        let etcd = key("cluster.credentials.password".into(), &self.cluster.credentials.password);
        let cameras = self.cameras.iter().enumerate();
        let cameras = cameras.flat_map(|(index, it)| {
            let [main, detect] = [("credentials", &it.credentials), ("detect_credentials", &it.detect_credentials)]
                .map(|(name, login)| key(format!("cameras[{index}].{name}.password"), &login.password));
            main.into_iter().chain(detect)
        });
        let keys = self.access_keys.iter().enumerate();
        let keys = keys.filter_map(|(index, it)| key(format!("access_keys[{index}].secret"), &it.secret));
        let viewers = self.viewers.iter().enumerate();
        let viewers =
            viewers.filter_map(|(index, it)| key(format!("viewers[{index}].password_hash"), &it.password_hash));
        broker.into_iter().chain(etcd).chain(cameras).chain(keys).chain(viewers).collect()
    }
}

fn password(key: impl Into<String>, subject: Subject, credentials: &Credentials) -> Option<NamedFile> {
    let path = credentials.password_file.clone()?;
    Some(NamedFile { key: key.into(), subject, path, kind: FileKind::Secret })
}

fn of_box(key: impl Into<String>, path: Option<&Path>, kind: FileKind) -> Option<NamedFile> {
    Some(NamedFile { key: key.into(), subject: Subject::Box, path: path?.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_file_is_named_with_its_setting_and_its_camera() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("secret");
        std::fs::write(&file, "a secret of some length").unwrap();
        let (file, directory) = (file.display(), home.path().display());
        let text = format!(
            "[mqtt]\ncredentials = {{ user = \"u\", password_file = \"{file}\" }}\n\
             [mqtt.tls]\nenabled = true\nca_file = \"{file}\"\ncertificate_file = \"{file}\"\nkey_file = \"{file}\"\n\
             [http]\npublic_address = \"0.0.0.0\"\nmonitoring_address = \"0.0.0.0\"\n\
             monitoring_token_file = \"{file}\"\n[http.tls]\ncertificate_file = \"{file}\"\nkey_file = \"{file}\"\n\
             [[access_keys]]\naccess_key_id = \"K\"\nsecret_file = \"{file}\"\nrole = \"operator\"\n\
             [[buckets]]\nname = \"b\"\ndirectory = \"{directory}\"\n\
             [[cameras]]\nid = \"yard\"\nurl = \"rtsp://a/\"\ncredentials = {{ user = \"u\", password_file = \"{file}\" }}\n\
             detect_url = \"rtsp://a/2\"\ndetect_credentials = {{ user = \"v\", password_file = \"{file}\" }}\n\
             tls = {{ ca_file = \"{file}\" }}\n\
             [[cameras]]\nid = \"clip\"\nurl = \"file:///a%20b.mp4\"\n\
             [[cameras]]\nid = \"off\"\nurl = \"file:///c.mp4\"\nenabled = false\n\
             [cluster]\nname = \"hall\"\nendpoints = [\"https://a:1\"]\nkey_file = \"{file}\"\n\
             [cluster.tls]\nca_file = \"{file}\"\n"
        );
        let settings_file = home.path().join("ocelli.toml");
        std::fs::write(&settings_file, text).unwrap();
        let settings = Settings::load_with(&[settings_file], HashMap::new()).unwrap();
        let files = settings.named_files();
        let of_kind =
            |kind| files.iter().filter(|file| file.kind == kind).map(|file| file.key.as_str()).collect::<Vec<_>>();
        let secrets = [
            "cameras[0].credentials.password_file",
            "cameras[0].detect_credentials.password_file",
            "access_keys[0].secret_file",
            "http.tls.key_file",
            "http.monitoring_token_file",
            "mqtt.credentials.password_file",
            "mqtt.tls.key_file",
            "cluster.key_file",
        ];
        assert_eq!(of_kind(FileKind::Secret), secrets);
        let open = [
            "cameras[0].tls.ca_file",
            "http.tls.certificate_file",
            "mqtt.tls.ca_file",
            "mqtt.tls.certificate_file",
            "cluster.tls.ca_file",
            "units.runtime_library",
        ];
        assert_eq!(of_kind(FileKind::Open), open);
        assert_eq!(of_kind(FileKind::Directory), ["buckets[0].directory"]);
        assert_eq!(of_kind(FileKind::Clip), ["cameras[1].url"]);
        assert_eq!(files[0].subject, Subject::Camera("yard".into()));
        assert!(settings.secret_keys().is_empty());
    }
}
