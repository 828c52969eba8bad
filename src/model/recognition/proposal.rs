//! A proposal: the sections of a manifest that follow from the model, with comments on the origin of values.

use crate::model::recognition::habits::Habit;
use crate::model::recognition::layout_match::Match;
use crate::model::recognition::left_out;
use crate::model::recognition::picture_input::PictureInput;
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::Subject;
use std::fmt::Write as _;

/// A proposal of how to run a model, from its file and from the conventions of its family.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The name of the layout, as in `[output]`.
    pub layout: &'static str,
    /// The lines of `[input]`.
    pub input: Vec<Setting>,
    /// The lines of `[output]`, including the layout.
    pub output: Vec<Setting>,
    /// The lines of `[thresholds]`.
    pub thresholds: Vec<Setting>,
    /// What the file has and nothing reads, such as masks and key points.
    pub left_out: Vec<String>,
}

impl Proposal {
    /// Completes a match to a proposal.
    pub(super) fn new(layout: &'static str, subject: &Subject<'_>, found: Match) -> Self {
        let habit = found.habit;
        let confidence = "a starting value; lower it to detect more, raise it to reduce false alarms";
        let thresholds = vec![
            Setting::assumed("confidence", habit.confidence, confidence),
            Setting::assumed("iou", 0.5, "boxes of one class with a higher IoU count as one object"),
            Setting::known("max_detections", 100_u32),
        ];
        let left_out = found.left_out.into_iter().chain(left_out::outputs(subject, &found.output)).collect();
        let output = std::iter::once(Setting::known("layout", layout)).chain(found.output).collect();
        Self { layout, input: input(subject, &found.habit), output, thresholds, left_out }
    }

    /// The sections `[input]`, `[output]` and `[thresholds]` as TOML, with comments.
    pub fn sections(&self) -> String {
        let mut text = String::new();
        for (name, settings) in [("input", &self.input), ("output", &self.output), ("thresholds", &self.thresholds)] {
            // Writing to a string cannot fail.
            writeln!(text, "[{name}]").unwrap_or(());
            for Setting { key, value, note } in settings {
                note.iter().for_each(|note| writeln!(text, "# {note}").unwrap_or(()));
                writeln!(text, "{key} = {value}").unwrap_or(());
            }
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}

fn input(subject: &Subject<'_>, habit: &Habit) -> Vec<Setting> {
    let picture = &subject.picture;
    let habitual = format!("usual for {}; the file does not specify it", habit.of);
    let side = |key, fixed: Option<u32>, trained: Option<u32>| match (fixed, trained) {
        (Some(side), _) => Setting::known(key, side),
        (None, Some(side)) => Setting::noted(key, side, "the input takes any size; the file's metadata has this one"),
        (None, None) => Setting::assumed(key, habit.side, format!("the input takes any size; usual for {}", habit.of)),
    };
    let mut settings = vec![
        Setting::known("tensor", picture.tensor.name.as_str()),
        side("width", picture.width, subject.trained_size.map(|(width, _)| width)),
        side("height", picture.height, subject.trained_size.map(|(_, height)| height)),
        Setting::known("samples", picture.samples),
        axes(picture),
        color(subject, habit, &habitual),
        fit(subject, habit, &habitual),
    ];
    if let Some(crop) = habit.crop.filter(|_| !is_stretched(subject)) {
        settings.push(Setting::assumed("crop", crop, &habitual));
    }
    settings.push(Setting::assumed("resize", habit.resize, &habitual));
    if habit.pad != 0 && !is_stretched(subject) {
        settings.push(Setting::assumed("pad", habit.pad, &habitual));
    }
    if picture.samples == "uint8" {
        return settings;
    }
    if subject.notes("0..255") {
        settings.push(Setting::noted("mean", [0.0; 3], "the file's metadata has samples of 0 to 255"));
        settings.push(Setting::known("std", [1.0; 3]));
        return settings;
    }
    let (mut mean, mut std, why) = match picture.scales_itself {
        true => ([0.0; 3], [1.0; 3], "the graph normalises the samples itself".to_owned()),
        false => (habit.mean, habit.std, habitual),
    };
    if noted_color(subject).is_some_and(|color| color != habit.color) {
        mean.reverse();
        std.reverse();
    }
    settings.push(Setting::assumed("mean", mean, &why));
    settings.push(Setting::assumed("std", std, why));
    settings
}

fn axes(picture: &PictureInput<'_>) -> Setting {
    match picture.names_channels {
        false => Setting::known("axes", picture.axes),
        true => {
            Setting::assumed("axes", picture.axes, "no axis has a fixed size of 3; as the names of tensor and axes say")
        }
    }
}

/// The order of colours in the file's metadata.
fn noted_color(subject: &Subject<'_>) -> Option<&'static str> {
    match (subject.notes("RGB"), subject.notes("BGR")) {
        (true, false) => Some("rgb"),
        (false, true) => Some("bgr"),
        _ => None,
    }
}

fn color(subject: &Subject<'_>, habit: &Habit, habitual: &str) -> Setting {
    match noted_color(subject) {
        Some(color) => Setting::noted("color", color, "from the file's metadata"),
        None => Setting::assumed("color", habit.color, habitual),
    }
}

fn is_stretched(subject: &Subject<'_>) -> bool {
    subject.notes("stretched")
}

fn fit(subject: &Subject<'_>, habit: &Habit, habitual: &str) -> Setting {
    match is_stretched(subject) {
        true => Setting::noted("fit", "stretch", "from the file's metadata"),
        false => Setting::assumed("fit", habit.fit, habitual),
    }
}
