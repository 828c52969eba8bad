//! The physical limit: ONNX Runtime alone, in as many processes as there are units, each with one thread.

use crate::support::from_setup;
use ocelli::model::execution_provider::ExecutionProvider;
use ort::ep::ArbitrarilyConfigurableExecutionProvider as _;
use ort::session::Session;
use ort::value::TensorRef;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a bare process runs the default model with.
#[derive(Clone, Debug)]
pub(crate) struct BareEngine {
    pub(crate) library: PathBuf,
    pub(crate) model: PathBuf,
    pub(crate) provider: ExecutionProvider,
}

impl BareEngine {
    /// The float file on ONNX Runtime's own provider.
    pub(crate) fn float() -> Self {
        Self {
            library: from_setup("lib/libonnxruntime.so"),
            model: from_setup("models/coco-ssd/model.onnx"),
            provider: ExecutionProvider::Cpu,
        }
    }

    /// What [`rate`] has passed on, behind the seconds.
    pub(crate) fn from_arguments(arguments: &[String]) -> Self {
        let [_, library, model, provider] = arguments else { panic!("{arguments:?}") };
        Self { library: library.into(), model: model.into(), provider: provider.parse().unwrap() }
    }

    fn arguments(&self) -> [String; 3] {
        [self.library.display().to_string(), self.model.display().to_string(), self.provider.to_string()]
    }
}

/// Runs the default model on one constant picture for so many seconds and prints inferences a second. `arguments`: the seconds,
/// and what [`rate`] adds.
pub(crate) fn run(arguments: &[String]) {
    let mut session = session(&BareEngine::from_arguments(arguments));
    let pixels = vec![114.0_f32; 3 * 300 * 300];
    print_rate(arguments[0].parse().unwrap(), || {
        let input = TensorRef::from_array_view(([1_usize, 3, 300, 300], pixels.as_slice())).unwrap();
        drop(session.run(ort::inputs!["images" => input]).unwrap());
    });
}

/// The default model in a session of one thread, as a unit has it.
pub(crate) fn session(engine: &BareEngine) -> Session {
    let environment = ort::init_from(&engine.library).unwrap().build().unwrap();
    let builder = Session::builder(&environment).unwrap().with_intra_threads(1);
    let mut builder = builder.map_err(|error| error.to_string()).unwrap().with_intra_op_spinning(false).unwrap();
    match engine.provider {
        ExecutionProvider::Cpu => {}
        ExecutionProvider::OpenVino => {
            // As a unit has it: OpenVINO would pin each process to the same core.
            let plugin = r#"{"CPU":{"ENABLE_CPU_PINNING":"NO","INFERENCE_NUM_THREADS":1,"NUM_STREAMS":1}}"#;
            let provider = ort::ep::OpenVINO::default().with_num_threads(1).with_device_type("CPU");
            let provider = provider.with_arbitrary_config("load_config", plugin).build().error_on_failure();
            builder = builder.with_execution_providers([provider]).unwrap();
        }
        other => panic!("there is no bare loop for {other}"),
    }
    builder.commit_from_file(&engine.model).unwrap()
}

/// Prints how often a second something can be done, over so many seconds, after it was done once.
pub(crate) fn print_rate(seconds: u64, mut once: impl FnMut()) {
    once();
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_secs(seconds) {
        once();
        count += 1;
    }
    println!("{}", f64::from(count) / started.elapsed().as_secs_f64());
}

/// What so many processes of this benchmark print together, each started with the argument `bare` to run `seconds`.
pub(crate) fn rate(bare: &str, engine: &BareEngine, processes: usize, seconds: u64) -> f64 {
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([bare, &seconds.to_string()]).args(engine.arguments());
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..processes).map(|_| start()).collect();
    let rates = running.into_iter().map(|process| {
        let output = process.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<f64>().unwrap()
    });
    rates.sum()
}
