//! `ocelli model add`: makes a package from a file, tries it and installs it, or changes nothing.

use crate::appliance::child_environment::child_environment;
use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cli::model::inspect;
use crate::cli::model::int8_twin;
use crate::cli::model::refusal::{in_lines, refusal};
use crate::cli::model::trial::load_once;
use crate::ipc::child_process::own_binary;
use crate::model::canary::{Canary, Expected};
use crate::model::labels::Labels;
use crate::model::manifest::Manifest;
use crate::model::model_facts::ModelFacts;
use crate::model::model_file::{DataFile, ModelFile};
use crate::model::recognition::{Hints, Proposal, Setting, class_names, recognise};
use crate::model_store::{Installed, Origin, Staging, Store, StoreError, class_count, from_given, from_proposal};
use crate::os::clock::{rfc3339_utc, wall_now_ms};
use crate::settings::Settings;
use crate::supervisor::inspection::inspect_once;
use crate::vision::error_chain::describe;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model add yolo11n.onnx --name yard
  ocelli model add best.onnx --name yard --labels labels.txt --licence AGPL-3.0-only
  ocelli model add best.onnx --name yard --canary gate.jpg --expect person
  ocelli model add best.onnx --name yard --labels labels.txt --int8 best-int8.onnx
  ocelli model inspect best.onnx --manifest > m.toml; ocelli model add best.onnx --name yard --manifest m.toml

Confined processes read the file and try the model first. If anything fails, nothing has changed. Otherwise the package
is installed in one step, and `ocelli model rollback NAME` restores the one before it.

Exit codes: 0 installed, 1 refused, 78 the settings are wrong.")]
pub(in crate::cli) struct AddArguments {
    /// An ONNX model of at most 512 MiB. Its weights may lie beside it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the package.
    #[arg(long)]
    name: String,
    /// The same model quantised to 8 bits, with its weights inside (`variant = "int8"` in the settings takes it).
    #[arg(long, value_name = "FILE")]
    int8: Option<PathBuf>,
    /// The labels, one class per line. Default: the class names in the file.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The layout of the outputs, if the file does not say it.
    #[arg(long, value_name = "NAME", conflicts_with = "manifest")]
    layout: Option<String>,
    /// A manifest with at least the tables `input` and `output`, instead of a proposed one.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// A JPEG or PNG in which each unit must detect the expected labels before it takes work.
    #[arg(long, value_name = "PHOTO", requires = "expect")]
    canary: Option<PathBuf>,
    /// A label that the picture shows. May be given more than once.
    #[arg(long, value_name = "LABEL", requires = "canary")]
    expect: Vec<String>,
    /// Install it although what it computes does not fit its layout.
    #[arg(long)]
    accept_doubts: bool,
    /// The model's licence, as an SPDX expression. Default: the one that the file names.
    #[arg(long, value_name = "SPDX")]
    licence: Option<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

const MODEL_FILE: &str = "model.onnx";

pub(super) fn add(arguments: &AddArguments) -> ExitCode {
    with_settings(&arguments.config, async |settings| run(settings, arguments).await)
}

async fn run(settings: &Settings, arguments: &AddArguments) -> Result<(), Box<dyn Error>> {
    let (file, store) = (&arguments.file, Store::new(&settings.units.models_directory));
    let place = store.place(&arguments.name)?;
    if file.is_symlink() {
        return Err(StoreError::Link(file.clone()).into());
    }
    let facts = read(settings, file).await?;
    let labels = arguments.labels.as_deref().map(Labels::read).transpose()?;
    let proposal = match arguments.manifest {
        Some(_) => None,
        None => Some(propose(arguments, &facts, labels.as_ref())?),
    };
    let changes = store.change()?;
    let staging = changes.stage()?;
    let mut model = copy_model(arguments, &facts, &staging)?;
    // The file may have been written while it was read and copied.
    if read(settings, &staging.directory().join(MODEL_FILE)).await? != facts {
        return Err(format!("{} changed while it was read: try again", file.display()).into());
    }
    if let Some(twin) = &arguments.int8 {
        model.int8 = Some(int8_twin::copy(twin, &staging)?);
        let of_twin = read(settings, &staging.directory().join(int8_twin::INT8_FILE)).await?;
        let mismatch = int8_twin::mismatch(&facts, &of_twin);
        mismatch.map_or(Ok(()), |why| Err(format!("{} does not fit {}: {why}", twin.display(), file.display())))?;
    }
    let labels = copy_labels(arguments, &facts, &staging)?;
    let canary = copy_canary(arguments, &labels, &staging)?;
    // What a person has written into a manifest goes before what the file says.
    let licence = arguments.licence.as_deref().or_else(|| facts.licence().filter(|_| arguments.manifest.is_none()));
    let text = manifest_text(arguments, licence, &model, canary.as_ref(), proposal.as_ref(), &staging)?;
    let manifest = Manifest::parse(&text, arguments.manifest.as_deref().unwrap_or(Path::new("the manifest")))?;
    check_labels(&facts, &manifest, &labels)?;
    staging.write("manifest.toml", &text)?;
    let bytes = facts.bytes + facts.external_files.values().sum::<u64>();
    for variant in manifest.model.variants() {
        let tried = load_once(settings, staging.directory(), variant, bytes, !arguments.accept_doubts).await;
        tried.map_err(|error| cure(&describe(&error), &staging, arguments, proposal.as_ref()))?;
    }
    let installed = changes.install(&staging, &arguments.name)?;
    print_result(settings, &place, &manifest, &labels, proposal.as_ref(), installed);
    Ok(())
}

/// Has a confined process read the facts of a file.
async fn read(settings: &Settings, file: &Path) -> Result<ModelFacts, Box<dyn Error>> {
    let environment = child_environment("error", settings.sandbox.mode);
    Ok(inspect_once(own_binary(), environment, file, inspect::LIMIT).await?)
}

fn propose(arguments: &AddArguments, facts: &ModelFacts, labels: Option<&Labels>) -> Result<Proposal, Box<dyn Error>> {
    let layout = arguments.layout.as_deref();
    let with = |labels: Option<usize>| recognise(facts, Hints { labels, layout });
    // A wrong number of labels is reported as such, and not as a layout that does not fit.
    let proposal = with(labels.map(Labels::len)).or_else(|why| with(None).map_err(|_| why));
    proposal.map_err(|why| refusal(&arguments.file, &why).into())
}

fn copy_model(arguments: &AddArguments, facts: &ModelFacts, staging: &Staging) -> Result<ModelFile, StoreError> {
    let sha256 = staging.copy_model(&arguments.file, MODEL_FILE)?;
    let weights = |file: &String| {
        let sha256 = staging.copy_weights(&arguments.file, file)?;
        Ok(DataFile { file: file.clone(), sha256 })
    };
    let data = facts.external_files.keys().map(weights).collect::<Result<_, StoreError>>()?;
    Ok(ModelFile { file: MODEL_FILE.to_owned(), sha256, data, int8: None })
}

fn copy_labels(arguments: &AddArguments, facts: &ModelFacts, staging: &Staging) -> Result<Labels, Box<dyn Error>> {
    if let Some(file) = &arguments.labels {
        staging.copy_other(file, "labels.txt")?;
    } else {
        let names = facts.metadata.get("names").and_then(|text| class_names(text));
        let names = names.ok_or("the file has no class names: give them with --labels FILE, one class per line")?;
        staging.write("labels.txt", &(names.join("\n") + "\n"))?;
    }
    Ok(Labels::load(staging.directory())?)
}

fn copy_canary(arguments: &AddArguments, labels: &Labels, staging: &Staging) -> Result<Option<Canary>, Box<dyn Error>> {
    let Some(photo) = &arguments.canary else { return Ok(None) };
    if let Some(label) = arguments.expect.iter().find(|label| labels.class(label).is_none()) {
        return Err(format!("--expect {label} is not one of the labels").into());
    }
    let is_png = photo.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    let image = if is_png { "canary.png" } else { "canary.jpg" };
    staging.copy_other(photo, image)?;
    let expect = arguments.expect.iter().map(|label| Expected { label: label.clone(), bounding_box: None }).collect();
    Ok(Some(Canary { image: image.to_owned(), least_iou: 0.9, expect }))
}

fn manifest_text(
    arguments: &AddArguments,
    licence: Option<&str>,
    model: &ModelFile,
    canary: Option<&Canary>,
    proposal: Option<&Proposal>,
    staging: &Staging,
) -> Result<String, Box<dyn Error>> {
    let date: String = rfc3339_utc(wall_now_ms()).chars().take(10).collect();
    let origin = Origin {
        name: arguments.name.clone(),
        version: format!("{date}-{}", &model.sha256[..8]),
        file: arguments.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        date,
        licence: licence.map(str::to_owned),
    };
    match (&arguments.manifest, proposal) {
        (Some(path), _) => {
            let in_file = |error: &dyn Error| format!("{}: {}", path.display(), describe(error));
            let given = std::fs::read_to_string(path).map_err(|error| in_file(&error))?;
            let text = from_given(&given, &origin, model, canary).map_err(|error| in_file(&error))?;
            let own = Manifest::parse(&text, path)?.canary.filter(|_| canary.is_none());
            if let Some(own) = own {
                staging.copy_other(&path.with_file_name(&own.image), &own.image)?;
            }
            Ok(text)
        }
        (None, Some(proposal)) => Ok(from_proposal(&origin, model, canary, proposal)?),
        (None, None) => Err("there is neither a manifest nor a proposal for one".into()),
    }
}

fn check_labels(facts: &ModelFacts, manifest: &Manifest, labels: &Labels) -> Result<(), String> {
    match class_count(facts, &manifest.output) {
        Some((classes, output)) if classes != labels.len() as u64 => Err(format!(
            "the model has {classes} classes (output `{output}`), but there are {} labels: give one line per class in \
             the order of the training, an empty one for a class without a name",
            labels.len()
        )),
        _ => Ok(()),
    }
}

/// The error of a failed trial, with the file's own name and with what can be changed.
fn cure(why: &str, staging: &Staging, arguments: &AddArguments, proposal: Option<&Proposal>) -> String {
    let file = arguments.file.as_path();
    let staged = staging.directory().display().to_string();
    let given = [(MODEL_FILE, Some(file)), (int8_twin::INT8_FILE, arguments.int8.as_deref())];
    let given = given.into_iter().filter_map(|(name, file)| Some((format!("{staged}/{name}"), file?)));
    let why = given.fold(why.to_owned(), |why, (name, file)| why.replace(&name, &file.display().to_string()));
    let why = why.replace(&staged, "the package");
    let assumed: Vec<String> = proposal.map(assumed).unwrap_or_default().into_iter().map(|(is, _)| is).collect();
    let file = file.display();
    let layout = arguments.layout.as_ref().map(|layout| format!(" --layout {layout}")).unwrap_or_default();
    let labels = arguments.labels.as_ref().map(|labels| format!(" --labels {}", labels.display())).unwrap_or_default();
    let mut text = format!("{file} is not installed: {why}");
    if !assumed.is_empty() {
        text.push_str(&format!(
            "\nthese settings were assumed, since the file does not have them:\n{}\n\
             next: ocelli model inspect {file}{labels}{layout} --manifest > m.toml\n  \
             correct them there, and give it with --manifest m.toml",
            in_lines(&assumed)
        ));
    }
    text
}

/// The settings that are not in the file, each with the reason for its value.
fn assumed(proposal: &Proposal) -> Vec<(String, &str)> {
    let sections = [("input", &proposal.input), ("output", &proposal.output), ("thresholds", &proposal.thresholds)];
    let mut lines = Vec::new();
    for (section, settings) in sections {
        for Setting { key, value, note } in settings {
            if let Some(why) = note.as_deref().and_then(|note| note.strip_prefix("assumed: ")) {
                lines.push((format!("{section}.{key} = {value}"), why));
            }
        }
    }
    lines
}

fn print_result(
    settings: &Settings,
    place: &Path,
    manifest: &Manifest,
    labels: &Labels,
    proposal: Option<&Proposal>,
    installed: Installed,
) {
    let (name, input) = (&manifest.name, &manifest.input);
    print_line(&format!("{} is installed, version {}.", place.display(), manifest.version));
    let layout = proposal.map_or("as the manifest says", |proposal| proposal.layout);
    let (labels, licence) = (labels.names().count(), &manifest.source.licence);
    let size = format!("{}x{}", input.width, input.height);
    print_line(&format!("  input {} {size}, layout {layout}, {labels} labels, licence {licence}", input.tensor));
    if manifest.model.int8.is_some() {
        print_line("  with an int8 model: variant = \"int8\" in [[models]] takes it");
    }
    if manifest.canary.is_some() {
        print_line("  the canary was detected as expected");
    }
    if installed == Installed::Replaced {
        print_line(&format!("  the previous package is kept: ocelli model rollback {name}"));
    }
    let left_out = proposal.map(|proposal| &proposal.left_out[..]).unwrap_or_default();
    left_out.iter().for_each(|what| print_line(&format!("  not read: {what}")));
    let assumed = proposal.map(assumed).unwrap_or_default();
    if !assumed.is_empty() {
        print_line(
            "These settings were assumed, since the file does not have them; check them with pictures of your own:",
        );
        assumed.iter().for_each(|(is, why)| print_line(&format!("  {is:<36} {why}")));
    }
    print_line("Next:");
    print_line(&format!("  ocelli detect photo.jpg --model {name}"));
    let user = settings.models.iter().find(|model| model.package() == name);
    match user {
        Some(model) => {
            print_line(&format!("  ocelli ctl swap {} --package {name}    to use it in a running daemon", model.name));
        }
        None => print_line(&format!(
            "  add [[models]] with name = \"{name}\" to the settings, or: ocelli ctl swap MODEL --package {name}"
        )),
    }
}
