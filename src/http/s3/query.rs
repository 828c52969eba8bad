//! The query of a request, decoded.

use crate::http::s3::error::{Code, S3Error};
use percent_encoding::percent_decode_str;

/// More than any operation has.
const MAX_PAIRS: usize = 32;

/// Names and values, each name once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// # Errors
    /// [`S3Error`] for text that cannot be decoded, a name that is repeated, and more pairs than any operation has.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?);
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(S3Error::invalid("a parameter of the query is repeated"));
            }
            if pairs.len() == MAX_PAIRS {
                return Err(S3Error::invalid("the query has too many parameters"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// True if the query has a parameter.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The first parameter that is none of these.
    pub fn beside(&self, known: &[&str]) -> Option<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name))
    }
}

/// Text of which each `%` and two digits are a byte.
///
/// # Errors
/// [`Code::InvalidUri`] for bytes that are no UTF-8.
pub(super) fn decode(text: &str) -> Result<String, S3Error> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| S3Error::new(Code::InvalidUri, "Couldn't parse the specified URI."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_values_are_decoded_once() {
        let query = Query::parse("list-type=2&prefix=a%20b%2F%252e+c&&acl").unwrap();
        assert_eq!((query.get("prefix"), query.get("acl")), (Some("a b/%2e c"), Some("")));
        assert_eq!(query.beside(&["list-type", "prefix"]), Some("acl"));
        for wrong in ["a=1&a=2", "a=%ff", &"a&b&c&d".repeat(20)] {
            assert!(Query::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_query_is_read_or_refused(text in "[ -~]{0,200}") {
            if let Ok(query) = Query::parse(&text) {
                prop_assert!(query.0.len() <= MAX_PAIRS);
            }
        }

        #[test]
        fn what_a_client_encodes_is_what_the_box_reads(value in "\\PC{0,60}") {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let query = Query::parse(&format!("prefix={encoded}")).unwrap();
            prop_assert_eq!(query.get("prefix"), Some(value.as_str()));
        }
    }
}
