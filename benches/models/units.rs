//! Models in confined units, on raw frames, turn by turn with the bare loop.

use crate::bare_loop::BareLoop;
use crate::engines;
use crate::statistics::median;
use crate::support::package::{Unit, coco_labels, from_testdata, package};
use crate::support::{children, from_setup, root};
use ocelli::ipc::messages::UnitTiming;
use ocelli::vision::frame::{Colorimetry, Picture, PixelFormat};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Of the product.
const PACKAGES: [&str; 4] = ["coco-ssd", "coco-ssd-nms", "centernet", "efficientnet-lite0"];

/// Of the test data: a manifest in `tests/models/`, and its model.
const MODELS: [(&str, &str); 6] = [
    ("yolox_nano", "yolox_nano.onnx"),
    ("picodet_s_320", "picodet_s_320_coco.onnx"),
    ("nanodet_m_416", "nanodet_m_416.onnx"),
    ("fastest_det", "FastestDet.onnx"),
    ("stm_ssd_mnv2_fpnlite_256", "stm_ssd_mnv2_fpnlite_256_int8.onnx"),
    ("stm_mobilenet_v2_224", "stm_mobilenet_v2_224_int8.onnx"),
];

/// What one looks at and then the other, so that a busy minute of the machine is in all of them.
const BLOCKS: u32 = 5;

const RUNS: u32 = 40;

/// Bare ONNX Runtime over a unit, at least.
const BAR: f64 = 0.95;

/// A line of the table: milliseconds, medians of the medians of blocks.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Row {
    model: String,
    bare_ms: f64,
    /// ONNX Runtime in a unit.
    inference_ms: f64,
    preprocess_ms: f64,
    postprocess_ms: f64,
    /// From the parent's request to its answer.
    round_trip_ms: f64,
    /// ONNX Runtime in a unit that optimised the graph itself; the other one has it from the cache.
    uncached_inference_ms: f64,
    /// Processor time of a run of the bare process.
    bare_cpu_ms: f64,
    /// Processor time of a frame in the unit's process, all of it.
    unit_cpu_ms: f64,
    /// `bare_cpu_ms / unit_cpu_ms`: the whole ratio without the waits for a core that others have.
    cpu_ratio: f64,
    /// `bare_ms / inference_ms`.
    inference_ratio: f64,
    /// `bare_ms / round_trip_ms`.
    whole_ratio: f64,
    /// `uncached_inference_ms / inference_ms`.
    cache_ratio: f64,
    /// What `execution_provider = "auto"` takes.
    engine: String,
    /// From the request to the answer of a unit with that engine.
    engine_round_trip_ms: f64,
    /// `bare_ms / engine_round_trip_ms`.
    engine_ratio: f64,
    /// All engines with their transactions a second and core, and why others were refused.
    engines: ocelli::engine_choice::Choice,
    bar: f64,
    inference_ok: bool,
    whole_ok: bool,
}

pub(crate) fn measure() -> Vec<Row> {
    println!(
        "{:<26} {:>7} {:>9} {:>5} {:>5} {:>7} {:>9} {:>7} {:>7} {:>8}  {:<8} {:>7}  engine",
        "model, ms", "bare", "inference", "pre", "post", "whole", "inference", "whole", "cpu", "cached", "ok", "engine"
    );
    println!(
        "{:>73} {:>7} {:>7} {:>8}  {:<8} {:>7}  first two >= {BAR}",
        "bare/it", "bare/it", "bare/it", "fresh/it", "", "bare/it"
    );
    let home = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for name in PACKAGES {
        from_setup(&format!("models/{name}/model.onnx"));
        rows.push(measure_package(name, &root().join("models").join(name), home.path()));
    }
    for (kind, file) in MODELS {
        let Some(model) = from_testdata(&format!("models/{file}")) else { continue };
        rows.push(measure_package(kind, &package(home.path(), kind, &model, &labels(kind)), home.path()));
    }
    rows
}

fn labels(kind: &str) -> String {
    let of_imagenet = || std::fs::read_to_string(from_testdata("models/imagenet_labels_1000.txt").unwrap()).unwrap();
    if kind == "stm_mobilenet_v2_224" { of_imagenet() } else { coco_labels() }
}

fn measure_package(name: &str, directory: &Path, home: &Path) -> Row {
    let choice = engines::choose(directory);
    let cache = home.join("cache");
    let start = |cache: Option<PathBuf>| {
        let load = Unit::load_changed(directory, |load| {
            load.intra_op_threads = 1;
            load.cache_directory = cache;
        });
        load.unwrap()
    };
    // The first one fills the cache.
    drop(start(Some(cache.clone())));
    let mut cached = start(Some(cache));
    let unit = children(std::process::id(), "unit").into_iter().max().unwrap();
    let mut uncached = start(None);
    let mut chosen = Unit::load_changed(directory, |load| engines::apply(choice.engine, load)).unwrap();
    let mut bare = BareLoop::start(directory);
    let mut seen = [const { Vec::new() }; 9];
    // Each has its first runs behind it.
    bare.run(RUNS / 4);
    block(&mut cached, RUNS / 4);
    block(&mut uncached, RUNS / 4);
    block(&mut chosen, RUNS / 4);
    for _ in 0..BLOCKS {
        let before = (cpu_ms(bare.pid()), cpu_ms(unit));
        seen[0].push(bare.run(RUNS));
        let [inference, preprocess, postprocess, round_trip] = block(&mut cached, RUNS);
        seen[1].push(inference);
        seen[2].push(preprocess);
        seen[3].push(postprocess);
        seen[4].push(round_trip);
        seen[5].push(block(&mut uncached, RUNS)[0]);
        seen[6].push((cpu_ms(bare.pid()) - before.0) / f64::from(RUNS));
        seen[7].push((cpu_ms(unit) - before.1) / f64::from(RUNS));
        seen[8].push(block(&mut chosen, RUNS)[3]);
    }
    let [
        bare_ms,
        inference_ms,
        preprocess_ms,
        postprocess_ms,
        round_trip_ms,
        uncached_inference_ms,
        bare_cpu_ms,
        unit_cpu_ms,
        engine_round_trip_ms,
    ] = seen.map(median);
    let (inference_ratio, whole_ratio) = (bare_ms / inference_ms, bare_ms / round_trip_ms);
    let row = Row {
        model: name.to_owned(),
        bare_ms,
        inference_ms,
        preprocess_ms,
        postprocess_ms,
        round_trip_ms,
        uncached_inference_ms,
        bare_cpu_ms,
        unit_cpu_ms,
        cpu_ratio: bare_cpu_ms / unit_cpu_ms,
        inference_ratio,
        whole_ratio,
        cache_ratio: uncached_inference_ms / inference_ms,
        engine: choice.engine.to_string(),
        engine_round_trip_ms,
        engine_ratio: bare_ms / engine_round_trip_ms,
        engines: choice,
        bar: BAR,
        inference_ok: inference_ratio >= BAR,
        whole_ok: whole_ratio >= BAR,
    };
    row.print();
    row
}

/// Milliseconds that the threads of a process have had a core.
fn cpu_ms(pid: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let spent = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1e6
}

/// Medians in milliseconds of so many frames: inference, preprocessing, decoding, and all of it as the parent sees it.
fn block(unit: &mut Unit, runs: u32) -> [f64; 4] {
    let picture = Picture::new(PixelFormat::I420, 1280, 720, Colorimetry::default()).unwrap();
    let mut seen = [const { Vec::new() }; 4];
    for _ in 0..runs {
        let started = Instant::now();
        let UnitTiming { inference_us, preprocess_us, postprocess_us, .. } = unit.look_raw(picture).timing;
        let round_trip = started.elapsed().as_secs_f64() * 1e3;
        let [inference, preprocess, postprocess] =
            [inference_us, preprocess_us, postprocess_us].map(|us| f64::from(us) / 1e3);
        for (all, one) in seen.iter_mut().zip([inference, preprocess, postprocess, round_trip]) {
            all.push(one);
        }
    }
    seen.map(median)
}

impl Row {
    fn print(&self) {
        let ok = |ok: bool| if ok { "yes" } else { "NO" };
        println!(
            "{:<26} {:>7.2} {:>9.2} {:>5.2} {:>5.2} {:>7.2} {:>9.3} {:>7.3} {:>7.3} {:>8.3}  {:<8} {:>7.3}  {}",
            self.model,
            self.bare_ms,
            self.inference_ms,
            self.preprocess_ms,
            self.postprocess_ms,
            self.round_trip_ms,
            self.inference_ratio,
            self.whole_ratio,
            self.cpu_ratio,
            self.cache_ratio,
            format!("{}, {}", ok(self.inference_ok), ok(self.whole_ok)),
            self.engine_ratio,
            self.engine,
        );
    }
}
