//! The cameras as entries of the settings: their ids, and adding them as `ocelli camera add` does.

use crate::camera::settings::CameraSettings;
use crate::cli::camera::{TO_APPLY, attempt};
use crate::cli::discover::arguments::DiscoverArguments;
use crate::cli::live_view::print_line;
use crate::discover::camera::{Camera, Stream};
use crate::discover::camera_id::TakenIds;
use crate::discover::stream_choice::{Choice, choices};
use crate::settings::editor::{Assignment, CAMERAS};
use crate::settings::{Settings, environment};
use crate::vision::camera_id::CameraId;
use std::process::ExitCode;

/// A camera that was found, and what the settings would have of it.
#[derive(Debug)]
pub(super) struct Proposal<'a> {
    /// What was found.
    pub(super) camera: &'a Camera,
    /// One for each sensor or channel with a stream that can be used.
    pub(super) entries: Vec<Entry<'a>>,
}

/// One of `[[cameras]]`.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// The id that it has in the settings, or would get.
    pub(super) id: CameraId,
    /// The streams.
    pub(super) choice: Choice<'a>,
    /// The settings have one of its streams already.
    pub(super) is_there: bool,
}

/// Gives each camera an id that is neither in the settings nor another one's. Settings that cannot be read are no hindrance to
/// looking for cameras.
pub(super) fn propose<'a>(arguments: &DiscoverArguments, cameras: &'a [Camera]) -> Vec<Proposal<'a>> {
    let settings = Settings::load_placed(&arguments.config.files(), environment()).ok();
    let there = settings.map(|(settings, _)| settings.cameras).unwrap_or_default();
    let mut taken = TakenIds::new(there.iter().map(|camera| camera.id.to_string()));
    let mut entry = |camera: &Camera, choice: Choice<'a>| {
        let source = &choice.analysed.source;
        let of_source = || camera.streams.iter().filter(|stream| stream.source == *source);
        let is_of = |known: &CameraSettings, url: &String| known.url == *url || known.detect_url.as_ref() == Some(url);
        let known = there.iter().find(|known| of_source().any(|stream| is_of(known, &stream.url)));
        let id = known.map_or_else(|| taken.make(&camera.name), |known| known.id.clone());
        Entry { id, choice, is_there: known.is_some() }
    };
    let mut entries =
        |camera: &'a Camera| choices(&camera.streams).into_iter().map(|choice| entry(camera, choice)).collect();
    cameras.iter().map(|camera| Proposal { camera, entries: entries(camera) }).collect()
}

/// Adds those that are not there yet. What was done goes to standard error where standard output is JSON.
pub(super) fn add(arguments: &DiscoverArguments, proposals: &[Proposal<'_>], is_found: bool) -> ExitCode {
    let say = |line: &str| if arguments.json { eprintln!("{line}") } else { print_line(line) };
    let mut has_added = false;
    for (camera, Entry { id, choice, is_there }) in proposals.iter().flat_map(Proposal::each) {
        if *is_there {
            say(&format!("Camera {id} is in the settings already."));
            continue;
        }
        let (url, detect_url) = choice.urls();
        let mut values = vec![Assignment::text("url", url)];
        values.extend(detect_url.map(|detect_url| Assignment::text("detect_url", detect_url)));
        if let (Some(user), Some(file)) = (&arguments.user, arguments.password_file()) {
            values.push(Assignment::text("credentials.user", user));
            values.push(Assignment::text("credentials.password_file", &file.to_string_lossy()));
        }
        match attempt(&arguments.config, |editor| editor.add(CAMERAS, id.as_str(), &values)) {
            Ok(file) => say(&format!("Camera {id} ({}) is added, in {}", camera.address, file.display())),
            Err(code) => return code,
        }
        has_added = true;
    }
    if has_added {
        say(TO_APPLY);
    }
    let has_all = proposals.iter().all(|proposal| !proposal.entries.is_empty());
    if is_found && has_all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl<'a> Proposal<'a> {
    /// The entries, each with its camera.
    fn each(&self) -> impl Iterator<Item = (&'a Camera, &Entry<'a>)> {
        self.entries.iter().map(|entry| (self.camera, entry))
    }

    /// The id of the entry that shows the same sensor as a stream.
    pub(super) fn id_of(&self, stream: &Stream) -> Option<&CameraId> {
        let is_it = |entry: &&Entry<'_>| entry.choice.analysed.source == stream.source;
        self.entries.iter().find(is_it).map(|entry| &entry.id)
    }
}
