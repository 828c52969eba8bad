//! The ground truth: reads the boxes of a COCO annotation file (`instances_*.json`).
//!
//! An invalid record fails the whole file, and the error has the record's id: figures over a part of the annotations
//! would look like valid ones. Segmentations, licences and other keys are ignored, and so is `ignore`, which
//! pycocotools overwrites with `iscrowd`.

use crate::evaluation::pixel_box::PixelBox;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The maximum size of an annotation file, which is read into memory. COCO's `instances_val2017.json` has 20 MB.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// The `id` of an image in the annotation file.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ImageId(pub u64);

/// The `id` of a category in the annotation file. COCO's own 80 categories have ids up to 90.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CategoryId(pub u64);

/// An annotated picture.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
pub struct Image {
    /// Its id, unique in the file.
    pub id: ImageId,
    /// Unchecked: a caller that opens it must make sure that it is below the directory of pictures.
    pub file_name: String,
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
}

/// A class of annotated objects.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
pub struct Category {
    /// Its id, unique in the file.
    pub id: CategoryId,
    /// Its name, unique in the file.
    pub name: String,
}

/// An annotated object or crowd of objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Annotation {
    pub(super) image: ImageId,
    pub(super) category: CategoryId,
    pub(super) bounding_box: PixelBox,
    /// Area of the outline (not of the box) in square pixels. It decides between COCO's small, medium and large.
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

/// Why an annotation file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GroundTruthError {
    /// It is missing or cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The annotation file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error("{path} has more than {MAX_FILE_BYTES} bytes: cut it to the images that are evaluated")]
    TooLong {
        /// The annotation file.
        path: PathBuf,
    },
    /// It is not JSON (which has no NaN and Infinity), or lacks `images`, `annotations` or `categories`.
    #[error("{path} is not a COCO annotation file")]
    NotCoco {
        /// The annotation file.
        path: PathBuf,
        /// The parser's error with the position.
        source: serde_json::Error,
    },
    /// A record is invalid, or contradicts another one.
    #[error("{path}: {record} {id} {problem}")]
    Record {
        /// The annotation file.
        path: PathBuf,
        /// `image`, `category` or `annotation`.
        record: &'static str,
        /// The record's id.
        id: u64,
        /// The error, as the rest of a sentence that starts with the record.
        problem: String,
    },
}

impl GroundTruth {
    /// Reads and checks an annotation file of at most [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    /// [`GroundTruthError`] when the file cannot be read, is not a COCO file, or has an invalid record: a duplicate id
    /// or category name, an image without pixels, an annotation of an unlisted image or category, or a box or an area
    /// that is missing, not finite or negative.
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
                return Err(Wrong::new("category", id.0, format!("has the same name as another, `{}`", category.name)));
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

    /// The pictures, by ascending id.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.images.values()
    }

    /// The categories, by ascending id.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.categories.values()
    }

    /// The category with exactly this name (case-sensitive). The caller should report a label for which there is none.
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

/// The unchecked content of the file.
#[derive(Deserialize)]
struct RawFile {
    images: Vec<Image>,
    annotations: Vec<RawAnnotation>,
    categories: Vec<Category>,
}

/// Box and area stay JSON values, so that an error in them can name the annotation's id.
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

/// An invalid record; [`GroundTruthError::Record`] without the path.
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
