//! The files of the page, as they are part of the binary.

use crate::model::manifest::hexadecimal;
use axum::http::HeaderValue;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// Where each file is served, its `Content-Type`, and its bytes.
const FILES: [(&str, &str, &[u8]); 26] = [
    ("/", HTML, include_bytes!("files/index.html")),
    ("/page/style.css", STYLE, include_bytes!("files/style.css")),
    ("/page/icon.svg", PICTURE, include_bytes!("files/icon.svg")),
    ("/page/api.js", SCRIPT, include_bytes!("files/api.js")),
    ("/page/app.js", SCRIPT, include_bytes!("files/app.js")),
    ("/page/area_editor.js", SCRIPT, include_bytes!("files/area_editor.js")),
    ("/page/areas.js", SCRIPT, include_bytes!("files/areas.js")),
    ("/page/box.js", SCRIPT, include_bytes!("files/box.js")),
    ("/page/boxes.js", SCRIPT, include_bytes!("files/boxes.js")),
    ("/page/camera.js", SCRIPT, include_bytes!("files/camera.js")),
    ("/page/cameras.js", SCRIPT, include_bytes!("files/cameras.js")),
    ("/page/dialog.js", SCRIPT, include_bytes!("files/dialog.js")),
    ("/page/dom.js", SCRIPT, include_bytes!("files/dom.js")),
    ("/page/events.js", SCRIPT, include_bytes!("files/events.js")),
    ("/page/health.js", SCRIPT, include_bytes!("files/health.js")),
    ("/page/live.js", SCRIPT, include_bytes!("files/live.js")),
    ("/page/login.js", SCRIPT, include_bytes!("files/login.js")),
    ("/page/models.js", SCRIPT, include_bytes!("files/models.js")),
    ("/page/numbers.js", SCRIPT, include_bytes!("files/numbers.js")),
    ("/page/pace.js", SCRIPT, include_bytes!("files/pace.js")),
    ("/page/picture.js", SCRIPT, include_bytes!("files/picture.js")),
    ("/page/plot.js", SCRIPT, include_bytes!("files/plot.js")),
    ("/page/seen.js", SCRIPT, include_bytes!("files/seen.js")),
    ("/page/session.js", SCRIPT, include_bytes!("files/session.js")),
    ("/page/snapshots.js", SCRIPT, include_bytes!("files/snapshots.js")),
    ("/page/words.js", SCRIPT, include_bytes!("files/words.js")),
];

/// One file.
#[derive(Debug)]
pub(super) struct Asset {
    path: &'static str,
    /// The `Content-Type` of the answer.
    pub(super) kind: &'static str,
    /// What is sent.
    pub(super) bytes: &'static [u8],
    /// Its `ETag`, which changes with its contents.
    pub(super) tag: HeaderValue,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(path, kind, bytes)| Asset { path, kind, bytes, tag: tag(bytes) };
    FILES.into_iter().map(asset).collect()
});

/// The file that is served at a path.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let digest = hexadecimal(&Sha256::digest(bytes)[..12]);
    HeaderValue::from_str(&format!("\"{digest}\"")).expect("hexadecimal digits in quotes are a header")
}

/// Where the files are served.
#[cfg(test)]
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _, _)| *path)
}
