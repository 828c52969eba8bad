//! Who may do what with a bucket.
//!
//! | | reads | writes |
//! |---|---|---|
//! | `operator` | every bucket with `s3` | none |
//! | `camera-client` | those of its `buckets` | none |
//! | `bucket-writer` | those of its `buckets` | of these, those with `s3 = "read-write"` |
//! | without keys, on the box itself | every bucket with `s3` | none |

use crate::http::auth::access_keys::AccessKey;
use crate::http::rekognition::RekognitionState;
use crate::http::rekognition::settings::{BucketSettings, S3Access};
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::operation::Asked;

/// The bucket that a request names, if its caller may do so with it. `None` as a caller: calls need no signature.
///
/// # Errors
/// [`Code::AccessDenied`]; [`Code::NoSuchBucket`] for those who may reach every bucket.
pub(super) fn allow(
    state: &RekognitionState,
    caller: Option<&AccessKey>,
    asked: &Asked,
) -> Result<BucketSettings, S3Error> {
    judge(state.bucket_settings(&asked.bucket), caller, asked)
}

fn judge(bucket: Option<BucketSettings>, caller: Option<&AccessKey>, asked: &Asked) -> Result<BucketSettings, S3Error> {
    let denied = |why: &str| Err(S3Error::new(Code::AccessDenied, format!("Access Denied: {why}")));
    // First, so that nobody learns which other buckets there are.
    if caller.is_some_and(|key| !key.may_read(&asked.bucket)) {
        return denied("the access key does not name this bucket in its `buckets`");
    }
    let Some(bucket) = bucket else {
        return Err(S3Error::new(Code::NoSuchBucket, "The specified bucket does not exist"));
    };
    match bucket.s3 {
        S3Access::Off => return denied("the settings of this bucket have no `s3 = \"read\"`"),
        S3Access::Read if asked.operation.writes() => {
            return denied("the settings of this bucket have no `s3 = \"read-write\"`");
        }
        S3Access::Read | S3Access::ReadWrite => {}
    }
    if asked.operation.writes() && !caller.is_some_and(|key| key.may_write(&asked.bucket)) {
        return denied("it takes an access key with the role bucket-writer");
    }
    Ok(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::auth::access_keys::{AccessKeySettings, Role};
    use crate::secret::Secret;
    use axum::http::HeaderMap;

    fn key(role: Role) -> AccessKey {
        let (secret, buckets) = (Some(Secret::new("secretexample")), vec!["yard".to_owned()]);
        AccessKeySettings { role, secret, buckets, ..AccessKeySettings::default() }.resolve().unwrap()
    }

    fn code(s3: Option<S3Access>, caller: Option<Role>, method: &str, bucket: &str) -> Option<Code> {
        let uri = format!("/{bucket}/photo.jpg").parse().unwrap();
        let asked = Asked::of(&method.parse().unwrap(), &uri, &HeaderMap::new()).unwrap();
        let settings = s3.map(|s3| BucketSettings { name: bucket.into(), s3, ..BucketSettings::default() });
        judge(settings, caller.map(key).as_ref(), &asked).err().map(|error| error.code)
    }

    #[test]
    fn reading_and_writing_are_for_those_in_the_table() {
        let (read, write, denied) = (Some(S3Access::Read), Some(S3Access::ReadWrite), Some(Code::AccessDenied));
        let (operator, camera, writer) = (Some(Role::Operator), Some(Role::CameraClient), Some(Role::BucketWriter));
        for (s3, caller, get, put, get_other) in [
            (write, operator, None, denied, None),
            (write, camera, None, denied, denied),
            (write, writer, None, None, denied),
            (write, None, None, denied, None),
            (read, operator, None, denied, None),
            (read, writer, None, denied, denied),
            (Some(S3Access::Off), operator, denied, denied, denied),
            (Some(S3Access::Off), writer, denied, denied, denied),
            (None, operator, Some(Code::NoSuchBucket), Some(Code::NoSuchBucket), Some(Code::NoSuchBucket)),
            (None, camera, Some(Code::NoSuchBucket), Some(Code::NoSuchBucket), denied),
        ] {
            assert_eq!(code(s3, caller, "GET", "yard"), get, "{s3:?} {caller:?}");
            assert_eq!(code(s3, caller, "PUT", "yard"), put, "{s3:?} {caller:?}");
            assert_eq!(code(s3, caller, "DELETE", "yard"), put, "{s3:?} {caller:?}");
            assert_eq!(code(s3, caller, "GET", "models"), get_other, "{s3:?} {caller:?}");
        }
    }
}
