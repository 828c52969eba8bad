//! Everything that holds a secret and can be formatted, as a panic's message or a log line might: it shows `***`.

use ocelli::http::auth::access_keys::AccessKey;
use ocelli::http::login::password;
use ocelli::http::login::viewer::Viewer;
use ocelli::http::server::ServerTokens;
use ocelli::ipc::messages::{CameraIndex, CameraSource, ToCapture};
use ocelli::secret::{Credentials, Secret};
use ocelli::settings::Settings;
use ocelli::telemetry::logging::Redactor;
use std::collections::HashMap;
use std::fs;

const SECRET: &str = "CANARYtoFormat";

/// With a secret in each place that the settings have for one.
fn settings() -> Settings {
    let home = tempfile::tempdir().unwrap();
    let hash = password::hash(&Secret::new("correct horse battery")).unwrap();
    let text = format!(
        "[mqtt]\ncredentials = {{ user = \"box\", password = \"{SECRET}\" }}\n\
         [[cameras]]\nid = \"one\"\nurl = \"rtsp://viewer:{SECRET}@127.0.0.1/x\"\n\
         [[cameras]]\nid = \"two\"\nurl = \"rtsp://127.0.0.1/x\"\ndetect_url = \"rtsp://viewer:{SECRET}@127.0.0.1/y\"\n\
         credentials = {{ user = \"viewer\", password = \"{SECRET}\" }}\n\
         [[viewers]]\nname = \"anna\"\nrole = \"viewer\"\npassword_hash = \"{}\"\n\
         [[access_keys]]\naccess_key_id = \"AKIDFIRST\"\nsecret = \"{SECRET}\"\nrole = \"operator\"\n",
        hash.reveal()
    );
    let file = home.path().join("ocelli.toml");
    fs::write(&file, text).unwrap();
    Settings::load_with(&[file], HashMap::new()).unwrap()
}

#[test]
fn no_type_with_a_secret_shows_it_when_it_is_formatted() {
    let settings = settings();
    let keys: Vec<AccessKey> = settings.access_keys.iter().map(|key| key.resolve().unwrap()).collect();
    let viewers: Vec<Viewer> = settings.viewers.iter().map(|viewer| viewer.resolve().unwrap()).collect();
    let password = settings.cameras[1].credentials.resolve_password().unwrap().unwrap();
    // What is to be hidden has been read: it is there to be shown.
    assert_eq!((keys[0].secret.reveal(), password.reveal()), (SECRET, SECRET));
    let hash = viewers[0].hash.reveal().to_owned();
    let source =
        CameraSource { password: Some(SECRET.into()), ..crate::support::capture::source_of("rtsp://127.0.0.1/") };
    let open = ToCapture::Open { camera: CameraIndex(1), source: Box::new(source.clone()), slots: 2 };
    let redactor = Redactor::default();
    redactor.register(&password);
    let tokens = ServerTokens { monitoring: Some(password.clone()), local: Some(password.clone()) };
    let credentials = Credentials { password: Some(password.clone()), ..Credentials::default() };
    let shown = [
        format!("{settings:#?}"),
        format!("{keys:?}"),
        format!("{viewers:?}"),
        format!("{source:?}"),
        format!("{open:?}"),
        format!("{redactor:?}"),
        format!("{tokens:?}"),
        format!("{credentials:?} {password:?} {password}"),
        format!("{:?}", Err::<(), _>(credentials.clone())),
    ];
    for text in shown {
        assert!(!text.contains(SECRET) && !text.contains(&hash), "{text}");
    }
}
