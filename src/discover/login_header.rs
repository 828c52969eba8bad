//! A login of WS-Security: `UsernameToken` with a digest, so that the password does not travel.

use crate::discover::envelope::escaped;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

const TOKENS: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";

/// The header that proves the password once. `created` is RFC 3339 in UTC by the camera's clock: cameras refuse what is more
/// than some seconds old.
pub(super) fn login_header(user: &str, password: &str, nonce: &[u8], created: &str) -> String {
    let digest =
        STANDARD.encode(Sha1::new().chain_update(nonce).chain_update(created).chain_update(password).finalize());
    format!(
        "<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"{TOKENS}-wssecurity-secext-1.0.xsd\" \
         xmlns:wsu=\"{TOKENS}-wssecurity-utility-1.0.xsd\"><wsse:UsernameToken>\
         <wsse:Username>{}</wsse:Username>\
         <wsse:Password Type=\"{TOKENS}-username-token-profile-1.0#PasswordDigest\">{digest}</wsse:Password>\
         <wsse:Nonce EncodingType=\"{TOKENS}-soap-message-security-1.0#Base64Binary\">{}</wsse:Nonce>\
         <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>",
        escaped(user),
        STANDARD.encode(nonce)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_specification() {
        // The example of the ONVIF Application Programmer's Guide, 6.1.1.3.
        let nonce = STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
        let header = login_header("us<er", "userpassword", &nonce, "2010-09-16T07:50:45Z");
        assert!(header.contains(">tuOSpGlFlIXsozq4HFNeeGeFLEI=<"), "{header}");
        assert!(header.contains("<wsse:Username>us&lt;er</wsse:Username>") && !header.contains("userpassword"));
        assert!(header.contains(">LKqI6G/AikKCQrN0zqZFlg==<") && header.contains(">2010-09-16T07:50:45Z<"));
    }
}
