//! Moves user and password out of a camera's URL.

use crate::camera::settings::CameraSettings;
use crate::secret::Secret;

/// Moves `user:password@` from the URL, which is logged and published, to the credentials, which are not.
pub(super) fn take_credentials_from_url(camera: &mut CameraSettings) -> Result<(), String> {
    let Some((scheme, rest)) = camera.url.split_once("://") else { return Ok(()) };
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let Some((user_info, _)) = authority.rsplit_once('@') else { return Ok(()) };
    if camera.credentials.user.is_some() {
        return Err("has a user or password, and so does `credentials`: give them in one place only".into());
    }
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    camera.credentials.user = Some(percent_decode(user)?);
    if !password.is_empty() {
        camera.credentials.password = Some(Secret::new(percent_decode(password)?));
    }
    camera.url = format!("{scheme}://{}", &rest[user_info.len() + 1..]);
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
