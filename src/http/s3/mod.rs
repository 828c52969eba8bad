//! `[[buckets]]` as clients of S3 know them: whoever passes `S3Object` to Rekognition reads and writes the same bucket with
//! the same credentials and endpoint.
//!
//! Objects are the regular files below the bucket's directory, as they are for `S3Object`. Buckets are named in the path.
//! Decisions of this box:
//!
//! | question | answer |
//! |---|---|
//! | who | `access`; unless `s3` of the bucket says so, nobody |
//! | operations | GetObject, HeadObject, PutObject, DeleteObject, HeadBucket, ListObjectsV2; others `NotImplemented`, by name |
//! | signatures | SigV4 in the `Authorization` header; over plain HTTP the body must be signed too |
//! | keys | paths (`key`): what cannot be a file is `NoSuchKey` to readers and `InvalidArgument` to writers |
//! | `ETag` | of the file on the disk, no MD5 (`conditions`) |
//! | metadata, ACLs, encryption, versions, tags | none is kept, so a request that needs one is refused; `Content-Type` is ignored |
//! | order of checks | key of the signature, signature, operation, bucket of the key, bucket, headers, length, room, body |
//! | size | `max_object_megabytes`, `max_megabytes` of the bucket, and 64 MiB are left free on its disk |
//! | several ranges, or one that cannot be read | the whole object |
//! | full disk | `InsufficientStorage` (507, which SDKs do not retry); full bucket `QuotaExceeded` (403) |

mod access;
pub mod body_check;
mod checksum;
pub mod chunks;
mod conditions;
pub mod error;
mod handle;
pub mod key;
pub mod list;
pub mod operation;
pub mod plan;
mod put;
pub mod query;
mod read;
mod state;
mod usage;
mod walk;

pub(super) use handle::{handle, is_meant};
pub(super) use state::{S3State, remove_left_uploads};
