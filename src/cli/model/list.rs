//! `ocelli model list`.

use crate::appliance::known_choice;
use crate::cli::config_arguments::{ConfigArguments, conclude, load_settings};
use crate::cli::live_view::print_line;
use crate::engine_choice::Choice;
use crate::model::manifest::Manifest;
use crate::model::model_file::ModelVariant;
use crate::model::package::Package;
use crate::model_store::{Listed, Store};
use crate::settings::Settings;
use serde_json::{Value, json};
use std::error::Error;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model list
  ocelli model list --json | jq '.[] | select(.valid | not)'

Every file is read and compared with its checksum.")]
pub(in crate::cli) struct ListArguments {
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn list(arguments: &ListArguments) -> ExitCode {
    match load_settings(&arguments.config) {
        Ok(settings) => conclude(show(&settings, arguments.json)),
        Err(code) => code,
    }
}

fn show(settings: &Settings, as_json: bool) -> Result<(), Box<dyn Error>> {
    let directory = &settings.units.models_directory;
    let unreadable =
        |error| format!("{} cannot be read: {error}; correct `units.models_directory`", directory.display());
    let listed = Store::new(directory).list().map_err(unreadable)?;
    if as_json {
        let of = |one: &Listed| as_value(one, chosen(settings, one).as_ref());
        print_line(&Value::Array(listed.iter().map(of).collect()).to_string());
        return Ok(());
    }
    print_line(&format!(
        "{:<20} {:<20} {:<11} {:<9} {:>6}  {:<8} {:<10} {:>9}  {}",
        "NAME", "VERSION", "LAYOUT", "INPUT", "LABELS", "SHA256", "FILES", "SIZE", "PREVIOUS"
    ));
    for one in &listed {
        print_line(&line(one));
        if let Some(choice) = chosen(settings, one) {
            print_line(&format!("  computed by {}", choice.in_words()));
            choice.refused().for_each(|(engine, reason)| print_line(&format!("  refused: {engine}: {reason}")));
        }
    }
    Ok(())
}

/// What the daemon has chosen to compute the package, where the settings leave that open.
fn chosen(settings: &Settings, listed: &Listed) -> Option<Choice> {
    let model = settings.models.iter().find(|model| model.package() == listed.name)?;
    let package = Package::load(&settings.units.models_directory, &listed.name, &model.name).ok()?;
    known_choice(settings, model, &package)
}

fn line(listed: &Listed) -> String {
    let previous: Vec<&str> = listed.previous.iter().map(|one| one.version.as_deref().unwrap_or("damaged")).collect();
    let previous = if previous.is_empty() { "-".to_owned() } else { previous.join(", ") };
    match &listed.contents {
        Err(mistake) => format!("{:<20} cannot run: {mistake}", listed.name),
        Ok(contents) => {
            let manifest = &contents.manifest;
            let size = format!("{:.1} MiB", listed.bytes as f64 / f64::from(1 << 20));
            format!(
                "{:<20} {:<20} {:<11} {:<9} {:>6}  {:<8} {:<10} {size:>9}  {previous}",
                listed.name,
                manifest.version,
                layout(manifest),
                format!("{}x{}", manifest.input.width, manifest.input.height),
                contents.labels,
                manifest.model.sha256.get(..8).unwrap_or_default(),
                variants(manifest).join(","),
            )
        }
    }
}

/// What can be set as `variant`.
fn variants(manifest: &Manifest) -> Vec<&'static str> {
    manifest.model.variants().map(ModelVariant::name).collect()
}

/// The layout's name, as a manifest gives it.
fn layout(manifest: &Manifest) -> String {
    let value = serde_json::to_value(&manifest.output).unwrap_or_default();
    value["layout"].as_str().unwrap_or_default().to_owned()
}

fn as_value(listed: &Listed, choice: Option<&Choice>) -> Value {
    let previous: Vec<Value> =
        listed.previous.iter().map(|one| json!({"age": one.age, "version": one.version})).collect();
    let common = json!({"name": listed.name, "bytes": listed.bytes, "previous": previous});
    let rest = match &listed.contents {
        Err(mistake) => json!({"valid": false, "mistake": mistake}),
        Ok(contents) => json!({
            "valid": true,
            "version": contents.manifest.version,
            "layout": layout(&contents.manifest),
            "input": contents.manifest.input,
            "labels": contents.labels,
            "sha256": contents.manifest.model.sha256,
            "variants": variants(&contents.manifest),
            "int8": contents.manifest.model.int8,
            "licence": contents.manifest.source.licence,
            "engine": choice,
        }),
    };
    let objects = [common, rest].into_iter().filter_map(|value| value.as_object().cloned());
    Value::Object(objects.flatten().collect())
}
