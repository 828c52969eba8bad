//! A document: its blocks, the code in its sentences, and its marks.

use crate::shell_line::commands;
use std::collections::BTreeSet;

/// A document, by its path from the root.
pub struct Document {
    pub name: String,
    text: String,
}

/// What stands between two lines of three backticks.
pub struct Block {
    pub language: String,
    /// The line of the document where it begins, from 1.
    pub line: usize,
    pub lines: Vec<String>,
}

/// Every document whose commands people type. CHANGELOG.md also has those of earlier versions.
pub fn documents() -> Vec<Document> {
    let root = crate::support::root();
    let mut names: Vec<String> = ["README.md", "CONTRIBUTING.md", "BENCHMARKS.md"].map(str::to_owned).into();
    for directory in ["docs", "contrib"] {
        let entries = std::fs::read_dir(root.join(directory)).unwrap().map(|entry| entry.unwrap().file_name());
        let mut files: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        files.retain(|name| name.ends_with(".md"));
        files.sort();
        names.extend(files.iter().map(|name| format!("{directory}/{name}")));
    }
    assert!(names.len() > 12, "{names:?}");
    let read = |name: String| Document { text: std::fs::read_to_string(root.join(&name)).unwrap(), name };
    names.into_iter().map(read).collect()
}

impl Document {
    pub fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut open) = (Vec::new(), None);
        for (number, line) in (1..).zip(self.text.lines()) {
            let fence = line.trim_start().strip_prefix("```");
            match (open.take(), fence) {
                (None, Some(language)) => {
                    open = Some(Block { language: language.trim().to_owned(), line: number, lines: Vec::new() });
                }
                (Some(block), Some(_)) => blocks.push(block),
                (Some(mut block), None) => {
                    block.lines.push(line.to_owned());
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: the last block does not end", self.name);
        blocks
    }

    /// What stands between backticks outside of blocks, with its line. One may go over the end of a line.
    pub fn code_in_sentences(&self) -> Vec<(usize, String)> {
        let (mut is_block, mut sentences) = (false, String::new());
        for line in self.text.lines() {
            let is_fence = line.trim_start().starts_with("```");
            is_block ^= is_fence;
            // Blocks become empty lines, so that lines keep their numbers.
            let is_sentence = !is_block && !is_fence;
            sentences.push_str(if is_sentence { line } else { "" });
            sentences.push('\n');
        }
        let parts: Vec<&str> = sentences.split('`').collect();
        let mut line = 1;
        let mut found = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index % 2 == 1 {
                found.push((line, part.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
            line += part.matches('\n').count();
        }
        found
    }

    /// Programs that a mark says are not run.
    pub fn not_run(&self) -> BTreeSet<String> {
        let marks = self.text.split("<!-- not run by the tests: ").skip(1);
        let names = marks.flat_map(|mark| mark.split([':', '>']).next().unwrap().split(','));
        names.map(|name| name.trim().to_owned()).collect()
    }

    /// Each command, in blocks and sentences.
    pub fn commands(&self) -> Vec<Vec<String>> {
        let blocks = self.blocks();
        let in_blocks = blocks.iter().flat_map(Block::command_lines).map(|(_, line)| line);
        let in_sentences = self.code_in_sentences().into_iter().map(|(_, code)| code);
        in_blocks.chain(in_sentences).flat_map(|line| commands(&line)).collect()
    }
}

impl Block {
    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// Whole lines of commands, with their number in the document: all of a block of shell, those after `$ ` of a session.
    pub fn command_lines(&self) -> Vec<(usize, String)> {
        let mut found: Vec<(usize, String)> = Vec::new();
        let mut begun: Option<(usize, String)> = None;
        for (number, line) in (self.line + 1..).zip(&self.lines) {
            let line = match (self.language.as_str(), &begun) {
                ("sh", _) | ("", Some(_)) => line.as_str(),
                ("", None) => line.strip_prefix("$ ").unwrap_or_default(),
                _ => "",
            };
            let (first, before) = begun.take().unwrap_or((number, String::new()));
            let whole = format!("{before}{}", line.trim());
            match whole.strip_suffix('\\') {
                Some(unfinished) => begun = Some((first, unfinished.to_owned())),
                None => found.push((first, whole)),
            }
        }
        found.retain(|(_, line)| !commands(line).is_empty());
        found
    }
}
