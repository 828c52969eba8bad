//! What can stand behind a key of a manifest, shown in TOML's words.

use std::fmt::{Display, Formatter, Result};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum TomlValue {
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// A whole number.
    Number(u64),
    /// Whole numbers.
    Numbers(Vec<u32>),
    /// Any number.
    Real(f32),
    /// One for each colour.
    Colors([f32; 3]),
    /// Yes or no.
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
            // With a point, which `Display` leaves out of whole numbers.
            Self::Real(number) => write!(out, "{number:?}"),
            Self::Colors(numbers) => write!(out, "{numbers:?}"),
            Self::Bool(value) => write!(out, "{value}"),
        }
    }
}

/// Texts of a model have no control characters, so these two signs are all that could end the quotes.
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
