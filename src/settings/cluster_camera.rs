//! A camera of a cluster: its settings are text in etcd, made and read here, and checked as those of a file.

use crate::camera::clip_file;
use crate::camera::settings::CameraSettings;
use crate::secret::Credentials;
use crate::settings::Settings;
use crate::settings::check::check;
use crate::settings::mistake::Finding;
use crate::settings::url_credentials::take_credentials_from_url;

/// The settings of a camera as text: the keys of one entry of `[[cameras]]`, without passwords.
///
/// # Errors
/// Never for settings that were read; the library's signature has one.
pub(crate) fn cluster_camera_text(camera: &CameraSettings) -> Result<String, String> {
    let without_password =
        |credentials: &Credentials| Credentials { user: credentials.user.clone(), ..Credentials::default() };
    let camera = CameraSettings {
        credentials: without_password(&camera.credentials),
        detect_credentials: without_password(&camera.detect_credentials),
        ..camera.clone()
    };
    toml::to_string(&camera).map_err(|error| error.to_string())
}

impl Settings {
    /// Reads the text of a camera, and checks whether this box can take it.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn cluster_camera(&self, text: &str) -> Result<CameraSettings, String> {
        let mut camera: CameraSettings = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let CameraSettings { url, credentials, detect_url, detect_credentials, tls, .. } = &mut camera;
        // Whoever writes to etcd could have this box read any of its files, show it, or log in somewhere with what is in it.
        let names_a_place = |login: &Credentials| {
            login.password.is_some() || login.password_file.is_some() || login.password_credential.is_some()
        };
        if names_a_place(credentials) || names_a_place(detect_credentials) {
            return Err("its settings name a password, which is kept sealed beside them".to_owned());
        }
        if clip_file::is_clip(url) || tls.ca_file.is_some() {
            return Err("its settings name a file, which is that of one box".to_owned());
        }
        take_credentials_from_url(url, credentials, "credentials")?;
        if let Some(url) = detect_url {
            take_credentials_from_url(url, detect_credentials, "detect_credentials")?;
        }
        if self.cameras.iter().any(|own| own.id == camera.id) {
            return Err("this box has a camera of its own with the same id in its settings".to_owned());
        }
        let alone = Settings { cameras: vec![camera.clone()], ..self.clone() };
        let mistakes = check(&alone).into_iter().filter_map(|(key, finding)| match finding {
            Finding::Mistake(what) if key.starts_with("cameras[0]") => {
                Some(format!("`{}` {what}", key.trim_start_matches("cameras[0]").trim_start_matches('.')))
            }
            _ => None,
        });
        let mistakes: Vec<String> = mistakes.collect();
        if mistakes.is_empty() { Ok(camera) } else { Err(mistakes.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::settings;

    #[test]
    fn a_camera_comes_back_as_it_was_without_its_password() {
        let whole = settings(
            "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://anna:hunter2@camera/1\"\nfps = 2.5\nblackout = [[[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]]\n\
             [cameras.scene]\nlabels = [\"person\"]\n",
        );
        let text = cluster_camera_text(&whole.cameras[0]).unwrap();
        assert!(!text.contains("hunter2") && text.contains("anna"), "{text}");
        let read = settings("").cluster_camera(&text).unwrap();
        let credentials = Credentials { user: Some("anna".into()), ..Credentials::default() };
        assert_eq!(read, CameraSettings { credentials, ..whole.cameras[0].clone() });
    }

    #[test]
    fn a_box_that_cannot_take_a_camera_says_why() {
        let text = "id = \"yard\"\nurl = \"rtsp://camera/1\"\n";
        let refused = |own: &str, more: &str| settings(own).cluster_camera(&format!("{text}{more}")).unwrap_err();
        assert!(refused(&format!("[[cameras]]\n{text}"), "").contains("same id"));
        assert!(refused("", "model = \"tiger\"\n").contains("not the name of a model"));
        assert!(refused("", "fps = 1000.0\n").contains("fps"));
        assert!(refused("", "future = 1\n").contains("future"));
        let stolen = "credentials = { user = \"a\", password_file = \"/etc/ocelli/cluster.key\" }\n";
        assert!(refused("", stolen).contains("sealed"));
        assert!(refused("", "tls = { ca_file = \"/etc/ocelli/cluster.key\" }\n").contains("name a file"));
        let clip = settings("").cluster_camera("id = \"yard\"\nurl = \"file:///clip.mp4\"\n");
        assert!(clip.unwrap_err().contains("name a file"));
        assert!(settings("").cluster_camera(text).is_ok());
    }
}
