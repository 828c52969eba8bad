//! Passwords of people, of which only an Argon2id hash is kept.
//!
//! A hash costs 19 MiB and some hundredths of a second, so whoever has stolen the settings tries few passwords a second. The
//! parameters of a hash stand in it, so that later versions can raise them.

use crate::os::random;
use crate::secret::Secret;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params};

/// Shorter passwords are guessed.
pub const MIN_PASSWORD_CHARACTERS: usize = 10;

/// Longer ones are none: nobody types them.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// What one check of a hash may cost: KiB of memory, passes over it, and lanes. Less memory makes guessing cheap.
const MEMORY_KIB: std::ops::RangeInclusive<u32> = 7 * 1024..=256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;

/// Why a password has no hash.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It can be guessed.
    #[error("the password must have at least {MIN_PASSWORD_CHARACTERS} characters")]
    TooShort,
    /// It is no password.
    #[error("the password may have at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The kernel gives no salt.
    #[error("there are no random numbers for the hash")]
    NoSalt(#[from] std::io::Error),
    /// The library refuses, for this reason.
    #[error("the hash cannot be computed: {0}")]
    Hash(String),
}

/// Why a hash cannot be used. The texts never quote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HashError {
    /// It is no hash of Argon2id.
    #[error("is no Argon2id hash in PHC form (`$argon2id$v=19$m=...`): `ocelli user add NAME` writes one")]
    NoHash,
    /// Too cheap to guess against, or too dear for the box.
    #[error(
        "must take 7168 to 262144 KiB (`m`), at most {MOST_PASSES} passes (`t`) and {MOST_LANES} lanes (`p`): `ocelli user \
         add NAME` writes one that does"
    )]
    Cost,
}

/// Judges a new password.
///
/// # Errors
/// [`PasswordError::TooShort`] and [`PasswordError::TooLong`].
pub fn judge(password: &Secret) -> Result<(), PasswordError> {
    let text = password.reveal();
    match (text.chars().count() >= MIN_PASSWORD_CHARACTERS, text.len() <= MAX_PASSWORD_BYTES) {
        (true, true) => Ok(()),
        (false, _) => Err(PasswordError::TooShort),
        (_, false) => Err(PasswordError::TooLong),
    }
}

/// The hash of a new password, in PHC form. Takes some hundredths of a second.
///
/// # Errors
/// [`PasswordError`].
pub fn hash(password: &Secret) -> Result<Secret, PasswordError> {
    judge(password)?;
    let refused = |error: argon2::password_hash::Error| PasswordError::Hash(error.to_string());
    let salt = SaltString::encode_b64(&random::bytes::<16>()?).map_err(refused)?;
    let hash = Argon2::default().hash_password(password.reveal().as_bytes(), &salt).map_err(refused)?;
    Ok(Secret::new(hash.to_string()))
}

/// Judges a hash of the settings.
///
/// # Errors
/// [`HashError`].
pub(super) fn check_hash(hash: &Secret) -> Result<(), HashError> {
    let parsed = PasswordHash::new(hash.reveal()).map_err(|_| HashError::NoHash)?;
    let is_argon2id = parsed.algorithm == Algorithm::Argon2id.ident() && parsed.version == Some(19);
    if !is_argon2id || parsed.salt.is_none() || parsed.hash.is_none() {
        return Err(HashError::NoHash);
    }
    let params = Params::try_from(&parsed).map_err(|_| HashError::Cost)?;
    let is_fair =
        MEMORY_KIB.contains(&params.m_cost()) && params.t_cost() <= MOST_PASSES && params.p_cost() <= MOST_LANES;
    if is_fair { Ok(()) } else { Err(HashError::Cost) }
}

/// True if it is the password of the hash. Takes some hundredths of a second and the memory that the hash names: never on a
/// thread that serves others.
pub(super) fn is_right(hash: &Secret, password: &Secret) -> bool {
    let parsed = PasswordHash::new(hash.reveal());
    parsed.is_ok_and(|hash| Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_right_and_no_hash_is_like_another() {
        let password = Secret::new("correct horse battery");
        let (one, two) = (hash(&password).unwrap(), hash(&password).unwrap());
        assert_ne!(one, two);
        assert!(one.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.reveal());
        assert!(is_right(&one, &password) && is_right(&two, &password));
        for wrong in ["correct horse batter", "correct horse battery ", "", "Correct horse battery"] {
            assert!(!is_right(&one, &Secret::new(wrong)), "{wrong:?}");
        }
        assert_eq!(check_hash(&one), Ok(()));
    }

    #[test]
    fn a_short_password_is_refused_and_umlauts_count_once() {
        assert!(matches!(hash(&Secret::new("äöüäöüäöü")), Err(PasswordError::TooShort)));
        assert!(judge(&Secret::new("äöüäöüäöüß")).is_ok());
        assert!(matches!(judge(&Secret::new("x".repeat(1025))), Err(PasswordError::TooLong)));
    }

    #[test]
    fn a_hash_that_is_none_or_costs_too_little_or_too_much_is_told() {
        let good = hash(&Secret::new("correct horse battery")).unwrap();
        let with = |cost: &str| Secret::new(good.reveal().replace("m=19456,t=2,p=1", cost));
        for (hash, expected) in [
            (Secret::new(""), HashError::NoHash),
            (Secret::new("hunter2"), HashError::NoHash),
            (Secret::new("$2b$12$abcdefghijklmnopqrstuv"), HashError::NoHash),
            (Secret::new(good.reveal().replace("argon2id", "argon2i")), HashError::NoHash),
            (Secret::new(good.reveal().rsplit_once('$').unwrap().0), HashError::NoHash),
            (with("m=64,t=2,p=1"), HashError::Cost),
            (with("m=4000000,t=2,p=1"), HashError::Cost),
            (with("m=19456,t=2000,p=1"), HashError::Cost),
        ] {
            assert_eq!(check_hash(&hash), Err(expected), "{}", hash.reveal());
            assert!(hash.reveal().len() < 5 || !expected.to_string().contains(hash.reveal()));
        }
        assert_eq!(check_hash(&with("m=65536,t=3,p=4")), Ok(()));
    }
}
