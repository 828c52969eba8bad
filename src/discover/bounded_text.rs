//! How much of a stranger's text is passed on.

/// The longest text in bytes.
pub(super) const MAX_TEXT: usize = 128;

/// The longest URL in bytes.
pub(super) const MAX_URL: usize = 1024;

/// The first bytes of a text.
pub(super) fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_TEXT)].to_owned()
}

/// A URL of a bounded length. Half a URL would be another one.
pub(super) fn url(text: &str) -> Option<String> {
    (1..=MAX_URL).contains(&text.len()).then(|| text.to_owned())
}
