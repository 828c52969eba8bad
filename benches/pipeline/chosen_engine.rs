//! The same with the engine that `execution_provider = "auto"` takes here for the default detector.
//!
//! It is chosen once, as the daemon does it, and named in the settings then. `make openvino` and `make int8` give it more to choose
//! from; without them it is the float file on ONNX Runtime's own provider, and there is nothing to compare.

use crate::api_figures::Answered;
use crate::bare_loop::BareEngine;
use crate::daemon_figures::EndToEnd;
use crate::engines;
use crate::report::Figure;
use crate::support::from_setup;
use ocelli::engine_choice::Engine;
use ocelli::ipc::messages::LoadModel;
use ocelli::model::manifest::Manifest;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let package = from_setup("models/coco-ssd");
    let choice = engines::choose(&package);
    println!("the engine chosen: {}", choice.in_words());
    let engine = choice.engine;
    if engine == Engine::REFERENCE {
        println!("that is the float file on the CPU provider: nothing to compare");
        return;
    }
    let manifest = Manifest::load(&package).unwrap();
    let float = BareEngine::float();
    let mut load = LoadModel { runtime_library: float.library.clone(), ..LoadModel::default() };
    engines::apply(engine, &mut load);
    let bare = BareEngine {
        library: load.runtime_library,
        model: manifest.model_path(&package, engine.variant).unwrap(),
        provider: engine.execution_provider,
    };
    let of_model =
        format!("execution_provider = \"{}\"\nvariant = \"{}\"\n", engine.execution_provider, engine.variant);
    let libraries = match bare.library == float.library {
        true => String::new(),
        false => format!("[units]\nruntime_libraries = {{ {} = \"{}\" }}\n", bare.provider, bare.library.display()),
    };
    let mut push = |name, value, unit, bar, method| figures.push(Figure { name, value, unit, bar, method });

    let found = EndToEnd::measure(Some(&bare), &of_model, &libraries);
    let method = "as `detections end to end`, with the engine that `auto` takes, against the float file in 2 bare processes alone";
    push("engine chosen: detections end to end / float bare loop", found.of_float, "ratio", Some(1.25), method);
    let method = "against 2 bare processes with the same engine beside bare decoders of the same cameras";
    push("  the same / its own bare loop beside bare decoders", found.of_beside, "ratio", Some(0.92), method);
    push("  detections end to end", found.rate, "1/s", None, "as above");
    push("  float bare loop", found.float, "1/s", None, "as above");
    push("  its own bare loop beside bare decoders", found.beside, "1/s", None, "as above");

    let found = Answered::measure(Some(&bare), &of_model, &libraries);
    let method = "as `DetectCustomLabels, 8 clients`, against 2 bare processes that decode, resize and infer with the float file";
    push("engine chosen: DetectCustomLabels / float bare loop", found.of_float, "ratio", Some(1.5), method);
    let method = "against 2 bare processes that decode, resize and infer with the same engine";
    push("  the same / its own bare loop", found.of_same, "ratio", Some(0.92), method);
    push("  calls answered", found.rate, "1/s", None, "as above");
}
