//! DetectCustomLabels under load: against a bare loop that decodes, resizes and infers, and when it has to refuse.

use crate::bare_loop::{self, BareEngine};
use crate::report::Figure;
use crate::statistics::median;
use crate::support::broker::Broker;
use crate::support::daemon::Daemon;
use crate::support::{from_setup, root};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use ocelli::model::manifest::Manifest;
use ocelli::unit::image_decode;
use ocelli::unit::input_tensor::{InputTensor, Values};
use ocelli::unit::preprocess::Preprocessor;
use ocelli::vision::geometry::NormalizedBox;
use ocelli::vision::image_limits::ImageLimits;
use ort::value::TensorRef;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const UNITS: usize = 2;
const CLIENTS: usize = 8;
const ROUNDS: usize = 3;
const SECONDS: u64 = 6;

/// The photograph in full HD, as a camera would send it.
fn full_hd() -> Vec<u8> {
    let photo = image::open(from_setup("testdata/photo.jpg")).unwrap();
    let large = photo.resize_exact(1920, 1080, image::imageops::FilterType::CatmullRom).to_rgb8();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&large).unwrap();
    bytes
}

/// Decodes, resizes and infers for so many seconds, and prints how often a second.
pub(crate) fn bare_image_loop(arguments: &[String]) {
    let bytes = full_hd();
    let manifest = Manifest::load(&root().join("models/coco-ssd")).unwrap();
    let wanted = (manifest.input.width, manifest.input.height);
    let mut tensor = InputTensor::new(&manifest.input, 1);
    let shape = manifest.input.shape(1);
    let mut preprocessor = Preprocessor::new(manifest.input);
    let mut session = bare_loop::session(&BareEngine::from_arguments(arguments));
    bare_loop::print_rate(arguments[0].parse().unwrap(), || {
        let image = image_decode::decode(&bytes, &ImageLimits::default(), wanted).unwrap();
        preprocessor.prepare_rgb(&image, NormalizedBox::WHOLE).unwrap();
        tensor.write(0, preprocessor.rgb());
        let Values::Float32(values) = tensor.values() else { unreachable!("the default model takes floats") };
        let input = TensorRef::from_array_view((shape, values.as_slice())).unwrap();
        drop(session.run(ort::inputs!["images" => input]).unwrap());
    });
}

/// The version of the settings, as a client finds it.
fn version_arn(daemon: &Daemon) -> String {
    let call = |operation: &str, body: &str| {
        let answer = exchange(&mut connect(daemon), &request(operation, body)).1;
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()
    };
    let projects = call("DescribeProjects", "{}");
    let project = projects["ProjectDescriptions"][0]["ProjectArn"].as_str().unwrap();
    let versions = call("DescribeProjectVersions", &format!("{{\"ProjectArn\": \"{project}\"}}"));
    versions["ProjectVersionDescriptions"][0]["ProjectVersionArn"].as_str().unwrap().to_owned()
}

fn request(operation: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: RekognitionService.{operation}\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn connect(daemon: &Daemon) -> TcpStream {
    TcpStream::connect(("127.0.0.1", daemon.http_port())).unwrap()
}

/// Status and body of the answer.
fn exchange(stream: &mut TcpStream, request: &[u8]) -> (u16, String) {
    stream.write_all(request).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 64 * 1024]);
    loop {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "the connection was closed");
        answer.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length.unwrap() {
            return (head[9..12].parse().unwrap(), body.to_owned());
        }
    }
}

/// Looked at and refused over a while, by clients that ask again as soon as they are answered.
fn closed_loop(daemon: &Daemon, image: &[u8]) -> (f64, f64) {
    let body = format!(
        "{{\"ProjectVersionArn\": \"{}\", \"Image\": {{\"Bytes\": \"{}\"}}}}",
        version_arn(daemon),
        STANDARD.encode(image)
    );
    let request = Arc::new(request("DetectCustomLabels", &body));
    let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new([AtomicU64::new(0), AtomicU64::new(0)]));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (mut stream, request) = (connect(daemon), Arc::clone(&request));
            let (stop, counts) = (Arc::clone(&stop), Arc::clone(&counts));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let (status, _) = exchange(&mut stream, &request);
                    counts[usize::from(status != 200)].fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(2));
    let count = || [0, 1].map(|index: usize| counts[index].load(Ordering::Relaxed) as f64);
    let (before, started) = (count(), Instant::now());
    std::thread::sleep(Duration::from_secs(SECONDS));
    let (after, seconds) = (count(), started.elapsed().as_secs_f64());
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());
    ((after[0] - before[0]) / seconds, (after[1] - before[1]) / seconds)
}

fn start(broker: &Broker, of_model: &str, more: &str) -> Daemon {
    let models = format!("[[models]]\nname = \"coco-ssd\"\nmin_inference_units = {UNITS}\n{of_model}{more}");
    let daemon = Daemon::start(broker.port, &models);
    daemon.wait_ready();
    daemon
}

/// Calls answered a second, and what so many processes do that decode, resize and infer; medians of the rounds.
pub(crate) struct Answered {
    /// Against the float file on ONNX Runtime's own provider.
    pub(crate) of_float: f64,
    /// Against the same engine.
    pub(crate) of_same: f64,
    pub(crate) rate: f64,
}

impl Answered {
    /// With this engine in the bare processes, and these settings of the model and of units.
    pub(crate) fn measure(engine: Option<&BareEngine>, of_model: &str, more: &str) -> Self {
        let (broker, image, float) = (Broker::start(), full_hd(), BareEngine::float());
        let (mut of_float, mut of_same, mut rates) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let bare = bare_loop::rate("bare-image-loop", &float, UNITS, SECONDS);
            let same = engine.map_or(bare, |engine| bare_loop::rate("bare-image-loop", engine, UNITS, SECONDS));
            let (rate, _) = closed_loop(&start(&broker, of_model, more), &image);
            of_float.push(rate / bare);
            of_same.push(rate / same);
            rates.push(rate);
        }
        Self { of_float: median(of_float), of_same: median(of_same), rate: median(rates) }
    }
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let (broker, image) = (Broker::start(), full_hd());
    let Answered { of_float, rate, .. } = Answered::measure(None, "", "");
    let method = "8 clients on the same cores, each with a full HD JPEG in base64, 2 units; against 2 bare processes that \
                  decode, resize and infer the same; median of 3 rounds of 6 s";
    figures.push(Figure {
        name: "DetectCustomLabels, 8 clients / bare loop",
        value: of_float,
        unit: "ratio",
        bar: Some(0.9),
        method,
    });
    figures.push(Figure { name: "  calls answered", value: rate, unit: "1/s", bar: None, method });

    let daemon = start(&broker, "tps_limit = 1\n", "");
    let (_, refused) = closed_loop(&daemon, &image);
    figures.push(Figure {
        name: "refusal on the server, p50 at most",
        value: refusal_p50_ms(&daemon),
        unit: "ms",
        bar: Some(1.0),
        method: "ocelli_call_seconds of refused calls, upper bound of the bucket of the median; from when a call had come whole",
    });
    let looked_at = daemon.sum("ocelli_images_detected_total") + daemon.sum("ocelli_images_failed_total");
    let received = daemon.sum("ocelli_images_received_total");
    let shed = daemon.sum("ocelli_images_shed_total");
    figures.push(Figure {
        name: "  of the refused, decoded",
        value: looked_at - (received - shed),
        unit: "",
        bar: Some(0.0),
        method: "images that reached a unit less those that were not shed",
    });
    figures.push(Figure {
        name: "  refused",
        value: refused,
        unit: "1/s",
        bar: None,
        method: "8 clients, a limit of 1 TPS",
    });
}

/// By the histogram of the daemon.
fn refusal_p50_ms(daemon: &Daemon) -> f64 {
    let text = daemon.get("/metrics").unwrap().1;
    let is_refusal = |line: &&str| line.starts_with("ocelli_call_seconds_bucket") && line.contains("\"throttled\"");
    let buckets: Vec<(f64, f64)> = text
        .lines()
        .filter(is_refusal)
        .filter_map(|line| {
            let bound = line.split("le=\"").nth(1)?.split('"').next()?.parse().ok()?;
            Some((bound, line.rsplit(' ').next()?.parse().ok()?))
        })
        .collect();
    let half = buckets.iter().map(|(_, count)| *count).fold(0.0, f64::max) / 2.0;
    buckets.iter().find(|(_, count)| *count >= half).map_or(f64::NAN, |(bound, _)| bound * 1e3)
}
