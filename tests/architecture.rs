//! The architecture as data: who may use whom, which library belongs where, how large a file gets.
//! Each failure prints the sentence to read.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use imports::Imports;
use rules::{ACTS, BELONGS_TO, DECIDES, EMPTY_WORDS, MAX_LINES, MAY_USE, VALUES_OF_OS};
use source::{files, root};
use std::collections::BTreeMap;

#[test]
fn dependencies_point_one_way() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    for file in files() {
        let (path, folder) = (&file.path, file.folder());
        let is_listed = rules.contains_key(folder);
        assert!(is_listed, "src/{path}: say in tests/architecture.rs what the new folder `{folder}` may use");
    }
    for (file, used) in Imports::new(files()).absolute_paths() {
        let (path, folder) = (&file.path, file.folder());
        let (allowed, used) = (rules[folder], used[0].as_str());
        let is_allowed = used == folder || allowed.contains(&"*") || allowed.contains(&used);
        assert!(is_allowed, "src/{path} uses `{used}`: `{folder}` may use {allowed:?} only, see src/lib.rs");
    }
}

#[test]
fn no_two_files_import_each_other() {
    let circles = Imports::new(files()).circles();
    for circle in &circles {
        println!("{} files import each other, directly or over others:", circle.files.len());
        circle.imports.iter().for_each(|import| println!("    {import}"));
    }
    assert!(circles.is_empty(), "{} circles: move what both sides need to a file of its own", circles.len());
}

#[test]
fn deciding_code_neither_waits_nor_asks_the_operating_system() {
    for (file, path) in Imports::new(files()).written_paths() {
        let decides = DECIDES.iter().find(|(folder, _)| *folder == file.folder());
        let Some((folder, _)) = decides.filter(|(_, shells)| !shells.contains(&file.path.as_str())) else { continue };
        let names = |acts: &str| path.starts_with(&format!("{acts}::")) || path.split("::").any(|part| part == acts);
        let acts = ACTS.iter().find(|acts| path == **acts || names(acts));
        let file = &file.path;
        assert!(acts.is_none(), "src/{file} names `{path}`: `{folder}` decides, and is given what it needs");
        let of_os = path.strip_prefix("crate::os::");
        let is_value = of_os.is_none_or(|item| VALUES_OF_OS.iter().any(|value| item.starts_with(value)));
        assert!(is_value, "src/{file} names `{path}`: of `os`, deciding code may use {VALUES_OF_OS:?} only");
    }
}

#[test]
fn documentation_says_something() {
    let mut empty = Vec::new();
    for file in files() {
        for (line, text) in (1..).zip(file.text.lines()) {
            let Some(sentence) = text.trim().strip_prefix("/// ").and_then(|text| text.strip_suffix('.')) else {
                continue;
            };
            let words: Vec<&str> = sentence.split(' ').collect();
            if words.len() <= 2 && EMPTY_WORDS.contains(&words[0]) {
                empty.push(format!("src/{}:{line}: /// {sentence}.", file.path));
            }
        }
    }
    assert!(empty.is_empty(), "say what the reader cannot see, or nothing: {empty:#?}");
}

#[test]
fn only_the_command_line_names_both_sides_of_the_process_boundary() {
    for (folder, allowed) in MAY_USE {
        let names_a_child = allowed.iter().any(|used| ["unit", "capture"].contains(used));
        assert!(!names_a_child, "`{folder}` may not use the children: they are other processes");
    }
}

#[test]
fn one_library_belongs_to_one_folder() {
    for (file, path) in Imports::new(files()).written_paths() {
        let root = path.split("::").next().unwrap_or_default();
        let Some((library, homes)) = BELONGS_TO.iter().find(|(library, _)| *library == root) else { continue };
        let is_home = homes.contains(&file.folder());
        assert!(is_home, "src/{} uses {library}, which belongs to {homes:?} only", file.path);
    }
}

#[test]
fn unsafe_code_is_in_os_only() {
    for file in files() {
        let has_unsafe = ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|code| file.code.contains(code));
        let (path, is_os) = (&file.path, file.folder() == "os");
        assert!(!has_unsafe || is_os, "src/{path}: `unsafe` belongs behind a safe type in src/os");
    }
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    for file in files() {
        let (path, lines) = (&file.path, file.text.lines().count());
        assert!(lines <= MAX_LINES, "src/{path} has {lines} lines: find the place to cut it");
        assert!(file.text.starts_with("//!"), "src/{path} does not begin with what it is for");
        let skipped = ["#[igno", "re"].concat();
        assert!(!file.text.contains(&skipped), "src/{path}: a test that is skipped shows nothing");
    }
}

#[test]
fn every_dependency_says_which_folder_uses_it() {
    let manifest = std::fs::read_to_string(root().parent().unwrap().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("[profile").next().unwrap();
    let mut commented = false;
    for line in dependencies.lines().filter(|line| !line.starts_with('[')) {
        match line.trim() {
            "" => {}
            text if text.starts_with('#') => commented = true,
            text => assert!(commented, "Cargo.toml: `{text}` does not say which folder uses it"),
        }
    }
}
