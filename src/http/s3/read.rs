//! `GetObject` and `HeadObject`: an object, or a part of it, read from the disk as its client takes it.

use crate::http::byte_range::{Asked as Range, asked as range_asked};
use crate::http::file_body::FileBody;
use crate::http::rekognition::settings::BucketSettings;
use crate::http::s3::conditions::{Conditions, etag};
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::key::ObjectKey;
use crate::http::s3::state::S3State;
use crate::os::beneath::is_trouble;
use crate::os::clock::http_date;
use crate::os::object_directory::{ObjectDirectory, ObjectFacts};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// What S3 says of an object whose client gave no type. The box keeps none.
const TYPE: &str = "binary/octet-stream";

/// How long a client may take little of an object: it holds one of few places.
const SLOW_START: Duration = Duration::from_secs(30);

/// The response; without a body if only the head is asked for.
pub(super) async fn answer(
    state: &S3State,
    bucket: BucketSettings,
    key: &str,
    headers: &HeaderMap,
    is_head: bool,
) -> Result<Response, S3Error> {
    let conditions = Conditions::of(headers)?;
    let place = state.read_place()?;
    let key = ObjectKey::parse(key).map_err(|_| S3Error::no_such_key())?;
    let opened = spawn_blocking(move || {
        let file = ObjectDirectory::open(&bucket.directory)?.open_object(&key.names())?;
        Ok::<_, std::io::Error>((ObjectFacts::of(&file)?, file, place))
    });
    let opened = opened.await.map_err(|error| S3Error::incomplete(&error))?;
    let (facts, file, place) = opened.map_err(|error| match is_trouble(&error) {
        true => S3Error::disk("an object cannot be read", &error),
        false => S3Error::no_such_key(),
    })?;
    conditions.allow_reading(&facts)?;
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, first, bytes) = match range_asked(range, facts.bytes) {
        Range::All => (StatusCode::OK, 0, facts.bytes),
        Range::Part { first, bytes } => (StatusCode::PARTIAL_CONTENT, first, bytes),
        Range::Beyond => {
            return Err(S3Error::new(Code::InvalidRange, "The requested range is not satisfiable"));
        }
    };
    let body = match is_head {
        true => Body::empty(),
        false => Body::new(FileBody::paced(file, first, bytes, place, SLOW_START)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_LENGTH, &bytes.to_string());
    set(header::CONTENT_TYPE, TYPE);
    set(header::ACCEPT_RANGES, "bytes");
    set(header::ETAG, &etag(&facts));
    set(header::LAST_MODIFIED, &http_date(facts.modified_ms));
    // It may show people: no cache on the way keeps it.
    set(header::CACHE_CONTROL, "private, no-store");
    if status == StatusCode::PARTIAL_CONTENT {
        set(header::CONTENT_RANGE, &format!("bytes {first}-{}/{}", first + bytes - 1, facts.bytes));
    }
    Ok(response)
}
