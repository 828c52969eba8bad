//! Reads the sources of `src/` as the checks need them: without comments, texts and tests.

use std::path::{Path, PathBuf};

/// One file of `src/`.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path below `src/`.
    pub path: String,
    /// Its module, as `["ipc", "messages"]`.
    pub module: Vec<String>,
    /// Its code. Comments, the contents of literals and everything that is compiled for tests only are blanks.
    pub code: String,
    /// The whole text.
    pub text: String,
    /// It is compiled for tests only: a `#[cfg(test)] mod ...;` declares it or a module above it.
    pub is_test: bool,
}

impl SourceFile {
    /// The first level below `src/`: `ipc`, or `control` for `src/control.rs`.
    pub fn folder(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of `src/`.
pub fn files() -> Vec<SourceFile> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    assert!(paths.len() > 60, "the sources are not where this test looks");
    let texts = paths.iter().map(|path| {
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        (relative, std::fs::read_to_string(path).unwrap())
    });
    prepare(texts.collect())
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

/// Path and text of each file, prepared.
pub fn prepare(texts: Vec<(String, String)>) -> Vec<SourceFile> {
    let mut test_modules: Vec<Vec<String>> = Vec::new();
    let mut files = Vec::new();
    for (path, text) in texts {
        let module = module_of(&path);
        let (code, declared) = without_tests(&without_comments(&text));
        test_modules.extend(declared.into_iter().map(|name| [module.clone(), vec![name]].concat()));
        files.push(SourceFile { path, module, code, text, is_test: false });
    }
    for file in &mut files {
        file.is_test = test_modules.iter().any(|tests| file.module.starts_with(tests));
    }
    files
}

fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    if stem == "lib" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// The text with blanks in place of comments and of what stands in literals; lines keep their numbers.
pub fn without_comments(text: &str) -> String {
    let text: Vec<char> = text.chars().collect();
    let at = |index: usize| text.get(index).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    while index < text.len() {
        let end = match (at(index), at(index + 1)) {
            ('/', '/') => line_end(&text, index),
            ('/', '*') => block_comment_end(&text, index),
            ('"', _) => string_end(&text, index),
            ('r', '"' | '#') if index == 0 || !is_word(at(index - 1)) || at(index - 1) == 'b' => {
                raw_string_end(&text, index)
            }
            // A lifetime has no closing quote.
            ('\'', '\\') => 1 + (index + 3..text.len()).find(|end| text[*end] == '\'').unwrap_or(index),
            ('\'', _) if at(index + 2) == '\'' => index + 3,
            _ => index,
        };
        if end > index {
            out.extend(text[index..end.min(text.len())].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            index = end;
        } else {
            out.push(text[index]);
            index += 1;
        }
    }
    out
}

fn line_end(text: &[char], start: usize) -> usize {
    (start..text.len()).find(|index| text[*index] == '\n').unwrap_or(text.len())
}

fn block_comment_end(text: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut index = start;
    while index + 1 < text.len() {
        match (text[index], text[index + 1]) {
            ('/', '*') => (depth, index) = (depth + 1, index + 2),
            ('*', '/') => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            return index;
        }
    }
    text.len()
}

fn string_end(text: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < text.len() && text[index] != '"' {
        index += if text[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

/// The end of `r"..."` or `r#"..."#`; `start` itself for what is no raw string, as `r#type`.
fn raw_string_end(text: &[char], start: usize) -> usize {
    let hashes = text[start + 1..].iter().take_while(|c| **c == '#').count();
    if text.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let is_end = |index: &usize| {
        text[*index] == '"' && text[index + 1..].iter().take_while(|c| **c == '#').take(hashes).count() == hashes
    };
    (start + 2 + hashes..text.len()).find(is_end).map_or(text.len(), |end| end + 1 + hashes)
}

const TEST_ATTRIBUTES: [&str; 2] = ["#[cfg(test)]", "#[cfg(all(test,"];

/// Code (already without comments) without what is compiled for tests only, and the names of the test modules that
/// lie in files of their own. What follows a test item stays.
pub fn without_tests(code: &str) -> (String, Vec<String>) {
    let (mut rest, mut kept, mut modules) = (code, String::new(), Vec::new());
    while let Some(start) = TEST_ATTRIBUTES.iter().filter_map(|attribute| rest.find(attribute)).min() {
        let end = start + item_end(&rest[start..]);
        let item = &rest[start..end];
        if let Some((_, name)) = item.trim_end().trim_end_matches(';').rsplit_once("mod ")
            && item.trim_end().ends_with(';')
        {
            modules.push(name.trim().to_owned());
        }
        kept.push_str(&rest[..start]);
        kept.extend(item.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    kept.push_str(rest);
    (kept, modules)
}

/// Where an item with its attributes ends: behind its `;`, its block, or its `,` for a field or an arm.
fn item_end(item: &str) -> usize {
    let body = skip_attributes(item);
    let mut words = item[body..].split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let is_visibility = |word: &&str| ["pub", "crate", "super", "in", "self"].contains(word);
    let first = words.find(|word| !is_visibility(word)).unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let ends_with_semicolon = match first {
        "use" | "type" | "static" | "let" => true,
        "const" => !["fn", "unsafe", "async", "extern"].contains(&second),
        _ => false,
    };
    let items = ["fn", "impl", "mod", "struct", "enum", "union", "trait", "unsafe", "async", "const", "extern"];
    let ends_with_block = !ends_with_semicolon && items.contains(&first);
    let mut depth = 0_i32;
    for (index, c) in item.char_indices().skip_while(|(index, _)| *index < body) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        let is_end = match c {
            ';' => depth == 0,
            '}' => depth == 0 && ends_with_block,
            ',' => depth == 0 && !ends_with_block && !ends_with_semicolon,
            _ => false,
        };
        if is_end {
            return index + c.len_utf8();
        }
        if depth < 0 {
            return index;
        }
    }
    item.len()
}

fn skip_attributes(item: &str) -> usize {
    let mut start = 0;
    loop {
        start += item[start..].len() - item[start..].trim_start().len();
        if !item[start..].starts_with("#[") {
            return start;
        }
        let mut depth = 0_i32;
        let end = item[start..].find(|c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            c == ']' && depth == 0
        });
        start += end.map_or(item[start..].len(), |end| end + 1);
    }
}

#[test]
fn comments_and_texts_are_blanks_and_lines_keep_their_numbers() {
    let text = "a // crate::x\n/* crate::y /* z */\n */ b('\\'', '\"', r#\"crate::\"q\"#, \"crate::\\\"\") 'life c";
    let code = without_comments(text);
    assert_eq!(code.lines().count(), text.lines().count());
    assert_eq!(code.split_whitespace().collect::<String>(), "ab(,,,)'lifec");
}

#[test]
fn a_test_item_in_the_middle_of_a_file_does_not_end_the_check() {
    let code = "use a::b;\n#[cfg(test)]\nuse c::{d, e};\n#[cfg(test)]\nfn f() -> [u8; 2] { if x { y } }\nuse g::h;\n\
                struct S {\n #[cfg(test)]\n field: Vec<u8>,\n other: u8 }\n#[cfg(test)]\n#[allow(x)]\npub(crate) mod tests;\n\
                #[cfg(test)]\nconst C: [u8; 2] = [1; 2];\n#[cfg(test)]\nmod inner { use i::j; }\nuse k::l;";
    let (kept, modules) = without_tests(code);
    let expected = "use a::b; use g::h; struct S { other: u8 } use k::l;";
    assert_eq!(kept.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    assert_eq!(kept.lines().count(), code.lines().count());
    assert_eq!(modules, ["tests"]);
}

#[test]
fn a_module_below_a_test_module_is_a_test_as_well() {
    let texts = [
        ("os/mod.rs", "pub mod clock;\n#[cfg(test)]\npub(crate) mod tests;\npub fn f() {}"),
        ("os/clock.rs", ""),
        ("os/tests/mod.rs", "pub mod disk;"),
        ("os/tests/disk.rs", ""),
    ];
    let files = prepare(texts.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
    let tests: Vec<&str> = files.iter().filter(|file| file.is_test).map(|file| file.path.as_str()).collect();
    assert_eq!(tests, ["os/tests/mod.rs", "os/tests/disk.rs"]);
    assert!(files[0].code.contains("pub fn f()"));
}
