//! What the settings of a camera mean.

use super::*;

#[test]
fn each_of_two_streams_has_its_url_and_its_login() {
    let of = |more: serde_json::Value| -> CameraSettings {
        let mut json = serde_json::json!({"id": "yard", "url": "rtsp://c/main", "credentials": {"user": "u"}});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(json).unwrap()
    };
    let login = |camera: CameraSettings| (camera.url, camera.credentials.user.unwrap());
    let alone = of(serde_json::json!({}));
    assert!(alone.main().is_none() && alone.analysed() == alone);
    let shared = of(serde_json::json!({"detect_url": "rtsp://c/sub"}));
    assert_eq!(login(shared.analysed()), ("rtsp://c/sub".into(), "u".into()));
    assert_eq!(login(shared.main().unwrap()), ("rtsp://c/main".into(), "u".into()));
    let own = of(serde_json::json!({"detect_url": "rtsp://c/sub", "detect_credentials": {"user": "v"}}));
    assert_eq!(login(own.analysed()), ("rtsp://c/sub".into(), "v".into()));
    assert_eq!(login(own.main().unwrap()), ("rtsp://c/main".into(), "u".into()));
}
