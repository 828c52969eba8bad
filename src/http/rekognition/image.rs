//! `Image` of a call: bytes, or an object of a bucket, on its way into a slot. No decoder runs here.

use crate::control::images::ImageSlot;
use crate::http::rekognition::call::{Call, missing};
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::os::beneath::open_file;
use crate::vision::image_limits::ImageLimits;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// `Image`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImageInput<'a> {
    #[serde(borrow)]
    bytes: Option<Base64<'a>>,
    s3_object: Option<S3Object>,
}

/// Where it lies in the request: 7 MB need not be copied to be decoded.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Base64<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Object {
    bucket: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

/// What an operation takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageRules {
    /// Of `Bytes`.
    pub(super) most_bytes: usize,
    /// Checked by the unit, by the picture's header.
    pub(super) limits: ImageLimits,
}

/// The bound of `Image.Bytes` in the service model: 5 MiB.
const MOST_MODELLED_BYTES: usize = 5 << 20;
/// Of an object in a bucket: 15 MB.
const MOST_OBJECT_BYTES: u64 = 15 << 20;
/// When a slot may be free again.
const RETRY_AFTER_SLOT: Duration = Duration::from_millis(200);

impl ImageInput<'_> {
    /// Puts the image into a slot: the permit to be looked at.
    pub(super) async fn into_slot(self, call: &Call<'_>, rules: ImageRules) -> Result<ImageSlot, ApiError> {
        match (self.bytes, self.s3_object) {
            (Some(Base64(encoded)), None) => from_base64(call, &encoded, rules),
            (None, Some(object)) => from_object(call, object).await,
            _ => Err(ApiError::new(
                ErrorKind::InvalidParameter,
                "Requested image should either contain bytes or s3 object.",
            )),
        }
    }
}

fn from_base64(call: &Call<'_>, encoded: &str, rules: ImageRules) -> Result<ImageSlot, ApiError> {
    let padding = encoded.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
    let length = (encoded.len() / 4 * 3).saturating_sub(padding);
    if encoded.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(ApiError::constraint(&"java.nio.HeapByteBuffer", "image.bytes", constraint));
    }
    if length > MOST_MODELLED_BYTES {
        let constraint = format!("Member must have length less than or equal to {MOST_MODELLED_BYTES}");
        return Err(ApiError::constraint(&"java.nio.HeapByteBuffer", "image.bytes", &constraint));
    }
    if length > rules.most_bytes {
        return Err(ApiError::new(ErrorKind::ImageTooLarge, "Image size is too large."));
    }
    let mut slot = reserve(call, length)?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|_| ApiError::new(ErrorKind::Serialization, "image.bytes is not in base64"))?;
    slot.write(&bytes).map_err(|_| ApiError::new(ErrorKind::ImageTooLarge, "Image size is too large."))?;
    Ok(slot)
}

async fn from_object(call: &Call<'_>, object: S3Object) -> Result<ImageSlot, ApiError> {
    let bucket = object.bucket.ok_or_else(|| missing("image.s3Object.bucket"))?;
    let name = object.name.ok_or_else(|| missing("image.s3Object.name"))?;
    // The same for what is not there and what may not be seen.
    let unreadable = || {
        let message = "Unable to get object metadata from S3. Check object key, region and/or access permissions.";
        ApiError::new(ErrorKind::InvalidS3Object, message)
    };
    if object.version.is_some_and(|version| !version.is_empty() && version != "null") {
        return Err(ApiError::new(ErrorKind::InvalidS3Object, "The buckets of this box keep no versions."));
    }
    let root = call.state.bucket(&bucket).ok_or_else(unreadable)?.to_owned();
    // Few at a time: a slow disk must not hold up whoever sends bytes.
    let _turn = call.state.downloads.try_acquire().map_err(|_| {
        let message = "S3 download limit exceeded.".into();
        let kind = ErrorKind::ProvisionedThroughputExceeded;
        ApiError { kind, message, retry_after: Some(RETRY_AFTER_SLOT) }
    })?;
    let opened = tokio::task::spawn_blocking(move || open_object(&root, &name)).await;
    let (file, length) = opened.ok().flatten().ok_or_else(unreadable)?;
    if length > MOST_OBJECT_BYTES {
        return Err(ApiError::new(ErrorKind::ImageTooLarge, "Image size is too large."));
    }
    // A place before a byte is read.
    let mut slot = reserve(call, usize::try_from(length).unwrap_or(usize::MAX))?;
    let written = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        // It may have grown meanwhile.
        file.take(length).read_to_end(&mut bytes).ok()?;
        slot.write(&bytes).ok()?;
        Some(slot)
    });
    written.await.ok().flatten().ok_or_else(unreadable)
}

fn open_object(root: &Path, name: &str) -> Option<(File, u64)> {
    let file = open_file(root, name).ok()?;
    let length = file.metadata().ok()?.len();
    Some((file, length))
}

fn reserve(call: &Call<'_>, bytes: usize) -> Result<ImageSlot, ApiError> {
    call.state.control.images.reserve_for(bytes).ok_or_else(|| ApiError::throughput(RETRY_AFTER_SLOT))
}
