//! What was found, as a table with blocks for the settings, or as JSON.

use crate::cli::discover::additions::{Entry, Proposal};
use crate::cli::discover::arguments::DiscoverArguments;
use crate::discover::camera::Camera;
use crate::discover::camera_block::{Login, camera_block};
use serde_json::{Value, json};

/// A clock that is further away spoils certificates, recordings and logins.
const CLOCK_TOLERANCE_SECONDS: i64 = 5;

/// Cameras, their profiles, and `[[cameras]]` blocks.
pub(super) fn lines(proposals: &[Proposal<'_>], arguments: &DiscoverArguments) -> Vec<String> {
    if proposals.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![["NAME", "MANUFACTURER", "MODEL", "ADDRESS", "ONVIF"].map(str::to_owned).to_vec()];
    rows.extend(proposals.iter().map(|Proposal { camera, .. }| {
        [&camera.name, &camera.manufacturer, &camera.model, &camera.address, &camera.onvif_url]
            .map(|text| or_dash(text))
            .to_vec()
    }));
    let mut lines = table(&rows);
    let mut rows = vec![["ID", "PROFILE", "CODEC", "SIZE", "FPS", "URL"].map(str::to_owned).to_vec()];
    for proposal in proposals {
        rows.extend(proposal.camera.streams.iter().map(|stream| {
            let id = proposal.id_of(stream).map_or("-".to_owned(), ToString::to_string);
            let (profile, codec) = (or_dash(&stream.profile), or_dash(&stream.codec));
            vec![id, profile, codec, stream.size(), stream.rate(), stream.url.clone()]
        }));
    }
    if rows.len() > 1 {
        lines.push(String::new());
        lines.extend(table(&rows));
    }
    for Proposal { camera, .. } in proposals {
        let address = &camera.address;
        lines.extend(camera.snapshot_url.iter().map(|url| format!("{address}: single pictures at {url}")));
        lines.extend(clock_words(camera).map(|words| format!("{address}: {words}")));
    }
    lines.extend(blocks(proposals, arguments));
    lines
}

fn blocks(proposals: &[Proposal<'_>], arguments: &DiscoverArguments) -> Vec<String> {
    let file = arguments.password_file();
    let login = arguments.user.as_deref().zip(file.as_deref());
    let login = login.map(|(user, password_file)| Login { user, password_file });
    let block = |Entry { id, choice, is_there }: &Entry<'_>| match is_there {
        true => format!("\n# {id} is in the settings already."),
        false => format!("\n{}", camera_block(id, *choice, login)),
    };
    proposals.iter().flat_map(|proposal| &proposal.entries).map(block).collect()
}

/// The same for programs.
pub(super) fn as_json(proposals: &[Proposal<'_>]) -> Value {
    let entry = |Entry { id, choice, is_there }: &Entry<'_>| {
        let (url, detect_url) = choice.urls();
        json!({ "id": id, "url": url, "detect_url": detect_url, "in_settings": is_there })
    };
    let cameras = proposals.iter().map(|Proposal { camera, entries }| {
        let mut value = json!(camera);
        value["entries"] = entries.iter().map(entry).collect();
        value
    });
    json!({ "cameras": cameras.collect::<Value>() })
}

fn clock_words(camera: &Camera) -> Option<String> {
    let offset = camera.clock_offset_seconds.filter(|offset| offset.abs() > CLOCK_TOLERANCE_SECONDS)?;
    let side = if offset > 0 { "ahead of" } else { "behind" };
    Some(format!("its clock is {} s {side} this box: set a time server in the camera", offset.unsigned_abs()))
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// Columns as wide as their widest text.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_texts() {
        let rows = [vec!["A".into(), "B".into()], vec!["äöü".into(), "x".into()]];
        assert_eq!(table(&rows), ["A    B", "äöü  x"]);
    }

    #[test]
    fn a_clock_is_told_when_it_is_wrong() {
        let words = |offset| clock_words(&Camera { clock_offset_seconds: offset, ..Camera::default() });
        assert!(words(Some(-7200)).unwrap().contains("7200 s behind"));
        assert!(words(Some(60)).unwrap().contains("ahead"));
        assert_eq!((words(Some(5)), words(None)), (None, None));
    }
}
