//! The physical limit: ONNX Runtime alone, in a process of its own, on one constant picture.

use crate::statistics::median;
use crate::support::from_setup;
use half::f16;
use ocelli::model::input_layout::SampleType;
use ocelli::model::manifest::Manifest;
use ocelli::model::model_file::ModelVariant;
use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// A grey that letterboxes are padded with, too.
const SAMPLE: u8 = 114;

/// Runs the model of a package as often as each line on standard input says, and answers with the median in
/// milliseconds, until the input ends.
pub(crate) fn serve(package: &Path) {
    let manifest = Manifest::load(package).unwrap();
    let mut session = session(&manifest.model_path(package, ModelVariant::Float).unwrap());
    let (name, shape) = (manifest.input.tensor.as_str(), manifest.input.shape(1));
    let length = shape.iter().product();
    let floats = vec![f32::from(SAMPLE); length];
    let halves = vec![f16::from_f32(f32::from(SAMPLE)); length];
    let bytes = vec![SAMPLE; length];
    let mut run = || {
        let started = Instant::now();
        let picture: SessionInputValue<'_> = match manifest.input.samples {
            SampleType::Float32 => TensorRef::from_array_view((shape, floats.as_slice())).unwrap().into(),
            SampleType::Float16 => TensorRef::from_array_view((shape, halves.as_slice())).unwrap().into(),
            SampleType::Uint8 => TensorRef::from_array_view((shape, bytes.as_slice())).unwrap().into(),
        };
        drop(session.run(vec![(name, picture)]).unwrap());
        started.elapsed().as_secs_f64() * 1e3
    };
    for line in std::io::stdin().lines() {
        let times: u32 = line.unwrap().parse().unwrap();
        println!("{}", median((0..times).map(|_| run()).collect()));
    }
}

/// A session with the options of a unit, which optimises the graph anew.
fn session(model: &Path) -> Session {
    let environment = ort::init_from(from_setup("lib/libonnxruntime.so")).unwrap().build().unwrap();
    let builder = Session::builder(&environment).unwrap().with_intra_threads(1).unwrap();
    let builder = builder.with_intra_op_spinning(false).unwrap().with_inter_op_spinning(false).unwrap();
    let cpu = ort::ep::CPU::default().with_arena_allocator(true).build();
    builder.with_execution_providers([cpu]).unwrap().commit_from_file(model).unwrap()
}

/// A process that serves.
pub(crate) struct BareLoop {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl BareLoop {
    /// Starts the process for a package.
    pub(crate) fn start(package: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.arg("bare-model").arg(package).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (orders, answers) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, orders, answers }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The median in milliseconds of so many runs.
    pub(crate) fn run(&mut self, times: u32) -> f64 {
        writeln!(self.orders.as_mut().unwrap(), "{times}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().parse().unwrap()
    }
}

impl Drop for BareLoop {
    fn drop(&mut self) {
        self.orders = None;
        drop(self.process.wait());
    }
}
