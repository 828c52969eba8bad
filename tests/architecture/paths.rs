//! Finds the paths that code names: imports with their groups expanded, and paths in the middle of expressions.

/// One path, as `crate::ipc::messages::ToUnit` or `std::time::Instant`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UsedPath {
    /// Its parts. The last one is `*` for a glob.
    pub segments: Vec<String>,
    /// The name it has in this file, if it is imported.
    pub name: Option<String>,
    /// It is exported again, by `pub use`.
    pub is_public: bool,
}

impl UsedPath {
    /// As written.
    pub fn text(&self) -> String {
        self.segments.join("::")
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    /// `::`
    Separator,
    Other(char),
}

/// What a file's code names.
#[derive(Debug, Default)]
pub struct Names {
    pub paths: Vec<UsedPath>,
    /// Every word that stands outside of `pub use`.
    pub words: std::collections::BTreeSet<String>,
}

/// Reads code without comments and texts.
pub fn names(code: &str) -> Names {
    let tokens = tokens(code);
    let mut names = Names::default();
    let mut index = 0;
    while index < tokens.len() {
        let Token::Word(word) = tokens[index] else {
            index += 1;
            continue;
        };
        // `use<'a>` captures lifetimes and imports nothing.
        if word == "use" && tokens.get(index + 1) != Some(&Token::Other('<')) {
            let is_public = is_public(&tokens[..index]);
            let mut imported = Vec::new();
            index = read_tree(&tokens, index + 1, &[], &mut imported);
            for (segments, name) in imported {
                if !is_public {
                    names.words.extend(segments.iter().cloned());
                }
                names.paths.push(UsedPath { segments, name: Some(name), is_public });
            }
            continue;
        }
        // `pub(in a::b)` says who may see an item, and uses nothing.
        if word == "pub" && tokens[index + 1..].starts_with(&[Token::Other('('), Token::Word("in")]) {
            let close = tokens[index..].iter().position(|token| *token == Token::Other(')'));
            index = close.map_or(tokens.len(), |close| index + close + 1);
            continue;
        }
        names.words.insert(word.to_owned());
        if continues_a_path(&tokens[..index]) {
            index += 1;
            continue;
        }
        let mut segments = vec![word.to_owned()];
        while let (Some(Token::Separator), Some(Token::Word(next))) = (tokens.get(index + 1), tokens.get(index + 2)) {
            names.words.insert((*next).to_owned());
            segments.push((*next).to_owned());
            index += 2;
        }
        if segments.len() > 1 {
            names.paths.push(UsedPath { segments, name: None, is_public: false });
        }
        index += 1;
    }
    names
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        found.push(match first {
            c if is_word(c) => Token::Word(&rest[..end]),
            _ if end == 2 && rest.starts_with("::") => Token::Separator,
            c => Token::Other(c),
        });
        rest = rest[end..].trim_start();
    }
    found
}

/// True behind `a::`, `>::` and `.`; false behind the `::` of a path that begins with it.
fn continues_a_path(before: &[Token<'_>]) -> bool {
    match before {
        [.., Token::Word(_) | Token::Other('>'), Token::Separator] => true,
        // A range, as `0..count`, is no field.
        [.., Token::Other('.'), Token::Other('.')] => false,
        [.., Token::Other('.')] => true,
        _ => false,
    }
}

/// `pub use` or `pub(crate) use`.
fn is_public(before: &[Token<'_>]) -> bool {
    match before {
        [.., Token::Word("pub")] => true,
        [rest @ .., Token::Other(')')] => {
            let open = rest.iter().rposition(|token| *token == Token::Other('('));
            open.is_some_and(|open| matches!(rest[..open].last(), Some(Token::Word("pub"))))
        }
        _ => false,
    }
}

/// Reads the tree of a `use` from `index` on; returns where it ends.
fn read_tree(
    tokens: &[Token<'_>],
    mut index: usize,
    prefix: &[String],
    imported: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(index) {
            Some(Token::Word(word)) => path.push((*word).to_owned()),
            Some(Token::Other('*')) => path.push("*".to_owned()),
            Some(Token::Separator) => {}
            Some(Token::Other('{')) => {
                index += 1;
                while tokens.get(index).is_some_and(|token| *token != Token::Other('}')) {
                    index = read_tree(tokens, index, &path, imported);
                    index += usize::from(tokens.get(index) == Some(&Token::Other(',')));
                }
                return index + 1;
            }
            _ => break,
        }
        index += 1;
        if tokens.get(index) == Some(&Token::Word("as")) {
            break;
        }
    }
    // `use a::b::{self}` imports `a::b`.
    if path.len() > prefix.len() && path.last().is_some_and(|last| last == "self") && path.len() > 1 {
        path.pop();
    }
    let mut name = path.last().cloned().unwrap_or_default();
    if let (Some(Token::Word("as")), Some(Token::Word(alias))) = (tokens.get(index), tokens.get(index + 1)) {
        name = (*alias).to_owned();
        index += 2;
    }
    if path.len() > prefix.len() || path == prefix {
        imported.push((path, name));
    }
    index
}

#[cfg(test)]
fn texts(code: &str) -> Vec<String> {
    names(code).paths.iter().map(UsedPath::text).collect()
}

#[test]
fn groups_are_expanded_and_names_are_kept() {
    let code = "use crate::{unit, ipc::{self, messages::{ToUnit as T, FromUnit}}, os::*};";
    let expected =
        ["crate::unit", "crate::ipc", "crate::ipc::messages::ToUnit", "crate::ipc::messages::FromUnit", "crate::os::*"];
    assert_eq!(texts(code), expected);
    let found: Vec<_> = names(code).paths.iter().map(|path| path.name.clone().unwrap()).collect();
    assert_eq!(found, ["unit", "ipc", "T", "FromUnit", "*"]);
}

#[test]
fn a_path_in_an_expression_counts_and_a_method_does_not() {
    let code = "pub(in crate::a) fn f(x: &super::super::os::Fd) -> impl T + use<'_> { x.y::<A>(); ::std::fs::read(crate::a::B::C); 0..n::M }";
    assert_eq!(texts(code), ["super::super::os::Fd", "std::fs::read", "crate::a::B::C", "n::M"]);
}

#[test]
fn what_is_exported_again_is_known_as_such() {
    let is_public: Vec<bool> =
        names("pub use a::B; pub(crate) use c::D; use e::F; pub(in x) use g::H; fn f(a: u8) {} use i::J;")
            .paths
            .iter()
            .map(|path| path.is_public)
            .collect();
    assert_eq!(is_public, [true, true, false, true, false]);
    assert!(!names("pub use a::B;").words.contains("B") && names("pub use a::B; struct C(B);").words.contains("B"));
}
