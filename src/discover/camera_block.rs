//! A `[[cameras]]` block for the settings.

use crate::discover::camera::Stream;
use crate::discover::stream_choice::Choice;
use crate::vision::camera_id::CameraId;
use std::path::Path;

/// The login that the block names. The password stays in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login<'a> {
    /// The user's name.
    pub(crate) user: &'a str,
    /// An absolute path.
    pub(crate) password_file: &'a Path,
}

/// The lines of a block. With two streams, the main one is for snapshots in full size.
pub(crate) fn camera_block(id: &CameraId, choice: Choice<'_>, login: Option<Login<'_>>) -> String {
    let Choice { analysed, main } = choice;
    let mut lines = vec!["[[cameras]]".to_owned(), format!("id = {}", quoted(id.as_str()))];
    let line = |key: &str, stream: &Stream| format!("{key} = {} # {}", quoted(&stream.url), comment(&stream.words()));
    match main {
        Some(main) => lines.extend([line("url", main), line("detect_url", analysed)]),
        None => lines.push(line("url", analysed)),
    }
    lines.extend(login.map(|Login { user, password_file }| {
        let file = password_file.to_string_lossy();
        format!("credentials = {{ user = {}, password_file = {} }}", quoted(user), quoted(&file))
    }));
    lines.join("\n")
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Text that does not end a comment.
fn comment(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::stream_choice::choices;

    #[test]
    fn a_block_is_toml_and_hides_nothing_in_a_url() {
        let stream = |codec: &str, width, height, url: &str| Stream {
            codec: codec.into(),
            width,
            height,
            fps: 12.5,
            url: url.into(),
            ..Stream::default()
        };
        let streams = [stream("H264", 1920, 1080, "rtsp://h/main"), stream("H264", 640, 360, "rtsp://h/sub")];
        let login = Login { user: "vie\"wer\n", password_file: Path::new("/etc/ocelli/pass word") };
        let id = CameraId::new("yard").unwrap();
        let text = camera_block(&id, choices(&streams)[0], Some(login));
        let parsed: toml::Table = toml::from_str(&text).unwrap();
        let camera = parsed["cameras"][0].as_table().unwrap();
        assert_eq!((camera["id"].as_str(), camera["url"].as_str()), (Some("yard"), Some("rtsp://h/main")));
        assert_eq!(camera["detect_url"].as_str(), Some("rtsp://h/sub"));
        assert_eq!(camera["credentials"]["user"].as_str(), Some("vie\"wer\n"));
        assert_eq!(camera["credentials"]["password_file"].as_str(), Some("/etc/ocelli/pass word"));
        assert!(text.contains("url = \"rtsp://h/main\" # H264 1920x1080, 12.5 fps\n"), "{text}");
        let alone = camera_block(&id, choices(&streams[1..])[0], None);
        assert_eq!(alone, "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://h/sub\" # H264 640x360, 12.5 fps");
    }
}
