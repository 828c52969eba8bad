//! The facts of a model's file, as text.

use crate::model::model_facts::{ModelFacts, TensorFact};
use std::path::Path;

/// Longer metadata is cut; the JSON has all of it.
const MAX_SHOWN_CHARS: usize = 100;

/// The most class names that are shown.
const MAX_SHOWN_NAMES: usize = 8;

/// All facts, one per line.
pub(super) fn report(file: &Path, facts: &ModelFacts, names: Option<&[String]>) -> String {
    let opsets: Vec<String> = facts.opsets.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    let producer = if facts.producer.is_empty() { "unknown" } else { &facts.producer };
    let mut lines = vec![
        format!("file        {}, {}", file.display(), size(facts.bytes)),
        format!("format      ONNX, IR version {}, operators of {}", facts.ir_version, opsets.join(", ")),
        format!("producer    {producer}"),
        format!("graph       {} operators: {}", facts.nodes, operators(facts)),
    ];
    lines.extend(quantised(facts).map(|what| format!("precision   {what}")));
    let weights = facts.external_files.iter();
    lines.extend(weights.map(|(name, bytes)| format!("weights     {name}, {}", size(*bytes))));
    let tensors = |what: &'static str, tensors: &[TensorFact]| -> Vec<String> {
        tensors.iter().map(|tensor| format!("{what:<12}{tensor}")).collect()
    };
    lines.extend(tensors("input", &facts.inputs));
    lines.extend(tensors("output", &facts.outputs));
    for (key, value) in &facts.metadata {
        lines.push(match (key.as_str(), names) {
            ("names", Some(names)) => format!("labels      {}", some_of(names)),
            _ => format!("notes       {key}: {}", start_of(value)),
        });
    }
    lines.join("\n")
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn size(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// In which 8-bit format a graph is, if it is in one.
fn quantised(facts: &ModelFacts) -> Option<String> {
    let count = |operator: &str| facts.operators.get(operator).copied().unwrap_or_default();
    let (quantised, read) = (count("QuantizeLinear"), count("DequantizeLinear"));
    match count("QLinearConv") + count("ConvInteger") {
        0 if quantised + read == 0 => None,
        0 => Some(format!("8 bits between {quantised} QuantizeLinear and {read} DequantizeLinear (QDQ)")),
        convolutions => Some(format!("8 bits in {convolutions} integer convolutions")),
    }
}

/// The most used first.
fn operators(facts: &ModelFacts) -> String {
    let mut counts: Vec<(&String, &u64)> = facts.operators.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown: Vec<String> = counts.iter().take(6).map(|(operator, count)| format!("{count} {operator}")).collect();
    let more = if counts.len() > 6 { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(MAX_SHOWN_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > MAX_SHOWN_NAMES { ", ..." } else { "" };
    format!("{} in the file (--names prints them): {shown}{more}", names.len())
}

fn start_of(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
