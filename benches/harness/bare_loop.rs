//! The physical limit: ONNX Runtime alone, in as many processes as there are units, each with one thread.

use crate::support::from_setup;
use ort::session::Session;
use ort::value::TensorRef;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the default model on one constant picture for so many seconds and prints inferences a second.
pub(crate) fn run(seconds: u64) {
    let mut session = session();
    let pixels = vec![114.0_f32; 3 * 300 * 300];
    print_rate(seconds, || {
        let input = TensorRef::from_array_view(([1_usize, 3, 300, 300], pixels.as_slice())).unwrap();
        drop(session.run(ort::inputs!["images" => input]).unwrap());
    });
}

/// The default model in a session of one thread, as a unit has it.
pub(crate) fn session() -> Session {
    let environment = ort::init_from(from_setup("lib/libonnxruntime.so")).unwrap().build().unwrap();
    let builder = Session::builder(&environment).unwrap().with_intra_threads(1);
    let mut builder = builder.map_err(|error| error.to_string()).unwrap().with_intra_op_spinning(false).unwrap();
    builder.commit_from_file(from_setup("models/coco-ssd/model.onnx")).unwrap()
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
pub(crate) fn rate(bare: &str, processes: usize, seconds: u64) -> f64 {
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([bare, &seconds.to_string()]).stdout(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..processes).map(|_| start()).collect();
    let rates = running.into_iter().map(|process| {
        let output = process.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<f64>().unwrap()
    });
    rates.sum()
}
