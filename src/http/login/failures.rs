//! How often passwords may be guessed: by name and by address.
//!
//! The first tries are free. Then each one that fails doubles the time until the next. An address waits up to a quarter of an
//! hour. A name waits up to half a minute, as everybody could lock its owner out; the owner does not wait at an address from
//! which the name has logged in before. A try counts as failed until it has succeeded, so that a hundred at once are a hundred.
//! Names count whether they exist or not.

use crate::vision::monotonic::Monotonic;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// Tries without a wait.
const FREE_TRIES: u32 = 5;

/// The longest waits.
const LONGEST_OF_NAME: Duration = Duration::from_secs(30);
const LONGEST_OF_ADDRESS: Duration = Duration::from_secs(900);

/// After this long without a try its failures are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

/// Names, and addresses, that are remembered. When there are more, the one with the fewest failures goes, the oldest of these.
const MAX_REMEMBERED: usize = 1024;

/// Names with an address from which they have logged in. The oldest goes first.
const MAX_KNOWN: usize = 256;

/// Which table had no room, for the count of what is forgotten.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Forgotten {
    pub(super) names: u64,
    pub(super) addresses: u64,
}

/// The failed tries. `A` is an address, or the network whose addresses count together.
#[derive(Clone, Debug)]
pub(super) struct Failures<A> {
    names: Table<String>,
    addresses: Table<A>,
    known: VecDeque<(String, A)>,
}

impl<A: Clone + Eq + Hash> Failures<A> {
    pub(super) fn new() -> Self {
        let (names, addresses) = (Table::new(LONGEST_OF_NAME), Table::new(LONGEST_OF_ADDRESS));
        Self { names, addresses, known: VecDeque::new() }
    }

    /// Admits a try, and counts it as failed.
    ///
    /// # Errors
    /// How long to wait before the next one. This one does not count.
    pub(super) fn begin(&mut self, name: &str, address: &A, now: Monotonic) -> Result<(), Duration> {
        let is_known = self.known.iter().any(|(known, from)| known == name && from == address);
        let of_name = if is_known { Duration::ZERO } else { self.names.wait(name, now) };
        let wait = of_name.max(self.addresses.wait(address, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        self.names.count(name.to_owned(), now);
        self.addresses.count(address.clone(), now);
        Ok(())
    }

    /// A try that was admitted has succeeded. It does not undo other failures of its address, who may own one password and guess
    /// at others.
    pub(super) fn succeeded(&mut self, name: &str, address: &A) {
        self.names.seen.remove(name);
        self.addresses.take_back(address);
        self.known.retain(|(known, from)| !(known == name && from == address));
        if self.known.len() >= MAX_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back((name.to_owned(), address.clone()));
    }

    /// A try that was admitted was not made.
    pub(super) fn not_tried(&mut self, name: &str, address: &A) {
        self.names.take_back(name);
        self.addresses.take_back(address);
    }

    /// What was forgotten since the last call.
    pub(super) fn take_forgotten(&mut self) -> Forgotten {
        let taken = |count: &mut u64| std::mem::take(count);
        Forgotten { names: taken(&mut self.names.forgotten), addresses: taken(&mut self.addresses.forgotten) }
    }
}

/// Failures of names, or of addresses.
#[derive(Clone, Debug)]
struct Table<K> {
    longest: Duration,
    seen: HashMap<K, Failed>,
    forgotten: u64,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    tries: u32,
    last: Monotonic,
}

impl<K: Clone + Eq + Hash> Table<K> {
    fn new(longest: Duration) -> Self {
        Self { longest, seen: HashMap::new(), forgotten: 0 }
    }

    fn wait<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Monotonic) -> Duration
    where
        K: std::borrow::Borrow<Q>,
    {
        let Some(Failed { tries, last }) = self.seen.get(key).copied() else { return Duration::ZERO };
        let Some(doublings) = tries.checked_sub(FREE_TRIES) else { return Duration::ZERO };
        let wait = Duration::from_secs(1 << doublings.min(20)).min(self.longest);
        wait.saturating_sub(now.since(last))
    }

    fn count(&mut self, key: K, now: Monotonic) {
        self.seen.retain(|_, failed| now.since(failed.last) < FORGOTTEN_AFTER);
        if self.seen.len() >= MAX_REMEMBERED && !self.seen.contains_key(&key) {
            let least = self.seen.iter().min_by_key(|(_, failed)| (failed.tries, failed.last));
            if let Some(key) = least.map(|(key, _)| key.clone()) {
                self.seen.remove(&key);
                self.forgotten += 1;
            }
        }
        let failed = self.seen.entry(key).or_insert(Failed { tries: 0, last: now });
        failed.tries = failed.tries.saturating_add(1);
        failed.last = now;
    }

    fn take_back<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
    {
        if let Some(failed) = self.seen.get_mut(key) {
            failed.tries = failed.tries.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(0) + Duration::from_secs(seconds)
    }

    /// How many of the tries in this many seconds, ten a second, are admitted.
    fn admitted(failures: &mut Failures<u32>, seconds: u64, of: impl Fn(u32) -> (String, u32)) -> u32 {
        let tries = u32::try_from(seconds * 10).unwrap();
        let now = |number: u32| Monotonic::from_nanos(0) + number * Duration::from_millis(100);
        let is_admitted = |number: &u32| {
            let (name, address) = of(*number);
            failures.begin(&name, &address, now(*number)).is_ok()
        };
        (0..tries).filter(is_admitted).count().try_into().unwrap()
    }

    #[test]
    fn guesses_of_one_address_become_rare_whatever_the_names() {
        let mut failures = Failures::new();
        let tries = admitted(&mut failures, 24 * 3600, |number| (format!("name-{}", number % 5000), 1));
        assert!((90..130).contains(&tries), "{tries} in a day: four an hour");
        assert_eq!(failures.begin("anna", &2, at(24 * 3600)), Ok(()), "others do not wait");
    }

    #[test]
    fn guesses_at_one_name_from_everywhere_are_two_a_minute() {
        let mut failures = Failures::new();
        let tries = admitted(&mut failures, 3600, |number| ("anna".into(), number));
        assert!((115..140).contains(&tries), "{tries} in an hour");
    }

    #[test]
    fn the_first_five_are_free_and_then_the_wait_doubles() {
        let mut failures = Failures::new();
        for _ in 0..5 {
            assert_eq!(failures.begin("anna", &1, at(0)), Ok(()));
        }
        assert_eq!(failures.begin("anna", &1, at(0)), Err(Duration::from_secs(1)));
        assert_eq!(failures.begin("anna", &1, at(1)), Ok(()));
        assert_eq!(failures.begin("anna", &1, at(1)), Err(Duration::from_secs(2)));
        assert_eq!(failures.begin("anna", &1, at(2)), Err(Duration::from_secs(1)), "who does not wait is not punished");
        assert_eq!(failures.begin("anna", &1, at(3)), Ok(()));
        assert_eq!(failures.begin("anna", &1, at(3 + 3600)), Ok(()));
        assert_eq!(failures.begin("anna", &1, at(3 + 3600)), Ok(()), "an hour later it is forgotten");
    }

    #[test]
    fn success_frees_the_name_but_not_an_address_that_guesses_at_others() {
        let mut failures = Failures::new();
        for round in 0..20 {
            // Whoever owns the password of bert guesses at anna's in between.
            let now = at(100 + round);
            let guess = failures.begin("anna", &1, now);
            if failures.begin("bert", &1, now).is_ok() {
                failures.succeeded("bert", &1);
            }
            assert_eq!(guess.is_ok(), round < 5 || [5, 7, 11, 19].contains(&(round)), "round {round}");
        }
    }

    #[test]
    fn the_owner_of_a_name_does_not_wait_where_they_have_logged_in_before() {
        let mut failures = Failures::new();
        failures.begin("anna", &7, at(0)).unwrap();
        failures.succeeded("anna", &7);
        for address in 100..120 {
            failures.begin("anna", &address, at(1)).unwrap_or_default();
        }
        assert!(failures.begin("anna", &8, at(1)).is_err());
        assert_eq!(failures.begin("anna", &7, at(1)), Ok(()));
    }

    #[test]
    fn the_tables_are_bounded_and_forget_whoever_has_failed_least() {
        let mut failures = Failures::new();
        for _ in 0..5 {
            failures.begin("anna", &0, at(0)).unwrap();
        }
        for number in 1..=3000 {
            failures.begin(&format!("n{number}"), &number, at(1)).unwrap();
        }
        assert_eq!((failures.names.seen.len(), failures.addresses.seen.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert_eq!(failures.take_forgotten(), Forgotten { names: 3001 - 1024, addresses: 3001 - 1024 });
        assert_eq!(failures.take_forgotten(), Forgotten::default());
        for _ in 0..3 {
            failures.begin("anna", &1, at(1)).unwrap_or_default();
        }
        assert!(failures.begin("anna", &2, at(1)).is_err(), "a flood of names hides no guessing");
    }

    #[test]
    fn a_try_that_was_not_made_does_not_count() {
        let mut failures = Failures::new();
        for _ in 0..100 {
            failures.begin("anna", &1, at(0)).unwrap();
            failures.not_tried("anna", &1);
        }
    }
}
