//! The documents against the program: each command in README.md, docs/ and the files for developers must be one that this
//! version takes, each block of settings one that it reads, and what is not checked says so in the text.
//!
//! A mark in a document, `<!-- not run by the tests: systemctl, ssh: they need a booted box -->`, names programs whose commands
//! there are read by people alone.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "documents/document.rs"]
mod document;
#[path = "documents/live.rs"]
mod live;
#[path = "documents/shell_line.rs"]
mod shell_line;
mod support;

use clap::error::ErrorKind;
use document::{Document, documents};
use ocelli::settings::Settings;
use shell_line::commands;
use std::collections::{BTreeSet, HashMap};

/// Programs whose name at the beginning of `code` in a sentence makes it a command.
const PROGRAMS: [&str; 20] = [
    "ocelli",
    "make",
    "sudo",
    "systemctl",
    "journalctl",
    "ssh",
    "curl",
    "openssl",
    "mosquitto_pub",
    "mosquitto_sub",
    "mosquitto_rr",
    "apt",
    "apt-get",
    "dpkg",
    "aws",
    "promtool",
    "python3",
    "cargo",
    "npm",
    "docker",
];

/// What the shell itself does in a line of commands.
const OF_THE_SHELL: [&str; 2] = ["export", "cd"];

#[test]
fn every_command_in_a_block_is_taken_by_this_version_or_marked_as_not_run() {
    let (mut wrong, mut parsed) = (Vec::new(), 0);
    for document in documents() {
        for (line, command) in document.blocks().iter().flat_map(document::Block::command_lines) {
            for words in commands(&command) {
                parsed += 1;
                if let Err(reason) = judge(&document, &words, false) {
                    wrong.push(format!("{}:{line}: `{command}`: {reason}", document.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(parsed > 25, "only {parsed} commands were found: has the form of the documents changed?");
}

#[test]
fn every_command_in_a_sentence_is_one_that_there_is() {
    let (mut wrong, mut parsed) = (Vec::new(), 0);
    for document in documents() {
        for (line, code) in document.code_in_sentences() {
            // Variables may stand before a command.
            let first = code.split_whitespace().find(|word| !word.contains('=')).unwrap_or_default();
            if !PROGRAMS.contains(&first) || code == first {
                continue;
            }
            for words in commands(&code) {
                parsed += 1;
                if let Err(reason) = judge(&document, &words, true) {
                    wrong.push(format!("{}:{line}: `{code}`: {reason}", document.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(parsed > 60, "only {parsed} commands were found: has the form of the documents changed?");
}

#[test]
fn every_block_is_of_a_kind_that_a_test_looks_at() {
    for document in documents() {
        for block in document.blocks() {
            let (name, line) = (&document.name, block.line);
            let commands = block.command_lines();
            match block.language.as_str() {
                "sh" => assert!(!commands.is_empty(), "{name}:{line}: a block of commands without one"),
                "" => assert!(!commands.is_empty(), "{name}:{line}: say what this block is: sh, toml, json, text, ..."),
                "toml" => reads_as_settings(name, line, &block.text()),
                "json" => drop(serde_json::from_str::<serde_json::Value>(&block.text()).expect(name)),
                "text" => {
                    let hidden = block.lines.iter().find(|line| line.starts_with("$ ") || line.starts_with("ocelli "));
                    assert!(hidden.is_none(), "{name}:{line}: a command in a block of text: {hidden:?}");
                }
                "python" => assert!(
                    live::PYTHON.contains(&name.as_str()),
                    "{name}:{line}: tests/documents/live.rs runs no Python of it"
                ),
                other => panic!("{name}:{line}: no test knows what to do with a block of `{other}`"),
            }
        }
    }
}

/// A block is read together with nothing else, as a file of its own, in a world that has the files and directories it names.
fn reads_as_settings(name: &str, line: usize, text: &str) {
    let world = tempfile::tempdir().unwrap();
    let there = |path: &str| world.path().join(path.trim_start_matches('/'));
    for path in text.split('"').filter(|path| path.starts_with("/etc/") || path.starts_with("/srv/")) {
        std::fs::create_dir_all(there(path).parent().unwrap()).unwrap();
        match text.contains(&format!("directory = \"{path}\"")) {
            true => std::fs::create_dir_all(there(path)).unwrap(),
            false => std::fs::write(there(path), "thirty-two bytes, which is enough\n").unwrap(),
        }
    }
    let moved = |text: &str, place: &str| text.replace(&format!("\"{place}"), &format!("\"{}", there(place).display()));
    let file = world.path().join("block.toml");
    std::fs::write(&file, moved(&moved(text, "/etc/"), "/srv/")).unwrap();
    let read = Settings::load_with(&[file], HashMap::new());
    assert!(read.is_ok(), "{name}:{line}: {}\n{text}", read.unwrap_err());
}

/// Whether a command is one of this version. In a sentence a command may be named without what it needs further.
fn judge(document: &Document, words: &[String], is_in_sentence: bool) -> Result<(), String> {
    let is_before_it = |word: &&String| *word == "sudo" || word.contains('=');
    let words = &words[words.iter().take_while(is_before_it).count()..];
    let program = words.first().map(String::as_str).unwrap_or_default();
    match program {
        "ocelli" => parses(words, is_in_sentence),
        "make" => targets_are_there(&words[1..]),
        "cargo" => cargo_has(&words[1..]),
        // What these scripts do, tests of their own try.
        "python3" if words.get(1).is_some_and(|file| support::root().join(file).is_file()) => Ok(()),
        other if OF_THE_SHELL.contains(&other) => Ok(()),
        other if document.not_run().contains(other) => Ok(()),
        other if live::runs(&document.name, other) => Ok(()),
        other => Err(format!("nothing runs `{other}`: run it in tests/documents/live.rs, or mark it as not run")),
    }
}

fn parses(words: &[String], is_in_sentence: bool) -> Result<(), String> {
    let Err(error) = ocelli::cli::definition().try_get_matches_from(words) else { return Ok(()) };
    let incomplete = [
        ErrorKind::MissingRequiredArgument,
        ErrorKind::MissingSubcommand,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ];
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(()),
        kind if is_in_sentence && incomplete.contains(&kind) => Ok(()),
        _ => Err(error.to_string()),
    }
}

fn targets_are_there(words: &[String]) -> Result<(), String> {
    let makefile = std::fs::read_to_string(support::root().join("Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    let wanted = words.iter().filter(|word| !word.contains('='));
    let missing: Vec<_> = wanted.filter(|word| !targets.contains(word.as_str())).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("the Makefile has no {missing:?}")) }
}

fn cargo_has(words: &[String]) -> Result<(), String> {
    let place = |folder: &str, name: &str| support::root().join(format!("{folder}/{name}.rs"));
    let target = words.iter().zip(words.iter().skip(1)).find(|(option, _)| *option == "--test");
    match target {
        Some((_, name)) if !place("tests", name).is_file() => Err(format!("there is no tests/{name}.rs")),
        _ if ["build", "doc", "test", "bench"].contains(&words[0].as_str()) => Ok(()),
        _ => Err("no test knows this command of cargo".to_owned()),
    }
}

#[test]
fn every_target_of_the_makefile_is_phony_and_says_what_it_does() {
    let makefile = std::fs::read_to_string(support::root().join("Makefile")).unwrap();
    let phony = makefile.lines().find_map(|line| line.strip_prefix(".PHONY:")).unwrap();
    for line in
        makefile.lines().filter(|line| line.contains(':') && line.starts_with(|first: char| first.is_ascii_lowercase()))
    {
        let target = line.split(':').next().unwrap();
        assert!(phony.split_whitespace().any(|name| name == target), "{target} is not .PHONY");
        assert!(line.contains(" ## "), "{target} does not say what it does");
    }
}

#[test]
fn marks_name_only_programs_that_the_document_has() {
    for document in documents() {
        for program in document.not_run() {
            let is_named = document.commands().iter().any(|words| words.contains(&program));
            assert!(is_named, "{}: the mark names `{program}`, which no command of it is", document.name);
        }
    }
}
