//! The manifest of a package that gets an 8-bit twin, and those of the packages around graphs that are tried.

use crate::model::manifest::Manifest;
use crate::model::model_file::Int8File;
use std::error::Error;
use std::path::Path;
use toml::{Table, Value};

/// The given manifest with the twin. Comments stay, unless there was one already.
pub(super) fn with_int8(given: &str, int8: &Int8File) -> Result<String, Box<dyn Error>> {
    let section = Table::from_iter([("int8".to_owned(), Value::try_from(int8)?)]);
    let section = Table::from_iter([("model".to_owned(), Value::Table(section))]);
    let added = format!("{}\n\n{}", given.trim_end(), toml::to_string(&section)?);
    // A manifest that says `model = { ... }`, or has a twin, cannot be added to.
    if Manifest::parse(&added, Path::new("the manifest"))
        .is_ok_and(|manifest| manifest.model.int8.as_ref() == Some(int8))
    {
        return Ok(added);
    }
    let mut manifest: Table = toml::from_str(given)?;
    let model = manifest.get_mut("model").and_then(Value::as_table_mut).ok_or("the manifest has no [model]")?;
    model.insert("int8".to_owned(), Value::try_from(int8)?);
    Ok(toml::to_string(&manifest)?)
}

/// The given manifest with another file as its model.
pub(super) fn of_other_file(given: &str, file: &str, sha256: &str) -> Result<String, Box<dyn Error>> {
    let mut manifest: Table = toml::from_str(given)?;
    let model =
        [("file", file), ("sha256", sha256)].map(|(key, value)| (key.to_owned(), Value::String(value.to_owned())));
    manifest.insert("model".to_owned(), Value::Table(Table::from_iter(model)));
    Ok(toml::to_string(&manifest)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/coco-ssd/manifest.toml");
        std::fs::read_to_string(path).unwrap()
    }

    fn twin(digit: &str) -> Int8File {
        Int8File { file: "model.int8.onnx".into(), sha256: digit.repeat(64), judged: None }
    }

    #[test]
    fn a_twin_is_added_without_a_change_of_the_rest_and_replaced_by_another() {
        let once = with_int8(&shipped(), &twin("1")).unwrap();
        assert!(once.starts_with(shipped().trim_end()), "{once}");
        let twice = Manifest::parse(&with_int8(&once, &twin("2")).unwrap(), Path::new("m")).unwrap();
        assert_eq!(twice.model.int8, Some(twin("2")));
        assert_eq!(twice.canary, Manifest::parse(&shipped(), Path::new("m")).unwrap().canary);
    }

    #[test]
    fn another_file_takes_the_place_of_all_files() {
        let text = of_other_file(&with_int8(&shipped(), &twin("1")).unwrap(), "q.onnx", &"3".repeat(64)).unwrap();
        let model = Manifest::parse(&text, Path::new("m")).unwrap().model;
        assert_eq!((model.file.as_str(), model.int8), ("q.onnx", None));
    }
}
