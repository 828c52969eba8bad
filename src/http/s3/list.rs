//! `ListObjectsV2`: its parameters and its document.

use crate::http::rekognition::settings::BucketSettings;
use crate::http::s3::conditions::etag;
use crate::http::s3::error::{S3Error, escape};
use crate::http::s3::query::Query;
use crate::http::s3::state::S3State;
use crate::http::s3::walk::{self, Cursor, Page, Wanted};
use crate::os::clock::rfc3339_utc;
use crate::os::object_directory::ObjectDirectory;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;
use tokio::task::spawn_blocking;

/// Keys of a page at most, as in S3.
const MAX_KEYS: usize = 1000;
/// The longest prefix, delimiter and start.
const MAX_TEXT_BYTES: usize = 1024;
/// What is left as it is with `encoding-type=url`.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'*');

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    wanted: Wanted,
    encodes: bool,
    token: Option<String>,
    start_after: Option<String>,
}

impl Listing {
    /// # Errors
    /// [`S3Error`], naming the parameter.
    pub fn of(query: &Query) -> Result<Self, S3Error> {
        let text = |name: &str| match query.get(name) {
            Some(text) if text.len() > MAX_TEXT_BYTES || text.contains('\0') => {
                Err(S3Error::invalid(format!("{name} is too long, or has a NUL")))
            }
            text => Ok(text.map(str::to_owned)),
        };
        let most = match query.get("max-keys") {
            None => MAX_KEYS,
            Some(number) => {
                let number = number.parse::<u32>().ok().and_then(|number| usize::try_from(number).ok());
                number.ok_or_else(|| S3Error::invalid("Provided max-keys not an integer or within integer range"))?
            }
        };
        let encodes = match query.get("encoding-type") {
            None => false,
            Some("url") => true,
            Some(_) => return Err(S3Error::invalid("Invalid Encoding Method specified in Request")),
        };
        let (start_after, token) = (text("start-after")?, query.get("continuation-token").map(str::to_owned));
        let after = match &token {
            Some(token) => cursor(token)?,
            None => Cursor { text: start_after.clone().unwrap_or_default(), is_prefix: false },
        };
        let delimiter = text("delimiter")?.filter(|delimiter| !delimiter.is_empty());
        let prefix = text("prefix")?.unwrap_or_default();
        let wanted = Wanted { prefix, delimiter, after, most: most.min(MAX_KEYS) };
        Ok(Self { wanted, encodes, token, start_after })
    }

    /// The document of a page.
    fn xml(&self, bucket: &str, page: &Page) -> String {
        let encoded = |text: &str| match self.encodes {
            true => utf8_percent_encode(text, &PLAIN).to_string(),
            false => escape(text),
        };
        let Wanted { prefix, delimiter, most, .. } = &self.wanted;
        let (name, count) = (escape(bucket), page.objects.len() + page.prefixes.len());
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>{name}</Name><Prefix>{}</Prefix><MaxKeys>{most}</MaxKeys><KeyCount>{count}</KeyCount>\
             <IsTruncated>{}</IsTruncated>",
            encoded(prefix),
            page.next.is_some()
        );
        let next = page.next.as_ref().map(token);
        for (tag, text) in [
            ("Delimiter", delimiter.as_deref().map(encoded)),
            ("EncodingType", self.encodes.then(|| "url".to_owned())),
            ("ContinuationToken", self.token.as_deref().map(escape)),
            ("NextContinuationToken", next),
            ("StartAfter", self.start_after.as_deref().map(encoded)),
        ] {
            if let Some(text) = text {
                write!(xml, "<{tag}>{text}</{tag}>").unwrap_or(());
            }
        }
        for (key, facts) in &page.objects {
            let (key, tag) = (encoded(key), escape(&etag(facts)));
            let (modified, bytes) = (rfc3339_utc(facts.modified_ms), facts.bytes);
            // Writing to a string cannot fail.
            write!(
                xml,
                "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><ETag>{tag}</ETag><Size>{bytes}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>"
            )
            .unwrap_or(());
        }
        for prefix in &page.prefixes {
            write!(xml, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", encoded(prefix)).unwrap_or(());
        }
        xml + "</ListBucketResult>"
    }
}

/// Reads a page and writes its document.
pub(super) async fn answer(state: &S3State, bucket: BucketSettings, query: &Query) -> Result<String, S3Error> {
    let listing = Listing::of(query)?;
    let place = state.list_place()?;
    let listed = spawn_blocking(move || {
        // The place is the thread's: when the caller has gone, a disk that hangs still counts.
        let _place = place;
        let page = ObjectDirectory::open(&bucket.directory).and_then(|root| walk::list(&root, &listing.wanted));
        page.map(|page| listing.xml(&bucket.name, &page))
            .map_err(|error| S3Error::disk("a bucket cannot be read", &error))
    });
    listed.await.unwrap_or_else(|error| Err(S3Error::incomplete(&error)))
}

/// Clients give it back as it is. It says nothing that they could not say by `start-after`.
fn token(cursor: &Cursor) -> String {
    let kind = if cursor.is_prefix { "p" } else { "k" };
    URL_SAFE_NO_PAD.encode(format!("{kind}{}", cursor.text))
}

fn cursor(token: &str) -> Result<Cursor, S3Error> {
    let wrong = || S3Error::invalid("The continuation token provided is incorrect");
    let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() <= 1 + 2 * MAX_TEXT_BYTES);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let (kind, text) = text.split_at_checked(1).ok_or_else(wrong)?;
    match kind {
        "k" | "p" => Ok(Cursor { text: text.to_owned(), is_prefix: kind == "p" }),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::error::Code;
    use crate::os::object_directory::ObjectFacts;
    use proptest::prelude::*;

    #[test]
    fn parameters_are_within_their_bounds() {
        let listing = |query: &str| Listing::of(&Query::parse(query).unwrap());
        let all =
            listing("list-type=2&prefix=a%20b/&delimiter=/&max-keys=5000&start-after=x&encoding-type=url").unwrap();
        assert_eq!((all.wanted.most, all.wanted.after.text.as_str(), all.encodes), (1000, "x", true));
        assert_eq!(listing("delimiter=").unwrap().wanted.delimiter, None);
        let long = "x".repeat(1025);
        for query in [
            "max-keys=-1",
            "max-keys=many",
            "max-keys=99999999999",
            "encoding-type=base64",
            "continuation-token=",
            "continuation-token=!",
            "continuation-token=eA",
            "prefix=a%00b",
            &format!("prefix={long}"),
        ] {
            assert_eq!(listing(query).unwrap_err().code, Code::InvalidArgument, "{query}");
        }
    }

    #[test]
    fn keys_are_written_so_that_xml_can_have_them() {
        let facts = ObjectFacts { bytes: 5, modified_ms: 0, nanoseconds: 0, inode: 1 };
        let next = Some(Cursor { text: "a&<b>".into(), is_prefix: false });
        let page = Page { objects: vec![("a&<b> ü+".into(), facts)], prefixes: vec!["c d/".into()], next };
        let xml = |query: &str| Listing::of(&Query::parse(query).unwrap()).unwrap().xml("files", &page);
        let plain = xml("list-type=2");
        for part in ["<Key>a&amp;&lt;b&gt; ü+</Key>", "<Prefix>c d/</Prefix>", "<KeyCount>2</KeyCount>", "&quot;"] {
            assert!(plain.contains(part), "{part}: {plain}");
        }
        assert!(xml("encoding-type=url").contains("<Key>a%26%3Cb%3E%20%C3%BC%2B</Key>"));
        assert!(plain.contains("<IsTruncated>true</IsTruncated><NextContinuationToken>"), "{plain}");
    }

    proptest! {
        #[test]
        fn a_token_leads_on_from_where_a_page_ended(text in "\\PC{0,80}", is_prefix: bool) {
            let at = Cursor { text, is_prefix };
            prop_assert_eq!(cursor(&token(&at)).unwrap(), at);
        }

        #[test]
        fn any_query_is_a_listing_or_refused(query in "[ -~]{0,200}") {
            drop(Query::parse(&query).and_then(|query| Listing::of(&query)));
        }
    }
}
