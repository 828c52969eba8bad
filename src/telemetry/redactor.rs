//! Removes secrets from text, in each form in which programs write them: as they are, escaped, in a URL, in Base64.

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

/// The values that must not be logged. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// The longest first: one may be a part of another.
    forms: Arc<RwLock<Vec<Secret>>>,
}

/// The shortest secret that is hidden: shorter ones would match parts of ordinary words.
const SHORTEST: usize = 4;

impl Redactor {
    /// Hides this value from now on.
    pub fn register(&self, secret: &Secret) {
        if secret.reveal().len() < SHORTEST {
            return;
        }
        let mut known = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        // Each reload registers all of them again, and each line is compared with all.
        if known.contains(secret) {
            return;
        }
        let forms = forms(secret.reveal()).into_iter().map(Secret::new);
        known.extend(forms);
        known.sort_by_key(|form| std::cmp::Reverse(form.reveal().len()));
        known.dedup();
    }

    /// The text without secrets and without `user:password@` in URLs.
    pub fn redact(&self, text: &str) -> String {
        let mut text = without_user_info(text);
        for form in self.forms.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if text.contains(form.reveal()) {
                text = text.replace(form.reveal(), "***");
            }
        }
        text
    }
}

/// A secret as it is, as Rust and JSON write it in quotes, as URLs hold it, and as logins hold it.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), secret.escape_debug().to_string(), secret.escape_default().to_string()];
    let is_plain_in_url = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    forms.push(in_url(secret, is_plain_in_url, false));
    forms.push(in_url(secret, is_plain_in_url, true));
    // What other programs leave as it is in a login.
    forms.push(in_url(secret, |byte| is_plain_in_url(byte) || b"!$&'()*+,;=".contains(&byte), false));
    for offset in 0..3 {
        for engine in [STANDARD, URL_SAFE] {
            let before = vec![0; offset];
            let encoded = engine.encode([before.as_slice(), secret.as_bytes()].concat());
            // The characters at both ends depend on what is beside the secret: on the user's name, in a login.
            let (first, rest) = ([0, 2, 3][offset], [0, 3, 2][(offset + secret.len()) % 3]);
            forms.push(encoded[first..encoded.len() - rest].to_owned());
        }
    }
    let mut distinct = Vec::new();
    for form in forms {
        if !distinct.contains(&form) {
            distinct.push(form);
        }
    }
    distinct
}

fn in_url(secret: &str, is_plain: impl Fn(u8) -> bool, is_lower: bool) -> String {
    let mut text = String::new();
    for byte in secret.bytes() {
        // Writing to a string cannot fail.
        let written = match (is_plain(byte), is_lower) {
            (true, _) => text.write_char(char::from(byte)),
            (false, false) => write!(text, "%{byte:02X}"),
            (false, true) => write!(text, "%{byte:02x}"),
        };
        written.unwrap_or(());
    }
    text
}

/// Replaces the user information of URLs: what is between `://` and `@` within one authority.
fn without_user_info(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let is_end = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>');
        let authority = &after[..after.find(is_end).unwrap_or(after.len())];
        match authority.rfind('@') {
            Some(at) => {
                clean.push_str("***");
                rest = &after[at..];
            }
            None => rest = after,
        }
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_values_and_user_info_are_hidden() {
        let redactor = Redactor::default();
        for secret in ["hunter2", "abc", "hunter2-and-more"] {
            redactor.register(&Secret::new(secret));
        }
        for (line, expected) in [
            ("password hunter2!", "password ***!"),
            ("the longer one: hunter2-and-more", "the longer one: ***"),
            ("rtsp://root:p@ss@cam/x and http://u:p@h", "rtsp://***@cam/x and http://***@h"),
            ("rtsp://cam/a@b", "rtsp://cam/a@b"),
            ("gstrtspsrc.c(8133): location=\"rtsp://u:v@cam\"", "gstrtspsrc.c(8133): location=\"rtsp://***@cam\""),
            ("abc", "abc"),
        ] {
            assert_eq!(redactor.redact(line), expected);
        }
    }

    #[test]
    fn no_way_of_writing_a_secret_shows_it() {
        let (redactor, secret) = (Redactor::default(), "p\"w/\\d %:ü-and-Some_More~text");
        redactor.register(&Secret::new(secret));
        redactor.register(&Secret::new(secret));
        let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(redactor.redact(&format!("{secret:?}")), "\"***\"");
        assert_eq!(redactor.redact(&serde_json::json!(secret).to_string()), "\"***\"");
        assert_eq!(redactor.redact("p%22w%2F%5Cd%20%25%3A%C3%BC-and-Some_More~text"), "***");
        assert_eq!(redactor.redact("p%22w%2f%5cd%20%25%3a%c3%bc-and-Some_More~text"), "***");
        assert_eq!(redactor.redact(&percent), percent, "nobody writes letters so");
        for user in ["", "u", "us", "user"] {
            for after in ["", "x", "xy"] {
                for engine in [STANDARD, URL_SAFE] {
                    let shown = redactor.redact(&engine.encode(format!("{user}:{secret}{after}")));
                    assert!(shown.contains("***") && shown.len() < user.len() * 2 + 14, "{user}: {shown}");
                }
            }
        }
    }
}
