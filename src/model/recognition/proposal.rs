//! A proposal: the sections of a manifest that follow from the model, with a comment where a value does.

use crate::model::recognition::habits::Habit;
use crate::model::recognition::layout_match::Match;
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::Subject;
use std::fmt::Write as _;

/// How a model is to be run, as far as its file tells and habit allows to assume.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// As in `[output]`.
    pub layout: &'static str,
    /// `[input]`.
    pub input: Vec<Setting>,
    /// `[output]`, with the layout.
    pub output: Vec<Setting>,
    /// `[thresholds]`.
    pub thresholds: Vec<Setting>,
}

impl Proposal {
    /// What follows from a match.
    pub(super) fn new(layout: &'static str, subject: &Subject<'_>, found: Match) -> Self {
        let habit = found.habit;
        let confidence = "a start; lower it to see more, raise it against false alarms";
        let thresholds = vec![
            Setting::assumed("confidence", habit.confidence, confidence),
            Setting::assumed("iou", 0.5, "boxes of one class that overlap more are taken for one object"),
            Setting::known("max_detections", 100_u32),
        ];
        let output = std::iter::once(Setting::known("layout", layout)).chain(found.output).collect();
        Self { layout, input: input(subject, &found.habit), output, thresholds }
    }

    /// The sections as they stand in a manifest.
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
    let habitual = format!("the habit of {}; the file does not say it", habit.of);
    let side = |key, fixed: Option<u32>, trained: Option<u32>| match (fixed, trained) {
        (Some(side), _) => Setting::known(key, side),
        (None, Some(side)) => Setting::noted(key, side, "the input takes any size; the file notes this one"),
        (None, None) => Setting::assumed(key, habit.side, format!("the input takes any size; usual for {}", habit.of)),
    };
    let mut settings = vec![
        Setting::known("tensor", picture.tensor.name.as_str()),
        side("width", picture.width, subject.trained_size.map(|(width, _)| width)),
        side("height", picture.height, subject.trained_size.map(|(_, height)| height)),
        Setting::known("samples", picture.samples),
        Setting::known("axes", picture.axes),
        color(subject, habit, &habitual),
        fit(subject, habit, &habitual),
    ];
    if let Some(crop) = habit.crop.filter(|_| !is_stretched(subject)) {
        settings.push(Setting::assumed("crop", crop, &habitual));
    }
    if let Some(resize) = habit.resize {
        settings.push(Setting::assumed("resize", resize, &habitual));
    }
    if habit.pad != 0 && !is_stretched(subject) {
        settings.push(Setting::assumed("pad", habit.pad, &habitual));
    }
    if picture.samples == "uint8" {
        return settings;
    }
    if subject.notes("0..255") {
        settings.push(Setting::noted("mean", [0.0; 3], "the file notes samples of 0 to 255"));
        settings.push(Setting::known("std", [1.0; 3]));
        return settings;
    }
    let (mut mean, mut std, why) = match picture.scales_itself {
        true => ([0.0; 3], [1.0; 3], "the graph begins by scaling the samples itself".to_owned()),
        false => (habit.mean, habit.std, habitual),
    };
    if noted_color(subject).is_some_and(|color| color != habit.color) {
        mean.reverse();
        std.reverse();
    }
    settings.push(Setting::assumed("mean", mean, why));
    settings.push(Setting::known("std", std));
    settings
}

/// The order of colours that the producer has noted.
fn noted_color(subject: &Subject<'_>) -> Option<&'static str> {
    match (subject.notes("RGB"), subject.notes("BGR")) {
        (true, false) => Some("rgb"),
        (false, true) => Some("bgr"),
        _ => None,
    }
}

fn color(subject: &Subject<'_>, habit: &Habit, habitual: &str) -> Setting {
    match noted_color(subject) {
        Some(color) => Setting::noted("color", color, "the file notes it"),
        None => Setting::assumed("color", habit.color, habitual),
    }
}

fn is_stretched(subject: &Subject<'_>) -> bool {
    subject.notes("stretched")
}

fn fit(subject: &Subject<'_>, habit: &Habit, habitual: &str) -> Setting {
    match is_stretched(subject) {
        true => Setting::noted("fit", "stretch", "the file notes that pictures are stretched"),
        false => Setting::assumed("fit", habit.fit, habitual),
    }
}
