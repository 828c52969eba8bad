//! `Image` of a call: bytes, or an object in a bucket. It goes into a slot without being decoded.

use crate::control::images::{ImageSlot, ImageTooLarge};
use crate::http::rekognition::call::{Call, missing};
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::state::RekognitionState;
use crate::http::s3::key::ObjectKey;
use crate::os::object_directory::ObjectDirectory;
use crate::vision::image_limits::ImageLimits;
use base64_simd::{Out, STANDARD};
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// `Image`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImageInput<'a> {
    #[serde(borrow)]
    bytes: Option<Base64<'a>>,
    s3_object: Option<S3Object>,
}

/// Borrowed from the body: 7 MB need not be copied to be decoded.
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

/// The limits of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageRules {
    /// The longest `Bytes`.
    pub(super) max_bytes: usize,
    /// Sides and pixels. The unit checks them against the header of the image.
    pub(super) limits: ImageLimits,
}

/// The longest `Image.Bytes` in the service model.
const MAX_MODELLED_BYTES: usize = 5 << 20;
/// The longest object in a bucket.
const MAX_OBJECT_BYTES: u64 = 15 << 20;
/// When to retry if no slot is free.
const RETRY_AFTER_SLOT: Duration = Duration::from_millis(200);

/// Where an image is.
#[derive(Debug)]
pub(super) enum ImageSource {
    /// In its slot: the bytes of the call.
    Slot(ImageSlot),
    /// In a bucket, still to be read.
    Object {
        /// The bucket's directory.
        root: PathBuf,
        key: ObjectKey,
    },
}

impl ImageInput<'_> {
    /// Copies bytes into a slot, or finds the object that is named.
    pub(super) fn locate(self, call: &Call<'_>, rules: ImageRules) -> Result<ImageSource, ApiError> {
        match (self.bytes, self.s3_object) {
            (Some(Base64(encoded)), None) => from_base64(call, &encoded, rules).map(ImageSource::Slot),
            (None, Some(object)) => object.locate(call),
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
    if length > MAX_MODELLED_BYTES {
        let constraint = format!("Member must have length less than or equal to {MAX_MODELLED_BYTES}");
        return Err(ApiError::constraint(&"java.nio.HeapByteBuffer", "image.bytes", &constraint));
    }
    if length > rules.max_bytes {
        return Err(ApiError::new(ErrorKind::ImageTooLarge, "Image size is too large."));
    }
    let mut slot = reserve(call.state, length)?;
    let no_base64 = || ApiError::new(ErrorKind::Serialization, "image.bytes is not valid base64");
    slot.write_with(length, |target| decode(encoded, target).then_some(()).ok_or_else(no_base64))?;
    Ok(slot)
}

/// Decodes into the place of the image. False for what is no base64, or has another length.
fn decode(encoded: &str, target: &mut [u8]) -> bool {
    let encoded = encoded.as_bytes();
    STANDARD.decoded_length(encoded).is_ok_and(|length| length == target.len())
        && STANDARD.decode(encoded, Out::from_slice(target)).is_ok()
}

impl From<ImageTooLarge> for ApiError {
    fn from(_: ImageTooLarge) -> Self {
        Self::new(ErrorKind::ImageTooLarge, "Image size is too large.")
    }
}

impl S3Object {
    fn locate(self, call: &Call<'_>) -> Result<ImageSource, ApiError> {
        let bucket = self.bucket.ok_or_else(|| missing("image.s3Object.bucket"))?;
        let name = self.name.ok_or_else(|| missing("image.s3Object.name"))?;
        if self.version.is_some_and(|version| !version.is_empty() && version != "null") {
            return Err(ApiError::new(ErrorKind::InvalidS3Object, "The buckets of this box keep no versions."));
        }
        let root = call.state.bucket(&bucket).ok_or_else(unreadable)?;
        // A name that could mean another file than the one with exactly this name means none, as for clients of S3.
        let key = ObjectKey::parse(&name).map_err(|_| unreadable())?;
        Ok(ImageSource::Object { root, key })
    }
}

impl ImageSource {
    /// Returns the slot with the image, after reading an object into one.
    pub(super) async fn into_slot(self, state: &RekognitionState) -> Result<ImageSlot, ApiError> {
        match self {
            Self::Slot(slot) => Ok(slot),
            Self::Object { root, key } => read_object(state, root, key).await,
        }
    }
}

async fn read_object(state: &RekognitionState, root: PathBuf, key: ObjectKey) -> Result<ImageSlot, ApiError> {
    // Few at a time: a slow disk must not delay callers that send bytes.
    let turn = Arc::clone(&state.downloads).try_acquire_owned().map_err(|_| {
        let message = "S3 download limit exceeded.".into();
        let kind = ErrorKind::ProvisionedThroughputExceeded;
        ApiError { kind, message, retry_after: Some(RETRY_AFTER_SLOT) }
    })?;
    // The turn is the thread's: when the caller has gone, a read that hangs still counts.
    let opened = tokio::task::spawn_blocking(move || Some((open_object(&root, &key)?, turn))).await;
    let ((file, length), turn) = opened.ok().flatten().ok_or_else(unreadable)?;
    if length > MAX_OBJECT_BYTES {
        return Err(ApiError::new(ErrorKind::ImageTooLarge, "Image size is too large."));
    }
    // Reserves the slot before it reads a byte.
    let mut slot = reserve(state, usize::try_from(length).unwrap_or(usize::MAX))?;
    let written = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut bytes = Vec::new();
        // The file may have grown meanwhile.
        file.take(length).read_to_end(&mut bytes).ok()?;
        slot.write(&bytes).ok()?;
        Some(slot)
    });
    written.await.ok().flatten().ok_or_else(unreadable)
}

/// The same error for an object that does not exist and one outside the bucket, so that callers cannot probe the disk.
fn unreadable() -> ApiError {
    let message = "Unable to get object metadata from S3. Check object key, region and/or access permissions.";
    ApiError::new(ErrorKind::InvalidS3Object, message)
}

fn open_object(root: &Path, key: &ObjectKey) -> Option<(File, u64)> {
    let file = ObjectDirectory::open(root).and_then(|root| root.open_object(&key.names())).ok()?;
    let length = file.metadata().ok()?.len();
    Some((file, length))
}

fn reserve(state: &RekognitionState, bytes: usize) -> Result<ImageSlot, ApiError> {
    state.control.images.reserve_for(bytes).ok_or_else(|| ApiError::throughput(RETRY_AFTER_SLOT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose;
    use proptest::prelude::*;

    fn decoded(encoded: &str) -> Option<Vec<u8>> {
        let padding = encoded.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
        let mut target = vec![0; (encoded.len() / 4 * 3).saturating_sub(padding)];
        decode(encoded, &mut target).then_some(target)
    }

    #[test]
    fn what_is_not_canonical_is_no_base64() {
        assert_eq!(decoded("aGVsbG8="), Some(b"hello".to_vec()));
        for wrong in [
            "aGVsbG8",
            "aGVsbG9=",
            "aGVs bG8=",
            "aGVsbG8=\n",
            "aGVs=G8=",
            "====",
            "=AAA",
            "AA=A",
            "aGVs_-8=",
            "\u{e4}AA",
        ] {
            assert_eq!(decoded(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_base64_of_the_other_crate(text in "[A-Za-z0-9+/=]{0,40}", bytes: Vec<u8>) {
            prop_assert_eq!(decoded(&text), general_purpose::STANDARD.decode(&text).ok());
            prop_assert_eq!(decoded(&general_purpose::STANDARD.encode(&bytes)), Some(bytes));
        }
    }
}
