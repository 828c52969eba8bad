//! A real RTSP camera on loopback, for the demo and the tests.
//!
//! Serves a clip (H.264 byte stream, looped at its own rate), a moving pattern or pipelines of its user with GStreamer's
//! RTSP server, prints one URL a line once it listens, and ends with its parent. With `--streams` it is one camera with
//! streams of several sizes, which show the same moment of the clip.

use clap::Parser;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer_rtsp_server as rtsp;
use rtsp::prelude::*;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Parser)]
struct Arguments {
    /// 0: any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Byte-stream clip to loop, H.264 or (`.h265`) H.265; without it a moving pattern is encoded.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Frames a second of the clip or the pattern.
    #[arg(long, default_value_t = 10)]
    fps: u32,
    /// Of the pattern: h264, h265 or mjpeg.
    #[arg(long, default_value = "h264")]
    codec: String,
    /// Of the pattern, as WIDTHxHEIGHT.
    #[arg(long, default_value = "640x480")]
    size: String,
    /// How many cameras: /cam0, /cam1, ...
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// A pipeline of its own for each camera, with a payloader `pay0`, instead of clip and pattern. May be repeated.
    #[arg(long, conflicts_with_all = ["file", "count", "streams"])]
    launch: Vec<String>,
    /// Sizes as WIDTHxHEIGHT,...: /cam0, /cam1, ... are streams of one camera, which sees the clip.
    #[arg(long, value_delimiter = ',', requires = "file", conflicts_with = "count")]
    streams: Vec<String>,
    /// Ask for this user ...
    #[arg(long, requires = "password")]
    user: Option<String>,
    /// ... and this password (digest).
    #[arg(long, requires = "user")]
    password: Option<String>,
}

fn main() -> ExitCode {
    match serve(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rtsp_camera: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // A killed test must not leave its cameras behind.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    gst::init()?;
    let server = rtsp::RTSPServer::new();
    server.set_address("127.0.0.1");
    server.set_service(&arguments.port.to_string());
    let mounts = server.mount_points().ok_or("the server has no mount points")?;
    let _lens = if arguments.streams.is_empty() { None } else { Some(lens(arguments)?) };
    let launches = match arguments.streams.is_empty() {
        true => launches(arguments)?,
        false => arguments.streams.iter().map(|size| stream(arguments, size)).collect::<Result<_, _>>()?,
    };
    for (camera, launch) in launches.iter().enumerate() {
        let factory = rtsp::RTSPMediaFactory::new();
        factory.set_launch(launch);
        factory.connect_media_configure(|_, media| stamp(&media.element()));
        // One pipeline for all clients of a camera, as in a camera.
        factory.set_shared(true);
        if arguments.user.is_some() {
            let permissions = gst::Structure::builder("user")
                .field("media.factory.access", true)
                .field("media.factory.construct", true)
                .build();
            factory.add_role_from_structure(&permissions);
        }
        mounts.add_factory(&format!("/cam{camera}"), factory);
    }
    if let (Some(user), Some(password)) = (&arguments.user, &arguments.password) {
        server.set_auth(Some(&authentication(user, password)));
    }
    let main_loop = glib::MainLoop::new(None, false);
    let _attached = server.attach(None)?;
    let mut out = std::io::stdout().lock();
    for camera in 0..launches.len() {
        writeln!(out, "rtsp://127.0.0.1:{}/cam{camera}", server.bound_port())?;
    }
    out.flush()?;
    main_loop.run();
    Ok(())
}

/// What a camera with several streams sees: the clip, decoded at its own rate.
fn lens(arguments: &Arguments) -> Result<gst::Element, Box<dyn std::error::Error>> {
    let clip = clip(arguments)?;
    let lens = gst::parse::launch(&format!(
        "{clip} ! avdec_h264 ! identity sync=true ! videoconvert ! video/x-raw,format=I420 ! intervideosink channel=lens sync=false"
    ))?;
    stamp(&lens);
    lens.set_state(gst::State::Playing)?;
    Ok(lens)
}

/// One of its streams, with a keyframe each second.
fn stream(arguments: &Arguments, size: &str) -> Result<String, String> {
    let (fps, (width, height)) = (arguments.fps, size.split_once('x').ok_or("a size is WIDTHxHEIGHT")?);
    Ok(format!(
        "( intervideosrc channel=lens ! video/x-raw,framerate={fps}/1 ! videoscale add-borders=false ! videoconvert \
         ! video/x-raw,format=I420,width={width},height={height} \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={fps} threads=1 \
         ! rtph264pay config-interval=-1 name=pay0 pt=96 )"
    ))
}

/// The beginning of a pipeline that loops the clip.
fn clip(arguments: &Arguments) -> Result<String, String> {
    let (fps, file) = (arguments.fps, arguments.file.as_ref().ok_or("there is no clip")?);
    let file = std::path::absolute(file).map_err(|error| error.to_string())?;
    if !file.exists() {
        return Err(format!("there is no {}", file.display()));
    }
    let (codec, file) = (codec(arguments), file.display());
    Ok(format!(
        "multifilesrc location=\"{file}\" loop=true caps=\"video/x-{codec},stream-format=byte-stream,alignment=nal,framerate={fps}/1\" \
         ! {codec}parse name=parse"
    ))
}

/// Of the clip, by the end of its name.
fn codec(arguments: &Arguments) -> &'static str {
    let extension = arguments.file.as_ref().and_then(|file| file.extension());
    if extension.is_some_and(|extension| extension == "h265") { "h265" } else { "h264" }
}

/// Gives the frames of a clip a presentation time, which the parser cannot know: that of their decoding, for there are no
/// B-frames. Without it all packets have the same RTP time.
fn stamp(element: &gst::Element) {
    let parser = element.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("parse"));
    let Some(output) = parser.and_then(|parser| parser.static_pad("src")) else { return };
    output.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        if let Some(buffer) = info.buffer_mut()
            && buffer.pts().is_none()
        {
            let decoded_at = buffer.dts();
            buffer.make_mut().set_pts(decoded_at);
        }
        gst::PadProbeReturn::Ok
    });
}

fn authentication(user: &str, password: &str) -> rtsp::RTSPAuth {
    let auth = rtsp::RTSPAuth::new();
    auth.set_supported_methods(gstreamer_rtsp_server::gst_rtsp::RTSPAuthMethod::Digest);
    let token = rtsp::RTSPToken::builder().field("media.factory.role", "user").build();
    auth.add_digest(user, password, &token);
    auth
}

/// A pipeline for each camera.
fn launches(arguments: &Arguments) -> Result<Vec<String>, String> {
    if arguments.launch.is_empty() {
        return (0..arguments.count).map(|_| launch(arguments)).collect();
    }
    Ok(arguments.launch.iter().map(|elements| format!("( {elements} )")).collect())
}

fn launch(arguments: &Arguments) -> Result<String, String> {
    let fps = arguments.fps;
    if arguments.file.is_some() {
        let clip = clip(arguments)?;
        let codec = codec(arguments);
        return Ok(format!("( {clip} ! identity sync=true ! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )"));
    }
    let (width, height) = arguments.size.split_once('x').ok_or("the size is WIDTHxHEIGHT")?;
    let raw = format!("video/x-raw,format=I420,width={width},height={height},framerate={fps}/1");
    let encode = match arguments.codec.as_str() {
        // One slice a frame: the payloader puts parameter sets before each slice of a keyframe, which cuts the frame in two.
        "h264" => {
            "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 threads=1 ! rtph264pay config-interval=-1"
        }
        "h265" => "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph265pay config-interval=-1",
        "mjpeg" => "jpegenc ! rtpjpegpay",
        other => return Err(format!("no codec `{other}`: h264, h265 or mjpeg")),
    };
    Ok(format!("( videotestsrc is-live=true pattern=ball ! {raw} ! {encode} name=pay0 pt=96 )"))
}
