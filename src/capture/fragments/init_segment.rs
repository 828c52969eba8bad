//! What a reader needs before the first fragment: `ftyp` and `moov`.

use crate::capture::fragments::TIMESCALE;
use crate::capture::fragments::boxes::BoxWriter;
use crate::capture::fragments::parameter_sets::ParameterSets;
use crate::capture::fragments::video_format::VideoFormat;

/// The matrix that moves nothing.
const IDENTITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// "und", undetermined, in three times five bits.
const NO_LANGUAGE: u16 = 0x55c4;

/// 72 dots an inch, as every file says.
const RESOLUTION: u32 = 0x48_0000;

/// The init segment of a stream with these parameter sets. `None` if they are not complete.
pub(super) fn init_segment(sets: &ParameterSets, format: VideoFormat) -> Option<Vec<u8>> {
    let record = sets.configuration_record(format)?;
    let mut out = BoxWriter::default();
    out.boxed(b"ftyp", |out| {
        out.bytes(b"iso6");
        out.u32(0);
        out.bytes(b"iso6mp41");
    });
    out.boxed(b"moov", |out| {
        // No duration: what has none is live.
        out.full(b"mvhd", (0, 0), |out| {
            [0, 0, TIMESCALE, 0, 0x1_0000].into_iter().for_each(|value| out.u32(value));
            out.u16(0x100);
            out.zeros(10);
            IDENTITY.into_iter().for_each(|value| out.u32(value));
            out.zeros(24);
            out.u32(2);
        });
        out.boxed(b"trak", |out| track(out, sets, format, &record));
        out.boxed(b"mvex", |out| {
            out.full(b"trex", (0, 0), |out| [1, 1, 0, 0, 0].into_iter().for_each(|value| out.u32(value)));
        });
    });
    Some(out.into_bytes())
}

fn track(out: &mut BoxWriter, sets: &ParameterSets, format: VideoFormat, record: &[u8]) {
    // Enabled, and in the movie.
    out.full(b"tkhd", (0, 3), |out| {
        [0, 0, 1, 0, 0].into_iter().for_each(|value| out.u32(value));
        out.zeros(16);
        IDENTITY.into_iter().for_each(|value| out.u32(value));
        out.u32(u32::from(format.width) << 16);
        out.u32(u32::from(format.height) << 16);
    });
    out.boxed(b"mdia", |out| {
        out.full(b"mdhd", (0, 0), |out| {
            [0, 0, TIMESCALE, 0].into_iter().for_each(|value| out.u32(value));
            out.u16(NO_LANGUAGE);
            out.u16(0);
        });
        out.full(b"hdlr", (0, 0), |out| {
            out.u32(0);
            out.bytes(b"vide");
            out.zeros(12);
            out.bytes(b"video\0");
        });
        out.boxed(b"minf", |out| {
            out.full(b"vmhd", (0, 1), |out| out.zeros(8));
            // The data is in this file.
            out.boxed(b"dinf", |out| {
                out.full(b"dref", (0, 0), |out| {
                    out.u32(1);
                    out.full(b"url ", (0, 1), |_| {});
                });
            });
            out.boxed(b"stbl", |out| {
                out.full(b"stsd", (0, 0), |out| {
                    out.u32(1);
                    sample_entry(out, sets, format, record);
                });
                // Empty: all frames are in fragments.
                out.full(b"stts", (0, 0), |out| out.u32(0));
                out.full(b"stsc", (0, 0), |out| out.u32(0));
                out.full(b"stsz", (0, 0), |out| out.zeros(8));
                out.full(b"stco", (0, 0), |out| out.u32(0));
            });
        });
    });
}

fn sample_entry(out: &mut BoxWriter, sets: &ParameterSets, format: VideoFormat, record: &[u8]) {
    let (entry, configuration) = sets.codec().box_names();
    out.boxed(entry, |out| {
        out.zeros(6);
        out.u16(1);
        out.zeros(16);
        out.u16(format.width);
        out.u16(format.height);
        [RESOLUTION, RESOLUTION, 0].into_iter().for_each(|value| out.u32(value));
        out.u16(1);
        out.zeros(32);
        // 24 bits a pixel, and no colour table.
        out.u16(24);
        out.u16(u16::MAX);
        out.boxed(configuration, |out| out.bytes(record));
    });
}
