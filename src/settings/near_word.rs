//! The word that was probably meant.

/// The most similar of the known words, if at most two letters of `word` and at most half of them differ: added, missing,
/// changed, or swapped with the next one. Large and small letters are the same.
pub(super) fn near_word<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let most = usize::min(2, word.chars().count() / 2);
    let near = known.map(|other| (strsim::osa_distance(&word, &other.to_lowercase()), other)).min()?;
    (near.0 <= most).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_near_that_differs_in_few_letters() {
        let near = |word: &str| near_word(word, ["person", "dog", "traffic light"].into_iter());
        for word in ["persn", "Person", "presno", "dgo", "trafic-light"] {
            assert!(near(word).is_some(), "{word}");
        }
        for word in ["", "a", "cat", "pony"] {
            assert_eq!(near(word), None, "{word}");
        }
    }
}
