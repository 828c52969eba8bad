//! A decoded frame into a slot: the one copy that is made of it.

use crate::vision::frame::{Colorimetry, Picture, PictureError, PictureLayout, PixelFormat};
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;

/// Why a frame is not handed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameCopyError {
    #[error("the decoder gave {0}, which is neither I420 nor NV12")]
    Format(String),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error("the frame has fewer samples than its size says")]
    Short,
}

/// What the slot will hold.
pub(super) fn picture_of(info: &gst_video::VideoInfo) -> Result<Picture, FrameCopyError> {
    let PictureLayout { format, width, height, colorimetry } = layout_of(info)?;
    Ok(Picture::new(format, width, height, colorimetry)?)
}

/// What a decoded picture is, however large.
pub(super) fn layout_of(info: &gst_video::VideoInfo) -> Result<PictureLayout, FrameCopyError> {
    let format = match info.format() {
        gst_video::VideoFormat::I420 => PixelFormat::I420,
        gst_video::VideoFormat::Nv12 => PixelFormat::Nv12,
        other => return Err(FrameCopyError::Format(other.to_string())),
    };
    let colorimetry = info.colorimetry();
    // A stream that does not say is BT.709 from 720 lines on and BT.601 below, as players take it.
    let bt709 = match colorimetry.matrix() {
        gst_video::VideoColorMatrix::Bt709 => true,
        gst_video::VideoColorMatrix::Unknown => info.height() >= 720,
        _ => false,
    };
    let full_range = colorimetry.range() == gst_video::VideoColorRange::Range0_255;
    let (width, height) = (info.width(), info.height());
    Ok(PictureLayout { format, width, height, colorimetry: Colorimetry { bt709, full_range } })
}

/// Packs the planes tightly into `slot`, which is at least as long as the picture.
pub(super) fn copy(
    frame: &gst_video::VideoFrameRef<&gstreamer::BufferRef>,
    picture: PictureLayout,
    slot: &mut [u8],
) -> Result<(), FrameCopyError> {
    for (index, plane) in (0_u32..).zip(picture.planes()) {
        let source = frame.plane_data(index).map_err(|_| FrameCopyError::Short)?;
        let stride = frame.plane_stride().get(index as usize).copied().unwrap_or(0);
        let stride = usize::try_from(stride).map_err(|_| FrameCopyError::Short)?;
        let target = slot.get_mut(plane.offset..plane.offset + plane.stride * plane.height);
        let target = target.ok_or(FrameCopyError::Short)?;
        if stride == plane.stride {
            target.copy_from_slice(source.get(..target.len()).ok_or(FrameCopyError::Short)?);
            continue;
        }
        for (row, target) in target.chunks_exact_mut(plane.stride).enumerate() {
            let source = source.get(row * stride..row * stride + plane.stride);
            target.copy_from_slice(source.ok_or(FrameCopyError::Short)?);
        }
    }
    Ok(())
}
