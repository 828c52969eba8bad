//! The luma plane of a decoded picture, whatever layout its decoder gives.

use crate::capture::watch::cells::Cells;
use gstreamer as gst;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;

/// The cells of a picture; `None` if it has no luma plane of 8 bits or more.
pub(in crate::capture) fn cells(picture: &gst::BufferRef, info: &gst_video::VideoInfo) -> Option<Cells> {
    let format = info.format_info();
    let (depth, step) = (*format.depth().first()?, *format.pixel_stride().first()?);
    let kinds = gst_video::VideoFormatFlags::YUV | gst_video::VideoFormatFlags::GRAY;
    let has_luma = format.flags().intersects(kinds);
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(picture, info).ok()?;
    let plane = frame.plane_data(0).ok()?;
    let stride = usize::try_from(*frame.plane_stride().first()?).ok()?;
    let (width, height) = (info.width() as usize, info.height() as usize);
    match (depth, step) {
        (8, 1) if has_luma => Cells::of(plane, stride, width, height),
        // 10 bits in two bytes, the lower byte first: the upper eight bits, in every second row.
        (10, 2) if has_luma => {
            let shift = *format.shift().first()?;
            let eight_bits = |pair: &[u8]| (u16::from_le_bytes([pair[0], pair[1]]) >> (shift + 2)).to_le_bytes()[0];
            let rows = plane.chunks(stride).take(height).step_by(2);
            let narrow: Vec<u8> = rows.flat_map(|row| row.chunks_exact(2).take(width).map(eight_bits)).collect();
            Cells::of(&narrow, width, width, height.div_ceil(2))
        }
        _ => None,
    }
}
