//! Whether a model sees better with another resizing than the one that is proposed for it: paired, over the same pictures.

use super::Checked;
use super::bootstrap::{Draws, interval};
use super::detectors::{MODELS, Origin, evaluate, package_with, truth};
use super::support::root;
use ocelli::model::manifest::Manifest;
use ocelli::model::recognition::{Hints, recognise};
use ocelli::unit::onnx_file;
use std::path::Path;

const RESIZINGS: [&str; 3] = ["bilinear", "bicubic", "antialias"];

pub(super) fn check(pictures: &Path) -> Vec<Checked> {
    let truth = truth(pictures);
    let draws = Draws::of(&truth);
    let mut checked = Vec::new();
    for (name, origin, _) in MODELS {
        // That it is not at hand is said with its average precision.
        let Some((model, labels)) = origin.files() else { continue };
        let home = tempfile::tempdir().unwrap();
        let seen = RESIZINGS.map(|resize| {
            let package = package_with(home.path(), name, &model, &labels, resize);
            let evaluation = evaluate(&package, &truth, pictures);
            (resize, evaluation.summary().overall.ap.unwrap_or(f64::NAN), draws.average_precision(&evaluation))
        });
        let proposed = proposed(origin, &model);
        let (_, ap, drawn) = seen.iter().find(|(resize, ..)| *resize == proposed).unwrap();
        for (other, other_ap, other_drawn) in seen.iter().filter(|(resize, ..)| *resize != proposed) {
            let between = interval(other_drawn.iter().zip(drawn).map(|(other, this)| other - this).collect());
            let what = format!("AP, {other} less {proposed}, as proposed");
            // Better beyond chance is another one whose whole interval is above 0.
            checked.push(Checked::no_more_than_chance(name, what, other_ap - ap, between));
        }
    }
    checked
}

/// What the package has, or what is proposed for the file.
fn proposed(origin: Origin, model: &Path) -> String {
    match origin {
        Origin::Package(package) => {
            let manifest = Manifest::load(&root().join("models").join(package)).unwrap();
            format!("{:?}", manifest.input.resize).to_lowercase()
        }
        Origin::TestData(_) => {
            let proposal = recognise(&onnx_file::read(model).unwrap(), Hints::default()).unwrap();
            let resize = proposal.input.iter().find(|setting| setting.key == "resize").unwrap();
            resize.value.to_string().trim_matches('"').to_owned()
        }
    }
}
