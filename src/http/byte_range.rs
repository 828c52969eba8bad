//! The part of a file that a request asks for (RFC 9110, section 14).

/// What is to be sent of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// All of it.
    All,
    /// A part of it: at least one byte, none beyond its end.
    Part {
        /// Where it begins.
        first: u64,
        /// How long it is.
        bytes: u64,
    },
    /// What is asked for is behind its end.
    Beyond,
}

/// Reads a `Range` for a file of so many bytes. One part only is ever sent: all of it is what a request for several gets, and
/// one that cannot be read.
pub(super) fn asked(range: Option<&str>, length: u64) -> Asked {
    let Some(part) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else { return Asked::All };
    let Some((first, last)) = part.split_once('-') else { return Asked::All };
    match (number(first), number(last)) {
        (Number::Is(first), Number::Is(last)) if last < first => Asked::All,
        (Number::Is(first), _) if first >= length => Asked::Beyond,
        (Number::Is(first), Number::Is(last)) => Asked::Part { first, bytes: last.min(length - 1) - first + 1 },
        (Number::Is(first), Number::Empty) => Asked::Part { first, bytes: length - first },
        (Number::Empty, Number::Is(last)) => match last.min(length) {
            0 => Asked::Beyond,
            bytes => Asked::Part { first: length - bytes, bytes },
        },
        _ => Asked::All,
    }
}

enum Number {
    Is(u64),
    Empty,
    Other,
}

fn number(text: &str) -> Number {
    let text = text.trim();
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        _ if text.is_empty() => Number::Empty,
        Ok(number) if is_digits => Number::Is(number),
        _ => Number::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_part_is_sent_as_it_is_asked_for() {
        let part = |first, bytes| Asked::Part { first, bytes };
        for (range, expected) in [
            ("bytes=0-", part(0, 1000)),
            ("bytes=0-0", part(0, 1)),
            ("bytes=500-2000", part(500, 500)),
            ("bytes=-1", part(999, 1)),
            ("bytes=-5000", part(0, 1000)),
            ("bytes=1000-", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=5-4", Asked::All),
            ("bytes=0-1,5-6", Asked::All),
            ("bytes=+1-2", Asked::All),
            ("bytes=-", Asked::All),
            ("lines=1-2", Asked::All),
        ] {
            assert_eq!(asked(Some(range), 1000), expected, "{range}");
        }
        assert_eq!(asked(None, 1000), Asked::All);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Beyond);
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_lies_in_the_file(range in "bytes=[0-9]{0,20}-[0-9]{0,20}", length in 0_u64..5000) {
            if let Asked::Part { first, bytes } = asked(Some(&range), length) {
                prop_assert!(bytes > 0 && first + bytes <= length);
            }
        }
    }
}
