//! Makes the file of a screenshot small: few colours, which are chosen for it. Those of the page's own surfaces stay as they
//! are; those of photographs are found by median cut.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

const COLOURS: usize = 104;

/// The colours that most pixels have: surfaces and text.
const EXACT: usize = 48;

type Colour = [u8; 3];

/// Replaces a PNG by one with a palette.
pub fn write_small(file: &Path) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(file).unwrap())).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let channels = info.color_type.samples();
    // Photographs have more shades than anybody sees.
    let pixels: Vec<Colour> = bytes[..info.buffer_size()]
        .chunks_exact(channels)
        .map(|pixel| [pixel[0] & 0xfe, pixel[1] & 0xfe, pixel[2] & 0xfe])
        .collect();
    let mut counts: HashMap<Colour, u32> = HashMap::new();
    pixels.iter().for_each(|pixel| *counts.entry(*pixel).or_default() += 1);
    let (palette, places) = median_cut(counts.into_iter().collect());
    let indices: Vec<u8> = pixels.iter().map(|pixel| places[pixel]).collect();

    let mut encoder = png::Encoder::new(BufWriter::new(File::create(file).unwrap()), info.width, info.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header().unwrap().write_image_data(&indices).unwrap();
}

/// Cuts the group with the widest spread in two until there are enough; each is shown as its mean.
fn median_cut(mut all: Vec<(Colour, u32)>) -> (Vec<Colour>, HashMap<Colour, u8>) {
    all.sort_unstable_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    let others = all.split_off(EXACT.min(all.len()));
    let mut groups: Vec<_> = all.into_iter().map(|colour| vec![colour]).collect();
    groups.extend((!others.is_empty()).then_some(others));
    while groups.len() < COLOURS {
        let widest =
            (0..groups.len()).filter(|index| groups[*index].len() > 1).max_by_key(|index| spread(&groups[*index]));
        let Some(widest) = widest else { break };
        let mut group = groups.swap_remove(widest);
        let channel = widest_channel(&group).0;
        group.sort_unstable_by_key(|(colour, _)| colour[channel]);
        let half = group.len() / 2;
        let rest = group.split_off(half);
        groups.extend([group, rest]);
    }
    let palette = groups.iter().map(|group| mean(group)).collect();
    let places = groups
        .iter()
        .enumerate()
        .flat_map(|(index, group)| group.iter().map(move |(colour, _)| (*colour, u8::try_from(index).unwrap())));
    (palette, places.collect())
}

/// The width of a group in its widest channel, weighted by how many pixels it has.
fn spread(group: &[(Colour, u32)]) -> u64 {
    let pixels: u64 = group.iter().map(|(_, count)| u64::from(*count)).sum();
    u64::from(widest_channel(group).1).pow(2) * pixels.isqrt()
}

fn widest_channel(group: &[(Colour, u32)]) -> (usize, u8) {
    let width = |channel: usize| {
        let values = || group.iter().map(|(colour, _)| colour[channel]);
        (channel, values().max().unwrap_or(0) - values().min().unwrap_or(0))
    };
    [0, 1, 2].map(width).into_iter().max_by_key(|(_, width)| *width).unwrap()
}

#[allow(clippy::cast_possible_truncation, reason = "a mean of bytes is one")]
fn mean(group: &[(Colour, u32)]) -> Colour {
    let pixels: u64 = group.iter().map(|(_, count)| u64::from(*count)).sum();
    [0, 1, 2].map(|channel| {
        let sum: u64 = group.iter().map(|(colour, count)| u64::from(colour[channel]) * u64::from(*count)).sum();
        (sum / pixels.max(1)) as u8
    })
}
