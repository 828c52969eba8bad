//! The ground truth: a COCO annotation file (`instances_*.json`), of which what boxes need is read.
//!
//! Whoever wrote the file may have made mistakes. One is told with the id of the record that has it, and nothing of such a
//! file is used: a figure over half an annotation would look like any other. Segmentations, licences and whatever else a
//! record has are passed over, and so is `ignore`, which pycocotools overwrites with `iscrowd`.

use crate::evaluation::pixel_box::PixelBox;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The longest annotation file. COCO's `instances_val2017.json` has 20 MB; the file is in memory while it is read.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// COCO's number of an image.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ImageId(pub u64);

/// COCO's number of a category. COCO's own has 80 categories with numbers up to 90.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CategoryId(pub u64);

/// An annotated picture.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
pub struct Image {
    /// As the annotations number it.
    pub id: ImageId,
    /// As the file has it: whoever opens the picture sees to it that the name stays beneath the folder of pictures.
    pub file_name: String,
    /// Pixels, at least 1.
    pub width: u32,
    /// Pixels, at least 1.
    pub height: u32,
}

/// What is looked for.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
pub struct Category {
    /// As the annotations number it.
    pub id: CategoryId,
    /// Its name, which no other category of the file has.
    pub name: String,
}

/// An object, or a crowd of them, that somebody annotated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Annotation {
    pub(super) image: ImageId,
    pub(super) category: CategoryId,
    pub(super) bounding_box: PixelBox,
    /// Square pixels, of the outline and not of the box: COCO's small, medium and large go by this.
    pub(super) area: f64,
    pub(super) is_crowd: bool,
}

/// The annotated pictures of one file.
#[derive(Clone, Debug)]
pub struct GroundTruth {
    images: BTreeMap<ImageId, Image>,
    categories: BTreeMap<CategoryId, Category>,
    annotations: Vec<Annotation>,
}

/// Why a file is no ground truth.
#[derive(Debug, thiserror::Error)]
pub enum GroundTruthError {
    /// It is not there, or may not be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The annotation file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// It is longer than [`MAX_FILE_BYTES`].
    #[error("{path} has more than {MAX_FILE_BYTES} bytes: cut it to the images that are evaluated")]
    TooLong {
        /// The annotation file.
        path: PathBuf,
    },
    /// It is not JSON (NaN and Infinity are none), or lacks one of `images`, `annotations` and `categories`.
    #[error("{path} is not a COCO annotation file")]
    NotCoco {
        /// The annotation file.
        path: PathBuf,
        /// What and where.
        source: serde_json::Error,
    },
    /// A record contradicts another or itself.
    #[error("{path}: {record} {id} {problem}")]
    Record {
        /// The annotation file.
        path: PathBuf,
        /// `image`, `category` or `annotation`.
        record: &'static str,
        /// The record's own number.
        id: u64,
        /// What is wrong with it.
        problem: String,
    },
}

impl GroundTruth {
    /// Reads an annotation file of at most [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    /// [`GroundTruthError`] when the file cannot be read, is no COCO file, or has a record that cannot be: an id twice, a
    /// category's name twice, an image without pixels, an annotation of an image or a category that is not listed, or one
    /// whose box or area is missing, no finite number, or negative.
    pub fn load(path: &Path) -> Result<Self, GroundTruthError> {
        let unreadable = |source| GroundTruthError::Unreadable { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut bytes = Vec::new();
        if length <= MAX_FILE_BYTES {
            file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        if length.max(bytes.len() as u64) > MAX_FILE_BYTES {
            return Err(GroundTruthError::TooLong { path: path.to_owned() });
        }
        let raw: RawFile = serde_json::from_slice(&bytes)
            .map_err(|source| GroundTruthError::NotCoco { path: path.to_owned(), source })?;
        Self::checked(raw).map_err(|Wrong { record, id, problem }| GroundTruthError::Record {
            path: path.to_owned(),
            record,
            id,
            problem,
        })
    }

    fn checked(raw: RawFile) -> Result<Self, Wrong> {
        let mut images = BTreeMap::new();
        for image in raw.images {
            let id = image.id;
            if image.width == 0 || image.height == 0 {
                return Err(Wrong::new("image", id.0, "has no pixels"));
            }
            if images.insert(id, image).is_some() {
                return Err(Wrong::new("image", id.0, "is listed twice"));
            }
        }
        let mut categories: BTreeMap<CategoryId, Category> = BTreeMap::new();
        let mut names = HashSet::new();
        for category in raw.categories {
            let id = category.id;
            if !names.insert(category.name.clone()) {
                return Err(Wrong::new("category", id.0, format!("has the name of another, `{}`", category.name)));
            }
            if categories.insert(id, category).is_some() {
                return Err(Wrong::new("category", id.0, "is listed twice"));
            }
        }
        let mut ids = HashSet::new();
        let mut annotations = Vec::with_capacity(raw.annotations.len());
        for raw in &raw.annotations {
            let wrong = |problem: String| Wrong::new("annotation", raw.id, problem);
            if !ids.insert(raw.id) {
                return Err(wrong("is listed twice".into()));
            }
            if !images.contains_key(&raw.image_id) {
                return Err(wrong(format!("is of image {}, which is not listed", raw.image_id.0)));
            }
            if !categories.contains_key(&raw.category_id) {
                return Err(wrong(format!("is of category {}, which is not listed", raw.category_id.0)));
            }
            annotations.push(raw.checked().map_err(wrong)?);
        }
        Ok(Self { images, categories, annotations })
    }

    /// The pictures, by their numbers.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.images.values()
    }

    /// What is annotated, by the numbers of the categories.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.categories.values()
    }

    /// The category of this very name; `None` when the file has none, which the caller tells of a model's label.
    pub fn category(&self, name: &str) -> Option<CategoryId> {
        self.categories().find(|category| category.name == name).map(|category| category.id)
    }

    pub(super) fn has_image(&self, id: ImageId) -> bool {
        self.images.contains_key(&id)
    }

    pub(super) fn has_category(&self, id: CategoryId) -> bool {
        self.categories.contains_key(&id)
    }

    pub(super) fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }
}

// === impl RawAnnotation ===

/// The file as it lies on disk.
#[derive(Deserialize)]
struct RawFile {
    images: Vec<Image>,
    annotations: Vec<RawAnnotation>,
    categories: Vec<Category>,
}

/// The numbers are looked at one by one, so that a mistake in them can be told with the annotation's id.
#[derive(Deserialize)]
struct RawAnnotation {
    id: u64,
    image_id: ImageId,
    category_id: CategoryId,
    #[serde(default)]
    bbox: Value,
    #[serde(default)]
    area: Value,
    #[serde(default)]
    iscrowd: u8,
}

impl RawAnnotation {
    fn checked(&self) -> Result<Annotation, String> {
        let numbers = match self.bbox.as_array().map(Vec::as_slice) {
            Some([left, top, width, height]) => [left, top, width, height].map(Value::as_f64),
            _ => [None; 4],
        };
        let [Some(left), Some(top), Some(width), Some(height)] = numbers else {
            return Err("has no box of four numbers".into());
        };
        let bounding_box = PixelBox::new(left, top, width, height).map_err(|why| format!("is wrong: {why}"))?;
        let area = self.area.as_f64().filter(|area| *area >= 0.0).ok_or("has no area of 0 or more")?;
        let is_crowd = self.iscrowd != 0;
        Ok(Annotation { image: self.image_id, category: self.category_id, bounding_box, area, is_crowd })
    }
}

/// A record that cannot be, before the file's name is known.
struct Wrong {
    record: &'static str,
    id: u64,
    problem: String,
}

impl Wrong {
    fn new(record: &'static str, id: u64, problem: impl Into<String>) -> Self {
        Self { record, id, problem: problem.into() }
    }
}
