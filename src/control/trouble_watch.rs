//! Remembers what went wrong last, and whether it is over: a fault that came and went in the night is otherwise seen by
//! nobody.

use crate::control::reason::Reason;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is wrong while the box starts is no trouble if it is right within this time.
const STARTING: Duration = Duration::from_secs(60);

/// Something that went wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// What was said of it last, as a sentence for the operator.
    pub what: String,
    /// When it was first seen.
    pub began: Monotonic,
    /// When it was over; `None` while it lasts.
    pub ended: Option<Monotonic>,
}

/// Follows the reasons over time.
#[derive(Debug, Default)]
pub struct TroubleWatch {
    started: Option<Monotonic>,
    /// What is wrong now, by subject.
    open: BTreeMap<String, Trouble>,
    /// Of those that are over, the one that began last.
    over: Option<Trouble>,
}

impl TroubleWatch {
    /// Takes in what is wrong now, and returns the trouble that began last.
    pub fn look(&mut self, reasons: &[Reason], now: Monotonic) -> Option<Trouble> {
        let started = *self.started.get_or_insert(now);
        let is_wrong = |subject: &String| reasons.iter().any(|reason| reason.subject == *subject);
        let ended: Vec<String> = self.open.keys().filter(|subject| !is_wrong(subject)).cloned().collect();
        for trouble in ended.iter().filter_map(|subject| self.open.remove(subject)) {
            let is_later = self.over.as_ref().is_none_or(|over| over.began <= trouble.began);
            if is_later && now.since(started) > STARTING {
                self.over = Some(Trouble { ended: Some(now), ..trouble });
            }
        }
        for reason in reasons {
            let begun = || Trouble { what: String::new(), began: now, ended: None };
            self.open.entry(reason.subject.clone()).or_insert_with(begun).what.clone_from(&reason.text);
        }
        self.over.iter().chain(self.open.values()).max_by_key(|trouble| trouble.began).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::reason::Part;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn wrong(subject: &str, text: &str) -> Reason {
        Reason { part: Part::Box, subject: subject.into(), text: text.into() }
    }

    #[test]
    fn a_trouble_that_is_over_is_remembered_with_its_last_words() {
        let mut watch = TroubleWatch::default();
        assert_eq!(watch.look(&[], at(0)), None);
        watch.look(&[wrong("camera yard", "it is gone")], at(100));
        let seen = watch.look(&[wrong("camera yard", "its login is refused")], at(101)).unwrap();
        assert_eq!((&*seen.what, seen.began, seen.ended), ("its login is refused", at(100), None));
        let over = watch.look(&[], at(102)).unwrap();
        assert_eq!((&*over.what, over.began, over.ended), ("its login is refused", at(100), Some(at(102))));
        assert_eq!(watch.look(&[], at(9000)).unwrap(), over);
    }

    #[test]
    fn what_begins_last_is_the_last_trouble() {
        let mut watch = TroubleWatch::default();
        let (camera, broker) = (wrong("camera yard", "yard"), wrong("broker", "broker"));
        watch.look(std::slice::from_ref(&camera), at(100));
        watch.look(&[camera.clone(), broker.clone()], at(110));
        let last = watch.look(&[broker], at(120)).unwrap();
        assert_eq!((&*last.what, last.ended), ("broker", None), "the end of an older trouble is no news");
        assert_eq!(watch.look(&[camera], at(130)).unwrap().what, "yard", "it began again");
    }

    #[test]
    fn a_start_is_no_trouble_unless_it_lasts() {
        let mut watch = TroubleWatch::default();
        watch.look(&[wrong("camera yard", "it has not been connected yet")], at(0));
        assert_eq!(watch.look(&[], at(20)), None);
        watch.look(&[wrong("camera yard", "it is gone")], at(30));
        assert!(watch.look(&[], at(70)).unwrap().ended.is_some());
    }
}
