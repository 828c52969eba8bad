//! Pages of a list, newest first. A token holds the creation time of the last entry of the previous page.

use crate::http::rekognition::error::{ApiError, ErrorKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A page, and the token for the next one.
pub(super) struct Page<T> {
    pub(super) entries: Vec<T>,
    pub(super) next_token: Option<String>,
}

impl Page<Value> {
    /// The output of an operation. `name` is the member with the list.
    pub(super) fn into_output(self, name: &str) -> Value {
        let mut output = json!({name: self.entries});
        if let Some(token) = self.next_token {
            output["NextToken"] = token.into();
        }
        output
    }
}

/// Returns the page after `token`. Each entry comes with its creation time.
pub(super) fn page<T>(mut entries: Vec<(i64, T)>, token: Option<&str>, max: usize) -> Result<Page<T>, ApiError> {
    entries.sort_by_key(|(created_ms, _)| std::cmp::Reverse(*created_ms));
    if let Some(token) = token {
        let before = parse(token)?;
        entries.retain(|(created_ms, _)| *created_ms < before);
    }
    let has_more = entries.len() > max;
    entries.truncate(max);
    let last = entries.last().map(|(created_ms, _)| *created_ms).filter(|_| has_more);
    Ok(Page { entries: entries.into_iter().map(|(_, entry)| entry).collect(), next_token: last.map(token_of) })
}

fn token_of(created_ms: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("before {created_ms}"))
}

fn parse(token: &str) -> Result<i64, ApiError> {
    let invalid = || ApiError::new(ErrorKind::InvalidPaginationToken, "Invalid Pagination Token");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid())?;
    text.strip_prefix("before ").and_then(|number| number.parse().ok()).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(count: i64) -> Vec<(i64, i64)> {
        (0..count).map(|index| (index * 7 % 101 + 1000, index * 7 % 101)).collect()
    }

    #[test]
    fn pages_list_every_entry_once_newest_first() {
        let (mut token, mut seen) = (None, Vec::new());
        loop {
            let part = page(entries(100), token.as_deref(), 30).unwrap();
            seen.extend(part.entries);
            token = part.next_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 100);
        assert!(seen.is_sorted_by(|a, b| a > b));
        assert!(page(entries(30), None, 30).unwrap().next_token.is_none());
    }

    proptest! {
        #[test]
        fn an_invented_token_is_refused(token in "\\PC{0,40}") {
            let refused = page(entries(3), Some(&token), 10).err().map(|error| error.kind);
            prop_assert_eq!(refused, Some(ErrorKind::InvalidPaginationToken));
        }
    }
}
