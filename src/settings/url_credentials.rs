//! Moves user and password out of a camera's URL.

use crate::secret::{Credentials, Secret};

/// Moves `user:password@` from the URL, which is logged and published, to the credentials, which are not. `name` is the key
/// of these.
pub(super) fn take_credentials_from_url(
    url: &mut String,
    credentials: &mut Credentials,
    name: &str,
) -> Result<(), String> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(()) };
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let Some((user_info, _)) = authority.rsplit_once('@') else { return Ok(()) };
    if credentials.user.is_some() {
        return Err(format!("has a user or password, and so does `{name}`: give them in one place only"));
    }
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    credentials.user = Some(percent_decode(user)?);
    if !password.is_empty() {
        credentials.password = Some(Secret::new(percent_decode(password)?));
    }
    *url = format!("{scheme}://{}", &rest[user_info.len() + 1..]);
    Ok(())
}

fn percent_decode(text: &str) -> Result<String, String> {
    let wrong = || {
        "a `%` in user or password must be followed by two hexadecimal digits; write a literal `%` as %25".to_owned()
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(wrong);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| wrong())?);
    }
    String::from_utf8(bytes).map_err(|_| "user and password must be valid UTF-8".to_owned())
}
