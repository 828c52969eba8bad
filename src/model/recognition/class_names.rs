//! Parses class names in a model's metadata: a Python or JSON list, or a map from numbers to names.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// Parses `{0: 'person', 1: 'bicycle'}`, `['person', 'bicycle']` and the same in JSON. `None` for anything else, a
/// truncated text or numbers with gaps: a wrong name is worse than none.
pub fn class_names(text: &str) -> Option<Vec<String>> {
    let mut signs = text.trim().chars().peekable();
    let names = match signs.next()? {
        '{' => numbered(&mut signs)?,
        '[' => listed(&mut signs)?,
        _ => return None,
    };
    let is_whole = signs.next().is_none() && !names.is_empty();
    is_whole.then_some(names)
}

type Signs<'a> = Peekable<Chars<'a>>;

fn numbered(signs: &mut Signs<'_>) -> Option<Vec<String>> {
    let mut names = BTreeMap::new();
    while !takes(signs, '}') {
        let number: usize = match signs.peek()? {
            '\'' | '"' => quoted(signs)?.parse().ok()?,
            _ => digits(signs).parse().ok()?,
        };
        takes(signs, ':').then_some(())?;
        names.insert(number, quoted(signs)?);
        takes(signs, ',');
    }
    let is_dense = names.keys().enumerate().all(|(at, number)| at == *number);
    is_dense.then(|| names.into_values().collect())
}

fn listed(signs: &mut Signs<'_>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    while !takes(signs, ']') {
        names.push(quoted(signs)?);
        takes(signs, ',');
    }
    Some(names)
}

/// Skips whitespace and consumes `sign` if it is next, with the whitespace after it. True if it was.
fn takes(signs: &mut Signs<'_>, sign: char) -> bool {
    while signs.next_if(|next| next.is_whitespace()).is_some() {}
    let is_next = signs.next_if_eq(&sign).is_some();
    while is_next && signs.next_if(|next| next.is_whitespace()).is_some() {}
    is_next
}

fn digits(signs: &mut Signs<'_>) -> String {
    std::iter::from_fn(|| signs.next_if(char::is_ascii_digit)).collect()
}

fn quoted(signs: &mut Signs<'_>) -> Option<String> {
    let quote = signs.next_if(|next| ['\'', '"'].contains(next))?;
    let mut text = String::new();
    loop {
        match signs.next()? {
            '\\' => text.push(signs.next()?),
            sign if sign == quote => return Some(text),
            sign => text.push(sign),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::class_names;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_python_and_json_write_them() {
        let two = Some(vec!["person".to_owned(), "driver's seat".to_owned()]);
        for text in [
            r#"{0: 'person', 1: "driver's seat"}"#,
            r#"{1: 'driver\'s seat', 0: 'person'}"#,
            r#"{"0":"person","1":"driver's seat"}"#,
            r#" [ "person" , "driver's seat" ] "#,
        ] {
            assert_eq!(class_names(text), two, "{text}");
        }
        for text in ["", "person", "{}", "{0: 'person', 2: 'car'}", "{0: 'person', 1: 'c…", "['a'] and more", "{0 'a'}"]
        {
            assert_eq!(class_names(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_run_for_ever(text in "[\\[\\]{}'\":,0-9a ä\\\\]{0,40}") {
            drop(class_names(&text));
        }
    }
}
