//! Evaluates a detector: COCO's average precision of its boxes over annotated pictures.
//!
//! [`coco`] reads the annotations, an [`Evaluation`] collects the detections of each picture, and its [`Summary`] has
//! the figures that papers and model cards use. They equal those of pycocotools 2.0 to the last rounding. Nothing here
//! runs a model, opens a picture or reads a clock.
//!
//! ```no_run
//! use ocelli::evaluation::{Evaluation, Found, GroundTruth, PixelBox};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let truth = GroundTruth::load("instances_val2017.json".as_ref())?;
//! let person = truth.category("person").ok_or("no such category")?;
//! let mut evaluation = Evaluation::new(&truth);
//! for image in truth.images() {
//!     let found = Found { category: person, score: 0.9, bounding_box: PixelBox::new(12.0, 30.5, 80.0, 200.0)? };
//!     evaluation.add(image.id, &[found])?;
//! }
//! let summary = evaluation.summary();
//! println!("AP {:?}, of people {:?}", summary.overall.ap, summary.over(&[person]).ap);
//! # Ok(())
//! # }
//! ```

pub mod agreement;
mod average_precision;
pub mod coco;
pub mod evaluator;
pub mod figures;
pub mod judged_pictures;
mod matching;
pub mod pairing;
pub mod pixel_box;

pub use coco::{CategoryId, GroundTruth, GroundTruthError, ImageId};
pub use evaluator::{Evaluation, Found, Refused};
pub use figures::{Figures, Summary};
pub use pixel_box::PixelBox;

#[cfg(test)]
mod tests;
