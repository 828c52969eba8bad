//! Which of a camera's streams is analysed.

use crate::discover::camera::Stream;

/// Detectors see 640 pixels or less; a wider stream only costs decoding.
const WIDE_ENOUGH: u32 = 640;

/// The streams of a camera that matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Choice<'a> {
    /// The one that is analysed: usually the sub stream.
    pub(crate) analysed: &'a Stream,
    /// The largest, if it is another one.
    pub(crate) main: Option<&'a Stream>,
}

impl Choice<'_> {
    /// `url` and `detect_url` of the settings.
    pub(crate) fn urls(&self) -> (&str, Option<&str>) {
        match self.main {
            Some(main) => (&main.url, Some(&self.analysed.url)),
            None => (&self.analysed.url, None),
        }
    }
}

/// One choice for each sensor or channel, in the camera's order. Those without a stream that can be used are left out, and
/// those whose stream is an earlier one's: some cameras give one URL for everything.
pub(crate) fn choices(streams: &[Stream]) -> Vec<Choice<'_>> {
    let mut sources: Vec<&str> = Vec::new();
    let mut chosen: Vec<Choice<'_>> = Vec::new();
    for Stream { source, .. } in streams {
        if sources.contains(&source.as_str()) {
            continue;
        }
        sources.push(source);
        let of_source: Vec<&Stream> = streams.iter().filter(|stream| stream.source == *source).collect();
        let choice = choose(&of_source);
        chosen.extend(choice.filter(|new| chosen.iter().all(|old| old.analysed.url != new.analysed.url)));
    }
    chosen
}

/// Chooses the smallest stream that is at least 640 pixels wide, else the largest. H.264 and H.265 go before JPEG, which
/// costs the network ten times as much, and other codecs cannot be decoded.
fn choose<'a>(streams: &[&'a Stream]) -> Option<Choice<'a>> {
    let of = |codecs: &[&str]| -> Vec<&'a Stream> {
        streams.iter().copied().filter(|stream| codecs.contains(&plain(&stream.codec).as_str())).collect()
    };
    // A codec that is not told may be any.
    let best = [of(&["h264", "h265", "hevc", "avc"]), of(&["jpeg", "mjpeg"]), of(&[""])];
    let usable = best.into_iter().find(|streams| !streams.is_empty())?;
    let main = *usable.iter().rev().max_by_key(|stream| stream.area())?;
    let wide_enough = usable.iter().filter(|stream| stream.width >= WIDE_ENOUGH);
    let analysed = wide_enough.min_by_key(|stream| stream.area()).copied().unwrap_or(main);
    Some(Choice { analysed, main: (main.url != analysed.url).then_some(main) })
}

/// `H.264` is `h264`.
fn plain(codec: &str) -> String {
    codec.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(codec: &str, width: u32, height: u32) -> Stream {
        let url = format!("rtsp://h/{codec}/{width}");
        Stream { codec: codec.into(), width, height, url, ..Stream::default() }
    }

    fn chosen(streams: &[(&str, u32, u32)]) -> Option<(u32, Option<u32>)> {
        let streams: Vec<Stream> =
            streams.iter().map(|(codec, width, height)| stream(codec, *width, *height)).collect();
        choices(&streams).first().map(|choice| (choice.analysed.width, choice.main.map(|main| main.width)))
    }

    #[test]
    fn the_smallest_stream_that_is_wide_enough_is_analysed() {
        let all = [("H264", 1920, 1080), ("H264", 1280, 720), ("H264", 640, 360), ("H264", 320, 240)];
        assert_eq!(chosen(&all), Some((640, Some(1920))));
        assert_eq!(chosen(&[("H265", 352, 288), ("H264", 320, 240)]), Some((352, None)), "else the largest");
        assert_eq!(chosen(&[("H.264", 3840, 2160)]), Some((3840, None)));
    }

    #[test]
    fn codecs_that_cannot_be_decoded_are_never_chosen() {
        assert_eq!(chosen(&[("MPEG4", 640, 480), ("JPEG", 1280, 720)]), Some((1280, None)));
        assert_eq!(chosen(&[("JPEG", 640, 480), ("H264", 1280, 720)]), Some((1280, None)));
        assert_eq!(chosen(&[("MPEG4", 640, 480)]), None);
        assert_eq!(chosen(&[("", 0, 0)]), Some((0, None)), "nothing is told");
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn each_lens_is_a_camera_of_its_own() {
        let of = |source: &str, width| Stream { source: source.into(), ..stream("H264", width, 9) };
        let streams = [
            of("left", 1920),
            of("right", 1280),
            of("left", 704),
            Stream { source: "audio".into(), ..stream("G711", 0, 0) },
        ];
        let found = choices(&streams);
        let widths: Vec<(u32, Option<u32>)> =
            found.iter().map(|choice| (choice.analysed.width, choice.main.map(|main| main.width))).collect();
        assert_eq!(widths, [(704, Some(1920)), (1280, None)]);
        let same = ["left", "right"].map(|source| Stream { url: "rtsp://h/all".into(), ..of(source, 1280) });
        assert_eq!(choices(&same).len(), 1);
    }
}
