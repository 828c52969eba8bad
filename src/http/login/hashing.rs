//! Turns at the hashes of passwords: few at once, as each takes a core and 19 MiB or more.

use crate::http::login::password;
use crate::secret::Secret;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Passwords that are checked at once.
const AT_ONCE: usize = 2;

/// Passwords that are checked or wait for it. Further ones are refused.
const MAX_WAITING: usize = 16;

/// All checks have begun and the queue is full.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Busy;

/// The turns of all listeners.
#[derive(Clone, Debug)]
pub(super) struct Hashing {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_WAITING)), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Hashing {
    /// Says whether it is the password of the hash, once there is a turn. Whoever does not wait for the answer keeps the turn
    /// until it is there.
    ///
    /// # Errors
    /// [`Busy`].
    pub(super) async fn is_right(&self, hash: Secret, password: Secret) -> Result<bool, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Busy)?;
        let check = move || {
            let _held = (place, turn);
            password::is_right(&hash, &password)
        };
        Ok(tokio::task::spawn_blocking(check).await.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn more_checks_than_there_are_places_are_refused_and_the_others_answered() {
        let (hashing, right) = (Hashing::default(), Secret::new("correct horse battery"));
        let hash = password::hash(&right).unwrap();
        let checks: Vec<_> = (0..MAX_WAITING + 8)
            .map(|_| {
                let (hashing, hash, right) = (hashing.clone(), hash.clone(), right.clone());
                tokio::spawn(async move { hashing.is_right(hash, right).await })
            })
            .collect();
        let mut results = Vec::new();
        for check in checks {
            results.push(check.await.unwrap());
        }
        assert_eq!(results.iter().filter(|result| **result == Ok(true)).count(), MAX_WAITING);
        assert_eq!(results.iter().filter(|result| **result == Err(Busy)).count(), 8);
        assert_eq!(hashing.is_right(hash, Secret::new("wrong")).await, Ok(false), "the places are free again");
    }
}
