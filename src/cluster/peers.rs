//! Which box a call is handed to.

use crate::cluster::records::BoxRecord;
use crate::cluster::view::View;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The other boxes of the cluster that take calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peers(Arc<BTreeMap<String, BoxRecord>>);

/// A box that is to have a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The box, by its id.
    pub box_id: String,
    /// Where it takes calls, as `host:port`.
    pub address: String,
}

impl Peers {
    /// Those that a view shows, but `own`. A box that drains takes none.
    pub(super) fn of(view: &View, own: &str) -> Self {
        let takes_calls = |record: &BoxRecord| !record.call_address.is_empty() && !record.is_draining;
        let others = view.boxes.iter().filter(|(id, kept)| *id != own && takes_calls(&kept.value));
        Self(Arc::new(others.map(|(id, kept)| (id.clone(), kept.value.clone())).collect()))
    }

    /// True if a box of this id takes calls.
    pub fn contains(&self, box_id: &str) -> bool {
        self.0.contains_key(box_id)
    }

    /// Of two boxes at random that run this package of the model, the one with more room, as far as is known: what they tell is
    /// seconds old, and if all chose the one with the most room, that one would have none. Full ones are asked only if all are: what
    /// they tell may be over. `calls`: how many calls of this box
    /// each has now, which take a second's worth of its room each; `None` for a box that is not to be asked. `dice`: two random
    /// numbers.
    pub fn choose(
        &self,
        (model, digest): (&str, &str),
        calls: impl Fn(&str) -> Option<u16>,
        dice: [u64; 2],
    ) -> Option<Choice> {
        let room = |id: &str, record: &BoxRecord| {
            let has_package = record.packages.get(model).is_some_and(|package| package == digest);
            let room = record.call_room.get(model).filter(|_| has_package)?;
            Some(room.free_tps - f32::from(calls(id)?))
        };
        let (free, full): (Vec<_>, Vec<_>) = self
            .0
            .iter()
            .filter_map(|(id, record)| Some((id, record, room(id, record)?)))
            .partition(|(_, _, room)| *room > 0.0);
        let able = if free.is_empty() { full } else { free };
        let of = |dice: u64, count: usize| {
            let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
            usize::try_from(dice % count).ok()
        };
        let first = of(dice[0], able.len())?;
        // Another one, if there is another.
        let second = of(dice[1], able.len() - 1).map_or(first, |second| (first + 1 + second) % able.len());
        let best = if able[second].2 > able[first].2 { second } else { first };
        let (box_id, record, _) = able[best];
        Some(Choice { box_id: box_id.clone(), address: record.call_address.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::headroom::CallRoom;
    use crate::cluster::view::Kept;

    fn peers(boxes: &[(&str, f32)]) -> Peers {
        let record = |(id, free_tps): &(&str, f32)| {
            let value = BoxRecord {
                call_address: format!("{id}:8445"),
                packages: BTreeMap::from([("coco-ssd".into(), "d1".into())]),
                call_room: BTreeMap::from([("coco-ssd".into(), CallRoom { whole_tps: 10.0, free_tps: *free_tps })]),
                ..BoxRecord::default()
            };
            ((*id).to_owned(), Kept { value, revision: 1 })
        };
        let mut view = View { boxes: boxes.iter().map(record).collect(), ..View::default() };
        if let Some(kept) = view.boxes.get_mut("drains") {
            kept.value.is_draining = true;
        }
        if let Some(kept) = view.boxes.get_mut("deaf") {
            kept.value.call_address.clear();
        }
        Peers::of(&view, "own")
    }

    fn chosen(peers: &Peers, what: (&str, &str), dice: [u64; 2]) -> Option<String> {
        peers.choose(what, |id| (id != "rests").then_some(0), dice).map(|choice| choice.box_id)
    }

    #[test]
    fn of_any_two_boxes_the_one_with_more_room_is_chosen() {
        let peers =
            peers(&[("a", 1.0), ("b", 5.0), ("c", 3.0), ("own", 9.0), ("drains", 9.0), ("deaf", 9.0), ("rests", 9.0)]);
        let mut counts = BTreeMap::<String, u32>::new();
        for first in 0..3 {
            for second in 0..2 {
                *counts.entry(chosen(&peers, ("coco-ssd", "d1"), [first, second]).unwrap()).or_default() += 1;
            }
        }
        assert_eq!(counts, BTreeMap::from([("b".into(), 4), ("c".into(), 2)]));
        let with_calls = |at_b: u16| {
            let calls = |id: &str| (id != "rests").then_some(if id == "b" { at_b } else { 0 });
            peers.choose(("coco-ssd", "d1"), calls, [1, 0]).unwrap().address
        };
        assert_eq!((with_calls(1).as_str(), with_calls(3).as_str()), ("b:8445", "c:8445"));
    }

    #[test]
    fn a_full_box_is_asked_only_if_all_are_full() {
        let some = peers(&[("a", 0.0), ("b", 0.5), ("c", -1.0), ("d", 0.0)]);
        for dice in [[0, 0], [0, 1], [1, 1], [2, 0], [2, 1], [3, 1]] {
            assert_eq!(chosen(&some, ("coco-ssd", "d1"), dice).as_deref(), Some("b"));
        }
        let none = peers(&[("a", 0.0), ("c", -1.0)]);
        assert_eq!(chosen(&none, ("coco-ssd", "d1"), [1, 0]).as_deref(), Some("a"));
    }

    #[test]
    fn a_box_without_the_model_or_with_another_package_of_it_is_not_asked() {
        let peers = peers(&[("a", 0.0)]);
        assert_eq!(chosen(&peers, ("coco-ssd", "d1"), [7, 7]).as_deref(), Some("a"), "the only one, however full");
        assert_eq!(chosen(&peers, ("coco-ssd", "d2"), [0, 0]), None);
        assert_eq!(chosen(&peers, ("other", "d1"), [0, 0]), None);
        assert_eq!(chosen(&Peers::default(), ("coco-ssd", "d1"), [0, 0]), None);
    }
}
