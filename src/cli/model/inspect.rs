//! `ocelli model inspect`: a confined process reads the file, and this one recognises its layout.

use crate::appliance::child_environment::child_environment;
use crate::cli::live_view::print_line;
use crate::cli::model::refusal::refusal;
use crate::cli::model::report;
use crate::ipc::child_process::own_binary;
use crate::model::labels::Labels;
use crate::model::manifest::{Manifest, sha256_of_file};
use crate::model::model_facts::ModelFacts;
use crate::model::recognition::{
    Hints, Identity, NotRecognised, Proposal, class_names, manifest_text, package_name, recognise,
};
use crate::os::sandbox::SandboxMode;
use crate::supervisor::inspection::inspect_once;
use crate::vision::error_chain::describe;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model inspect yolo11n.onnx
  ocelli model inspect yolo11n.onnx --manifest > models/yolo11n/manifest.toml
  ocelli model inspect yolo11n.onnx --names > models/yolo11n/labels.txt
  ocelli model inspect detector.onnx --labels labels.txt --layout ssd
  ocelli model inspect detector.onnx --json | jq .facts.outputs

Exit codes: 0 recognised, 1 not recognised or not readable, with the reasons on standard error.")]
pub(in crate::cli) struct InspectArguments {
    /// An ONNX model. Its weights may lie beside it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the proposed manifest only.
    #[arg(long, conflicts_with_all = ["json", "names"])]
    manifest: bool,
    /// Print the class names in the file only, one per line as in labels.txt.
    #[arg(long, conflicts_with = "json")]
    names: bool,
    /// Print one JSON object with the facts, the layout and the manifest.
    #[arg(long)]
    json: bool,
    /// The layout, if the file does not say it.
    #[arg(long, value_name = "NAME")]
    layout: Option<String>,
    /// The labels, one class per line: their number distinguishes layouts, with and without a background class.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

/// The time limit of the confined process. Half a gigabyte from an SD card takes half a minute.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn inspect(arguments: &InspectArguments) -> ExitCode {
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocelli: {}", describe(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &InspectArguments) -> Result<(), Box<dyn Error>> {
    let labels = arguments.labels.as_deref().map(Labels::read).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let environment = child_environment("error", SandboxMode::BestEffort);
    let facts = runtime.block_on(inspect_once(own_binary(), environment, &arguments.file, LIMIT))?;
    let names = facts.metadata.get("names").and_then(|text| class_names(text));
    if arguments.names {
        names
            .ok_or("the file has no class names: write labels.txt by hand, one class per line")?
            .iter()
            .for_each(|name| print_line(name));
        return Ok(());
    }
    let hints = Hints { labels: labels.as_ref().map(Labels::len), layout: arguments.layout.as_deref() };
    let recognised = recognise(&facts, hints);
    let manifest = match &recognised {
        Ok(proposal) => Some(propose(&arguments.file, &facts, proposal)?),
        Err(_) => None,
    };
    let layout = recognised.as_ref().ok().map(|proposal| proposal.layout);
    if arguments.json {
        let why = recognised.as_ref().err().map(NotRecognised::to_string);
        let all = serde_json::json!({
            "facts": facts, "names": names, "layout": layout, "manifest": manifest, "not_recognised": why,
        });
        print_line(&all.to_string());
    } else if arguments.manifest {
        manifest.iter().for_each(|text| print_line(text.trim_end()));
    } else {
        print_line(&report::report(&arguments.file, &facts, names.as_deref()));
        if let (Some(layout), Some(text)) = (layout, &manifest) {
            print_line(&format!("layout      {layout}"));
            let left_out = recognised.iter().flat_map(|proposal| &proposal.left_out);
            left_out.for_each(|what| print_line(&format!("not read    {what}")));
            let labels = if names.is_some() { "" } else { " --labels labels.txt" };
            let by_hand = arguments.layout.as_ref().map(|layout| format!(" --layout {layout}")).unwrap_or_default();
            let next = format!("ocelli model add {} --name NAME{labels}{by_hand}", arguments.file.display());
            print_line(&format!("\n{}\n\nnext        {next}", text.trim_end()));
        }
    }
    match recognised {
        Ok(_) => Ok(()),
        Err(why) => Err(refusal(&arguments.file, &why).into()),
    }
}

/// A manifest that the appliance accepts.
fn propose(file: &Path, facts: &ModelFacts, proposal: &Proposal) -> Result<String, Box<dyn Error>> {
    let found = file.canonicalize()?;
    let directory = found.parent().unwrap_or(Path::new("/"));
    let text_of = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    // Training tools give every model the same name; the directory then says more.
    let stem = match text_of(found.file_stem()) {
        stem if ["model", "best", "last"].contains(&stem.as_str()) => text_of(directory.file_name()),
        stem => stem,
    };
    let with_checksum = |name: &String| Ok((name.clone(), sha256_of_file(&directory.join(name))?));
    let identity = Identity {
        name: package_name(&stem),
        file: text_of(found.file_name()),
        sha256: sha256_of_file(&found)?,
        data: facts.external_files.keys().map(with_checksum).collect::<std::io::Result<_>>()?,
        licence: facts.licence().map(str::to_owned),
    };
    let text = manifest_text(&identity, proposal);
    Manifest::parse(&text, Path::new("the proposed manifest"))?;
    Ok(text)
}
