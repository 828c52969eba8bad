//! A box with settings, on which `ocelli discover` is run.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A box with settings, and a file with a password.
pub struct Site {
    home: tempfile::TempDir,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn check(self, code: i32, words: &[&str]) -> Self {
        let text = format!("{}{}", self.out, self.err);
        let missing: Vec<&&str> = words.iter().filter(|word| !text.contains(**word)).collect();
        assert!(self.code == Some(code) && missing.is_empty(), "code {code}, {missing:?}: {self:?}");
        self
    }
}

impl Site {
    pub fn new(password: &str) -> Self {
        let site = Self { home: tempfile::tempdir().unwrap() };
        let state = site.at("state");
        std::fs::write(site.at("ocelli.toml"), format!("state_directory = \"{}\"\n", state.display())).unwrap();
        std::fs::write(site.at("password"), format!("{password}\n")).unwrap();
        site
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
        ocelli.arg("discover").args(arguments).env("OCELLI_CONFIG_FILE", self.at("ocelli.toml"));
        ocelli.current_dir(self.home.path());
        ocelli
    }

    pub fn discover(&self, arguments: &[&str]) -> Ended {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// With the login of `user`, and the site's password.
    pub fn discover_as(&self, user: &str, arguments: &[&str]) -> Ended {
        self.discover(&[&["--user", user, "--password-file", "password"], arguments].concat())
    }
}
