//! What `packaging/files` says is in the package, written out file by file.

use std::path::Path;

/// A file or link of a package.
#[derive(Debug, Eq, PartialEq)]
pub struct File {
    /// As `ls` prints it; of a link only its kind counts.
    mode: String,
    path: String,
}

impl File {
    fn new(mode: &str, path: impl Into<String>) -> Self {
        let mode = match mode {
            "755" => "-rwxr-xr-x",
            "644" => "-rw-r--r--",
            "link" => "link",
            other => panic!("packaging/files: no file of a package has the mode {other}"),
        };
        Self { mode: mode.to_owned(), path: path.into() }
    }

    /// Of a line of `dpkg-deb --contents`.
    pub fn of_contents(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (mode, path) = (if line.starts_with('l') { "link" } else { words[0] }, words[5]);
        Self { mode: mode.to_owned(), path: path.trim_start_matches('.').to_owned() }
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the list, for the prefix /usr and the default model.
pub fn listed() -> Vec<File> {
    let list = std::fs::read_to_string(root().join("packaging/files")).unwrap();
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.flat_map(|line| files_of(&line.replace("%P", "/usr").replace("%M", "coco-ssd"))).collect()
}

fn files_of(line: &str) -> Vec<File> {
    let [mode, path, source] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("packaging/files: mode, path and source, not `{line}`");
    };
    if !path.ends_with('/') {
        return vec![File::new(mode, path)];
    }
    let names = match source {
        "%G/man/" => man_pages(),
        directory => {
            let entries = std::fs::read_dir(root().join(directory)).unwrap().map(Result::unwrap);
            let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
            files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
    };
    names.into_iter().map(|name| File::new(mode, format!("{path}{name}"))).collect()
}

/// The pages that the program writes.
fn man_pages() -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ocelli"));
    assert!(command.arg("man-pages").arg(directory.path()).status().unwrap().success());
    let entries = std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap);
    entries.map(|entry| format!("{}.gz", entry.file_name().to_string_lossy())).collect()
}
