//! A value of a manifest, displayed as TOML.

use std::fmt::{Display, Formatter, Result};

/// A value of a manifest. `Display` writes TOML.
#[derive(Clone, Debug, PartialEq)]
pub enum TomlValue {
    /// A string. It must not have control characters, which are not escaped.
    Text(String),
    /// An array of strings, as [`Self::Text`].
    Texts(Vec<String>),
    /// An integer.
    Number(u64),
    /// An array of integers.
    Numbers(Vec<u32>),
    /// A float.
    Real(f32),
    /// An array of three floats, one per colour channel.
    Colors([f32; 3]),
    /// A boolean.
    Bool(bool),
}

impl Display for TomlValue {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text(text) => out.write_str(&quoted(text)),
            Self::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                write!(out, "[{}]", texts.join(", "))
            }
            Self::Number(number) => write!(out, "{number}"),
            Self::Numbers(numbers) => write!(out, "{numbers:?}"),
            // `Debug` writes `1.0`, which `Display` writes as `1`: an integer in TOML.
            Self::Real(number) => write!(out, "{number:?}"),
            Self::Colors(numbers) => write!(out, "{numbers:?}"),
            Self::Bool(value) => write!(out, "{value}"),
        }
    }
}

/// Texts of a model have no control characters, so only backslashes and quotes need escapes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl From<&str> for TomlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[&str]> for TomlValue {
    fn from(texts: &[&str]) -> Self {
        Self::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
    }
}

impl From<u64> for TomlValue {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for TomlValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u8> for TomlValue {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<&[u32]> for TomlValue {
    fn from(numbers: &[u32]) -> Self {
        Self::Numbers(numbers.to_vec())
    }
}

impl From<f32> for TomlValue {
    fn from(number: f32) -> Self {
        Self::Real(number)
    }
}

impl From<[f32; 3]> for TomlValue {
    fn from(numbers: [f32; 3]) -> Self {
        Self::Colors(numbers)
    }
}

impl From<bool> for TomlValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
