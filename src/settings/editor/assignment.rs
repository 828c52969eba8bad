//! A key and its new value, as on the command line: `fps=10`, `scene.labels=["person"]`.

use toml_edit::{Array, InlineTable, Key, Value};

/// A change of one key.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The parts of the key.
    path: Vec<String>,
    /// `None` removes the key, so that its default applies.
    value: Option<Value>,
}

impl Assignment {
    /// Parses `KEY=VALUE`. The value is one of TOML, or else text: `model=yolo11n` needs no quotes. Without a value the key is
    /// removed.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not KEY=VALUE, such as fps=10 or scene.labels='[\"person\"]'");
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let path = Key::parse(key.trim()).map_err(|_| wrong())?.iter().map(|key| key.get().to_owned()).collect();
        let value = match value.trim() {
            "" => None,
            value => Some(value.parse().unwrap_or_else(|_| Value::from(value))),
        };
        Ok(Self { path, value })
    }

    /// Text for a key such as `credentials.password_file`.
    pub fn text(key: &str, text: &str) -> Self {
        Self::new(key, Value::from(text))
    }

    /// No value for a key, so that its default applies.
    pub fn none(key: &str) -> Self {
        Self { value: None, ..Self::text(key, "") }
    }

    /// A number for a key.
    pub fn number(key: &str, number: f64) -> Self {
        Self::new(key, Value::from(number))
    }

    /// A list of texts for a key.
    pub fn texts(key: &str, texts: &[String]) -> Self {
        Self::new(key, Value::from(texts.iter().map(String::as_str).collect::<Array>()))
    }

    /// Named areas for a key, each with its corners in order; none removes the key.
    pub fn regions(key: &str, regions: &[(String, Vec<[f64; 2]>)]) -> Self {
        let table = |(name, points): &(String, Vec<[f64; 2]>)| {
            let values = [("name", Value::from(name.as_str())), ("points", polygon(points).into())];
            Value::from(values.into_iter().collect::<InlineTable>())
        };
        Self::list(key, regions.iter().map(table).collect())
    }

    /// Areas for a key, each with its corners in order; none removes the key.
    pub fn areas(key: &str, areas: &[Vec<[f64; 2]>]) -> Self {
        Self::list(key, areas.iter().map(|points| Value::from(polygon(points))).collect())
    }

    fn list(key: &str, list: Array) -> Self {
        let is_empty = list.is_empty();
        let assignment = Self::new(key, list.into());
        if is_empty { Self { value: None, ..assignment } } else { assignment }
    }

    fn new(key: &str, value: Value) -> Self {
        Self { path: key.split('.').map(str::to_owned).collect(), value: Some(value) }
    }

    /// The whole key.
    pub fn key(&self) -> String {
        self.path.join(".")
    }

    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    pub(super) fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }
}

fn polygon(points: &[[f64; 2]]) -> Array {
    points.iter().map(|point| Value::from(point.iter().copied().collect::<Array>())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_toml_or_text_and_none_removes_the_key() {
        let of = |text: &str| Assignment::parse(text).unwrap();
        assert_eq!(of("fps=10").value().unwrap().as_integer(), Some(10));
        assert_eq!(of("model=yolo11n").value().unwrap().as_str(), Some("yolo11n"));
        assert_eq!(of("url=rtsp://a/?x=1").value().unwrap().as_str(), Some("rtsp://a/?x=1"));
        assert_eq!(of("enabled = false").value().unwrap().as_bool(), Some(false));
        let labels = of("scene.labels=[\"person\"]");
        assert_eq!(
            (labels.path(), labels.value().unwrap().is_array()),
            (["scene", "labels"].map(String::from).as_slice(), true)
        );
        assert_eq!(of("scene.thresholds.\"a b\"=0.5").path()[2], "a b");
        assert!(of("model=").value().is_none());
        for wrong in ["fps", "=1", "a..b=1", "a b=1"] {
            assert!(Assignment::parse(wrong).unwrap_err().contains("KEY=VALUE"), "{wrong}");
        }
    }
}
