//! Packages that this test has built, and what `dpkg-deb` says of them.

use super::listed::{File, root};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// A package, with that of its symbols beside it.
pub struct Package(PathBuf);

/// The package that most tests look at, built once.
pub fn package() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| build("1.0.0", "first"))
}

/// Builds the package of the debug binary, hardly compressed, in a directory of this name.
pub fn build(version: &str, directory: &str) -> Package {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian-package").join(directory);
    drop(std::fs::remove_dir_all(&directory));
    let mut command = Command::new(root().join("packaging/deb.sh"));
    command.env("BINARY", env!("CARGO_BIN_EXE_ocelli")).env("OUT", &directory);
    command.env("VERSION", version).env("COMPRESSION", "none");
    let said = run(&mut command);
    let paths = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let is_package = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("ocelli_");
    Package(paths.into_iter().find(is_package).unwrap_or_else(|| panic!("no package: {said}")))
}

impl Package {
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What `dpkg-deb --contents` prints: mode, owner, size, time and path of each entry.
    pub fn contents(&self) -> String {
        run(Command::new("dpkg-deb").arg("--contents").arg(&self.0))
    }

    /// A field of the control file.
    pub fn field(&self, name: &str) -> String {
        run(Command::new("dpkg-deb").arg("--field").arg(&self.0).arg(name)).trim().to_owned()
    }

    /// Files and links, without directories.
    pub fn files(&self) -> Vec<File> {
        let contents = self.contents();
        let lines = contents.lines().filter(|line| !line.starts_with('d'));
        lines.map(File::of_contents).collect()
    }

    /// The names of the maintainer scripts, in order.
    pub fn scripts(&self) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("dpkg-deb").arg("--control").arg(&self.0).arg(directory.path()));
        let names = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| !["control", "md5sums"].contains(&name.as_str()));
        names.sort();
        names
    }

    /// The files of the package, in a directory.
    pub fn unpack(&self) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("dpkg-deb").arg("--extract").arg(&self.0).arg(directory.path()));
        directory
    }

    /// The package of the symbols, beside this one.
    pub fn symbols(&self) -> Self {
        let name = self.0.file_name().unwrap().to_string_lossy().replace("ocelli_", "ocelli-dbgsym_");
        Self(self.0.with_file_name(name))
    }
}

/// What a command prints that must succeed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
